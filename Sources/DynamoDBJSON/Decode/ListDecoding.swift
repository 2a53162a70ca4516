/// Decodes the members of a list or set, one after the other, or the bytes of a binary value.
struct ListDecoding: UnkeyedDecodingContainer {
  private let source: DecodingSource
  private let node: UInt32
  private var next: UInt32
  private(set) var currentIndex = 0
  /// The bytes of a binary value; nil for members.
  private let binary: [UInt8]?

  init(_ source: DecodingSource, _ node: Int) throws {
    switch source.kind(node) {
    case .list, .stringSet, .numberSet, .binarySet: binary = nil
    case .binary: binary = source.index.binary(node)
    default: throw source.mismatch([Any].self, node)
    }
    self.source = source
    self.node = UInt32(truncatingIfNeeded: node)
    next = self.node + 1
  }

  var codingPath: [any CodingKey] { source.codingPath(Int(node)) }
  var count: Int? { binary?.count ?? Int(source.index.nodes[Int(node)].count) }
  var isAtEnd: Bool { currentIndex >= count ?? 0 }

  /// The node of the next member.
  private func member() throws -> Int {
    guard !isAtEnd else {
      throw source.corrupted(
        Mistake(code: .missingAttribute, reason: "there is no member \(currentIndex)"), Int(node))
    }
    guard binary == nil else { throw source.mismatch([Any].self, Int(node)) }
    return Int(next)
  }

  private mutating func pass() {
    if binary == nil { next = source.index.nodes[Int(next)].next }
    currentIndex += 1
  }

  private mutating func take<T>(_ read: (DecodingSource, Int) throws -> T) throws -> T {
    let value = try read(source, try member())
    pass()
    return value
  }

  mutating func decodeNil() throws -> Bool {
    guard binary == nil, source.kind(try member()) == .null else { return false }
    pass()
    return true
  }

  private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    guard let binary, type == UInt8.self, currentIndex < binary.count else {
      return try take { try $0.integer(type, at: $1) }
    }
    let byte = binary[currentIndex]
    pass()
    return T(truncatingIfNeeded: byte)
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool { try take { try $0.boolean(at: $1) } }
  mutating func decode(_ type: String.Type) throws -> String { try take { try $0.string(at: $1) } }
  mutating func decode(_ type: Double.Type) throws -> Double { try take { try $0.double(at: $1) } }
  mutating func decode(_ type: Float.Type) throws -> Float { try take { try $0.float(at: $1) } }
  mutating func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  mutating func decode(_ type: Int128.Type) throws -> Int128 { try integer(type) }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
  mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try integer(type) }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if binary != nil, type == UInt8.self, let byte = try integer(UInt8.self) as? T { return byte }
    return try take { try $0.value(type, at: $1) }
  }

  mutating func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) throws -> KeyedDecodingContainer<NestedKey> {
    KeyedDecodingContainer(try take { try MapDecoding<NestedKey>($0, $1) })
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try take { try ListDecoding($0, $1) }
  }

  mutating func superDecoder() throws -> any Decoder {
    try take { AttributeDecoder(source: $0, node: $1) }
  }
}
