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
  /// What orders the rows; nil where the table has no ordering column, or the rows do not give it.
  let order: BatchOrder?
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

  /// The values of the ordering column and of those that break ties; none where the rows have no order.
  var orderingValues: [Column] { order?.columns.map { rows.columns[$0] } ?? [] }

  /// Whether a row does not tell a value by which it could be ordered: a deletion need not.
  @inline(__always)
  func isSilent(_ row: Int, in column: Column) -> Bool { isDelete[row] && column.isNull(row) }

  /// A batch of all rows, for loads that look no key up.
  init(all rows: RecordBatch, keys: RecordKeys) {
    self.rows = rows
    self.keys = keys
    isDelete = Bitmap(count: rows.count)
    order = nil
    given = nil
    scope = .partition
    winners = Array(0..<Int32(rows.count))
    index = HashIndex(expected: 0)
  }

  /// A batch in which each key is there once; see ``Deduplication``.
  init(
    _ changes: ChangeBatch, keys: RecordKeys, order: BatchOrder?, given: [Int]?, scope: KeyScope,
    winners: [Int32], _ index: HashIndex
  ) {
    rows = changes.rows
    isDelete = changes.isDelete
    self.keys = keys
    self.order = order
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
