import TarnBytes
import TarnColumns

/// How finely the time of a change was written.
public enum EventTimePrecision: Int, Sendable, Hashable, Comparable, CaseIterable {
  case second, millisecond, microsecond

  /// Whether one is coarser than another.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  /// The precision of a number of digits behind a second's point.
  init(digits: Int) { self = digits == 0 ? .second : digits <= 3 ? .millisecond : .microsecond }
}

/// Who made a change that no user made.
public struct UserIdentity: Sendable, Hashable {
  /// What it is, such as `Service`.
  public var type: String?
  /// Its name, such as `dynamodb.amazonaws.com` for items whose time to live has passed.
  public var principalID: String?

  /// Makes an identity of its parts.
  public init(type: String?, principalID: String?) {
    self.type = type
    self.principalID = principalID
  }
}

/// The time of a change, as records write it.
struct EventTime {
  /// Microseconds since 1970-01-01T00:00:00Z.
  let microseconds: Int64
  let precision: EventTimePrecision

  /// A time that is written as ISO 8601 has it; without zone it is in UTC.
  init(_ text: RawSpan, of member: String = "ApproximateCreationDateTime") throws(RejectionReason) {
    guard let time = CivilTime.parse(text), !time.lostDigits else {
      throw .notAChangeRecord(
        "\(member) \"\(Self.shown(text))\" is no time such as 2024-01-31T12:00:00Z, of microseconds at most"
      )
    }
    microseconds = time.microseconds
    precision = EventTimePrecision(digits: Self.fractionDigits(text))
  }

  /// A time that is written as a number.
  ///
  /// Where the record names no precision, the magnitude tells it: 16 digits are microseconds, 13 milliseconds,
  /// 10 seconds, as in DynamoDB Streams, perhaps with a fraction or an exponent.
  init(
    _ text: RawSpan, precision: String?, of member: String = "ApproximateCreationDateTime"
  ) throws(RejectionReason) {
    if precision == "MICROSECOND", let plain = PlainNumber(text), plain.places == 0 {
      // As nearly all are.
      (microseconds, self.precision) = (plain.coefficient, .microsecond)
      return
    }
    guard let value = ExactDecimal(text), let whole = value.rounded(scale: 0) else {
      throw Self.bad(text, member)
    }
    let scale: Int
    switch precision {
    case "MICROSECOND": scale = 0
    case "MILLISECOND": scale = 3
    case nil:
      scale =
        switch whole.magnitude {
        case 100_000_000_000_000...: 0
        case 100_000_000_000...: 3
        default: 6
        }
    case .some(let other):
      throw .notAChangeRecord("\(member)Precision \"\(other.prefix(32))\" is not known")
    }
    guard let micros = value.rounded(scale: scale), let result = Int64(exactly: micros) else {
      throw Self.bad(text, member)
    }
    microseconds = result
    self.precision =
      switch scale {
      case 0: .microsecond
      case 3: .millisecond
      default:
        EventTimePrecision(digits: result % 1_000_000 == 0 ? 0 : result % 1_000 == 0 ? 3 : 6)
      }
  }

  private static func bad(_ text: RawSpan, _ member: String) -> RejectionReason {
    .notAChangeRecord("\(member) \(shown(text)) is no time")
  }

  private static func shown(_ text: RawSpan) -> String {
    text.withUnsafeBytes { String(decoding: $0.prefix(40), as: UTF8.self) }
  }

  private static func fractionDigits(_ text: RawSpan) -> Int {
    text.withUnsafeBytes { bytes in
      guard let point = bytes.firstIndex(where: { $0 == 0x2e || $0 == 0x2c }) else { return 0 }
      return bytes[(point + 1)...].prefix { (0x30...0x39).contains($0) }.count
    }
  }
}
