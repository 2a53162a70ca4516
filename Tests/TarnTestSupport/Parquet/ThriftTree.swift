/// A value of Thrift's compact protocol, for tests that change what files say of themselves.
public indirect enum ThriftTree: Sendable {
  /// A field of a structure.
  public struct Field: Sendable {
    /// Its number.
    public var id: Int
    /// Its value.
    public var value: ThriftTree
  }

  case boolean(Bool)
  /// An integer, and its type on the wire: 3 to 6.
  case integer(Int64, wire: UInt8)
  case double([UInt8])
  case binary([UInt8])
  /// A list, and the type of its elements on the wire.
  case list([ThriftTree], element: UInt8)
  case structure([Field])

  /// That bytes are no such value.
  public struct Malformed: Error {}

  /// A 32-bit integer.
  public static func int32(_ value: Int) -> ThriftTree { .integer(Int64(value), wire: 5) }
  /// A 64-bit integer.
  public static func int64(_ value: Int) -> ThriftTree { .integer(Int64(value), wire: 6) }
  /// A text.
  public static func text(_ text: String) -> ThriftTree { .binary(Array(text.utf8)) }
  /// A structure of fields by their numbers, in ascending order.
  public static func fields(_ fields: KeyValuePairs<Int, ThriftTree>) -> ThriftTree {
    .structure(fields.map { Field(id: $0.key, value: $0.value) })
  }
  /// A list of structures.
  public static func structures(_ elements: [ThriftTree]) -> ThriftTree { .list(elements, element: 12) }

  /// Parses a structure at an offset, which moves behind it.
  public init(parsing bytes: [UInt8], at offset: inout Int) throws {
    var parser = Parser(bytes: bytes, offset: offset)
    self = try parser.value(12)
    offset = parser.offset
  }

  /// A structure's field; nil where it is not there.
  public subscript(_ id: Int) -> ThriftTree? {
    get {
      guard case .structure(let fields) = self else { return nil }
      return fields.first { $0.id == id }?.value
    }
    set {
      guard case .structure(var fields) = self else { return }
      if let index = fields.firstIndex(where: { $0.id == id }) {
        if let newValue { fields[index].value = newValue } else { fields.remove(at: index) }
      } else if let newValue {
        fields.insert(Field(id: id, value: newValue), at: fields.firstIndex { $0.id > id } ?? fields.count)
      }
      self = .structure(fields)
    }
  }

  /// A list's elements; those of anything else are none.
  public var elements: [ThriftTree] {
    get { if case .list(let elements, _) = self { elements } else { [] } }
    set { if case .list(_, let element) = self { self = .list(newValue, element: element) } }
  }

  /// The number of an integer.
  public var number: Int? { if case .integer(let value, _) = self { Int(value) } else { nil } }

  /// How many integers there are in all.
  public var integerCount: Int {
    switch self {
    case .integer: 1
    case .list(let elements, _): elements.reduce(0) { $0 + $1.integerCount }
    case .structure(let fields): fields.reduce(0) { $0 + $1.value.integerCount }
    default: 0
    }
  }

  /// The same value with the integer of a position, among all in their order, changed.
  public func changing(_ position: Int, to value: Int64) -> ThriftTree {
    var left = position
    return changing(&left, value)
  }

  private func changing(_ left: inout Int, _ new: Int64) -> ThriftTree {
    switch self {
    case .integer(let old, let wire):
      defer { left -= 1 }
      return .integer(left == 0 ? new : old, wire: wire)
    case .list(let elements, let element):
      return .list(elements.map { $0.changing(&left, new) }, element: element)
    case .structure(let fields):
      return .structure(fields.map { Field(id: $0.id, value: $0.value.changing(&left, new)) })
    default: return self
    }
  }

  /// The bytes.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  private var wire: UInt8 {
    switch self {
    case .boolean(let value): value ? 1 : 2
    case .integer(_, let wire): wire
    case .double: 7
    case .binary: 8
    case .list: 9
    case .structure: 12
    }
  }

  private func append(to out: inout [UInt8]) {
    switch self {
    // An element; that of a field is its type.
    case .boolean(let value): out.append(value ? 1 : 2)
    case .integer(let value, 3): out.append(UInt8(truncatingIfNeeded: value))
    case .integer(let value, _): Self.append(UInt64(bitPattern: value << 1 ^ value >> 63), to: &out)
    case .double(let bytes): out += bytes
    case .binary(let bytes):
      Self.append(UInt64(bytes.count), to: &out)
      out += bytes
    case .list(let elements, let element):
      if elements.count < 15 {
        out.append(UInt8(elements.count) << 4 | element)
      } else {
        out.append(0xf0 | element)
        Self.append(UInt64(elements.count), to: &out)
      }
      for item in elements { item.append(to: &out) }
    case .structure(let fields):
      var last = 0
      for field in fields {
        let delta = field.id - last
        if (1...15).contains(delta) {
          out.append(UInt8(delta) << 4 | field.value.wire)
        } else {
          out.append(field.value.wire)
          Self.append(UInt64(field.id) << 1, to: &out)
        }
        last = field.id
        if case .boolean = field.value { continue }
        field.value.append(to: &out)
      }
      out.append(0)
    }
  }

  private static func append(_ value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest > 0x7f {
      out.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }

  private struct Parser {
    let bytes: [UInt8]
    var offset: Int

    mutating func byte() throws -> UInt8 {
      guard bytes.indices.contains(offset) else { throw Malformed() }
      offset += 1
      return bytes[offset - 1]
    }

    mutating func varint() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 64, by: 7) {
        let next = try byte()
        value |= UInt64(next & 0x7f) << UInt64(shift)
        if next & 0x80 == 0 { return value }
      }
      throw Malformed()
    }

    mutating func zigzag() throws -> Int64 {
      let value = try varint()
      return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func take(_ count: Int) throws -> [UInt8] {
      guard count >= 0, count <= bytes.count - offset else { throw Malformed() }
      offset += count
      return Array(bytes[offset - count..<offset])
    }

    mutating func value(_ wire: UInt8) throws -> ThriftTree {
      switch wire {
      case 1, 2: return .boolean(try byte() == 1)
      case 3: return .integer(Int64(Int8(bitPattern: try byte())), wire: 3)
      case 4, 5, 6: return .integer(try zigzag(), wire: wire)
      case 7: return .double(try take(8))
      case 8: return .binary(try take(Int(try varint())))
      case 9, 10:
        let head = try byte()
        let count = head >> 4 == 15 ? Int(try varint()) : Int(head >> 4)
        return .list(try (0..<count).map { _ in try value(head & 15) }, element: head & 15)
      case 12:
        var fields: [Field] = []
        var last = 0
        while true {
          let head = try byte()
          if head == 0 { return .structure(fields) }
          last = head >> 4 == 0 ? Int(try zigzag()) : last + Int(head >> 4)
          let wire = head & 15
          fields.append(Field(id: last, value: wire < 3 ? .boolean(wire == 1) : try value(wire)))
        }
      default: throw Malformed()
      }
    }
  }
}
