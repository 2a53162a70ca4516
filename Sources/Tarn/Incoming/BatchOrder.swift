import TarnColumns

/// Which columns of a batch order the rows of one key: the table's ordering column, and behind it those that break ties.
struct BatchOrder: Sendable {
  /// Their positions in the rows, the ordering column's first.
  let columns: [Int]
  /// The positions of those that the batch gives, which are compared; of a row that does not give one, nothing is known.
  let given: [Int]

  /// - Parameters:
  ///   - ordering: The table's ordering column, and behind it those that break ties.
  ///   - schema: The columns of the rows.
  ///   - names: The columns that the batch gives.
  ///   - isPartial: Whether stored rows keep their values in the others.
  /// - Returns: Nil where the table has no ordering column, or rows that are partial do not give it.
  init?(_ ordering: [Field], in schema: Schema, given names: Set<String>, isPartial: Bool) {
    guard let first = ordering.first, !isPartial || names.contains(first.name) else { return nil }
    columns = ordering.compactMap { schema.index(of: $0.name) }
    guard columns.count == ordering.count else { return nil }
    given = [columns[0]] + columns.dropFirst().filter { names.contains(schema.fields[$0].name) }
  }

  /// The ordering column's position.
  var first: Int { columns[0] }
  /// The positions of the given columns that break ties.
  var ties: ArraySlice<Int> { given.dropFirst() }
}
