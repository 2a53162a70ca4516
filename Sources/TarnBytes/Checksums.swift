import CZlib

/// CRC-32 (ISO-HDLC, the polynomial of zlib, gzip and `java.util.zip.CRC32`).
public enum CRC32 {
  /// The checksum of bytes, going on from that of the bytes before them.
  public static func checksum(_ bytes: RawSpan, continuing before: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { input in
      guard let base = input.baseAddress else { return before }
      return UInt32(
        truncatingIfNeeded: crc32_z(UInt(before), base.assumingMemoryBound(to: UInt8.self), input.count))
    }
  }
}

/// XXH64: a fast 64-bit hash with a published definition, so that it may be stored in files.
public enum XXH64 {
  @usableFromInline static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
  @usableFromInline static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
  @usableFromInline static let prime3: UInt64 = 0x1656_67b1_9e37_79f9
  @usableFromInline static let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
  @usableFromInline static let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

  @inlinable
  static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value &<< bits) | (value &>> (64 &- bits))
  }

  @inlinable
  static func round(_ accumulator: UInt64, _ input: UInt64) -> UInt64 {
    rotate(accumulator &+ input &* prime2, 31) &* prime1
  }

  /// The hash of bytes.
  @inlinable
  public static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { hash($0, seed: seed) }
  }

  /// The hash of bytes.
  @inlinable
  public static func hash(_ input: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    let count = input.count
    var offset = 0
    var hash: UInt64
    if count >= 32 {
      var v1 = seed &+ prime1 &+ prime2
      var v2 = seed &+ prime2
      var v3 = seed
      var v4 = seed &- prime1
      while offset &+ 32 <= count {
        v1 = round(v1, load64(input, offset))
        v2 = round(v2, load64(input, offset &+ 8))
        v3 = round(v3, load64(input, offset &+ 16))
        v4 = round(v4, load64(input, offset &+ 24))
        offset &+= 32
      }
      hash = rotate(v1, 1) &+ rotate(v2, 7) &+ rotate(v3, 12) &+ rotate(v4, 18)
      hash = (hash ^ round(0, v1)) &* prime1 &+ prime4
      hash = (hash ^ round(0, v2)) &* prime1 &+ prime4
      hash = (hash ^ round(0, v3)) &* prime1 &+ prime4
      hash = (hash ^ round(0, v4)) &* prime1 &+ prime4
    } else {
      hash = seed &+ prime5
    }
    hash = hash &+ UInt64(count)
    while offset &+ 8 <= count {
      hash = rotate(hash ^ round(0, load64(input, offset)), 27) &* prime1 &+ prime4
      offset &+= 8
    }
    if offset &+ 4 <= count {
      let word = UInt32(littleEndian: input.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      hash = rotate(hash ^ (UInt64(word) &* prime1), 23) &* prime2 &+ prime3
      offset &+= 4
    }
    while offset < count {
      hash = rotate(hash ^ (UInt64(input[offset]) &* prime5), 11) &* prime1
      offset &+= 1
    }
    hash = (hash ^ (hash &>> 33)) &* prime2
    hash = (hash ^ (hash &>> 29)) &* prime3
    return hash ^ (hash &>> 32)
  }

  @inlinable
  static func load64(_ input: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: input.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// A mixed hash of one integer.
  @inlinable
  public static func hash(_ value: UInt64) -> UInt64 {
    var mixed = (value ^ (value &>> 32)) &* prime1
    mixed = (mixed ^ (mixed &>> 29)) &* prime2
    return mixed ^ (mixed &>> 32)
  }
}
