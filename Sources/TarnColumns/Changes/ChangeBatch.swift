/// Rows to upsert and rows to delete, in the order in which they came.
///
/// A row to delete needs its key columns, and its ordering column where one is known; its other columns
/// are ignored and are usually null. A partition column that is null in a row to delete means that the
/// partition is not known.
public struct ChangeBatch: Sendable {
  /// All rows.
  public var rows: RecordBatch
  /// A bit a row, set where the row is to be deleted.
  public var isDelete: Bitmap

  /// Makes a batch.
  ///
  /// - Throws: ``ColumnError`` where there is not one bit a row.
  public init(rows: RecordBatch, isDelete: Bitmap) throws(ColumnError) {
    guard isDelete.count == rows.count else {
      throw ColumnError.malformed("\(isDelete.count) deletion bits for \(rows.count) rows")
    }
    self.rows = rows
    self.isDelete = isDelete
  }

  /// Rows to upsert only.
  public init(upserting rows: RecordBatch) {
    self.rows = rows
    isDelete = Bitmap(count: rows.count)
  }

  /// Number of rows.
  public var count: Int { rows.count }
}
