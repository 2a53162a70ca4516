internal import TarnBytes

/// Times as services write them, from and to microseconds since 1970-01-01T00:00:00Z.
package enum WireTime {
  private static let microsecondsPerSecond: Int64 = 1_000_000
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `YYYYMMDDTHHMMSSZ`, as a signature has it; times before the year 0 or after 9999 become the nearest within.
  package static func basic(_ microseconds: Int64) -> String {
    let least = Int64(CivilCalendar.days(year: 0, month: 1, day: 1)) * 86_400
    let end = Int64(CivilCalendar.days(year: 10_000, month: 1, day: 1)) * 86_400
    let seconds = min(max(floorDivide(microseconds, microsecondsPerSecond), least), end - 1)
    let day = floorDivide(seconds, 86_400)
    let rest = Int(seconds - day * 86_400)
    let (year, month, dayOfMonth) = CivilCalendar.date(days: Int(day))
    var out: [UInt8] = []
    out.append(decimal: year, width: 4)
    out.append(decimal: month, width: 2)
    out.append(decimal: dayOfMonth, width: 2)
    out.append(0x54)
    out.append(decimal: rest / 3_600, width: 2)
    out.append(decimal: rest / 60 % 60, width: 2)
    out.append(decimal: rest % 60, width: 2)
    out.append(0x5a)
    return String(decoding: out, as: UTF8.self)
  }

  /// The time of a header such as `Date` or `Last-Modified` (RFC 9110, section 5.6.7: `Fri, 24 May 2013
  /// 00:00:00 GMT`); nil where the text is none.
  package static func parse(header text: String) -> Int64? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT" || words[5] == "UTC",
      let day = number(words[1], digits: 1...2), let month = months.firstIndex(of: String(words[2])),
      let year = number(words[3], digits: 4...4)
    else { return nil }
    let parts = words[4].split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let hour = number(parts[0], digits: 2...2),
      let minute = number(parts[1], digits: 2...2), let second = number(parts[2], digits: 2...2)
    else { return nil }
    return microseconds(year, month + 1, day, hour, minute, second)
  }

  /// The time of ISO 8601 in UTC or with an offset, such as `2026-01-02T03:04:05.678Z`.
  ///
  /// Digits finer than a microsecond are dropped. Nil where the text is none, or has no zone.
  package static func parse(iso text: String) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      return self.number(Substring(decoding: bytes[range], as: UTF8.self), digits: 1...4)
    }
    func isByte(_ index: Int, _ byte: Character) -> Bool {
      index < bytes.count && bytes[index] == byte.asciiValue
    }
    guard isByte(4, "-"), isByte(7, "-"), isByte(10, "T") || isByte(10, " "), isByte(13, ":"),
      isByte(16, ":"),
      let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      var time = microseconds(year, month, day, hour, minute, second)
    else { return nil }
    var index = 19
    if isByte(19, ".") {
      var unit = microsecondsPerSecond / 10
      index = 20
      while index < bytes.count, case 0x30...0x39 = bytes[index] {
        time += Int64(bytes[index] - 0x30) * unit
        unit /= 10
        index += 1
      }
      if index == 20 { return nil }
    }
    if isByte(index, "Z") { return index + 1 == bytes.count ? time : nil }
    guard isByte(index, "+") || isByte(index, "-"), let hours = number(index + 1..<index + 3) else {
      return nil
    }
    let minutesAt = isByte(index + 3, ":") ? index + 4 : index + 3
    guard let minutes = number(minutesAt..<minutesAt + 2), minutesAt + 2 == bytes.count, hours < 24,
      minutes < 60
    else { return nil }
    let offset = Int64(hours * 3_600 + minutes * 60) * microsecondsPerSecond
    return isByte(index, "+") ? time - offset : time + offset
  }

  private static func microseconds(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int
  ) -> Int64? {
    // 60 is a leap second.
    guard (1...12).contains(month), day >= 1, day <= CivilCalendar.daysInMonth(month, year), hour < 24,
      minute < 60, second <= 60
    else { return nil }
    let days = CivilCalendar.days(year: year, month: month, day: day)
    return Int64(days * 86_400 + hour * 3_600 + minute * 60 + second) * microsecondsPerSecond
  }

  private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
    guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(text)
  }

  private static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
