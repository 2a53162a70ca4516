import TarnBytes
import TarnColumns
import TarnIndex
import TarnTimeline

/// Makes the record key and the partition path of each row, as Hudi's key generators do.
///
/// Source: format-tables 4.2 and 5.2.
struct RecordKeyGenerator: Sendable {
  /// The key columns in order.
  let keyFields: [String]
  /// The partition columns and how they become folders.
  let partition: PartitionPath
  /// The table's bucket index, whose rules keys must suit; nil where it has none.
  var hashing: KeyHashing?

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
    case .simple, .complex, .nonPartitioned: break
    case .custom where !properties.formatsTimes: break
    case .custom, .timestamp, .other:
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
    var refused = RefusedRows()
    return try keys(of: changes, needsPartition: needsPartition, warn: warn, &refused)
  }

  /// Makes the keys of a batch in the table's schema; what stands for those of refused rows means nothing.
  func keys(
    of changes: ChangeBatch, needsPartition: Bool, warn: (String) -> Void, _ refused: inout RefusedRows
  ) throws(TableError) -> Keys {
    let keys = try recordKeys(changes.rows, &refused)
    let hashes = keys.hashes()
    var result = Keys(keys: keys, hashes: hashes, partitions: [], partitionOf: [])
    try assignPartitions(changes, needsPartition, warn, &refused, to: &result)
    return result
  }

  /// A column of which texts are made; rows of it that are not UTF-8 are refused.
  func column(
    _ name: String, _ rows: RecordBatch, _ refused: inout RefusedRows
  ) throws(TableError) -> Column {
    guard let column = rows[name] else {
      throw TableError(
        .mismatch, "the rows have no column \(name), which the table's key or partition needs")
    }
    try Self.requireText(column.type, name)
    for row in column.rowsNotUTF8 {
      try refused.refuse(row, "column \(name) is not UTF-8, and keys and paths must be")
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

  private func recordKeys(
    _ rows: RecordBatch, _ refused: inout RefusedRows
  ) throws(TableError) -> ByteStrings {
    var columns: [Column] = []
    for name in keyFields { columns.append(try column(name, rows, &refused)) }
    guard columns.count == 1 else { return try compositeKeys(columns, count: rows.count, &refused) }
    try requireValues(columns[0], &refused)
    do { return try simpleKeys(columns[0]) } catch { throw TableError(error) }
  }

  /// The keys of rows that are stored, whose values were another writer's to refuse.
  ///
  /// - Parameters:
  ///   - columns: The key fields' values, in their order.
  ///   - count: Number of rows.
  /// - Returns: The keys; empty where the one key field is null.
  func storedKeys(_ columns: [Column], count: Int) throws(TableError) -> ByteStrings {
    if columns.count == 1 {
      do { return try simpleKeys(columns[0]) } catch { throw TableError(error) }
    }
    var ignored = RefusedRows(areNoted: true)
    return try compositeKeys(columns, count: count, &ignored)
  }

  private func requireValues(_ column: Column, _ refused: inout RefusedRows) throws(TableError) {
    let strings = column.strings
    for row in 0..<column.count {
      if column.isNull(row) {
        try refused.refuse(row, "it has no record key: column \(keyFields[0]) is null")
      } else if let strings, strings.length(row) == 0 {
        try refused.refuse(row, "it has no record key: column \(keyFields[0]) is empty")
      }
    }
  }

  private func simpleKeys(_ column: Column) throws(ColumnError) -> ByteStrings {
    try KeyText.texts(of: column)
  }

  private func compositeKeys(
    _ columns: [Column], count: Int, _ refused: inout RefusedRows
  ) throws(TableError) -> ByteStrings {
    var keys = ByteStrings()
    var text: [UInt8] = []
    let composite = CompositeKey(keyFields)
    for row in 0..<count {
      text.removeAll(keepingCapacity: true)
      var objection: String?
      composite.append(columns, row, to: &text, &objection)
      if let why = objection ?? hashing?.objection(to: text, of: keyFields) { try refused.refuse(row, why) }
      do { try keys.append(text.span.bytes) } catch { throw TableError(error) }
    }
    return keys
  }
}

/// Tells keys that releases of Hudi would put into different buckets.
struct KeyHashing: Sendable {
  private let old: BucketIndex
  private let new: BucketIndex

  /// - Parameter buckets: What the table says, or the writer was told.
  /// - Returns: nil for counts out of range.
  init?(_ buckets: Buckets, keyFields: [String]) {
    let fields = buckets.named(keyFields).fields
    guard let old = BucketIndex(count: buckets.count, hashFields: fields, rule: .hudi0),
      let new = BucketIndex(count: buckets.count, hashFields: fields, rule: .hudi1)
    else { return nil }
    (self.old, self.new) = (old, new)
  }

  /// Why a composite key has no one bucket; nil where it has.
  func objection(to key: [UInt8], of fields: [String]) -> String? {
    // Without a comma in a value, all releases find the same values.
    guard key.count(where: { $0 == 0x2c }) >= fields.count,
      old.bucket(ofKey: key.span.bytes) != new.bucket(ofKey: key.span.bytes)
    else { return nil }
    let shown = String(decoding: key.prefix(60), as: UTF8.self).debugDescription
    return
      "the key \(shown) has a value with a comma, at which Hudi 0.15 and Hudi 1 find different buckets: replace the comma"
  }
}
