import TarnBytes
import TarnColumns

/// The time that names a commit: `yyyyMMddHHmmssSSS`, or `yyyyMMddHHmmss` in old tables.
///
/// Instants compare as their texts do, so an instant of 14 digits lies before every one of 17 digits
/// that begins with it. Tarn's own have 17 digits, and are in
/// the zone that the table says.
@frozen
public struct Instant: Sendable, Hashable, Comparable {
  /// The digits as a number, those of 14 with three zeros behind them.
  @usableFromInline let padded: UInt64
  /// Whether all 17 digits are written.
  @usableFromInline let isLong: Bool

  @inlinable
  init(padded: UInt64, isLong: Bool) {
    self.padded = padded
    self.isLong = isLong
  }

  /// Takes 14 or 17 digits, of whatever date; nil for any other text.
  public init?(_ text: some StringProtocol) {
    let digits = text.utf8
    guard let value = Self.number(digits) else { return nil }
    switch digits.count {
    case 14: self.init(padded: value * 1_000, isLong: false)
    case 17: self.init(padded: value, isLong: true)
    default: return nil
    }
  }

  static func number(_ digits: some Sequence<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for (position, digit) in digits.enumerated() {
      guard digit &- 0x30 < 10, position < 17 else { return nil }
      value = value * 10 + UInt64(digit - 0x30)
    }
    return value
  }

  /// The instant of a time in microseconds since 1970-01-01T00:00:00Z, cut to the millisecond.
  ///
  /// Times outside the years 0 to 9999 become the nearest time within them.
  public init(microseconds: Int64) {
    let least = Int64(CivilTime.days(year: 0, month: 1, day: 1)) * CivilTime.microsecondsPerDay
    let end = Int64(CivilTime.days(year: 10_000, month: 1, day: 1)) * CivilTime.microsecondsPerDay
    let time = min(max(microseconds, least), end - 1)
    let days = CivilTime.floorDivide(time, CivilTime.microsecondsPerDay)
    let milliseconds = UInt64(time - days * CivilTime.microsecondsPerDay) / 1_000
    let date = CivilTime.date(days: Int(days))
    let day = UInt64(date.year) * 10_000 + UInt64(date.month) * 100 + UInt64(date.day)
    let clock =
      milliseconds / 3_600_000 * 10_000 + milliseconds / 60_000 % 60 * 100 + milliseconds / 1_000 % 60
    self.init(padded: (day * 1_000_000 + clock) * 1_000 + milliseconds % 1_000, isLong: true)
  }

  /// Parses what a user gives as a time: 14 or 17 digits, or ISO 8601, in UTC unless it has a zone.
  ///
  /// Digits are taken as they are. So as an inclusive bound 14 digits mean the begin of their second:
  /// instants of 17 digits within that second lie after it, as they do for Spark. ISO 8601 is cut to
  /// the millisecond, which instants are made of, and a date alone means its begin.
  public static func parse(_ userText: String) -> Instant? {
    if let instant = Instant(userText) { return instant }
    let text = Array(userText.utf8)
    return CivilTime.parse(text.span.bytes).map { Instant(microseconds: $0.microseconds) }
  }

  /// The digits.
  public var text: String {
    var out: [UInt8] = []
    append(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Appends the digits.
  package func append(to out: inout [UInt8]) {
    if isLong {
      out.append(decimal: padded, width: 17)
    } else {
      out.append(decimal: padded / 1_000, width: 14)
    }
  }

  /// Microseconds since 1970-01-01T00:00:00, read as UTC; nil where the digits are no date.
  public var microseconds: Int64? {
    let (seconds, milliseconds) = padded.quotientAndRemainder(dividingBy: 1_000)
    let (day, clock) = seconds.quotientAndRemainder(dividingBy: 1_000_000)
    let (year, month, dayOfMonth) = (Int(day / 10_000), Int(day / 100 % 100), Int(day % 100))
    let (hour, minute, second) = (Int64(clock / 10_000), Int64(clock / 100 % 100), Int64(clock % 100))
    guard (1...12).contains(month), dayOfMonth >= 1, hour < 24, minute < 60, second < 60 else { return nil }
    let days = CivilTime.days(year: year, month: month, day: dayOfMonth)
    guard CivilTime.date(days: days).day == dayOfMonth else { return nil }
    return Int64(days) * CivilTime.microsecondsPerDay
      + ((hour * 60 + minute) * 60 + second) * 1_000_000 + Int64(milliseconds) * 1_000
  }

  /// The instant a millisecond later; it is greater than this one also where the digits are no date.
  public var next: Instant {
    if let microseconds { return Instant(microseconds: microseconds + 1_000) }
    return Instant(padded: min(padded + 1, 99_999_999_999_999_999), isLong: true)
  }

  /// The instant of a new commit: now, or a millisecond after the latest of the timeline where that is later.
  ///
  /// - Parameters:
  ///   - latest: The greatest instant on the timeline, in whatever state.
  ///   - now: The time in microseconds since 1970.
  package static func after(latest: Instant?, now: Int64) -> Instant {
    let present = Instant(microseconds: now)
    guard let latest else { return present }
    return max(present, latest.next)
  }

  /// Whether the text of one comes before that of the other.
  @inlinable
  public static func < (left: Instant, right: Instant) -> Bool {
    left.padded != right.padded ? left.padded < right.padded : !left.isLong && right.isLong
  }
}

extension Instant: CustomStringConvertible {
  /// The digits.
  public var description: String { text }
}
