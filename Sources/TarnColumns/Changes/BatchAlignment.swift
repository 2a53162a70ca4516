extension RecordBatch {
  /// The batch with the columns of a schema, in its order: missing ones null, others exactly as they are in the schema's
  /// types.
  ///
  /// - Throws: ``ColumnError``, `refused` for the first row with a null in a column that takes none, or with a value that
  ///   the column's type does not hold.
  package func aligned(to target: Schema) throws(ColumnError) -> RecordBatch {
    var refused = RefusedRows()
    return try aligned(to: target, &refused)
  }

  /// The batch with the columns of a schema; what stands for values of refused rows means nothing.
  ///
  /// - Parameters:
  ///   - target: The columns that are wanted.
  ///   - deletes: The rows of which only the key matters, so that they may have nulls anywhere.
  ///   - requiresAll: Whether a column that takes no null must be there.
  ///   - refused: Takes the rows that do not fit.
  package func aligned(
    to target: Schema, deletes: Bitmap? = nil, requiresAll: Bool = true, _ refused: inout RefusedRows
  ) throws(ColumnError) -> RecordBatch {
    var columns: [Column] = []
    for (field, position) in zip(target.fields, schema.positions(of: target.names)) {
      guard var column = position.map({ self.columns[$0] }) else {
        columns.append(Column(nulls: count, of: field.type))
        continue
      }
      if case .timestamp(_, .local) = column.type, case .timestamp(_, .instant) = field.type {
        column = try column.asInstant { _ in 0 }
      }
      columns.append(try Self.fitted(column, to: field, &refused))
    }
    let aligned = try RecordBatch(schema: target, columns: columns, count: count)
    try aligned.refuseNulls(deletes, among: requiresAll ? nil : Set(schema.names), &refused)
    return aligned
  }

  private static func fitted(
    _ column: Column, to field: Field, _ refused: inout RefusedRows
  ) throws(ColumnError) -> Column {
    if column.type == field.type { return column }
    let (fitted, misfits) = try column.fitted(to: field.type)
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

  private func refuseNulls(
    _ deletes: Bitmap?, among names: Set<String>?, _ refused: inout RefusedRows
  ) throws(ColumnError) {
    for (field, column) in zip(schema.fields, columns)
    where !field.isNullable && column.nullCount > 0 && names?.contains(field.name) != false {
      for row in 0..<count where column.isNull(row) && deletes?[row] != true {
        try refused.refuse(row, "it has no \(field.name), and that column of the table takes no null")
      }
    }
  }
}

extension ChangeBatch {
  /// Refuses rows with strings that are not UTF-8, as other readers want them.
  ///
  /// Of rows to delete, only the key, which is checked elsewhere, and the ordering values are kept.
  ///
  /// - Parameters:
  ///   - ordering: The names of the ordering column and of those that break ties.
  ///   - refused: Takes the rows.
  package func refuseText(orderedBy ordering: Set<String>, _ refused: inout RefusedRows) throws(ColumnError) {
    for (field, column) in zip(rows.schema.fields, rows.columns) {
      let isKept = ordering.contains(field.name)
      for row in column.rowsNotUTF8 where isKept || !isDelete[row] {
        try refused.refuse(
          row,
          "column \(field.name) is not UTF-8, which other engines cannot read: mend it, or keep such bytes in a "
            + "column of type binary")
      }
    }
  }
}

extension Schema {
  /// The same columns, all nullable: files may lack what the table has now.
  package var relaxed: Schema { Schema(fields.map { Field($0.name, $0.type, isNullable: true) }) }

  /// The columns, and behind them those of others that are not among them.
  package func adding(_ others: [Field]) -> Schema {
    let known = Set(names)
    return Schema(fields + others.filter { !known.contains($0.name) })
  }
}
