extension Column {
  /// Rows in the order of their values, as ``compare(_:to:_:)`` has it; of equal ones the first stays the first.
  package func sorted(_ rows: [Int32]) -> [Int32] {
    var loop = SortedRows(rows: rows)
    return compared(with: self, &loop)
  }
}

private struct SortedRows: ComparisonLoop {
  let rows: [Int32]

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> [Int32] {
    let places = rows.indices.sorted { one, other in
      let order = comparison.order(Int(rows[one]), Int(rows[other]))
      return order == 0 ? one < other : order < 0
    }
    return places.map { rows[$0] }
  }
}
