/// What values tell of their columns on their way into these.
struct ColumnNotes: Sendable {
  /// The offset from UTC, in microseconds, when clocks show a time of microseconds since 1970; nil for UTC.
  let utcOffset: (@Sendable (Int64) -> Int64)?
  /// Whether each column had a time without zone.
  private var hadNoZone: [Bool]
  /// What attributes were whose values came into each column, as far as its type does not tell it.
  private(set) var kinds: [AttributeKinds]

  init(columns: Int, utcOffset: (@Sendable (Int64) -> Int64)?) {
    self.utcOffset = utcOffset
    hadNoZone = [Bool](repeating: false, count: columns)
    kinds = [AttributeKinds](repeating: [], count: columns)
  }

  /// The instant, in microseconds since 1970 in UTC, of what clocks showed.
  mutating func instant(_ shown: Int64, column: Int) -> Int64 {
    hadNoZone[column] = true
    // Texts have years of four digits, so that only a mad offset can overflow.
    return utcOffset.map { shown.subtractingReportingOverflow($0(shown)).partialValue } ?? shown
  }

  /// Takes note of what attributes were.
  mutating func note(_ kinds: AttributeKinds, column: Int) { self.kinds[column].formUnion(kinds) }

  /// The columns that had times without zone.
  var zoneless: [Int] { hadNoZone.indices.filter { hadNoZone[$0] } }
}
