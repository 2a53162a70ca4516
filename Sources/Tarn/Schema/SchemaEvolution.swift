import TarnAvro
import TarnColumns
import TarnTimeline

/// How a table's schema changes with what is written.
struct SchemaEvolution: Sendable {
  /// The table's data columns, without meta columns.
  let schema: Schema

  /// The type a table gives to an input type: Hudi has no integers below 32 bits, and no engine in scope is
  /// sure to read local timestamps.
  static func tableType(_ type: DataType) -> DataType {
    switch type {
    case .int8, .int16: .int32
    case .timestamp(let unit, .local): .timestamp(unit, .instant)
    default: type
    }
  }

  /// The schema a new table gets from the columns of its first batch.
  static func tableSchema(_ input: Schema) -> Schema {
    Schema(
      input.fields.filter { !MetaColumns.all.contains($0.name) }.map {
        Field($0.name, tableType($0.type), isNullable: $0.isNullable)
      })
  }

  /// The table's schema once rows are written, whose values may widen columns.
  func evolved(by rows: RecordBatch, _ widening: ColumnWidening?) throws(TableError) -> Schema {
    guard let widening else { return try evolved(by: rows.schema) }
    return try SchemaEvolution(schema: try widening.widened(schema, for: rows)).evolved(by: rows.schema)
  }

  /// The table's schema once a batch of this schema is written: new columns come last and are nullable.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where a column has a type that does not fit the table's.
  func evolved(by input: Schema) throws(TableError) -> Schema {
    var evolved = schema
    var seen: Set<String> = []
    for (field, position) in zip(input.fields, schema.positions(of: input.names))
    where !MetaColumns.all.contains(field.name) {
      guard seen.insert(field.name).inserted else {
        throw TableError(.mismatch, "column \(field.name) stands twice in the input", column: field.name)
      }
      if let objection = TableDefinition.objection(to: field.type) {
        throw TableError(
          .mismatch, "column \(field.name) is \(field.type.name): \(objection)", column: field.name)
      }
      guard let known = position.map({ schema.fields[$0] }) else {
        if MetaColumns.isReserved(field.name) { throw TableDefinition.reserved(field.name) }
        guard TableDefinition.isColumnName(field.name) else {
          throw TableError(
            .mismatch,
            "column \(field.name.debugDescription) cannot be added: Avro takes letters, digits and `_`, not first a digit",
            column: field.name)
        }
        let name = field.name.lowercased()
        if let known = evolved.fields.first(where: { $0.name.lowercased() == name }) {
          throw TableError(
            .mismatch,
            "column \(field.name) differs from the table's \(known.name) only in case, which Spark and Athena do "
              + "not tell apart: rename it", column: field.name)
        }
        evolved.fields.append(Field(field.name, Self.tableType(field.type), isNullable: true))
        continue
      }
      guard fits(field.type, known.type) else {
        throw TableError(
          .mismatch,
          "column \(field.name) is \(field.type.name) in the input and \(known.type.name) in the table: "
            + "convert it, or write to another table", column: field.name)
      }
    }
    for field in input.fields where field.type.isNested && !MetaColumns.all.contains(field.name) {
      throw TableError(
        .unsupported, "column \(field.name) is \(field.type.name): Tarn does not write nested columns yet",
        column: field.name)
    }
    return evolved
  }

  /// Whether values of a type are looked at, each for itself, for a column of the table.
  private func fits(_ input: DataType, _ table: DataType) -> Bool {
    if case .timestamp(let unit, .local) = input, case .timestamp(_, .instant) = table {
      return DataType.timestamp(unit, .instant).mayFit(table)
    }
    return input.mayFit(table)
  }
}
