import TarnColumns

/// Which columns of a stored row an upsert writes.
public enum WrittenColumns: Sendable, Hashable {
  /// All of them: a column that the batch does not have becomes null.
  case all
  /// Those that the batch has: the stored row keeps its values in the others.
  case given
}

/// Makes the rows to store of stored rows and incoming ones.
///
/// Both batches have the table's columns, without meta columns, and as many rows; row by row they have the same
/// key. What comes back has the table's columns too, the same number of rows in the same order, and their keys
/// and partitions.
public typealias MergeFunction =
  @Sendable (_ stored: RecordBatch, _ incoming: RecordBatch) throws -> RecordBatch

/// How incoming rows become the rows that are stored.
struct UpdateKind: Sendable {
  /// The columns that are written.
  var columns = WrittenColumns.all
  /// Whether rows whose keys are not stored are inserted; they are counted as not found otherwise.
  var insertsNew = true
  /// What decides between a stored row and an incoming one, in place of the ordering column.
  var merge: MergeFunction?

  /// Incoming rows replace stored ones as they are.
  static let whole = UpdateKind()
}

extension ChangeBatch {
  /// The same rows as deletions, which need not say in which partition they are.
  var asDeletions: ChangeBatch {
    var deletions = self
    deletions.isDelete = Bitmap(repeating: true, count: count)
    return deletions
  }
}
