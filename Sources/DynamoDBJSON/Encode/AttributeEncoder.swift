/// Encodes one value.
struct AttributeEncoder: Encoder, SingleValueEncodingContainer {
  let target: EncodingTarget
  let frame: Int

  var codingPath: [any CodingKey] { target.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { target.settings.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(MapEncoding<Key>(target, frame))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { ListEncoding(target, frame) }
  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  private func only(_ append: () throws -> Void) throws { try target.appendOnly(in: frame, append) }

  func encodeNil() throws { try only { target.appendNull() } }
  func encode(_ value: Bool) throws { try only { target.append(value) } }
  func encode(_ value: String) throws { try only { target.append(value) } }
  func encode(_ value: Double) throws { try only { try target.append(floating: value) } }
  func encode(_ value: Float) throws { try only { try target.append(floating: value) } }
  func encode(_ value: Int) throws { try only { try target.append(integer: value) } }
  func encode(_ value: Int8) throws { try only { try target.append(integer: value) } }
  func encode(_ value: Int16) throws { try only { try target.append(integer: value) } }
  func encode(_ value: Int32) throws { try only { try target.append(integer: value) } }
  func encode(_ value: Int64) throws { try only { try target.append(integer: value) } }
  func encode(_ value: Int128) throws { try only { try target.append(integer: value) } }
  func encode(_ value: UInt) throws { try only { try target.append(integer: value) } }
  func encode(_ value: UInt8) throws { try only { try target.append(integer: value) } }
  func encode(_ value: UInt16) throws { try only { try target.append(integer: value) } }
  func encode(_ value: UInt32) throws { try only { try target.append(integer: value) } }
  func encode(_ value: UInt64) throws { try only { try target.append(integer: value) } }
  func encode(_ value: UInt128) throws { try only { try target.append(integer: value) } }
  func encode<T: Encodable>(_ value: T) throws { try only { try target.append(value) } }
}

/// Encodes the attributes of a map.
struct MapEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
  private let target: EncodingTarget
  private let frame: Int

  init(_ target: EncodingTarget, _ frame: Int) {
    self.target = target
    self.frame = frame
    target.open(frame, isMap: true)
  }

  var codingPath: [any CodingKey] { target.codingPath }

  private func attribute(_ key: Key, _ append: () throws -> Void) throws {
    try target.appendAttribute(key.stringValue, in: frame, append)
  }

  func encodeNil(forKey key: Key) throws { try attribute(key) { target.appendNull() } }
  func encode(_ value: Bool, forKey key: Key) throws { try attribute(key) { target.append(value) } }
  func encode(_ value: String, forKey key: Key) throws { try attribute(key) { target.append(value) } }
  func encode(_ value: Double, forKey key: Key) throws {
    try attribute(key) { try target.append(floating: value) }
  }
  func encode(_ value: Float, forKey key: Key) throws {
    try attribute(key) { try target.append(floating: value) }
  }
  func encode(_ value: Int, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: Int8, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: Int16, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: Int32, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: Int64, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: Int128, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: UInt, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: UInt8, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: UInt16, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: UInt32, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: UInt64, forKey key: Key) throws { try integer(value, key) }
  func encode(_ value: UInt128, forKey key: Key) throws { try integer(value, key) }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try attribute(key) { try target.append(value) }
  }

  private func integer(_ value: some FixedWidthInteger, _ key: Key) throws {
    try attribute(key) { try target.append(integer: value) }
  }

  /// A target for the attribute, which is encoded later; it takes nothing where the attribute cannot be begun.
  private func later(_ name: String) -> EncodingTarget {
    target.later { append in try target.appendAttribute(name, in: frame, append) }
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    KeyedEncodingContainer(MapEncoding<NestedKey>(later(key.stringValue), 0))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    ListEncoding(later(key.stringValue), 0)
  }

  func superEncoder() -> any Encoder { AttributeEncoder(target: later("super"), frame: 0) }
  func superEncoder(forKey key: Key) -> any Encoder {
    AttributeEncoder(target: later(key.stringValue), frame: 0)
  }
}

/// Encodes the members of a list.
struct ListEncoding: UnkeyedEncodingContainer {
  private let target: EncodingTarget
  private let frame: Int

  init(_ target: EncodingTarget, _ frame: Int) {
    self.target = target
    self.frame = frame
    target.open(frame, isMap: false)
  }

  var codingPath: [any CodingKey] { target.codingPath }
  var count: Int { target.count(frame) }

  private func element(_ append: () throws -> Void) throws {
    try target.appendElement(in: frame, append)
  }

  func encodeNil() throws { try element { target.appendNull() } }
  func encode(_ value: Bool) throws { try element { target.append(value) } }
  func encode(_ value: String) throws { try element { target.append(value) } }
  func encode(_ value: Double) throws { try element { try target.append(floating: value) } }
  func encode(_ value: Float) throws { try element { try target.append(floating: value) } }
  func encode(_ value: Int) throws { try element { try target.append(integer: value) } }
  func encode(_ value: Int8) throws { try element { try target.append(integer: value) } }
  func encode(_ value: Int16) throws { try element { try target.append(integer: value) } }
  func encode(_ value: Int32) throws { try element { try target.append(integer: value) } }
  func encode(_ value: Int64) throws { try element { try target.append(integer: value) } }
  func encode(_ value: Int128) throws { try element { try target.append(integer: value) } }
  func encode(_ value: UInt) throws { try element { try target.append(integer: value) } }
  func encode(_ value: UInt8) throws { try element { try target.append(integer: value) } }
  func encode(_ value: UInt16) throws { try element { try target.append(integer: value) } }
  func encode(_ value: UInt32) throws { try element { try target.append(integer: value) } }
  func encode(_ value: UInt64) throws { try element { try target.append(integer: value) } }
  func encode(_ value: UInt128) throws { try element { try target.append(integer: value) } }
  func encode<T: Encodable>(_ value: T) throws { try element { try target.append(value) } }

  private func later() -> EncodingTarget {
    target.later { append in try target.appendElement(in: frame, append) }
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> {
    KeyedEncodingContainer(MapEncoding<NestedKey>(later(), 0))
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { ListEncoding(later(), 0) }
  func superEncoder() -> any Encoder { AttributeEncoder(target: later(), frame: 0) }
}
