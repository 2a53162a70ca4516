import DynamoDBJSON
import TarnBytes
import TarnColumns

/// What has been seen of one column's values, from which its type follows.
struct InferredType: Sendable {
  /// What values have been.
  private struct Seen: OptionSet {
    let rawValue: UInt16
    static let string = Seen(rawValue: 1)
    static let boolean = Seen(rawValue: 2)
    /// Whole numbers of 64 bits.
    static let integer = Seen(rawValue: 4)
    /// Numbers that decimal(38,18) holds.
    static let decimal = Seen(rawValue: 8)
    /// Numbers that it does not hold.
    static let beyond = Seen(rawValue: 16)
    static let binary = Seen(rawValue: 32)
    static let document = Seen(rawValue: 64)
    /// JSON numbers with a fraction or an exponent.
    static let fraction = Seen(rawValue: 128)
    /// Whole numbers that a double does not hold exactly.
    static let inexact = Seen(rawValue: 256)

    static let numbers: Seen = [.integer, .decimal, .beyond, .fraction, .inexact]
  }

  private var seen: Seen = []
  /// What values of DynamoDB's own types were.
  private var kinds: AttributeKinds = []
  /// What every string or number so far may be as a time; nothing where one is none.
  private var time: Time = .untold

  /// What all values may be as times.
  private enum Time: Sendable, Equatable {
    case untold, none, text
    case count(AttributeKinds)

    mutating func join(_ other: Time) { self = self == .untold || self == other ? other : .none }
  }
  /// Number of values, nulls among them.
  private(set) var count = 0
  /// Whether a value told something of the type, as a null does not.
  var isKnown: Bool { !seen.isEmpty }

  /// The type of numbers with fractions from change records, and of whole numbers beyond 64 bits.
  static let wideDecimal = DataType.decimal(precision: 38, scale: 18)

  /// Takes note of a value.
  ///
  /// - Parameter recognizesTimes: Whether it is looked at for a time.
  @inline(__always)
  mutating func note(
    _ value: ScannedValue, _ scanner: borrowing JSONScanner, recognizesTimes: Bool = false
  ) {
    count &+= 1
    kinds.formUnion(AttributeKinds(value, scanner.raw(value.value)))
    if recognizesTimes, value.kind != .null { noteTime(value, scanner) }
    switch value.kind {
    case .string: seen.insert(.string)
    case .yes, .no: seen.insert(.boolean)
    case .binary: seen.insert(.binary)
    case .document, .attributeDocument: seen.insert(.document)
    case .null: break
    case .number: noteNumber(scanner.raw(value.value), isAttribute: value.isAttribute)
    }
  }

  private mutating func noteNumber(_ text: RawSpan, isAttribute: Bool) {
    // What is no number will be rejected, and tells nothing of the column.
    if isAttribute, (try? ColumnTarget.check(number: text)) == nil { return }
    if let plain = PlainNumber(text), plain.places == 0 {
      seen.insert(.integer)
      if plain.coefficient.magnitude > 1 << 53 { seen.insert(.inexact) }
    } else if !isAttribute, Self.hasFraction(text) {
      seen.insert(.fraction)
    } else if let exact = ExactDecimal(text) {
      if exact.int64 != nil {
        seen.insert(.integer)
        seen.insert(.inexact)
      } else if exact.unscaled(scale: 18) != nil {
        seen.insert(.decimal)
      } else {
        seen.insert(.beyond)
      }
    } else {
      seen.insert(.beyond)
    }
  }

  private mutating func noteTime(_ value: ScannedValue, _ scanner: borrowing JSONScanner) {
    guard !value.valueIsEscaped else { return time.join(.none) }
    let text = scanner.raw(value.value)
    switch value.kind {
    case .string:
      let parsed = CivilTime.parse(text)
      // Without a zone, a text does not tell the instant.
      time.join(parsed.map { $0.hasZone && !$0.lostDigits } ?? false ? .text : .none)
    case .number:
      let unit = NumberText.integer(text).map { AttributeKinds(countedBy: $0) } ?? []
      time.join(unit.isEmpty ? .none : .count(unit))
    default: time.join(.none)
    }
  }

  private static func hasFraction(_ text: RawSpan) -> Bool {
    text.withUnsafeBytes { $0.contains { $0 == 0x2e || $0 | 0x20 == 0x65 } }
  }

  /// The type of a column of times.
  private static let instant = DataType.timestamp(.microseconds, .instant)

  /// The column's type.
  var type: DataType {
    if time == .text, seen == .string { return Self.instant }
    if case .count = time, seen.isSubset(of: .numbers) { return Self.instant }
    return plainType
  }

  /// The column's type without times that were recognized.
  var plainType: DataType {
    if seen.isSubset(of: .numbers) && !seen.isEmpty {
      if seen.contains(.beyond) { return .string }
      if seen.contains(.fraction) {
        return seen.isDisjoint(with: [.inexact, .decimal]) ? .double : .string
      }
      return seen.contains(.decimal) ? Self.wideDecimal : .int64
    }
    switch seen {
    case .boolean: return .boolean
    case .binary: return .binary
    default: return .string
    }
  }

  /// What attributes the values of a column of a type were, where the type does not tell it.
  func kinds(in type: DataType) -> AttributeKinds {
    switch type {
    case .string: kinds == .string ? [] : kinds.isMixed ? kinds.union(.json) : kinds
    case .timestamp: if case .count(let unit) = time { unit } else { [] }
    default: []
    }
  }

  /// What the user should know of the choice; nil where nothing is odd.
  ///
  /// - Parameters:
  ///   - attribute: The values' name.
  ///   - column: That of their column.
  func warning(_ attribute: String, _ column: String) -> String? {
    let name = attribute == column ? column : "\(column) (\(attribute.debugDescription))"
    if type != plainType {
      let unit = kinds(in: type).unit.map(AttributeKinds.name(ofUnit:))
      let why = unit.map { "all its numbers may be times that count \($0) since 1970" }
      return "column \(name) becomes timestamp: \(why ?? "all its texts are times")"
    }
    guard type == .string, !seen.isEmpty, seen != .string, seen != .document else { return nil }
    if seen.isSubset(of: .numbers) {
      return "column \(name) becomes string: it has numbers that neither \(Self.wideDecimal.name) "
        + "nor another numeric type holds exactly"
    }
    return "column \(name) becomes string: its values are of different types"
      + (kinds(in: type).contains(.json) ? ", and stand there as JSON" : "")
  }
}

/// Names that had nothing but nulls.
public enum UntypedNames {
  /// What the user should know of them; nil where there are none.
  public static func warning(_ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(10).map(\.debugDescription).joined(separator: ", ")
    let more = names.count > 10 ? " and \(names.count - 10) more" : ""
    return "\(shown)\(more): left out, since nothing but nulls came yet, which tell no type"
  }
}
