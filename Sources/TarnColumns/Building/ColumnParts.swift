/// Columns made of parts of others.
extension Column {
  /// A column of nulls.
  public init(nulls count: Int, of type: DataType) {
    var builder = ColumnBuilder(type)
    builder.appendNulls(count)
    self = builder.finish()
  }

  /// A part of the column, copied.
  public func slice(_ rows: Range<Int>) -> Column {
    if rows == 0..<count { return self }
    if let part = dictionaryPart(rows) { return part }
    var builder = ColumnBuilder(type)
    // A part cannot be larger than the whole.
    try? builder.append(self, rows)
    return builder.finish()
  }

  /// The values at chosen rows, in their order.
  ///
  /// - Throws: ``ColumnError`` where strings repeated so often would pass 2 GiB.
  public func gather(_ rows: [Int32]) throws(ColumnError) -> Column {
    if let chosen = dictionaryPart(rows) { return chosen }
    var builder = ColumnBuilder(type)
    try builder.append(self, rows: rows)
    return builder.finish()
  }

  /// Columns of one type, one after the other.
  ///
  /// - Throws: ``ColumnError`` where types differ, or the whole would pass 2 GiB.
  public static func concatenate(_ columns: [Column], type: DataType) throws(ColumnError) -> Column {
    if columns.count == 1, columns[0].type == type { return columns[0] }
    if let joined = dictionaryConcatenate(columns, type: type) { return joined }
    var builder = ColumnBuilder(type)
    // At once, since a list that grows is there twice at times.
    builder.reserve(
      columns.reduce(0) { $0 + $1.count },
      bytes: columns.reduce(0) {
        if case .bytes(let strings) = $1.values { $0 + strings.bytes.count } else { $0 }
      })
    for column in columns { try builder.append(column, 0..<column.count) }
    return builder.finish()
  }
}

extension RecordBatch {
  /// The rows at chosen positions, in their order.
  ///
  /// - Throws: ``ColumnError`` where strings repeated so often would pass 2 GiB.
  public func gather(_ rows: [Int32]) throws(ColumnError) -> RecordBatch {
    var gathered: [Column] = []
    for column in columns { gathered.append(try column.gather(rows)) }
    return try RecordBatch(schema: schema, columns: gathered, count: rows.count)
  }

  /// A range of the rows.
  public func slice(_ rows: Range<Int>) -> RecordBatch {
    var part = self
    part.columns = columns.map { $0.slice(rows) }
    part.count = rows.count
    return part
  }

  /// Batches of one schema, one after the other.
  ///
  /// - Throws: ``ColumnError`` where types differ, or a column would pass 2 GiB.
  public static func concatenate(_ batches: [RecordBatch], schema: Schema) throws(ColumnError) -> RecordBatch
  {
    if batches.count == 1, batches[0].schema == schema { return batches[0] }
    for batch in batches where batch.columns.count != schema.fields.count {
      throw ColumnError.malformed("\(batch.columns.count) columns for \(schema.fields.count) fields")
    }
    var columns: [Column] = []
    for index in schema.fields.indices {
      columns.append(
        try Column.concatenate(batches.map { $0.columns[index] }, type: schema.fields[index].type))
    }
    return try RecordBatch(schema: schema, columns: columns, count: batches.reduce(0) { $0 + $1.count })
  }
}
