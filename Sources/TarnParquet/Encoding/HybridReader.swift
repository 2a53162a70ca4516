import TarnBytes

/// Reads the mix of runs and bit-packed groups that holds levels and dictionary indices.
///
/// Format: `Encodings.md` of the Parquet specification, "Run Length Encoding / Bit-Packing Hybrid".
struct HybridReader: ~Escapable {
  private var reader: ByteReader
  private let width: Int
  /// Values left of the present run, and what they are.
  private var repeatedLeft = 0
  private var repeated: UInt32 = 0
  /// Values left of the present group, whose bits begin at `packedBit` of `packed`.
  private var packedLeft = 0
  private var packedBit = 0
  private var packed: RawSpan

  /// The most values decoded in one step.
  static let step = 4_096

  /// Reads values of `width` bits, 32 at most.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, width: Int) throws(FormatError) {
    guard width >= 0, width <= 32 else { throw .malformed("an index is wider than 32 bits") }
    reader = ByteReader(bytes)
    packed = bytes
    self.width = width
  }

  private static let damaged = FormatError.malformed("the levels or indices of a page end too early")

  /// Begins the next run.
  @_lifetime(self: copy self)
  private mutating func nextRun() throws(FormatError) {
    do {
      let header = try reader.readVarint()
      guard header < 1 << 40 else { throw Self.damaged }
      let count = Int(header >> 1)
      if header & 1 == 1 {
        // Some writers cut the last group short.
        let size = min(count * width, reader.remaining)
        packed = try reader.readBytes(size)
        packedBit = 0
        packedLeft = width == 0 ? count * 8 : min(count * 8, size * 8 / width)
        guard packedLeft > 0 || count == 0 else { throw Self.damaged }
      } else {
        repeated = 0
        for index in 0..<(width + 7) / 8 { repeated |= UInt32(try reader.readByte()) << UInt32(8 * index) }
        repeatedLeft = count
      }
    } catch {
      throw Self.damaged
    }
  }

  /// Decodes the next `count` values into the beginning of `target`, which has room for them.
  @_lifetime(self: copy self)
  mutating func read(_ count: Int, into target: inout [UInt32]) throws(FormatError) {
    precondition(count <= target.count)
    var done = 0
    while done < count {
      if repeatedLeft > 0 {
        let part = min(repeatedLeft, count - done)
        for index in done..<done + part { target[index] = repeated }
        repeatedLeft -= part
        done += part
      } else if packedLeft > 0 {
        let part = min(packedLeft, count - done)
        target.withUnsafeMutableBufferPointer { buffer in
          unpackBits(
            packed, bit: packedBit, width: width,
            UnsafeMutableBufferPointer(rebasing: buffer[done..<done + part]))
        }
        packedBit += part * width
        packedLeft -= part
        done += part
      } else {
        try nextRun()
      }
    }
  }

  /// Passes over the next `count` values.
  @_lifetime(self: copy self)
  mutating func skip(_ count: Int) throws(FormatError) {
    var left = count
    while left > 0 {
      if repeatedLeft > 0 {
        let part = min(repeatedLeft, left)
        repeatedLeft -= part
        left -= part
      } else if packedLeft > 0 {
        let part = min(packedLeft, left)
        packedBit += part * width
        packedLeft -= part
        left -= part
      } else {
        try nextRun()
      }
    }
  }

  /// Appends the next `count` values of one bit each.
  @_lifetime(self: copy self)
  mutating func readBits(_ count: Int, into target: inout BitBuffer) throws(FormatError) {
    var left = count
    while left > 0 {
      if repeatedLeft > 0 {
        let part = min(repeatedLeft, left)
        target.append(repeating: repeated != 0, part)
        repeatedLeft -= part
        left -= part
      } else if packedLeft > 0 {
        // Called once a page, so a group always begins at its first bit.
        let part = min(packedLeft, left)
        target.append(bytes: packed, part)
        packedLeft = 0
        left -= part
      } else {
        try nextRun()
      }
    }
  }
}

/// Unpacks as many values as `target` holds; the caller has checked that there are as many.
private func unpackBits(
  _ source: RawSpan, bit start: Int, width: Int, _ target: UnsafeMutableBufferPointer<UInt32>
) {
  let mask = UInt64(1) &<< UInt64(width) &- 1
  // Values whose eight bytes lie within the source are loaded at once; at most 39 bits of them matter.
  let lastBit = (source.byteCount - 8) * 8 + 7
  let fast = width == 0 || lastBit < start ? 0 : min(target.count, (lastBit - start) / width + 1)
  var bit = start
  for index in 0..<fast {
    let word = UInt64(
      littleEndian: source.unsafeLoadUnaligned(fromUncheckedByteOffset: bit &>> 3, as: UInt64.self))
    target[index] = UInt32(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
    bit &+= width
  }
  for index in fast..<target.count {
    var word: UInt64 = 0
    let first = bit >> 3
    for byte in 0..<5 where first + byte < source.byteCount {
      word |= UInt64(source.unsafeLoad(fromByteOffset: first + byte, as: UInt8.self)) << UInt64(8 * byte)
    }
    target[index] = UInt32(truncatingIfNeeded: word >> UInt64(bit & 7) & mask)
    bit += width
  }
}
