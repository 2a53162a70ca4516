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

  /// The rows without columns of nothing but nulls, save some.
  static func withoutEmpty(_ rows: RecordBatch, keeping kept: Set<String>) throws -> RecordBatch {
    let names = zip(rows.schema.names, rows.columns).filter { name, column in
      kept.contains(name) || column.nullCount < rows.count
    }.map(\.0)
    return names.count == rows.columns.count ? rows : try rows.select(names)
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
    return try withoutEmpty(
      rows, keeping: others.union(try await table.schema().names).union(empty).union(MetaColumns.all))
  }

  /// Says which columns that were there have an owner now that is called otherwise.
  static func sayOwners(_ owners: ColumnOwners, _ before: ColumnOwners, _ schema: Schema) {
    for (name, column) in owners.pairs where name != column && before.name(of: column) == nil {
      guard schema[column] != nil else { continue }
      StandardError.note("\(name.debugDescription) goes to the column \(column), from now on always")
    }
  }

  /// A table's columns as values are read for them that may widen these: as wide as values of JSON can be, so that the
  /// table decides by the values.
  static func parsed(_ schema: Schema) -> Schema {
    var wide = schema
    for index in wide.fields.indices {
      switch wide.fields[index].type {
      case .int32: wide.fields[index].type = .int64
      case .float: wide.fields[index].type = .double
      case .decimal(_, let scale):
        wide.fields[index].type = .decimal(precision: DataType.greatestPrecision, scale: scale)
      default: break
      }
    }
    return wide
  }

  /// The types of a table's columns whose values may get more digits: all but those whose texts make keys and
  /// partitions.
  ///
  /// A table that is to have the types of its first rows has none.
  static func widening(_ table: Schema?, texts: [String]) -> [String: DataType] {
    let fields = (table?.fields ?? []).filter { !texts.contains($0.name) }
    return Dictionary(fields.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
  }

  /// The schema as values are read for wider columns, whose types are noted.
  static func widened(
    _ schema: Schema, by fields: [Field], _ types: inout [String: DataType]
  ) -> Schema {
    var schema = schema
    for (field, parsed) in zip(fields, parsed(Schema(fields)).fields) {
      types[field.name] = field.type
      if let index = schema.index(of: field.name) { schema.fields[index].type = parsed.type }
    }
    return schema
  }

  /// The schema with the new columns at its end.
  static func added(
    _ new: [(field: Field, count: Int, warning: String?)], to schema: Schema, saying: Bool,
    known: Set<String> = []
  ) -> Schema {
    var schema = schema
    for (field, count, warning) in new {
      schema.fields.append(field)
      if let warning { StandardError.note(warning) }
      // Hudi's own columns, as a table's rows are read with, are left out when rows are written, or refused.
      if saying, !known.contains(field.name), !MetaColumns.isReserved(field.name) {
        StandardError.note(
          "column \(field.name) (\(field.type.name)) is new, found in \(count) \(count == 1 ? "record" : "records")"
        )
      }
    }
    return schema
  }
}
