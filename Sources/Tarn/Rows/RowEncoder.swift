import TarnColumns

extension Table {
  /// Inserts rows whose keys are not stored and replaces those whose keys are, in one commit.
  ///
  /// Each property goes to the column of its coding key: whole numbers, floating-point numbers, `Bool`, `String`,
  /// `Date`, `[UInt8]`, optionals of these, and enumerations and other types that encode themselves as one such value.
  /// Decimal columns take text, whole and floating-point numbers, date and timestamp columns text of ISO 8601 too;
  /// whatever would lose digits is refused. A property without column makes a new one, as it does in a batch.
  ///
  /// - Parameters:
  ///   - rows: The rows. A property that is nil in one of them is null.
  ///   - columns: The columns of stored rows that are written; those given are the ones of which there is a property.
  /// - Throws: ``TableError``, `badRow` for a property that is nested or does not fit its column; the table is as it
  ///   was then.
  @discardableResult
  public func upsert<Row: Encodable>(
    _ rows: [Row], columns: WrittenColumns = .all
  ) async throws(TableError) -> CommitReport {
    try await upsert(try RecordBatch(encoding: rows, schema: try await schema()), columns: columns)
  }
}

extension RecordBatch {
  /// Makes a batch of rows of a Swift type, as ``Table/upsert(_:columns:)`` does.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - schema: Columns whose types are known; properties of other names make new ones.
  /// - Throws: ``TableError`` with code `badRow` for a property that is nested or does not fit its column.
  public init<Row: Encodable>(encoding rows: [Row], schema: Schema) throws(TableError) {
    let columns = RowColumns(schema)
    do {
      for row in rows {
        try row.encode(to: RowEncoder(columns: columns))
        try columns.endRow()
      }
      self = try columns.finish()
    } catch let error as TableError {
      throw error
    } catch let error as ColumnError {
      throw TableError(error)
    } catch {
      throw TableError(
        .badRow, "row \(columns.count): it cannot be encoded: \(error)", row: columns.count, cause: error)
    }
  }
}

/// Encodes a row, which must be a keyed value.
private struct RowEncoder: Encoder {
  let columns: RowColumns
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(RowContainer<Key>(columns: columns))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { columns.refuse() }
  func singleValueContainer() -> any SingleValueEncodingContainer { columns.refuse() }
}

/// Encodes the properties of a row.
private struct RowContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let columns: RowColumns
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) throws { try columns.appendNull(key.stringValue) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try ValueEncoder(columns: columns, name: key.stringValue).encode(value)
  }

  // An absent value is a null, and not a column that is not given.
  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
  }

  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try optional(value, key) }

  private func optional<T: Encodable>(_ value: T?, _ key: Key) throws {
    if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    KeyedEncodingContainer(KeyedRefusal(refusal: columns.refuse(key.stringValue)))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    columns.refuse(key.stringValue)
  }

  func superEncoder() -> any Encoder { columns.refuse() }
  func superEncoder(forKey key: Key) -> any Encoder { columns.refuse(key.stringValue) }
}

/// Encodes the one value of a property.
private struct ValueEncoder: Encoder, SingleValueEncodingContainer {
  let columns: RowColumns
  let name: String
  /// Whether the value is a date, by its seconds.
  var isDate = false
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedRefusal(refusal: columns.refuse(name)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { columns.refuse(name) }

  func encodeNil() throws { try columns.appendNull(name) }
  func encode(_ value: Bool) throws { try columns.append(name, value) }
  func encode(_ value: String) throws { try columns.append(name, value) }
  func encode(_ value: Float) throws { try columns.append(name, Double(value), "\(value)", as: .float) }
  func encode(_ value: Int) throws { try columns.append(name, value, as: .int64) }
  func encode(_ value: Int8) throws { try columns.append(name, value, as: .int32) }
  func encode(_ value: Int16) throws { try columns.append(name, value, as: .int32) }
  func encode(_ value: Int32) throws { try columns.append(name, value, as: .int32) }
  func encode(_ value: Int64) throws { try columns.append(name, value, as: .int64) }
  func encode(_ value: UInt) throws { try columns.append(name, value, as: .int64) }
  func encode(_ value: UInt8) throws { try columns.append(name, value, as: .int32) }
  func encode(_ value: UInt16) throws { try columns.append(name, value, as: .int32) }
  func encode(_ value: UInt32) throws { try columns.append(name, value, as: .int64) }
  func encode(_ value: UInt64) throws { try columns.append(name, value, as: .int64) }

  func encode(_ value: Double) throws {
    if isDate { try columns.append(name, date: value) } else { try columns.append(name, value) }
  }

  func encode<T: Encodable>(_ value: T) throws {
    switch value {
    case let value as Bool: try encode(value)
    case let value as String: try encode(value)
    case let value as Double: try encode(value)
    case let value as Float: try encode(value)
    case let value as Int: try encode(value)
    case let value as Int64: try encode(value)
    case let value as Int32: try encode(value)
    case let value as [UInt8]: try columns.append(name, value)
    default:
      var encoder = self
      encoder.isDate = columns.isDate(T.self)
      try value.encode(to: encoder)
    }
  }
}

extension RowColumns {
  /// Takes note that a row has a part that is no single value, and gives what refuses all of it.
  fileprivate func refuse(_ name: String? = nil) -> Refusal {
    let place = name.map { ", property \($0)" } ?? ""
    let error = TableError(
      .badRow,
      "row \(count)\(place): a row is a keyed value of single values, without nested or inherited ones: flatten it",
      row: count)
    refusal = error
    return Refusal(error: error)
  }
}

/// Refuses what is no single value.
private struct Refusal: Encoder, SingleValueEncodingContainer, UnkeyedEncodingContainer {
  let error: TableError
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  var count: Int { 0 }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedRefusal(refusal: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { self }
  func singleValueContainer() -> any SingleValueEncodingContainer { self }
  func encodeNil() throws { throw error }
  func encode<T: Encodable>(_ value: T) throws { throw error }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> {
    KeyedEncodingContainer(KeyedRefusal(refusal: self))
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
  func superEncoder() -> any Encoder { self }
}

/// Refuses what is a keyed value within a row.
private struct KeyedRefusal<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let refusal: Refusal
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) throws { throw refusal.error }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { throw refusal.error }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    KeyedEncodingContainer(KeyedRefusal<NestedKey>(refusal: refusal))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { refusal }
  func superEncoder() -> any Encoder { refusal }
  func superEncoder(forKey key: Key) -> any Encoder { refusal }
}
