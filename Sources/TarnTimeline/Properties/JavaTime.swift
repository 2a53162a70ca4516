import TarnBytes
import TarnColumns

/// Times as the comments of Java's properties files have them.
enum JavaTime {
  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Fri Jan 02 03:04:05 UTC 2026`, as `java.util.Date.toString` writes it.
  static func date(microseconds: Int64) -> String {
    let (days, clock) = parts(microseconds)
    let (year, month, day) = CivilTime.date(days: days)
    var out: [UInt8] = []
    out.append(text: weekdays[((days % 7) + 7) % 7] + " " + months[month - 1] + " ")
    out.append(decimal: day, width: 2)
    out.append(0x20)
    out.append(contentsOf: clock[..<8])
    out.append(text: " UTC ")
    out.append(decimal: year, width: 4)
    return String(decoding: out, as: UTF8.self)
  }

  /// `2026-01-02T03:04:05.678Z`, as `java.time.Instant.toString` writes it.
  static func instant(microseconds: Int64) -> String {
    let (days, clock) = parts(microseconds)
    var out: [UInt8] = []
    CivilTime.append(date: days, to: &out)
    out.append(0x54)
    out.append(contentsOf: clock[..<12])
    out.append(0x5a)
    return String(decoding: out, as: UTF8.self)
  }

  /// The day, and `HH:MM:SS.ffffff` within it.
  private static func parts(_ microseconds: Int64) -> (days: Int, clock: ArraySlice<UInt8>) {
    let days = Int(CivilTime.floorDivide(microseconds, CivilTime.microsecondsPerDay))
    var out: [UInt8] = []
    CivilTime.append(
      microseconds: microseconds - Int64(days) * CivilTime.microsecondsPerDay, isInstant: false, to: &out)
    return (days, ArraySlice(Array(out[11...])))
  }
}
