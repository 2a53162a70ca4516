import TarnBytes
import TarnColumns
import TarnTimeline

/// Makes the record key and the partition path of each row, as Hudi's key generators do.
///
/// Source: format-tables 4.2 and 5.2.
struct RecordKeyGenerator: Sendable {
  /// The key columns in order.
  let keyFields: [String]
  /// The partition columns and how they become folders.
  let partition: PartitionPath

  /// The generator of a table.
  ///
  /// - Throws: ``TableError`` with code `unsupported` for a table without key columns or with another generator.
  init(_ properties: TableProperties) throws(TableError) {
    keyFields = properties.recordKeyFields
    guard !keyFields.isEmpty else {
      throw TableError(
        .unsupported, "table \(properties.name) has no record key fields: Tarn only reads it")
    }
    switch properties.keyGenerator {
    case .simple, .complex, .nonPartitioned, .custom: break
    case .timestamp, .other:
      throw TableError(
        .unsupported,
        "table \(properties.name) makes its keys with \(properties.keyGenerator.className ?? "an unknown generator"): "
          + "Tarn only reads it")
    }
    partition = PartitionPath(
      fields: properties.partitionFields, isHiveStyle: properties.isHiveStyle,
      isEncoded: properties.isURLEncoded)
  }

  /// The keys and partitions of rows.
  struct Keys: Sendable {
    /// The record key of each row.
    var keys: ByteStrings
    /// The XXH64 of each key.
    var hashes: [UInt64]
    /// The paths that occur, each once.
    var partitions: [String]
    /// The position of each row's path in ``partitions``; -1 where it is not known.
    var partitionOf: [Int32]
  }

  /// Makes the keys of a batch in the table's schema.
  ///
  /// - Parameters:
  ///   - changes: The rows.
  ///   - needsPartition: Whether rows to delete need their partition too.
  ///   - warn: Told once of null partition values.
  /// - Throws: ``TableError`` with code `badRow` for a null, empty or ambiguous key or partition value.
  func keys(
    of changes: ChangeBatch, needsPartition: Bool, warn: (String) -> Void
  ) throws(TableError) -> Keys {
    let keys = try recordKeys(changes.rows)
    let hashes = (0..<keys.count).map { keys.hash($0) }
    var result = Keys(keys: keys, hashes: hashes, partitions: [], partitionOf: [])
    try assignPartitions(changes, needsPartition, warn, to: &result)
    return result
  }

  func column(_ name: String, _ rows: RecordBatch) throws(TableError) -> Column {
    guard let column = rows[name] else {
      throw TableError(
        .mismatch, "the rows have no column \(name), which the table's key or partition needs")
    }
    try Self.requireText(column.type, name)
    // Keys and paths are text to every reader; other columns are theirs to judge.
    if case .dictionary(let strings) = column.values, strings.entries.strings.firstNotUTF8 == nil {
      return column
    }
    if let strings = column.strings, let row = strings.firstNotUTF8 {
      throw TableError(
        .badRow, "row \(row) of the batch: column \(name) is not UTF-8, and keys and paths must be")
    }
    return column
  }

  /// Refuses types whose values have no text that all writers agree on, as a table of another writer's may have.
  static func requireText(_ type: DataType, _ name: String) throws(TableError) {
    guard let objection = KeyText.objection(to: type) else { return }
    throw TableError(
      .unsupported,
      "the key or partition column \(name) is \(type.name): \(objection), so Tarn only reads the table")
  }

  private func recordKeys(_ rows: RecordBatch) throws(TableError) -> ByteStrings {
    var columns: [Column] = []
    for name in keyFields { columns.append(try column(name, rows)) }
    if columns.count == 1 { try requireValues(columns[0]) }
    return try keys(columns, count: rows.count, areStored: false)
  }

  /// The keys of rows that are stored, whose values were another writer's to refuse.
  ///
  /// - Parameters:
  ///   - columns: The key fields' values, in their order.
  ///   - count: Number of rows.
  /// - Returns: The keys; empty where the one key field is null.
  func storedKeys(_ columns: [Column], count: Int) throws(TableError) -> ByteStrings {
    try keys(columns, count: count, areStored: true)
  }

  private func keys(
    _ columns: [Column], count: Int, areStored: Bool
  ) throws(TableError) -> ByteStrings {
    guard columns.count == 1 else { return try compositeKeys(columns, count: count, areStored: areStored) }
    do { return try simpleKeys(columns[0]) } catch { throw TableError(error) }
  }

  private func requireValues(_ column: Column) throws(TableError) {
    let strings = column.strings
    for row in 0..<column.count {
      if column.isNull(row) { throw Self.badKey(row, "column \(keyFields[0]) is null") }
      if let strings, strings.length(row) == 0 { throw Self.badKey(row, "column \(keyFields[0]) is empty") }
    }
  }

  private func simpleKeys(_ column: Column) throws(ColumnError) -> ByteStrings {
    if let strings = column.strings { return strings }
    var keys = ByteStrings()
    for row in 0..<column.count {
      try keys.appendBuilt { if !column.isNull(row) { KeyText.append(column, row, to: &$0) } }
    }
    return keys
  }

  private static func badKey(_ row: Int, _ why: String) -> TableError {
    TableError(.badRow, "row \(row) of the batch has no record key: \(why)")
  }

  /// `field:value,field:value`; a null is `__null__`, an empty string `__empty__`.
  private func compositeKeys(
    _ columns: [Column], count: Int, areStored: Bool
  ) throws(TableError) -> ByteStrings {
    var keys = ByteStrings()
    var text: [UInt8] = []
    for row in 0..<count {
      text.removeAll(keepingCapacity: true)
      var isBlank = true
      for (index, column) in columns.enumerated() {
        if index > 0 { text.append(0x2c) }
        text.append(text: keyFields[index])
        text.append(0x3a)
        let start = text.count
        if column.isNull(row) {
          text.append(text: "__null__")
          continue
        }
        KeyText.append(column, row, to: &text)
        if text.count == start {
          text.append(text: "__empty__")
          continue
        }
        isBlank = false
        if !areStored { try checkPart(text[start...], index) }
      }
      if isBlank, !areStored {
        throw Self.badKey(row, "all of \(keyFields.joined(separator: ", ")) are null or empty")
      }
      do { try keys.append(text.span.bytes) } catch { throw TableError(error) }
    }
    return keys
  }

  /// Refuses parts that make a composite key's text ambiguous.
  private func checkPart(_ part: ArraySlice<UInt8>, _ index: Int) throws(TableError) {
    var isAmbiguous = false
    for byte in part where byte == 0x2c || byte == 0x3a { isAmbiguous = true }
    if part.elementsEqual("__null__".utf8) || part.elementsEqual("__empty__".utf8) { isAmbiguous = true }
    guard isAmbiguous else { return }
    let shown = String(decoding: part.prefix(60), as: UTF8.self).debugDescription
    throw TableError(
      .badRow,
      "key column \(keyFields[index]) holds \(shown), which is ambiguous within Hudi's composite keys "
        + "(no `,` and no `:`): use one key column, or replace these characters")
  }
}
