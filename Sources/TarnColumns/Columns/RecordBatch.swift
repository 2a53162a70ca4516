/// Columns of equal length.
public struct RecordBatch: Sendable {
  /// Names and types.
  public var schema: Schema
  /// The columns, in the schema's order.
  public var columns: [Column]
  /// Number of rows.
  public var count: Int

  /// Makes a batch.
  ///
  /// - Throws: ``ColumnError`` where a column's type or length is not as the schema and the others say.
  public init(schema: Schema, columns: [Column], count: Int? = nil) throws(ColumnError) {
    let rows = count ?? columns.first?.count ?? 0
    guard schema.fields.count == columns.count else {
      throw ColumnError.malformed("\(columns.count) columns for \(schema.fields.count) fields")
    }
    for (field, column) in zip(schema.fields, columns) {
      guard column.type == field.type else {
        throw ColumnError.typeMismatch(
          expected: "column \(field.name): \(field.type.name)", found: column.type.name)
      }
      guard column.count == rows else {
        throw ColumnError.malformed("column \(field.name) has \(column.count) rows, others \(rows)")
      }
    }
    self.schema = schema
    self.columns = columns
    self.count = rows
  }

  /// The column of a name; nil where there is none.
  public subscript(_ name: String) -> Column? { schema.index(of: name).map { columns[$0] } }

  /// About how many bytes of memory the columns take.
  public var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }

  /// Chosen columns, in the order of their names.
  ///
  /// - Throws: ``ColumnError`` where a name is unknown.
  public func select(_ names: [String]) throws(ColumnError) -> RecordBatch {
    var fields: [Field] = []
    var chosen: [Column] = []
    for (name, position) in zip(names, schema.positions(of: names)) {
      guard let index = position else {
        throw ColumnError.malformed("there is no column \(name)")
      }
      fields.append(schema.fields[index])
      chosen.append(columns[index])
    }
    return try RecordBatch(schema: Schema(fields), columns: chosen, count: count)
  }
}
