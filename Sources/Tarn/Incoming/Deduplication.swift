import TarnBytes
import TarnColumns
import TarnIndex

/// Keeps of each key the row with the greatest ordering value; of equals the later one.
enum Deduplication {
  /// The rows that are kept.
  struct Result {
    /// The rows that won, in the order in which their keys came first.
    var winners: [Int32] = []
    /// From key (and partition, where that is the scope) to the row that won.
    var index: HashIndex
    /// Number of rows that lost to another of the batch.
    var superseded = 0
  }

  /// Finds the rows to keep.
  ///
  /// - Parameter ordering: The ordering column's position in the rows; nil for the later row.
  static func run(_ changes: ChangeBatch, _ keys: RecordKeys, ordering: Int?, _ scope: KeyScope) -> Result {
    var loop = WinnersLoop(
      keys: keys, byPartition: scope == .partition, isDelete: changes.isDelete,
      ordering: ordering.map { changes.rows.columns[$0] })
    guard let column = loop.ordering else { return loop.run(EqualOrder()) }
    return column.compared(with: column, &loop)
  }

  /// Compares rows that have no ordering value: all are equal.
  private struct EqualOrder: RowComparison {
    func isEqual(_ row: Int, _ other: Int) -> Bool { true }
    func order(_ row: Int, _ other: Int) -> Int { 0 }
  }

  /// The loop over the rows, for the type of the ordering column.
  private struct WinnersLoop: ComparisonLoop {
    let keys: RecordKeys
    let byPartition: Bool
    let isDelete: Bitmap
    let ordering: Column?

    mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Result {
      let (texts, hashes, partitions) = (keys.texts, keys.hashes, keys.partitions)
      let byPartition = byPartition
      let count = isDelete.count
      func salted(_ row: Int) -> UInt64 { byPartition ? hashes[row] ^ partitions.salt(row) : hashes[row] }
      var result = Result(index: HashIndex(expected: count))
      result.winners.reserveCapacity(count)
      // Position of each winning row within `winners`, so that a later winner takes its place.
      var positions = [Int32](repeating: -1, count: count)
      for row in 0..<count {
        let hash = salted(row)
        let known = result.index.findOrInsert(
          hash: hash, position: row,
          where: { (!byPartition || partitions.areTogether($0, row)) && texts.equals($0, texts, row) },
          hashOf: salted)
        guard let before = known else {
          positions[row] = Int32(result.winners.count)
          result.winners.append(Int32(row))
          continue
        }
        guard !isOlder(row, before, comparison) else {
          result.superseded += 1
          continue
        }
        // The halves of one change, out of the old partition and into the new one, are one row.
        let isMove =
          ordering != nil && isDelete[before] && !isDelete[row] && comparison.order(row, before) == 0
          && !partitions.areTogether(before, row)
        if !isMove { result.superseded += 1 }
        result.index.move(hash: hash, from: before, to: row)
        positions[row] = positions[before]
        result.winners[Int(positions[row])] = Int32(row)
      }
      return result
    }

    /// Whether a row's ordering value is less than that of an earlier row.
    ///
    /// A deletion without ordering is as new as what it meets.
    private func isOlder<Comparison: RowComparison>(
      _ row: Int, _ before: Int, _ comparison: Comparison
    ) -> Bool {
      guard let ordering else { return false }
      if isDelete[row], ordering.isNull(row) { return false }
      if isDelete[before], ordering.isNull(before) { return false }
      return comparison.order(row, before) < 0
    }
  }
}
