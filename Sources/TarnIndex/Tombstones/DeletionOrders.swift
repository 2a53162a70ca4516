import TarnColumns

/// The values by which deletions are ordered: of the ordering column, and behind it of those that break ties.
///
/// A deletion need not tell them all: one that has nothing but a key, and the time of its change, tells nothing of an
/// ordering column that is an attribute. What it does not tell is passed over, and the columns behind it decide.
package struct DeletionOrders: Sendable {
  private let columns: [Column]

  /// Takes the values, a row for each deletion.
  package init(_ columns: [Column]) { self.columns = columns }

  /// How a deletion compares with another, by what both tell: negative, zero or positive.
  package func order(_ one: Int, _ other: Int) -> Int {
    for column in columns where !column.isNull(one) && !column.isNull(other) {
      let order = column.compare(one, to: column, other)
      if order != 0 { return order }
    }
    return 0
  }

  /// How a row compares with a deletion, by what that tells: negative where the row is older, zero or positive.
  ///
  /// - Parameters:
  ///   - values: The row's columns, in the same order; nil for one that it does not give, which is passed over.
  ///   - row: Where in them.
  ///   - deletion: The deletion.
  package func order(of values: [Column?], _ row: Int, to deletion: Int) -> Int {
    for (column, value) in zip(columns, values) where !column.isNull(deletion) {
      let order = value?.compare(row, to: column, deletion) ?? 0
      if order != 0 { return order }
    }
    return 0
  }
}
