/// Comparisons of many rows at once.
extension Column {
  /// Which values are the same as those in the same rows of another column, as ``isEqual(_:to:_:)`` has it.
  ///
  /// - Precondition: Both have as many rows.
  package func equalRows(to other: Column) -> Bitmap {
    precondition(count == other.count)
    var loop = EqualRows(pairs: SameRows(count: count))
    return compared(with: other, &loop)
  }

  /// Which values are the same as one of another column.
  package func rows(equalTo other: Column, _ otherRow: Int) -> Bitmap {
    var loop = EqualRows(pairs: RowsWithOne(count: count, one: otherRow))
    return compared(with: other, &loop)
  }

  /// For each of chosen rows, whether its value is the same as that of the row of another column at its place in a
  /// list as long.
  package func equalRows(_ rows: [Int32], to other: Column, _ otherRows: [Int32]) -> Bitmap {
    precondition(rows.count == otherRows.count)
    var loop = EqualRows(pairs: ChosenRows(rows: rows, others: otherRows))
    return compared(with: other, &loop)
  }

  /// Whether the values of all chosen rows are the same as those of another column's rows at their places.
  package func areEqual(_ rows: [Int32], to other: Column, _ otherRows: [Int32]) -> Bool {
    precondition(rows.count == otherRows.count)
    var loop = AllEqual(pairs: ChosenRows(rows: rows, others: otherRows))
    return compared(with: other, &loop)
  }

  /// How the values of chosen rows compare with those of another column's rows at their places, as
  /// ``compare(_:to:_:)`` has it: -1, 0 or 1 each.
  package func orders(_ rows: [Int32], to other: Column, _ otherRows: [Int32]) -> [Int8] {
    precondition(rows.count == otherRows.count)
    var loop = Orders(pairs: ChosenRows(rows: rows, others: otherRows))
    return compared(with: other, &loop)
  }
}

extension RecordBatch {
  /// Which rows have the same values in all columns as those of another batch of the same columns.
  ///
  /// - Precondition: Both have as many rows.
  package func equalRows(to other: RecordBatch) -> Bitmap {
    var rows = Bitmap(repeating: true, count: count)
    for (column, its) in zip(columns, other.columns) {
      rows = rows.intersection(column.equalRows(to: its))
    }
    return rows
  }
}

/// Pairs of rows of two columns.
private protocol RowPairs {
  var count: Int { get }
  func row(_ pair: Int) -> Int
  func other(_ pair: Int) -> Int
}

/// Rows at the same places.
private struct SameRows: RowPairs {
  let count: Int

  func row(_ pair: Int) -> Int { pair }
  func other(_ pair: Int) -> Int { pair }
}

/// All rows, each with the same one.
private struct RowsWithOne: RowPairs {
  let count: Int
  let one: Int

  func row(_ pair: Int) -> Int { pair }
  func other(_ pair: Int) -> Int { one }
}

/// Chosen rows of both.
private struct ChosenRows: RowPairs {
  let rows: [Int32]
  let others: [Int32]

  var count: Int { rows.count }
  func row(_ pair: Int) -> Int { Int(rows[pair]) }
  func other(_ pair: Int) -> Int { Int(others[pair]) }
}

private struct EqualRows<Pairs: RowPairs>: ComparisonLoop {
  let pairs: Pairs

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Bitmap {
    Bitmap(count: pairs.count) { comparison.isEqual(pairs.row($0), pairs.other($0)) }
  }
}

private struct AllEqual<Pairs: RowPairs>: ComparisonLoop {
  let pairs: Pairs

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Bool {
    for pair in 0..<pairs.count where !comparison.isEqual(pairs.row(pair), pairs.other(pair)) {
      return false
    }
    return true
  }
}

private struct Orders<Pairs: RowPairs>: ComparisonLoop {
  let pairs: Pairs

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> [Int8] {
    var orders: [Int8] = []
    orders.reserveCapacity(pairs.count)
    for pair in 0..<pairs.count {
      orders.append(Int8(truncatingIfNeeded: comparison.order(pairs.row(pair), pairs.other(pair))))
    }
    return orders
  }
}
