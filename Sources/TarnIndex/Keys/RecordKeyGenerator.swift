import TarnBytes
import TarnColumns
import TarnTimeline

/// Makes the record key and the partition path of each row, as Hudi's key generators do.
///
/// Source: format-tables 4.2 and 5.2.
package struct RecordKeyGenerator: Sendable {
  /// The key columns in order.
  package let keyFields: [String]
  /// The partition columns and how they become folders.
  package let partition: PartitionPath
  /// The table's bucket index, whose rules keys must suit; nil where it has none.
  package var hashing: KeyHashing?

  /// The generator of a table.
  ///
  /// - Throws: ``KeyError`` with code `unsupported` for a table without key columns or with another generator.
  package init(_ properties: TableProperties) throws(KeyError) {
    keyFields = properties.recordKeyFields
    guard !keyFields.isEmpty else {
      throw KeyError(
        .unsupported, "table \(properties.name) has no record key fields: Tarn only reads it")
    }
    switch properties.keyGenerator {
    case .simple, .complex, .nonPartitioned: break
    case .custom where !properties.formatsTimes: break
    case .custom, .timestamp, .other:
      throw KeyError(
        .unsupported,
        "table \(properties.name) makes its keys with \(properties.keyGenerator.className ?? "an unknown generator"): "
          + "Tarn only reads it")
    }
    partition = PartitionPath(
      fields: properties.partitionFields, isHiveStyle: properties.isHiveStyle,
      isEncoded: properties.isURLEncoded)
  }

  /// Makes the keys of a batch in the table's schema.
  ///
  /// - Parameters:
  ///   - changes: The rows.
  ///   - needsPartition: Whether rows to delete need their partition too.
  ///   - warn: Told once of null partition values.
  /// - Throws: ``KeyError`` with code `badRow` for a null, empty or ambiguous key or partition value.
  package func keys(
    of changes: ChangeBatch, needsPartition: Bool, warn: (String) -> Void
  ) throws(KeyError) -> RecordKeys {
    var refused = RefusedRows()
    return try keys(of: changes, needsPartition: needsPartition, warn: warn, &refused)
  }

  /// Makes the keys of a batch in the table's schema; what stands for those of refused rows means nothing.
  package func keys(
    of changes: ChangeBatch, needsPartition: Bool, warn: (String) -> Void, _ refused: inout RefusedRows
  ) throws(KeyError) -> RecordKeys {
    let texts = try recordKeys(changes.rows, &refused)
    return RecordKeys(texts, try partitions(of: changes, needsPartition, warn, &refused))
  }

  /// A column of which texts are made; rows of it that are not UTF-8 are refused.
  func column(
    _ name: String, _ rows: RecordBatch, _ refused: inout RefusedRows
  ) throws(KeyError) -> Column {
    guard let column = rows[name] else {
      throw KeyError(
        .mismatch, "the rows have no column \(name), which the table's key or partition needs")
    }
    try Self.requireText(column.type, name)
    for row in column.rowsNotUTF8 {
      try refuse(row, "column \(name) is not UTF-8, and keys and paths must be", &refused)
    }
    return column
  }

  private func refuse(_ row: Int, _ reason: String, _ refused: inout RefusedRows) throws(KeyError) {
    do { try refused.refuse(row, reason) } catch { throw KeyError(error) }
  }

  /// Refuses types whose values have no text that all writers agree on, as a table of another writer's may have.
  package static func requireText(_ type: DataType, _ name: String) throws(KeyError) {
    guard let objection = KeyText.objection(to: type) else { return }
    throw KeyError(
      .unsupported,
      "the key or partition column \(name) is \(type.name): \(objection), so Tarn only reads the table")
  }

  private func recordKeys(
    _ rows: RecordBatch, _ refused: inout RefusedRows
  ) throws(KeyError) -> ByteStrings {
    var columns: [Column] = []
    for name in keyFields { columns.append(try column(name, rows, &refused)) }
    guard columns.count == 1 else { return try compositeKeys(columns, count: rows.count, &refused) }
    try requireValues(columns[0], &refused)
    do { return try simpleKeys(columns[0]) } catch { throw KeyError(error) }
  }

  /// The keys of rows that are stored, whose values were another writer's to refuse.
  ///
  /// - Parameters:
  ///   - columns: The key fields' values, in their order.
  ///   - count: Number of rows.
  /// - Returns: The keys; empty where the one key field is null.
  package func storedKeys(_ columns: [Column], count: Int) throws(KeyError) -> ByteStrings {
    if columns.count == 1 {
      do { return try simpleKeys(columns[0]) } catch { throw KeyError(error) }
    }
    var ignored = RefusedRows(areNoted: true)
    return try compositeKeys(columns, count: count, &ignored)
  }

  private func requireValues(_ column: Column, _ refused: inout RefusedRows) throws(KeyError) {
    let strings = column.strings
    for row in 0..<column.count {
      if column.isNull(row) {
        try refuse(row, "it has no record key: column \(keyFields[0]) is null", &refused)
      } else if let strings, strings.length(row) == 0 {
        try refuse(row, "it has no record key: column \(keyFields[0]) is empty", &refused)
      }
    }
  }

  private func simpleKeys(_ column: Column) throws(ColumnError) -> ByteStrings {
    try KeyText.texts(of: column)
  }

  private func compositeKeys(
    _ columns: [Column], count: Int, _ refused: inout RefusedRows
  ) throws(KeyError) -> ByteStrings {
    var keys = ByteStrings()
    var text: [UInt8] = []
    let composite = CompositeKey(keyFields)
    var values: [CompositeKey.Values] = []
    for column in columns {
      do { values.append(try CompositeKey.Values(column)) } catch { throw KeyError(error) }
    }
    for row in 0..<count {
      text.removeAll(keepingCapacity: true)
      var objection: String?
      composite.append(values, row, to: &text, &objection)
      if let why = objection ?? hashing?.objection(to: text, of: keyFields) {
        try refuse(row, why, &refused)
      }
      do { try keys.append(text.span.bytes) } catch { throw KeyError(error) }
    }
    return keys
  }
}
