import TarnAvro
import TarnColumns
import TarnTimeline

/// Rows of a batch that say themselves that they are to be deleted, by Hudi's boolean column `_hoodie_is_deleted`.
///
/// Null and false say nothing. As in Hudi, an insert, which looks no key up, leaves such rows out.
///
/// Source: format-tables 8.5; tried with Hudi 0.15.
enum SoftDeletes {
  /// Rows of which the column is true.
  static func rows(of batch: RecordBatch) -> [Int] {
    guard let column = batch[MetaColumns.isDeleted], case .boolean(let bits) = column.values else {
      return []
    }
    return (0..<batch.count).filter { bits[$0] && !column.isNull($0) }
  }

  /// The changes with such rows as deletions, and without the column where the table lacks it.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where the column is no boolean, as Hudi refuses it too.
  static func taken(
    from changes: ChangeBatch, _ table: Schema, _ operation: OperationType, warn: (String) -> Void
  ) throws(TableError) -> ChangeBatch {
    guard let column = changes.rows[MetaColumns.isDeleted] else { return changes }
    guard column.type == .boolean else {
      throw TableError(
        .mismatch,
        "column \(MetaColumns.isDeleted) is \(column.type.name): it says which rows are deleted, and must be boolean",
        column: MetaColumns.isDeleted)
    }
    var result = changes
    let gone = rows(of: changes.rows)
    for row in gone { result.isDelete[row] = true }
    do {
      if table[MetaColumns.isDeleted] == nil {
        result.rows = try result.rows.select(result.rows.schema.names.filter { $0 != MetaColumns.isDeleted })
      }
      guard operation == .insert, !gone.isEmpty else { return result }
      warn(
        "\(gone.count) of \(changes.count) rows have \(MetaColumns.isDeleted) = true and are left out: an insert looks "
          + "no key up, and upsert deletes their keys")
      let kept = (0..<Int32(changes.count)).filter { !result.isDelete[Int($0)] }
      return ChangeBatch(upserting: try result.rows.gather(kept))
    } catch { throw TableError(error) }
  }
}
