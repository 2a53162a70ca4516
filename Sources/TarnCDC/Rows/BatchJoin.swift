public import TarnColumns

/// Joins the rows of several files, or of several batches, into one.
public enum BatchJoin {
  /// The schema that holds the rows of all.
  ///
  /// - Throws: ``ChangeError`` where a column has types of which neither holds the other.
  public static func schema(_ schemas: [Schema]) throws(ChangeError) -> Schema {
    var joined = schemas.first ?? Schema([])
    for schema in schemas.dropFirst() where schema != joined {
      for index in joined.fields.indices where schema[joined.fields[index].name] == nil {
        joined.fields[index].isNullable = true
      }
      for field in schema.fields {
        guard let index = joined.index(of: field.name) else {
          joined.fields.append(Field(field.name, field.type))
          continue
        }
        let known = joined.fields[index]
        joined.fields[index].isNullable = known.isNullable || field.isNullable
        if field.type.widens(to: known.type) { continue }
        guard known.type.widens(to: field.type) else {
          throw .differentTypes(column: field.name, one: known.type.name, other: field.type.name)
        }
        joined.fields[index].type = field.type
      }
    }
    return joined
  }

  /// The rows with columns that are to be there, of these types; they are null where they were not.
  ///
  /// - Throws: ``ChangeError`` where a column's type does not widen to the one that it is to have.
  public static func filled(
    _ rows: RecordBatch, with fields: [Field]
  ) throws(ChangeError) -> RecordBatch {
    var rows = rows
    for (field, position) in zip(fields, rows.schema.positions(of: fields.map(\.name))) {
      guard let index = position else {
        guard field.isNullable else { continue }
        rows.columns.append(Column(nulls: rows.count, of: field.type))
        rows.schema.fields.append(field)
        continue
      }
      let found = rows.schema.fields[index].type
      guard found.widens(to: field.type) else {
        throw .notWider(column: field.name, found: found.name, wanted: field.type.name)
      }
      do { rows.columns[index] = try rows.columns[index].converted(to: field.type) } catch {
        throw .columns(error)
      }
      rows.schema.fields[index].type = field.type
    }
    return rows
  }

  /// All rows, in order; a column at a time, so that not everything is in memory twice.
  ///
  /// - Throws: ``ChangeError`` where a column has types of which neither holds the other.
  public static func rows(_ batches: consuming [RecordBatch]) throws(ChangeError) -> RecordBatch {
    let joined = try schema(batches.map(\.schema))
    if batches.count == 1, let only = batches.first { return only }
    let count = batches.reduce(0) { $0 + $1.count }
    do throws(ColumnError) {
      var parts: [[Column]] = []
      for field in joined.fields {
        var part: [Column] = []
        for index in batches.indices {
          part.append(
            try batches[index][field.name]?.converted(to: field.type)
              ?? Column(nulls: batches[index].count, of: field.type))
        }
        parts.append(part)
      }
      batches = []
      var columns: [Column] = []
      for (index, field) in joined.fields.enumerated() {
        columns.append(try Column.concatenate(parts[index], type: field.type))
        parts[index] = []
      }
      return try RecordBatch(schema: joined, columns: columns, count: count)
    } catch { throw .columns(error) }
  }

  /// All changes, in order, whose columns are those of a schema.
  ///
  /// - Throws: ``ChangeError`` where they have others.
  public static func changes(_ batches: [ChangeBatch], schema: Schema) throws(ChangeError) -> ChangeBatch {
    if batches.count == 1, let only = batches.first { return only }
    var bits = Bitmap()
    for batch in batches {
      for row in 0..<batch.count { bits.append(batch.isDelete[row]) }
    }
    do {
      return try ChangeBatch(
        rows: try RecordBatch.concatenate(batches.map(\.rows), schema: schema), isDelete: bits)
    } catch { throw .columns(error) }
  }

  /// The rows without columns of nothing but nulls, save some.
  ///
  /// - Throws: ``ChangeError`` where the columns do not fit together.
  public static func withoutEmpty(
    _ rows: RecordBatch, keeping kept: Set<String>
  ) throws(ChangeError) -> RecordBatch {
    let names = zip(rows.schema.names, rows.columns).filter { name, column in
      kept.contains(name) || column.nullCount < rows.count
    }.map(\.0)
    guard names.count < rows.columns.count else { return rows }
    do { return try rows.select(names) } catch { throw .columns(error) }
  }
}
