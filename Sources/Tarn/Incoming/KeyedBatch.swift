import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex

/// Within what a record key is unique.
public enum KeyScope: Sendable, Hashable {
  /// Within its partition, as Hudi's ordinary indexes have it.
  case partition
  /// Within the table: all partitions are searched, and a row that comes with another partition moves.
  case table
}

/// The rows of a write in the table's schema, with their keys and partitions; of each key one row wins.
struct KeyedBatch: Sendable {
  /// The rows, in the table's schema.
  let rows: RecordBatch
  /// A bit a row, set where the row is to be deleted.
  let isDelete: Bitmap
  /// The keys and partitions of all rows.
  let keys: RecordKeys
  /// The ordering column's position in the rows; nil where the table has none, or the rows do not give it.
  let ordering: Int?
  /// The columns that the rows give, by their positions; nil where they give all.
  let given: [Int]?
  /// Within what a key is unique.
  let scope: KeyScope
  /// The rows that won, in the order in which their keys came first.
  let winners: [Int32]
  /// From key (and partition, where that is the scope) to the row that won.
  private let index: HashIndex

  /// Number of rows, those that lost among them.
  var count: Int { rows.count }

  /// All rows with their keys, as they are written.
  var keyedRows: KeyedRows { KeyedRows(rows, keys) }

  /// The ordering values; nil where there are none.
  var orderingValues: Column? { ordering.map { rows.columns[$0] } }

  /// A batch of all rows, for loads that look no key up.
  init(all rows: RecordBatch, keys: RecordKeys) {
    self.rows = rows
    self.keys = keys
    isDelete = Bitmap(count: rows.count)
    ordering = nil
    given = nil
    scope = .partition
    winners = Array(0..<Int32(rows.count))
    index = HashIndex(expected: 0)
  }

  /// A batch in which each key is there once; see ``Deduplication``.
  init(
    _ changes: ChangeBatch, keys: RecordKeys, ordering: Int?, given: [Int]?, scope: KeyScope,
    winners: [Int32], _ index: HashIndex
  ) {
    rows = changes.rows
    isDelete = changes.isDelete
    self.keys = keys
    self.ordering = ordering
    self.given = given
    self.scope = scope
    self.winners = winners
    self.index = index
  }

  /// The winning row for a stored key, which lies in `partition`; nil where the batch does not touch it.
  ///
  /// - Parameter partition: Nil for one that no row of the batch names.
  @inline(__always)
  func row(for stored: ByteStrings, _ storedRow: Int, hash: UInt64, partition: PartitionNumber?) -> Int? {
    let byPartition = scope == .partition
    let salt = byPartition ? RowPartitions.salt(partition) : 0
    return index.find(hash: hash ^ salt) {
      (!byPartition || keys.partitions.isRow($0, in: partition)) && keys.texts.equals($0, stored, storedRow)
    }
  }
}

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
    let byPartition = scope == .partition
    let (texts, hashes, partitions) = (keys.texts, keys.hashes, keys.partitions)
    func salted(_ row: Int) -> UInt64 { byPartition ? hashes[row] ^ partitions.salt(row) : hashes[row] }
    let order = RowOrder(changes, ordering)
    var result = Result(index: HashIndex(expected: changes.count))
    result.winners.reserveCapacity(changes.count)
    // Position of each winning row within `winners`, so that a later winner takes its place.
    var positions = [Int32](repeating: -1, count: changes.count)
    for row in 0..<changes.count {
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
      guard !order.isOlder(row, than: before) else {
        result.superseded += 1
        continue
      }
      // The halves of one change, out of the old partition and into the new one, are one row.
      let isMove = order.isReplacement(of: before, by: row) && !partitions.areTogether(before, row)
      if !isMove { result.superseded += 1 }
      result.index.move(hash: hash, from: before, to: row)
      positions[row] = positions[before]
      result.winners[Int(positions[row])] = Int32(row)
    }
    return result
  }

  /// Compares rows of a batch by their ordering values.
  private struct RowOrder {
    private let column: Column?
    private let isDelete: Bitmap

    init(_ changes: ChangeBatch, _ ordering: Int?) {
      column = ordering.map { changes.rows.columns[$0] }
      isDelete = changes.isDelete
    }

    /// Whether a row's ordering value is less than that of an earlier row.
    ///
    /// A deletion without ordering is as new as what it meets.
    func isOlder(_ row: Int, than before: Int) -> Bool {
      guard let column else { return false }
      if isDelete[row], column.isNull(row) { return false }
      if isDelete[before], column.isNull(before) { return false }
      return column.compare(row, to: column, before) < 0
    }

    /// Whether a row replaces one that is deleted at the same time.
    func isReplacement(of before: Int, by row: Int) -> Bool {
      guard let column, isDelete[before], !isDelete[row] else { return false }
      return column.compare(row, to: column, before) == 0
    }
  }
}
