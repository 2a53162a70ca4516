/// How many bytes parts of columns and batches take, by which work is cut into steps.
extension Column {
  /// About how many bytes a range of rows takes in memory, without the entries of dictionaries.
  ///
  /// - Parameter isWrittenOut: Whether strings in dictionaries count as if they were end to end.
  package func byteCount(of rows: Range<Int>, isWrittenOut: Bool) -> Int {
    func part(_ offsets: [Int32]) -> Range<Int> {
      guard rows.upperBound < offsets.count, offsets[rows.lowerBound] <= offsets[rows.upperBound] else {
        return 0..<0
      }
      return Int(offsets[rows.lowerBound])..<Int(offsets[rows.upperBound])
    }
    switch values {
    case .bytes(let strings):
      guard !rows.isEmpty else { return 0 }
      return rows.count * 4 + strings.range(rows.upperBound - 1).upperBound
        - strings.range(rows.lowerBound).lowerBound
    case .dictionary(let strings):
      return rows.count * 4 + (isWrittenOut ? strings.plainByteCount(rows) : 0)
    case .list(let offsets, let elements):
      return rows.count * 4 + elements.byteCount(of: part(offsets), isWrittenOut: isWrittenOut)
    case .map(let offsets, let keys, let items):
      return rows.count * 4 + keys.byteCount(of: part(offsets), isWrittenOut: isWrittenOut)
        + items.byteCount(of: part(offsets), isWrittenOut: isWrittenOut)
    case .structure(let columns, _):
      return columns.reduce(0) { $0 + $1.byteCount(of: rows, isWrittenOut: isWrittenOut) }
    default: return rows.count * fixedWidth
    }
  }

  /// Bytes of a value of a fixed size, at least one.
  fileprivate var fixedWidth: Int {
    switch values {
    case .boolean, .int8: 1
    case .int16: 2
    case .int32, .float, .bytes, .dictionary, .list, .map, .structure: 4
    case .int64, .double: 8
    case .decimal: 16
    }
  }
}

extension RecordBatch {
  /// About how many bytes a range of rows takes in memory, without the entries of dictionaries.
  ///
  /// - Parameter isWrittenOut: Whether strings in dictionaries count as if they were end to end.
  package func byteCount(of rows: Range<Int>, isWrittenOut: Bool) -> Int {
    columns.reduce(0) { $0 + $1.byteCount(of: rows, isWrittenOut: isWrittenOut) }
  }

  /// The first of some rows, as many as take so many bytes at most, and at least one.
  ///
  /// - Parameters:
  ///   - rows: The rows, at least one.
  ///   - bytes: What they may take.
  ///   - isWrittenOut: Whether strings in dictionaries count as if they were end to end.
  package func first(of rows: Range<Int>, atMost bytes: Int, isWrittenOut: Bool) -> Range<Int> {
    var part = rows
    while part.count > 1, byteCount(of: part, isWrittenOut: isWrittenOut) > bytes {
      part = part.lowerBound..<part.lowerBound + part.count / 2
    }
    return part
  }

  /// How many of the first chosen rows take so many bytes at most, at least one; dictionaries are shared by them.
  package func count(of rows: ArraySlice<Int32>, atMost bytes: Int) -> Int {
    let fixed = columns.reduce(0) { $0 + $1.fixedWidth }
    let strings = columns.compactMap { if case .bytes(let strings) = $0.values { strings } else { nil } }
    func size(_ count: Int) -> Int {
      strings.reduce(fixed * count) { total, strings in
        rows.prefix(count).reduce(total) { $0 &+ strings.length(Int($1)) }
      }
    }
    var count = rows.count
    while count > 1, size(count) > bytes { count /= 2 }
    return count
  }
}
