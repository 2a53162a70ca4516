import TarnColumns
import TarnFileGroups
import TarnIndex

/// What becomes of the rows of one file, and of the incoming rows that met them.
struct FileDecision: Sendable {
  /// Positions of stored rows that go, ascending.
  var deleted: [Int] = []
  /// Stored rows that are replaced in place, ascending.
  var replaced: [StoredMatch] = []
  /// Incoming rows that found an older row in another partition than their own, which goes; in ascending order of
  /// the stored rows.
  var moved: [StoredMatch] = []
  /// Incoming rows that are older than what is stored.
  var stale: [Int] = []
  /// Incoming rows that say what is stored already.
  var duplicates: [Int] = []
  /// Deleted keys whose deletions are kept.
  var tombstones = NewTombstones()
  /// The whole rows for ``replaced``, and behind them those for ``moved``; nil where the incoming rows are whole.
  var merged: MergedRows?
}

/// Whole rows, made of incoming ones and of the stored rows that they met.
struct MergedRows: Sendable {
  /// The rows.
  var rows: RecordBatch
  /// The incoming row behind each of them.
  var origins: [Int32]
}

/// What becomes of every row of a batch.
struct RowChanges: Sendable {
  /// What becomes of the stored rows of each file, in the order of the files.
  let files: [StoredRowChanges]
  /// The rows to insert, by partition, in the order of their paths.
  let inserts: [(path: String, rows: [Int32])]
  /// Rows of the batch, and behind them those that were made whole: the rows that are written.
  let rows: KeyedRows
  /// The bucket of each of these rows; nil in a table without a bucket index.
  let buckets: [Int32]?
  /// Deletions that no file group is known to keep.
  let tombstones: NewTombstones
  /// Inserts whose keys were deleted before.
  let revived: Set<Int32>
}
