import TarnAvro
import TarnBytes
import TarnColumns
import TarnParquet

/// Where the record keys of stored rows are: in their meta column, or, in a table without meta columns, in the key
/// fields, of which they are made anew.
///
/// Source: format-tables 5.1 (`hoodie.populate.meta.fields`).
struct StoredKeys: Sendable {
  /// The columns of which the keys are made.
  let schema: Schema
  /// Makes keys of fields; nil where the meta column has them.
  private let generator: RecordKeyGenerator?

  /// The keys of a table.
  ///
  /// - Parameters:
  ///   - generator: What makes the table's keys.
  ///   - columns: The table's data columns.
  ///   - populatesMetaColumns: Whether the table's meta columns are filled.
  /// - Throws: ``TableError`` with code `damaged` for a key field that is no column, `unsupported` for one of a type
  ///   without text.
  init(_ generator: RecordKeyGenerator, _ columns: Schema, populatesMetaColumns: Bool) throws(TableError) {
    guard !populatesMetaColumns else {
      schema = Schema([Field(MetaColumns.recordKey, .string)])
      self.generator = nil
      return
    }
    var fields: [Field] = []
    for name in generator.keyFields {
      guard let field = columns[name] else {
        throw TableError(
          .damaged, "the table's schema has no column \(name), which its properties name a key field")
      }
      try RecordKeyGenerator.requireText(field.type, name)
      fields.append(field)
    }
    schema = Schema(fields)
    self.generator = generator
  }

  /// Where the columns stand in a file.
  ///
  /// - Throws: ``TableError`` with code `unsupported` where one is missing or cannot be read.
  func columns(in file: ParquetFile) throws(TableError) -> [Int] {
    var columns: [Int] = []
    for name in schema.names {
      if let reason = file.unreadable[name] {
        throw TableError(.unsupported, "\(file.path): column \(name) cannot be read yet: \(reason)")
      }
      guard let column = file.schema.index(of: name) else {
        throw TableError(
          .unsupported, "\(file.path): it has no column \(name), so Tarn cannot upsert into it")
      }
      columns.append(column)
    }
    return columns
  }

  /// Whether what a file's footer and key index say of keys is of the texts that its rows have now.
  ///
  /// A key field that another writer has widened since may have another text: `5` becomes `5.00` as a decimal.
  func haveSameTexts(in file: ParquetFile) -> Bool {
    guard generator != nil else { return true }
    return schema.fields.allSatisfy { field in
      file.schema[field.name].map { $0.type.hasSameTexts(as: field.type) } ?? true
    }
  }

  /// The keys of rows, of the columns in ``schema``'s order; a row without one has an empty text, which is no key.
  func keys(of columns: [Column]) throws(TableError) -> ByteStrings {
    var converted: [Column] = []
    do throws(ColumnError) {
      for (field, column) in zip(schema.fields, columns) {
        converted.append(try column.converted(to: field.type))
      }
    } catch { throw TableError(error) }
    if let generator { return try generator.storedKeys(converted, count: converted.first?.count ?? 0) }
    guard let strings = converted.first?.strings else {
      throw TableError(.unsupported, "the record keys of one row group take more than 2 GiB")
    }
    return strings
  }

  /// The keys of rows that have the columns, perhaps among others.
  func keys(of rows: RecordBatch) throws(TableError) -> ByteStrings {
    var columns: [Column] = []
    for field in schema.fields {
      columns.append(rows[field.name] ?? Column(nulls: rows.count, of: field.type))
    }
    return try keys(of: columns)
  }
}
