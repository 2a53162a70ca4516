internal import TarnBytes

/// The proleptic Gregorian calendar, and times as text.
public enum CivilTime {
  /// Microseconds in a day.
  package static let microsecondsPerDay: Int64 = 86_400_000_000

  /// Days since 1970-01-01 of a date.
  public static func days(year: Int, month: Int, day: Int) -> Int {
    CivilCalendar.days(year: year, month: month, day: day)
  }

  /// The date of days since 1970-01-01.
  public static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    CivilCalendar.date(days: days)
  }

  /// Appends `YYYY-MM-DD`.
  public static func append(date days: Int, to out: inout [UInt8]) {
    let (year, month, day) = date(days: days)
    out.append(decimal: year, width: 4)
    out.append(0x2d)
    out.append(decimal: month, width: 2)
    out.append(0x2d)
    out.append(decimal: day, width: 2)
  }

  /// Appends `YYYY-MM-DDTHH:MM:SS.ffffff` of microseconds since 1970, with a `Z` for an instant.
  public static func append(microseconds: Int64, isInstant: Bool, to out: inout [UInt8]) {
    let day = Int(floorDivide(microseconds, microsecondsPerDay))
    // Not by subtraction: the first instant of the earliest day is out of range.
    let past = microseconds % microsecondsPerDay
    var rest = Int(past < 0 ? past + microsecondsPerDay : past)
    append(date: day, to: &out)
    out.append(0x54)
    for (unit, mark) in [(3_600_000_000, 0x3a), (60_000_000, 0x3a), (1_000_000, 0x2e)] {
      out.append(decimal: rest / unit, width: 2)
      out.append(UInt8(mark))
      rest %= unit
    }
    out.append(decimal: rest, width: 6)
    if isInstant { out.append(0x5a) }
  }

  /// Appends a time of the day, in microseconds since midnight, as `HH:MM:SS.ffffff`.
  public static func append(time microseconds: Int64, to out: inout [UInt8]) {
    // A time that is none shows as the hours that it has.
    if microseconds < 0 { out.append(0x2d) }
    let magnitude = microseconds.magnitude
    out.append(decimal: magnitude / 3_600_000_000, width: 2)
    out.append(0x3a)
    out.append(decimal: magnitude / 60_000_000 % 60, width: 2)
    out.append(0x3a)
    out.append(decimal: magnitude / 1_000_000 % 60, width: 2)
    out.append(0x2e)
    out.append(decimal: magnitude % 1_000_000, width: 6)
  }

  /// The quotient rounded down.
  @inlinable
  package static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  /// Days since 1970-01-01 of `YYYY-MM-DD`; nil where the text is no date.
  public static func parseDate(_ text: RawSpan) -> Int? {
    var parser = TimeParser(text)
    guard let days = parser.date(), parser.isAtEnd else { return nil }
    return days
  }

  /// A time parsed from text.
  public struct Parsed: Sendable, Hashable {
    /// Microseconds since 1970-01-01T00:00:00, in UTC where the text had a zone, else as the clock showed.
    public var microseconds: Int64
    /// Whether the text had a zone: `Z`, or an offset such as `+02:00`.
    public var hasZone: Bool
    /// Whether digits finer than a microsecond, other than zeros, were dropped.
    public var lostDigits: Bool
  }

  /// Parses ISO 8601: a date, or a date and a time with `T` or a blank between, with an optional fraction and zone.
  public static func parse(_ text: RawSpan) -> Parsed? {
    var parser = TimeParser(text)
    guard let days = parser.date() else { return nil }
    var result = Parsed(
      microseconds: Int64(days) * microsecondsPerDay, hasZone: false, lostDigits: false)
    if parser.isAtEnd { return result }
    guard parser.take(0x54) || parser.take(0x74) || parser.take(0x20) else { return nil }
    guard let hour = parser.number(2), parser.take(0x3a), let minute = parser.number(2), hour < 24,
      minute < 60
    else { return nil }
    var micros = Int64(hour) * 3_600_000_000 + Int64(minute) * 60_000_000
    if parser.take(0x3a) {
      guard let second = parser.number(2), second < 60 else { return nil }
      micros += Int64(second) * 1_000_000
      if parser.take(0x2e) || parser.take(0x2c) {
        guard let (fraction, lost) = parser.fraction() else { return nil }
        micros += Int64(fraction)
        result.lostDigits = lost
      }
    }
    if parser.take(0x5a) || parser.take(0x7a) {
      result.hasZone = true
    } else if !parser.isAtEnd {
      let isBehind = parser.take(0x2d)
      guard isBehind || parser.take(0x2b), let hours = parser.number(2), hours < 24 else { return nil }
      let hasColon = parser.take(0x3a)
      let minutes = parser.isAtEnd && !hasColon ? 0 : parser.number(2)
      guard let minutes, minutes < 60 else { return nil }
      let offset = Int64(hours * 60 + minutes) * 60_000_000
      micros += isBehind ? offset : -offset
      result.hasZone = true
    }
    guard parser.isAtEnd else { return nil }
    result.microseconds += micros
    return result
  }
}

/// A cursor over the text of a time.
struct TimeParser: ~Escapable {
  let text: RawSpan
  var offset = 0

  @_lifetime(copy text)
  init(_ text: RawSpan) { self.text = text }

  var isAtEnd: Bool { offset == text.byteCount }

  @_lifetime(self: copy self)
  mutating func take(_ byte: UInt8) -> Bool {
    guard offset < text.byteCount, text.unsafeLoad(fromByteOffset: offset, as: UInt8.self) == byte else {
      return false
    }
    offset += 1
    return true
  }

  @_lifetime(self: copy self)
  mutating func digit() -> Int? {
    guard offset < text.byteCount else { return nil }
    let value = text.unsafeLoad(fromByteOffset: offset, as: UInt8.self) &- 0x30
    guard value < 10 else { return nil }
    offset += 1
    return Int(value)
  }

  @_lifetime(self: copy self)
  mutating func number(_ width: Int) -> Int? {
    var value = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  @_lifetime(self: copy self)
  mutating func date() -> Int? {
    guard let year = number(4), take(0x2d), let month = number(2), take(0x2d), let day = number(2),
      (1...12).contains(month), day >= 1, day <= CivilCalendar.daysInMonth(month, year)
    else { return nil }
    return CivilTime.days(year: year, month: month, day: day)
  }

  /// A fraction of a second in microseconds, and whether finer digits were dropped.
  @_lifetime(self: copy self)
  mutating func fraction() -> (Int, Bool)? {
    var value = 0
    var places = 0
    var lost = false
    while let digit = digit() {
      if places < 6 { value = value * 10 + digit } else if digit != 0 { lost = true }
      places += 1
    }
    guard places > 0 else { return nil }
    for _ in 0..<max(0, 6 - places) { value *= 10 }
    return (value, lost)
  }
}
