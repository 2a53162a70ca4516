/// Why bytes could not be read; parsers wrap it with the name of what they were reading.
public enum ByteError: Error, Sendable, Hashable {
  /// The input ended where more was expected.
  case endOfInput(offset: Int)
  /// A variable-length integer is longer than its type.
  case integerTooLong(offset: Int)
  /// A length or count is negative or beyond the input.
  case badLength(offset: Int)
}

/// A cursor over bytes from outside: every read is checked before it happens.
@frozen
public struct ByteReader: ~Escapable {
  /// The whole input.
  public let bytes: RawSpan
  /// Offset of the next byte to read.
  public var offset: Int

  /// Reads `bytes` from an offset on.
  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Number of bytes not read yet.
  @inlinable public var remaining: Int { bytes.byteCount - offset }

  /// Whether everything is read.
  @inlinable public var isAtEnd: Bool { offset >= bytes.byteCount }

  /// Reads one byte.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readByte() throws(ByteError) -> UInt8 {
    guard offset >= 0, offset < bytes.byteCount else { throw .endOfInput(offset: offset) }
    let byte = bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    offset &+= 1
    return byte
  }

  /// Reads a fixed-width little-endian integer.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readLittleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self
  ) throws(ByteError) -> T {
    let size = MemoryLayout<T>.size
    guard offset >= 0, remaining >= size else { throw .endOfInput(offset: offset) }
    let value = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
    offset &+= size
    return T(littleEndian: value)
  }

  /// Reads a fixed-width big-endian integer.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readBigEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self
  ) throws(ByteError) -> T {
    try readLittleEndian(type).byteSwapped
  }

  /// Reads an unsigned LEB128 integer of at most 64 bits.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readVarint() throws(ByteError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try readByte()
      if shift == 63, byte > 1 { throw .integerTooLong(offset: start) }
      value |= UInt64(byte & 0x7f) &<< shift
      if byte & 0x80 == 0 { return value }
      shift &+= 7
      if shift > 63 { throw .integerTooLong(offset: start) }
    }
  }

  /// Reads a zigzag-coded LEB128 integer.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readZigZag() throws(ByteError) -> Int64 {
    let value = try readVarint()
    return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// Reads the next `count` bytes without copying them.
  @inlinable
  @_lifetime(copy self)
  public mutating func readBytes(_ count: Int) throws(ByteError) -> RawSpan {
    guard offset >= 0, count >= 0, count <= remaining else { throw .badLength(offset: offset) }
    let part = bytes.extracting(offset..<(offset &+ count))
    offset &+= count
    return part
  }

  /// Passes over the next `count` bytes.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func skip(_ count: Int) throws(ByteError) {
    guard offset >= 0, count >= 0, count <= remaining else { throw .badLength(offset: offset) }
    offset &+= count
  }
}

extension RawSpan {
  /// A copy of the bytes.
  public func copied() -> [UInt8] { withUnsafeBytes { Array($0) } }

  /// Whether both hold the same bytes.
  @inlinable
  public func isEqual(to other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return withUnsafeBytes { left in
      other.withUnsafeBytes { right in equalBytes(left, right) }
    }
  }
}

extension RawSpan {
  /// Whether the bytes sort before others, each as an unsigned number; of one that begins the other, the shorter.
  @inlinable
  public func precedes(_ other: RawSpan) -> Bool {
    let common = min(byteCount, other.byteCount)
    var offset = 0
    while offset &+ 8 <= common {
      let left = unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      let right = other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if left != right { return UInt64(bigEndian: left) < UInt64(bigEndian: right) }
      offset &+= 8
    }
    while offset < common {
      let left = unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      let right = other.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      if left != right { return left < right }
      offset &+= 1
    }
    return byteCount < other.byteCount
  }

  /// Eight bytes of a text mixed from its ends and length, so that few others have the same.
  ///
  /// It costs far less than a hash of all bytes, and is no match for one where texts differ in the middle only.
  @inlinable
  public var fingerprint: UInt64 {
    guard byteCount >= 8 else {
      var word: UInt64 = UInt64(byteCount)
      for index in 0..<byteCount {
        word = word &<< 8 | UInt64(unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self))
      }
      return word &* 0x9e37_79b1_85eb_ca87
    }
    let first = unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self)
    let last = unsafeLoadUnaligned(fromUncheckedByteOffset: byteCount &- 8, as: UInt64.self)
    return (first &* 0xc2b2_ae3d_27d4_eb4f ^ last) &* 0x9e37_79b1_85eb_ca87
  }
}

/// Whether two byte ranges of equal length hold the same bytes, eight at a time.
@inlinable
func equalBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  guard let a = left.baseAddress, let b = right.baseAddress else { return true }
  let count = left.count
  var offset = 0
  while offset &+ 8 <= count {
    let x = (a + offset).loadUnaligned(as: UInt64.self)
    let y = (b + offset).loadUnaligned(as: UInt64.self)
    if x != y { return false }
    offset &+= 8
  }
  while offset < count {
    if (a + offset).load(as: UInt8.self) != (b + offset).load(as: UInt8.self) { return false }
    offset &+= 1
  }
  return true
}
