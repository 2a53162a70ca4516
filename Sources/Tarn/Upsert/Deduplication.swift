import TarnBytes
import TarnColumns

/// Within what a record key is unique.
public enum KeyScope: Sendable, Hashable {
  /// Within its partition, as Hudi's ordinary indexes have it.
  case partition
  /// Within the table: all partitions are searched, and a row that comes with another partition moves.
  case table
}

/// A batch with its keys, one row a key.
struct PreparedBatch: Sendable {
  /// The rows, in the table's schema.
  var changes: ChangeBatch
  /// The keys and partitions of all rows.
  var keys: RecordKeyGenerator.Keys
  /// The ordering column's position in the rows; nil where the table has none.
  var orderingColumn: Int?
  /// The columns that the rows give, by their positions; nil where they give all.
  var given: [Int]?
  /// Within what a key is unique.
  var scope: KeyScope
  /// The bucket of each row; nil where the table has none, and before that is known.
  var buckets: RowBuckets?
  /// From key (and partition, where that is the scope) to the row that won.
  var index: HashIndex
  /// The rows that won, in the order in which their keys came first.
  var winners: [Int32]
  /// Number of rows that lost to another of the batch.
  var superseded: Int

  /// Keeps of each key the row with the greatest ordering value; of equals the later one.
  ///
  /// - Parameters:
  ///   - given: The columns that the rows give, by their positions; nil where they give all.
  ///   - keepsAll: Whether all rows are kept instead, for loads that look no key up.
  init(
    _ changes: ChangeBatch, keys: RecordKeyGenerator.Keys, orderedBy ordering: String?, scope: KeyScope,
    given: [Int]? = nil, keepsAll: Bool
  ) {
    self.changes = changes
    self.keys = keys
    self.scope = scope
    self.given = given
    orderingColumn = ordering.flatMap { changes.rows.schema.index(of: $0) }
    index = HashIndex(expected: keepsAll ? 0 : changes.count)
    winners = []
    superseded = 0
    guard !keepsAll else {
      winners = Array(0..<Int32(changes.count))
      return
    }
    winners.reserveCapacity(changes.count)
    // Position of each winning row within `winners`, so that a later winner takes its place.
    var places = [Int32](repeating: -1, count: changes.count)
    for row in 0..<changes.count {
      let hash = slotHash(row)
      guard let before = findOrInsert(row, hash) else {
        places[row] = Int32(winners.count)
        winners.append(Int32(row))
        continue
      }
      guard !isOlder(row, than: before) else {
        superseded += 1
        continue
      }
      if !isMove(from: before, to: row) { superseded += 1 }
      index.move(hash: hash, from: before, to: row)
      places[row] = places[before]
      winners[Int(places[row])] = Int32(row)
    }
  }

  /// Appends the keys of rows again, for whole rows that are to be written in their stead.
  mutating func append(origins: [Int32]) throws(ColumnError) {
    let old = keys
    try keys.keys.append(old.keys, rows: origins.span)
    for row in origins {
      keys.hashes.append(old.hashes[Int(row)])
      keys.partitionOf.append(old.partitionOf[Int(row)])
      if let bucket = buckets?.ofRow[Int(row)] { buckets?.ofRow.append(bucket) }
    }
  }

  private mutating func findOrInsert(_ row: Int, _ hash: UInt64) -> Int? {
    let keys = keys
    let byPartition = scope == .partition
    return index.findOrInsert(
      hash: hash, position: row,
      where: {
        (!byPartition || keys.partitionOf[$0] == keys.partitionOf[row])
          && keys.keys.equals($0, keys.keys, row)
      },
      hashOf: { Self.slotHash(keys.hashes[$0], byPartition ? keys.partitionOf[$0] : 0) })
  }

  /// The hash under which a row is found.
  func slotHash(_ row: Int) -> UInt64 {
    Self.slotHash(keys.hashes[row], scope == .partition ? keys.partitionOf[row] : 0)
  }

  static func slotHash(_ hash: UInt64, _ partition: Int32) -> UInt64 {
    hash ^ (UInt64(UInt32(bitPattern: partition)) &* 0x9e37_79b9_7f4a_7c15)
  }

  /// Whether a row's ordering value is less than that of an earlier row of the batch.
  ///
  /// A deletion without ordering is as new as what it meets.
  private func isOlder(_ row: Int, than before: Int) -> Bool {
    guard let orderingColumn else { return false }
    let column = changes.rows.columns[orderingColumn]
    if changes.isDelete[row], column.isNull(row) { return false }
    if changes.isDelete[before], column.isNull(before) { return false }
    return column.compare(row, to: column, before) < 0
  }

  /// Whether two rows are the halves of one change: out of the old partition, into the new one.
  private func isMove(from before: Int, to row: Int) -> Bool {
    guard let orderingColumn, changes.isDelete[before], !changes.isDelete[row] else { return false }
    let column = changes.rows.columns[orderingColumn]
    return column.compare(row, to: column, before) == 0
      && keys.partitionOf[before] != keys.partitionOf[row]
  }

  /// The winning row for a stored key, which lies in `partition`; nil where the batch does not touch it.
  @inline(__always)
  func row(for stored: ByteStrings, _ storedRow: Int, hash: UInt64, partition: Int32) -> Int? {
    let byPartition = scope == .partition
    return index.find(hash: Self.slotHash(hash, byPartition ? partition : 0)) {
      (!byPartition || keys.partitionOf[$0] == partition) && keys.keys.equals($0, stored, storedRow)
    }
  }
}
