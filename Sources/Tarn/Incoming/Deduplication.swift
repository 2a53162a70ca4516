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
  /// - Parameter order: What orders the rows; nil for the later row.
  static func run(
    _ changes: ChangeBatch, _ keys: RecordKeys, _ order: BatchOrder?, _ scope: KeyScope
  ) -> Result {
    let columns = changes.rows.columns
    var loop = WinnersLoop(
      keys: keys, byPartition: scope == .partition, isDelete: changes.isDelete,
      ordering: order.map { columns[$0.first] }, ties: order?.ties.map { columns[$0] } ?? [])
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
    /// The columns that break ties.
    let ties: [Column]

    mutating func run<Comparison: RowComparison>(_ comparison: Comparison) -> Result {
      let (texts, hashes, partitions) = (keys.texts, keys.hashes, keys.partitions)
      let byPartition = byPartition
      let count = isDelete.count
      func salted(_ row: Int) -> UInt64 { byPartition ? hashes[row] ^ partitions.salt(row) : hashes[row] }
      var result = Result(index: HashIndex(expected: count))
      result.winners.reserveCapacity(count)
      // Position of each winning row within `winners`, so that a later winner takes its place.
      var positions = [Int32](repeating: -1, count: count)
      // Deletions that do not tell the ordering column, by the positions of their keys: the newest waits for the other
      // rows of its key, and is compared with the winner alone, so that the order of the rows decides nothing.
      let setsAside = setsDeletionsAside
      var aside: [Int32: Int] = [:]
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
        if setsAside, isSilent(row) != isSilent(before) {
          result.superseded += 1
          let place = positions[before]
          guard isSilent(before) else {
            if let other = aside[place], order(row, other, comparison) < 0 { continue }
            aside[place] = row
            continue
          }
          aside[place] = before
          replace(before, by: row, hash, &positions, &result)
          continue
        }
        let order = order(row, before, comparison)
        guard order >= 0 else {
          result.superseded += 1
          continue
        }
        // The halves of one change, out of the old partition and into the new, are one row.
        let isMove =
          order == 0 && ordering != nil && isDelete[before] && !isDelete[row]
          && comparison.order(row, before) == 0 && !partitions.areTogether(before, row)
        if !isMove { result.superseded += 1 }
        replace(before, by: row, hash, &positions, &result)
      }
      for (place, row) in aside {
        let winner = Int(result.winners[Int(place)])
        let order = order(row, winner, comparison)
        guard order > 0 || order == 0 && row > winner else { continue }
        replace(winner, by: row, salted(winner), &positions, &result)
      }
      return result
    }

    private func replace(
      _ before: Int, by row: Int, _ hash: UInt64, _ positions: inout [Int32], _ result: inout Result
    ) {
      result.index.move(hash: hash, from: before, to: row)
      positions[row] = positions[before]
      result.winners[Int(positions[row])] = Int32(row)
    }

    /// Whether there are deletions that other columns order than the ordering column.
    private var setsDeletionsAside: Bool {
      guard !ties.isEmpty, let ordering, ordering.validity != nil else { return false }
      return isDelete.setPositions.contains { ordering.isNull(Int($0)) }
    }

    /// Whether a row is a deletion that does not tell the ordering column.
    @inline(__always)
    private func isSilent(_ row: Int) -> Bool { isDelete[row] && ordering?.isNull(row) == true }

    /// How a row compares with another.
    ///
    /// Of a deletion, what it does not tell is not compared: without any ordering value it is as new as what it meets.
    @inline(__always)
    private func order<Comparison: RowComparison>(
      _ row: Int, _ other: Int, _ comparison: Comparison
    ) -> Int {
      guard ordering != nil else { return 0 }
      if !isSilent(row), !isSilent(other) {
        let order = comparison.order(row, other)
        if order != 0 { return order }
      }
      return ties.isEmpty ? 0 : orderOfTies(row, other)
    }

    private func orderOfTies(_ row: Int, _ other: Int) -> Int {
      for tie in ties {
        if isDelete[row], tie.isNull(row) { continue }
        if isDelete[other], tie.isNull(other) { continue }
        let order = tie.compare(row, to: tie, other)
        if order != 0 { return order }
      }
      return 0
    }
  }
}
