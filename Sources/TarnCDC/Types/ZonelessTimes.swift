/// Turns times without zone into instants, and notes the columns that had some.
struct ZonelessTimes: Sendable {
  /// The offset from UTC, in microseconds, when clocks show a time of microseconds since 1970; nil for UTC.
  let utcOffset: (@Sendable (Int64) -> Int64)?
  /// Whether each column had a time without zone.
  private var seen: [Bool]

  init(columns: Int, utcOffset: (@Sendable (Int64) -> Int64)?) {
    self.utcOffset = utcOffset
    seen = [Bool](repeating: false, count: columns)
  }

  /// The instant, in microseconds since 1970 in UTC, of what clocks showed.
  mutating func instant(_ shown: Int64, column: Int) -> Int64 {
    seen[column] = true
    // Texts have years of four digits, so that only a mad offset can overflow.
    return utcOffset.map { shown.subtractingReportingOverflow($0(shown)).partialValue } ?? shown
  }

  /// The columns that had times without zone.
  var columns: [Int] { seen.indices.filter { seen[$0] } }
}
