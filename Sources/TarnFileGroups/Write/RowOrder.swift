import TarnColumns

/// In which order the rows of file groups that become new ones are written.
package enum RowOrder: Sendable, Hashable {
  /// As they are stored.
  case stored
  /// By columns, the first of them first.
  case columns([String])
  /// Along a Z-order of columns, so that rows that are near in each of them are near in the file.
  case zOrder([String])

  /// The columns by which rows are ordered.
  package var columns: [String] {
    switch self {
    case .stored: []
    case .columns(let names), .zOrder(let names): names
    }
  }

  /// The rows of a batch in this order; nil where they stay as they are.
  ///
  /// - Throws: ``FileGroupError`` with code `mismatch` where a column is missing.
  func rows(of batch: RecordBatch) throws(FileGroupError) -> [Int32]? {
    guard !columns.isEmpty else { return nil }
    var found: [Column] = []
    for name in columns {
      guard let column = batch[name] else {
        throw FileGroupError(
          .mismatch, "there is no column \(name), by which rows are to be sorted", column: name)
      }
      found.append(column)
    }
    let all = Array(0..<Int32(batch.count))
    guard case .zOrder = self, found.count > 1 else {
      // The last column first: what it orders stays so among equals of those before it.
      return found.reversed().reduce(all) { $1.sorted($0) }
    }
    let keys = Self.zKeys(found, all)
    return all.sorted { (keys[Int($0)], $0) < (keys[Int($1)], $1) }
  }

  /// The place of each row on the curve, made of its places among the values of each column: so each of these counts alike,
  /// whatever its type, and however its values are spread.
  private static func zKeys(_ columns: [Column], _ all: [Int32]) -> [UInt64] {
    let bits = max(64 / columns.count, 1)
    var keys = [UInt64](repeating: 0, count: all.count)
    for (number, column) in columns.prefix(64).enumerated() {
      let sorted = column.sorted(all)
      let steps = column.orders(Array(sorted.dropFirst()), to: column, Array(sorted.dropLast()))
      let width = min(bits, 32)
      var place: UInt64 = 0
      for (index, row) in sorted.enumerated() {
        if index > 0, steps[index - 1] != 0 {
          place = UInt64(index) << UInt64(width) / UInt64(all.count)
        }
        for bit in 0..<width where place >> UInt64(bit) & 1 == 1 {
          keys[Int(row)] |= 1 << UInt64(bit * columns.count + columns.count - 1 - number)
        }
      }
    }
    return keys
  }
}
