/// Decodes one attribute value.
struct AttributeDecoder: Decoder, SingleValueDecodingContainer {
  let source: DecodingSource
  let node: Int

  var codingPath: [any CodingKey] { source.codingPath(node) }
  var userInfo: [CodingUserInfoKey: Any] { source.settings.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try MapDecoding<Key>(source, node))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try ListDecoding(source, node) }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { source.kind(node) == .null }
  func decode(_ type: Bool.Type) throws -> Bool { try source.boolean(at: node) }
  func decode(_ type: String.Type) throws -> String { try source.string(at: node) }
  func decode(_ type: Double.Type) throws -> Double { try source.double(at: node) }
  func decode(_ type: Float.Type) throws -> Float { try source.float(at: node) }
  func decode(_ type: Int.Type) throws -> Int { try source.integer(type, at: node) }
  func decode(_ type: Int8.Type) throws -> Int8 { try source.integer(type, at: node) }
  func decode(_ type: Int16.Type) throws -> Int16 { try source.integer(type, at: node) }
  func decode(_ type: Int32.Type) throws -> Int32 { try source.integer(type, at: node) }
  func decode(_ type: Int64.Type) throws -> Int64 { try source.integer(type, at: node) }
  func decode(_ type: Int128.Type) throws -> Int128 { try source.integer(type, at: node) }
  func decode(_ type: UInt.Type) throws -> UInt { try source.integer(type, at: node) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try source.integer(type, at: node) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try source.integer(type, at: node) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try source.integer(type, at: node) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try source.integer(type, at: node) }
  func decode(_ type: UInt128.Type) throws -> UInt128 { try source.integer(type, at: node) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try source.value(type, at: node) }
}

/// Decodes the attributes of a map.
struct MapDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
  private let source: DecodingSource
  private let node: Int

  init(_ source: DecodingSource, _ node: Int) throws {
    guard source.kind(node) == .map else { throw source.mismatch([String: Any].self, node) }
    self.source = source
    self.node = node
  }

  var codingPath: [any CodingKey] { source.codingPath(node) }

  var allKeys: [Key] {
    source.index.members(node).compactMap { Key(stringValue: source.index.nameString($0)) }
  }

  func contains(_ key: Key) -> Bool { source.index.attribute(key.stringValue, of: node) != nil }

  private func child(_ key: Key) throws -> Int {
    guard let found = source.index.attribute(key.stringValue, of: node) else {
      throw source.missing(key, of: node)
    }
    return found
  }

  /// The attribute; nil where there is none, or it is NULL.
  private func present(_ key: Key) -> Int? {
    guard let found = source.index.attribute(key.stringValue, of: node), source.kind(found) != .null else {
      return nil
    }
    return found
  }

  func decodeNil(forKey key: Key) throws -> Bool { source.kind(try child(key)) == .null }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try source.boolean(at: child(key)) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try source.string(at: child(key)) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try source.double(at: child(key)) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try source.float(at: child(key)) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try source.integer(type, at: child(key)) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try source.integer(type, at: child(key)) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try source.integer(type, at: child(key)) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
    try source.integer(type, at: child(key))
  }
  func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
    try source.integer(type, at: child(key))
  }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try source.value(type, at: child(key))
  }

  // One look for the attribute, where the protocol's own take three.
  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
    try present(key).map { try source.boolean(at: $0) }
  }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
    try present(key).map { try source.string(at: $0) }
  }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
    try present(key).map { try source.double(at: $0) }
  }
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
    try present(key).map { try source.integer(type, at: $0) }
  }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
    try present(key).map { try source.integer(type, at: $0) }
  }
  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    try present(key).map { try source.value(type, at: $0) }
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> {
    KeyedDecodingContainer(try MapDecoding<NestedKey>(source, child(key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try ListDecoding(source, child(key))
  }

  // What is not there is nothing to a superclass, which may need nothing.
  func superDecoder() throws -> any Decoder { superDecoder("super") }
  func superDecoder(forKey key: Key) throws -> any Decoder { superDecoder(key.stringValue) }

  private func superDecoder(_ name: String) -> AttributeDecoder {
    AttributeDecoder(source: source, node: source.index.attribute(name, of: node) ?? source.index.absent)
  }
}
