import TarnBytes

/// Reads Thrift's compact protocol, as `thrift-compact-protocol.md` of Apache Thrift lays it down.
///
/// Nothing is allocated by a declared length: a string is taken from the bytes that are there, and a list
/// may not declare more elements than bytes are left, for each takes one at least.
struct ThriftReader: ~Escapable {
  var reader: ByteReader
  private var depth = 0

  /// Types on the wire.
  enum Wire: UInt8 {
    case yes = 1
    case no, byte, int16, int32, int64, double, binary, list, set, map, structure

    /// Whether elements of a list are read in the same way; writers mark booleans as either value.
    func isLike(_ other: Wire) -> Bool {
      switch (self, other) {
      case (.yes, .no), (.no, .yes): true
      case (.int16, .int32), (.int16, .int64), (.int32, .int16), (.int32, .int64), (.int64, .int16),
        (.int64, .int32):
        true
      default: self == other
      }
    }
  }

  /// A field's number and type.
  struct FieldHeader {
    var id: Int
    var wire: Wire
  }

  /// The deepest nesting that is followed; the format itself needs six.
  static let greatestDepth = 32

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, at offset: Int = 0) { reader = ByteReader(bytes, at: offset) }

  private static let damaged = FormatError.malformed("the metadata cannot be parsed")

  @_lifetime(self: copy self)
  private mutating func byte() throws(FormatError) -> UInt8 {
    do { return try reader.readByte() } catch { throw Self.damaged }
  }

  @_lifetime(self: copy self)
  private mutating func varint() throws(FormatError) -> UInt64 {
    do { return try reader.readVarint() } catch { throw Self.damaged }
  }

  @_lifetime(self: copy self)
  private mutating func zigzag() throws(FormatError) -> Int64 {
    do { return try reader.readZigZag() } catch { throw Self.damaged }
  }

  /// Reads the header of the next field; nil at the end of the structure.
  ///
  /// `last` is the number of the field before.
  @_lifetime(self: copy self)
  mutating func nextField(after last: inout Int) throws(FormatError) -> FieldHeader? {
    let head = try byte()
    if head == 0 { return nil }
    guard let wire = Wire(rawValue: head & 0x0f) else { throw Self.damaged }
    let delta = Int(head >> 4)
    last = delta == 0 ? Int(try zigzag()) : last &+ delta
    guard last > Int(Int16.min), last <= Int(Int16.max) else { throw Self.damaged }
    return FieldHeader(id: last, wire: wire)
  }

  /// Enters a nested value.
  @_lifetime(self: copy self)
  mutating func enter() throws(FormatError) {
    depth += 1
    guard depth <= Self.greatestDepth else { throw Self.damaged }
  }

  /// Leaves a nested value.
  @_lifetime(self: copy self)
  mutating func leave() { depth -= 1 }

  // MARK: - Fields
  //
  // A field whose type is not the one that the format gives it is passed over, as if it were not there: that is what
  // the readers do that Thrift generates, and files are about whose writers count on it.

  /// Reads a boolean; nil where the field is something else.
  @_lifetime(self: copy self)
  mutating func bool(_ field: FieldHeader) throws(FormatError) -> Bool? {
    switch field.wire {
    case .yes: return true
    case .no: return false
    default:
      try skip(field)
      return nil
    }
  }

  /// Reads an integer of at most 64 bits; nil where the field is something else.
  @_lifetime(self: copy self)
  mutating func int(_ field: FieldHeader) throws(FormatError) -> Int? {
    switch field.wire {
    case .int16, .int32, .int64: return Int(try zigzag())
    case .byte: return Int(Int8(bitPattern: try byte()))
    default:
      try skip(field)
      return nil
    }
  }

  /// Reads a size, an offset or a count: an integer that may not be negative; nil where the field is something else.
  @_lifetime(self: copy self)
  mutating func size(_ field: FieldHeader) throws(FormatError) -> Int? {
    let value = try int(field)
    guard value ?? 0 >= 0 else { throw Self.damaged }
    return value
  }

  /// Reads bytes; nil where the field is something else.
  @_lifetime(self: copy self)
  mutating func bytes(_ field: FieldHeader) throws(FormatError) -> [UInt8]? {
    guard field.wire == .binary else {
      try skip(field)
      return nil
    }
    return try bytes()
  }

  @_lifetime(self: copy self)
  mutating func bytes() throws(FormatError) -> [UInt8] { try lent().copied() }

  /// Reads a text; nil where the field is something else.
  @_lifetime(self: copy self)
  mutating func text(_ field: FieldHeader) throws(FormatError) -> String? {
    guard field.wire == .binary else {
      try skip(field)
      return nil
    }
    return try lent().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes behind their number, where they stand.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  private mutating func lent() throws(FormatError) -> RawSpan {
    let count = try varint()
    guard count <= UInt64(reader.remaining) else { throw Self.damaged }
    do { return try reader.readBytes(Int(count)) } catch { throw Self.damaged }
  }

  /// Reads the header of a list: how many elements of which type follow.
  @_lifetime(self: copy self)
  private mutating func list() throws(FormatError) -> (count: Int, wire: Wire) {
    let head = try byte()
    let count = head >> 4 == 15 ? try varint() : UInt64(head >> 4)
    // Some writers give no type to the elements that are not there.
    guard count > 0 else { return (0, .structure) }
    guard count <= UInt64(reader.remaining), let wire = Wire(rawValue: head & 0x0f) else {
      throw Self.damaged
    }
    return (Int(count), wire)
  }

  /// Reads the header of a list whose elements are of a type, and gives their number.
  ///
  /// Zero where the field is something else, which is passed over.
  @_lifetime(self: copy self)
  mutating func elements(_ field: FieldHeader, of wanted: Wire) throws(FormatError) -> Int {
    guard field.wire == .list || field.wire == .set else {
      try skip(field)
      return 0
    }
    let (count, wire) = try list()
    if wire.isLike(wanted) { return count }
    for _ in 0..<count { try skipValue(wire) }
    return 0
  }

  /// Reads an element of a list of integers.
  @_lifetime(self: copy self)
  mutating func element() throws(FormatError) -> Int { Int(try zigzag()) }

  /// Reads an element of a list of booleans.
  @_lifetime(self: copy self)
  mutating func boolElement() throws(FormatError) -> Bool { try byte() == Wire.yes.rawValue }

  /// Passes over a field's value.
  @_lifetime(self: copy self)
  mutating func skip(_ field: FieldHeader) throws(FormatError) {
    // A boolean field's value is in its header.
    if field.wire == .yes || field.wire == .no { return }
    try skipValue(field.wire)
  }

  @_lifetime(self: copy self)
  private mutating func skipValue(_ wire: Wire) throws(FormatError) {
    try enter()
    switch wire {
    case .yes, .no, .byte: _ = try byte()
    case .int16, .int32, .int64: _ = try varint()
    case .double:
      do { try reader.skip(8) } catch { throw Self.damaged }
    case .binary:
      let count = try varint()
      guard count <= UInt64(reader.remaining) else { throw Self.damaged }
      do { try reader.skip(Int(count)) } catch { throw Self.damaged }
    case .list, .set:
      let (count, element) = try list()
      for _ in 0..<count { try skipValue(element) }
    case .map:
      let count = try varint()
      if count > 0 {
        guard count <= UInt64(reader.remaining) else { throw Self.damaged }
        let types = try byte()
        guard let key = Wire(rawValue: types >> 4), let value = Wire(rawValue: types & 0x0f) else {
          throw Self.damaged
        }
        for _ in 0..<count {
          try skipValue(key)
          try skipValue(value)
        }
      }
    case .structure:
      var last = 0
      while let field = try nextField(after: &last) { try skip(field) }
    }
    leave()
  }
}
