/// A loop that compares rows: it is compiled for the values of each type by itself.
@usableFromInline
package protocol ComparisonLoop {
  /// What it finds.
  associatedtype Found

  /// Runs the loop.
  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Found
}

extension Column {
  /// Runs a loop over comparisons of this column's rows with those of another, bound to their type once.
  ///
  /// Columns of different layouts have no values that are the same, and no order.
  @inlinable
  package func compared<Loop: ComparisonLoop>(with other: Column, _ loop: inout Loop) -> Loop.Found {
    switch (values, other.values) {
    case (.boolean(let a), .boolean(let b)): run(BooleanComparison(a, b), other, &loop)
    case (.int8(let a), .int8(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.int16(let a), .int16(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.int32(let a), .int32(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.int64(let a), .int64(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.float(let a), .float(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.double(let a), .double(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.decimal(let a), .decimal(let b)): run(FixedSizeComparison(a, b), other, &loop)
    case (.bytes(let a), .bytes(let b)): run(StringComparison(PlainRows(a), PlainRows(b)), other, &loop)
    case (.bytes(let a), .dictionary(let b)):
      run(StringComparison(PlainRows(a), DictionaryRows(b)), other, &loop)
    case (.dictionary(let a), .bytes(let b)):
      run(StringComparison(DictionaryRows(a), PlainRows(b)), other, &loop)
    case (.dictionary(let a), .dictionary(let b)):
      if a.entries === b.entries {
        run(SharedDictionaryComparison(a, b), other, &loop)
      } else {
        run(StringComparison(DictionaryRows(a), DictionaryRows(b)), other, &loop)
      }
    default: run(NestedComparison(self, other), other, &loop)
    }
  }

  @inlinable
  @inline(__always)
  func run<Comparison: RowComparison, Loop: ComparisonLoop>(
    _ comparison: Comparison, _ other: Column, _ loop: inout Loop
  ) -> Loop.Found {
    guard validity != nil || other.validity != nil else { return loop.run(comparison) }
    return loop.run(NullableComparison(comparison, validity, other.validity))
  }

  /// Whether two values of columns of one type are the same; nulls equal nulls, and floating-point numbers are the
  /// same where their bits are: 0.0 is not -0.0, and a NaN is not one of other bits.
  public func isEqual(_ row: Int, to other: Column, _ otherRow: Int) -> Bool {
    var pair = EqualPair(row: row, other: otherRow)
    return compared(with: other, &pair)
  }

  /// How two values of columns of one type that can be ordered compare: negative, zero or positive.
  ///
  /// Null comes before everything, false before true, strings by their bytes, and NaN after all numbers; the zeros are
  /// alike, as in SQL, though ``isEqual(_:to:_:)`` tells them apart.
  public func compare(_ row: Int, to other: Column, _ otherRow: Int) -> Int {
    var pair = OrderOfPair(row: row, other: otherRow)
    return compared(with: other, &pair)
  }

  /// Whether two values that are not null, and hold others, are the same.
  @usableFromInline
  func isNestedEqual(_ row: Int, to other: Column, _ otherRow: Int) -> Bool {
    switch (values, other.values) {
    case (.structure(let mine, _), .structure(let its, _)):
      guard mine.count == its.count else { return false }
      for (index, column) in mine.enumerated() where !column.isEqual(row, to: its[index], otherRow) {
        return false
      }
      return true
    case (.list(let starts, let elements), .list(let otherStarts, let its)):
      guard let (range, start) = Self.ranges(starts, row, otherStarts, otherRow) else { return false }
      return elements.isEqual(range, to: its, start)
    case (.map(let starts, let keys, let items), .map(let otherStarts, let itsKeys, let its)):
      guard let (range, start) = Self.ranges(starts, row, otherStarts, otherRow) else { return false }
      return keys.isEqual(range, to: itsKeys, start) && items.isEqual(range, to: its, start)
    default: return false
    }
  }

  /// The elements of a list, and where those of another begin; nil where they are not as many.
  private static func ranges(
    _ starts: [Int32], _ row: Int, _ otherStarts: [Int32], _ otherRow: Int
  ) -> (Range<Int>, Int)? {
    let range = Int(starts[row])..<Int(starts[row + 1])
    let otherStart = Int(otherStarts[otherRow])
    guard range.count == Int(otherStarts[otherRow + 1]) - otherStart else { return nil }
    return (range, otherStart)
  }

  /// Whether a range of values is the same as that of another column which begins at a row.
  private func isEqual(_ range: Range<Int>, to other: Column, _ start: Int) -> Bool {
    var loop = EqualRange(range: range, start: start)
    return compared(with: other, &loop)
  }
}

/// Whether two values are the same.
private struct EqualPair: ComparisonLoop {
  let row: Int
  let other: Int

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Bool {
    comparison.isEqual(row, other)
  }
}

/// How two values compare.
private struct OrderOfPair: ComparisonLoop {
  let row: Int
  let other: Int

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Int {
    comparison.order(row, other)
  }
}

/// Whether all values of two ranges are the same.
private struct EqualRange: ComparisonLoop {
  let range: Range<Int>
  let start: Int

  mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Bool {
    let shift = start &- range.lowerBound
    for row in range where !comparison.isEqual(row, row &+ shift) { return false }
    return true
  }
}
