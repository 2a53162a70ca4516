import TarnAvro
import TarnColumns
import TarnTimeline

/// Brings batches into a table's schema, and the schema to the batches.
struct BatchAlignment: Sendable {
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
    return try BatchAlignment(schema: try widening.widened(schema, for: rows)).evolved(by: rows.schema)
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
        throw TableError(.mismatch, "column \(field.name) stands twice in the input")
      }
      if let objection = TableDefinition.objection(to: field.type) {
        throw TableError(.mismatch, "column \(field.name) is \(field.type.name): \(objection)")
      }
      guard let known = position.map({ schema.fields[$0] }) else {
        if MetaColumns.isReserved(field.name) { throw TableDefinition.reserved(field.name) }
        guard TableDefinition.isColumnName(field.name) else {
          throw TableError(
            .mismatch,
            "column \(field.name.debugDescription) cannot be added: Avro takes letters, digits and `_`, not first a digit"
          )
        }
        let name = field.name.lowercased()
        if let known = evolved.fields.first(where: { $0.name.lowercased() == name }) {
          throw TableError(
            .mismatch,
            "column \(field.name) differs from the table's \(known.name) only in case, which Spark and Athena do "
              + "not tell apart: rename it")
        }
        evolved.fields.append(Field(field.name, Self.tableType(field.type), isNullable: true))
        continue
      }
      guard fits(field.type, known.type) else {
        throw TableError(
          .mismatch,
          "column \(field.name) is \(field.type.name) in the input and \(known.type.name) in the table: "
            + "convert it, or write to another table")
      }
    }
    for field in input.fields where field.type.isNested && !MetaColumns.all.contains(field.name) {
      throw TableError(
        .unsupported, "column \(field.name) is \(field.type.name): Tarn does not write nested columns yet")
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

  /// The batch with the columns of `target`, in its order: missing ones null, others exactly as they are in the type of
  /// the target's.
  ///
  /// - Parameters:
  ///   - batch: The rows.
  ///   - target: The columns that are wanted.
  ///   - deletes: The rows of which only the key matters, so that they may have nulls anywhere.
  ///   - requiresAll: Whether a column that takes no null must be there.
  ///   - utcOffset: The zone's offset from UTC at a local time, both in microseconds.
  /// - Throws: ``TableError`` with code `badRow` for a null in a column that takes none, or a value that the column's
  ///   type does not hold.
  static func align(
    _ batch: RecordBatch, to target: Schema, deletes: Bitmap? = nil, requiresAll: Bool = true,
    utcOffset: (Int64) -> Int64 = { _ in 0 }
  ) throws(TableError) -> RecordBatch {
    var refused = RefusedRows()
    return try align(
      batch, to: target, deletes: deletes, requiresAll: requiresAll, utcOffset: utcOffset, &refused)
  }

  /// The batch with the columns of `target`; what stands for values of refused rows means nothing.
  static func align(
    _ batch: RecordBatch, to target: Schema, deletes: Bitmap? = nil, requiresAll: Bool = true,
    utcOffset: (Int64) -> Int64 = { _ in 0 }, _ refused: inout RefusedRows
  ) throws(TableError) -> RecordBatch {
    var columns: [Column] = []
    for (field, position) in zip(target.fields, batch.schema.positions(of: target.names)) {
      guard var column = position.map({ batch.columns[$0] }) else {
        columns.append(Column(nulls: batch.count, of: field.type))
        continue
      }
      do throws(ColumnError) {
        if case .timestamp(_, .local) = column.type, case .timestamp(_, .instant) = field.type {
          column = try column.asInstant(utcOffset: utcOffset)
        }
      } catch { throw TableError(error) }
      columns.append(try fitted(column, to: field, &refused))
    }
    let aligned: RecordBatch
    do { aligned = try RecordBatch(schema: target, columns: columns, count: batch.count) } catch {
      throw TableError(error)
    }
    try refuseNulls(aligned, deletes, among: requiresAll ? nil : Set(batch.schema.names), &refused)
    return aligned
  }

  private static func fitted(
    _ column: Column, to field: Field, _ refused: inout RefusedRows
  ) throws(TableError) -> Column {
    if column.type == field.type { return column }
    let fitted: Column
    let misfits: [Int]
    do { (fitted, misfits) = try column.fitted(to: field.type) } catch { throw TableError(error) }
    for row in misfits {
      var text: [UInt8] = []
      column.appendText(row, to: &text)
      let value = "column \(field.name) is \(String(decoding: text, as: UTF8.self))"
      guard let wider = field.type.joined(with: column.type), wider != field.type else {
        try refused.refuse(
          row, "\(value), and \(field.type.name) holds \(range(of: field.type)): mend the value")
        continue
      }
      try refused.refuse(
        row,
        "\(value), which \(field.type.name) does not hold exactly: mend the value, or widen the column "
          + "(tarn schema TABLE --widen \(field.name)='\(wider.name)', or --widen with the write)")
    }
    return fitted
  }

  private static func range(of type: DataType) -> String {
    if case .timestamp(let unit, _) = type {
      return unit == .microseconds ? "microseconds of 64 bits" : "milliseconds"
    }
    return "numbers that are exact in it"
  }

  /// Refuses rows with strings that are not UTF-8, as other readers want them.
  ///
  /// Of rows to delete, only the key, which is checked elsewhere, and the ordering value are kept.
  static func refuseText(
    _ changes: ChangeBatch, orderedBy ordering: String?, _ refused: inout RefusedRows
  ) throws(TableError) {
    for (field, column) in zip(changes.rows.schema.fields, changes.rows.columns) {
      let isKept = field.name == ordering
      for row in column.rowsNotUTF8 where isKept || !changes.isDelete[row] {
        try refused.refuse(
          row,
          "column \(field.name) is not UTF-8, which other engines cannot read: mend it, or keep such bytes in a "
            + "column of type binary")
      }
    }
  }

  private static func refuseNulls(
    _ batch: RecordBatch, _ deletes: Bitmap?, among names: Set<String>?, _ refused: inout RefusedRows
  ) throws(TableError) {
    for (field, column) in zip(batch.schema.fields, batch.columns)
    where !field.isNullable && column.nullCount > 0 && names?.contains(field.name) != false {
      for row in 0..<batch.count where column.isNull(row) && deletes?[row] != true {
        try refused.refuse(row, "it has no \(field.name), and that column of the table takes no null")
      }
    }
  }
}
