import Tarn
import TarnAvro
import TarnCDC
import TarnColumns

/// Columns that records bring and the table does not have.
enum NewColumns {
  /// The columns of rows that come to be stored: without Hudi's own, as a table's rows are read with, and the one by
  /// which rows are deleted.
  static func stored(_ schema: Schema) -> Schema {
    Schema(MetaColumns.removed(from: schema).fields.filter { $0.name != MetaColumns.isDeleted })
  }

  /// The schema with the boolean column by which rows are deleted, of whatever type it seemed to be.
  static func withDeletion(_ schema: Schema) -> Schema {
    var schema = schema
    if let index = schema.index(of: MetaColumns.isDeleted) {
      schema.fields[index].type = .boolean
    } else {
      schema.fields.append(Field(MetaColumns.isDeleted, .boolean))
    }
    return schema
  }

  /// The rows without the column by which rows are deleted where none is, and where the table lacks it.
  static func withoutIdleDeletion(_ rows: RecordBatch, _ table: Schema) throws -> RecordBatch {
    guard table[MetaColumns.isDeleted] == nil, let column = rows[MetaColumns.isDeleted],
      column.nullCount == rows.count
    else { return rows }
    return try rows.select(rows.schema.names.filter { $0 != MetaColumns.isDeleted })
  }

  /// The rows that a table takes without columns that only rows brought which it refuses.
  ///
  /// - Parameters:
  ///   - rows: The rows that it takes.
  ///   - all: Those that it refuses among them.
  ///   - others: Columns that stay, whatever is in them.
  static func withoutRefused(
    _ rows: RecordBatch, of all: RecordBatch, by table: Table, besides others: Set<String> = []
  ) async throws -> RecordBatch {
    let empty = zip(all.schema.names, all.columns).filter { $1.nullCount == all.count }.map(\.0)
    return try BatchJoin.withoutEmpty(
      rows, keeping: others.union(try await table.schema().names).union(empty).union(MetaColumns.all))
  }

  /// Says which columns that were there have an owner now that is called otherwise.
  static func sayOwners(_ owners: ColumnOwners, _ before: ColumnOwners, _ schema: Schema) {
    for (name, column) in owners.pairs where name != column && before.name(of: column) == nil {
      guard schema[column] != nil else { continue }
      StandardError.note("\(name.debugDescription) goes to the column \(column), from now on always")
    }
  }

  /// Says which columns are new.
  ///
  /// - Parameters:
  ///   - new: Those that a builder has found.
  ///   - isTable: Whether there is a table that lacks them.
  ///   - known: Columns of which the user knows.
  static func say(
    _ new: [(field: Field, count: Int, warning: String?)], isTable: Bool, known: Set<String> = []
  ) {
    for (field, count, warning) in new {
      if let warning { StandardError.note(warning) }
      // Hudi's own columns, as a table's rows are read with, are left out when rows are written, or refused.
      if isTable, !known.contains(field.name), !MetaColumns.isReserved(field.name) {
        StandardError.note(
          "column \(field.name) (\(field.type.name)) is new, found in \(count) \(count == 1 ? "record" : "records")"
        )
      }
    }
  }
}
