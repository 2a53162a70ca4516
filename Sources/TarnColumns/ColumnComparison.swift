import TarnBytes

extension Column {
  /// Whether two values of columns of one type are the same; nulls equal nulls, and floating-point numbers are the
  /// same where their bits are: 0.0 is not -0.0, and a NaN is not one of other bits.
  public func isEqual(_ row: Int, to other: Column, _ otherRow: Int) -> Bool {
    let isNull = isNull(row)
    guard isNull == other.isNull(otherRow) else { return false }
    if isNull { return true }
    switch (values, other.values) {
    case (.boolean(let a), .boolean(let b)): return a[row] == b[otherRow]
    case (.int8(let a), .int8(let b)): return a[row] == b[otherRow]
    case (.int16(let a), .int16(let b)): return a[row] == b[otherRow]
    case (.int32(let a), .int32(let b)): return a[row] == b[otherRow]
    case (.int64(let a), .int64(let b)): return a[row] == b[otherRow]
    case (.float(let a), .float(let b)): return a[row].bitPattern == b[otherRow].bitPattern
    case (.double(let a), .double(let b)): return a[row].bitPattern == b[otherRow].bitPattern
    case (.decimal(let a), .decimal(let b)): return a[row] == b[otherRow]
    case (.bytes(let a), .bytes(let b)): return a.equals(row, b, otherRow)
    case (.dictionary(let a), .dictionary(let b))
    where a.entries === b.entries && a.indices[row] == b.indices[otherRow]:
      return true
    case (.bytes, .dictionary), (.dictionary, .bytes), (.dictionary, .dictionary):
      guard let (a, mine) = string(row), let (b, theirs) = other.string(otherRow) else { return false }
      return a.equals(mine, b, theirs)
    case (.structure(let a, _), .structure(let b, _)):
      return zip(a, b).allSatisfy { $0.isEqual(row, to: $1, otherRow) }
    case (.list(let starts, let a), .list(let otherStarts, let b)):
      return Self.rangesEqual([a], starts, row, [b], otherStarts, otherRow)
    case (.map(let starts, let keys, let items), .map(let otherStarts, let otherKeys, let otherItems)):
      return Self.rangesEqual([keys, items], starts, row, [otherKeys, otherItems], otherStarts, otherRow)
    default: return false
    }
  }

  private static func rangesEqual(
    _ columns: [Column], _ starts: [Int32], _ row: Int, _ others: [Column], _ otherStarts: [Int32],
    _ otherRow: Int
  ) -> Bool {
    let range = Int(starts[row])..<Int(starts[row + 1])
    let otherStart = Int(otherStarts[otherRow])
    guard range.count == Int(otherStarts[otherRow + 1]) - otherStart else { return false }
    return zip(columns, others).allSatisfy { column, other in
      range.indices.allSatisfy { column.isEqual($0, to: other, otherStart + $0 - range.lowerBound) }
    }
  }

  /// How two values of columns of one type that can be ordered compare: negative, zero or positive.
  ///
  /// Null comes before everything, false before true, strings by their bytes, and NaN after all numbers; the zeros are
  /// alike, as in SQL, though ``isEqual(_:to:_:)`` tells them apart.
  public func compare(_ row: Int, to other: Column, _ otherRow: Int) -> Int {
    switch (isNull(row), other.isNull(otherRow)) {
    case (true, true): return 0
    case (true, false): return -1
    case (false, true): return 1
    case (false, false): break
    }
    switch (values, other.values) {
    case (.boolean(let a), .boolean(let b)): return order(a[row] ? 1 : 0, b[otherRow] ? 1 : 0)
    case (.int8(let a), .int8(let b)): return order(a[row], b[otherRow])
    case (.int16(let a), .int16(let b)): return order(a[row], b[otherRow])
    case (.int32(let a), .int32(let b)): return order(a[row], b[otherRow])
    case (.int64(let a), .int64(let b)): return order(a[row], b[otherRow])
    case (.float(let a), .float(let b)): return orderFloating(a[row], b[otherRow])
    case (.double(let a), .double(let b)): return orderFloating(a[row], b[otherRow])
    case (.decimal(let a), .decimal(let b)): return order(a[row], b[otherRow])
    case (.bytes(let a), .bytes(let b)):
      return a.precedes(row, b, otherRow) ? -1 : (a.equals(row, b, otherRow) ? 0 : 1)
    case (.bytes, .dictionary), (.dictionary, .bytes), (.dictionary, .dictionary):
      guard let (a, mine) = string(row), let (b, theirs) = other.string(otherRow) else { return 0 }
      return a.precedes(mine, b, theirs) ? -1 : (a.equals(mine, b, theirs) ? 0 : 1)
    default: return 0
    }
  }

  /// The strings among which a value is, and its position there; nil for another type.
  private func string(_ row: Int) -> (ByteStrings, Int)? {
    switch values {
    case .bytes(let strings): (strings, row)
    case .dictionary(let strings): (strings.entries.strings, Int(strings.indices[row]))
    default: nil
    }
  }

  private func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : (a == b ? 0 : 1) }

  private func orderFloating<T: FloatingPoint>(_ a: T, _ b: T) -> Int {
    if a.isNaN || b.isNaN { return (a.isNaN ? 1 : 0) - (b.isNaN ? 1 : 0) }
    return order(a, b)
  }
}
