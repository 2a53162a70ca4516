import TarnAvro
import TarnBytes
import TarnColumns

/// Where the record keys of stored rows are: in their meta column, or, in a table without meta columns, in the key
/// fields, of which they are made anew.
///
/// Source: format-tables 5.1 (`hoodie.populate.meta.fields`).
package struct StoredKeys: Sendable {
  /// The columns of which the keys are made.
  package let schema: Schema
  /// Makes keys of fields; nil where the meta column has them.
  private let generator: RecordKeyGenerator?

  /// The keys of a table.
  ///
  /// - Parameters:
  ///   - generator: What makes the table's keys.
  ///   - columns: The table's data columns.
  ///   - populatesMetaColumns: Whether the table's meta columns are filled.
  /// - Throws: ``KeyError`` with code `damaged` for a key field that is no column, `unsupported` for one of a type
  ///   without text.
  package init(_ generator: RecordKeyGenerator, _ columns: Schema, populatesMetaColumns: Bool)
    throws(KeyError)
  {
    guard !populatesMetaColumns else {
      schema = Schema([Field(MetaColumns.recordKey, .string)])
      self.generator = nil
      return
    }
    var fields: [Field] = []
    for name in generator.keyFields {
      guard let field = columns[name] else {
        throw KeyError(
          .damaged, "the table's schema has no column \(name), which its properties name a key field")
      }
      try RecordKeyGenerator.requireText(field.type, name)
      fields.append(field)
    }
    schema = Schema(fields)
    self.generator = generator
  }

  /// Whether the keys are made of fields, rather than read from their meta column.
  package var areMade: Bool { generator != nil }

  /// The keys of rows, of the columns in ``schema``'s order; a row without one has an empty text, which is no key.
  package func keys(of columns: [Column]) throws(KeyError) -> ByteStrings {
    var converted: [Column] = []
    do throws(ColumnError) {
      for (field, column) in zip(schema.fields, columns) {
        converted.append(try column.converted(to: field.type))
      }
    } catch { throw KeyError(error) }
    if let generator { return try generator.storedKeys(converted, count: converted.first?.count ?? 0) }
    guard let strings = converted.first?.strings else {
      throw KeyError(.unsupported, "the record keys of one row group take more than 2 GiB")
    }
    return strings
  }

  /// The keys of rows that have the columns, perhaps among others.
  package func keys(of rows: RecordBatch) throws(KeyError) -> ByteStrings {
    var columns: [Column] = []
    for field in schema.fields {
      columns.append(rows[field.name] ?? Column(nulls: rows.count, of: field.type))
    }
    return try keys(of: columns)
  }
}
