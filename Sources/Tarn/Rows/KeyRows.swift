import TarnColumns
import TarnExpressions
import TarnTimeline

/// A record key by its columns, as in `["transaction_id": "42"]`.
public typealias RecordKey = [String: Literal]

extension Table {
  /// Deletes the rows with these keys: in their partitions where these are given, else wherever they are.
  ///
  /// ```swift
  /// try await table.delete(keys: [["transaction_id": "42"], ["transaction_id": "43"]])
  /// ```
  ///
  /// - Parameter keys: The key columns of each row, and perhaps its partition columns, to look only there, and its
  ///   ordering column and those that break ties, so as to spare a newer row. Partitions are given for all keys or for none.
  /// - Throws: ``TableError``, `mismatch` where a key column is missing, another column is there, or a value does not
  ///   fit its column; the table is as it was then.
  @discardableResult
  public func delete(keys: [RecordKey]) async throws(TableError) -> CommitReport {
    try await delete(try Self.batch(of: keys, schema: try await schema(), properties: properties))
  }

  private static func batch(
    of keys: [RecordKey], schema: Schema, properties: TableProperties
  ) throws(TableError) -> RecordBatch {
    var names = properties.recordKeyFields
    for name in properties.partitionFields + (properties.orderingField.map { [$0] } ?? [])
      + properties.tieBreakers
    where !names.contains(name) {
      names.append(name)
    }
    let needed = Set(properties.recordKeyFields)
    let known = Set(names)
    for (row, key) in keys.enumerated() {
      if let name = key.keys.filter({ !known.contains($0) }).min() {
        throw TableError(
          .mismatch, "key \(row): \(name) does not belong to a key: give \(names.joined(separator: ", "))",
          row: row)
      }
      if let name = properties.recordKeyFields.first(where: { needed.contains($0) && key[$0] == nil }) {
        throw TableError(.mismatch, "key \(row): the key column \(name) is missing", column: name, row: row)
      }
    }
    var fields: [Field] = []
    var columns: [Column] = []
    do {
      for name in names where keys.contains(where: { $0[name] != nil }) || needed.contains(name) {
        guard let field = schema[name] else {
          throw TableError(
            .damaged, "the table's schema has no column \(name), which its properties name", column: name)
        }
        var builder = ColumnBuilder(field.type)
        for key in keys {
          if let literal = key[name] {
            try builder.append(try literal.stored(in: field), 0..<1)
          } else {
            builder.appendNulls()
          }
        }
        fields.append(Field(name, field.type))
        columns.append(builder.finish())
      }
      return try RecordBatch(schema: Schema(fields), columns: columns, count: keys.count)
    } catch { throw TableError(error) }
  }
}
