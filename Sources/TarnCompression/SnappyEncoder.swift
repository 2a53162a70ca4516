extension Snappy {
  /// Bytes within which a copy may reach back; offsets of two bytes then suffice.
  private static let blockSize = 1 << 16
  private static let tableBits = 14

  /// The most bytes that a block of `count` bytes takes.
  static func bound(_ count: Int) -> Int { 32 + count + count / 6 }

  /// Compresses a block into `output`, which must have room for ``bound(_:)``; tells the bytes written.
  ///
  /// Greedy matching of four bytes through a hash table, in blocks of 64 KiB, as the reference encoder does.
  static func compress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ table: inout [UInt16]
  ) -> Int {
    var writer = SnappyWriter(output: output)
    writer.varint(input.count)
    if table.isEmpty { table = [UInt16](repeating: 0, count: 1 << tableBits) }
    var start = 0
    while start < input.count {
      let end = min(start + blockSize, input.count)
      table.withUnsafeMutableBufferPointer { entries in
        compressBlock(UnsafeRawBufferPointer(rebasing: input[start..<end]), entries, &writer)
      }
      start = end
    }
    return writer.count
  }

  private static func compressBlock(
    _ block: UnsafeRawBufferPointer, _ table: UnsafeMutableBufferPointer<UInt16>, _ writer: inout SnappyWriter
  ) {
    table.update(repeating: 0)
    var literal = 0
    var position = 1
    var misses = 32
    // Eight bytes are loaded at once, so matching ends before the block does.
    let limit = block.count - 16
    while position < limit {
      let word = block.loadUnaligned(fromByteOffset: position, as: UInt32.self)
      let slot = Int((word &* 0x1e35_a7bd) >> UInt32(32 - tableBits))
      let candidate = Int(table[slot])
      table[slot] = UInt16(truncatingIfNeeded: position)
      guard block.loadUnaligned(fromByteOffset: candidate, as: UInt32.self) == word, candidate < position
      else {
        // Steps grow where nothing matches, so that incompressible data goes fast.
        position += misses >> 5
        misses += 1
        continue
      }
      misses = 32
      writer.literal(block, literal..<position)
      let length = matchLength(block, candidate, position)
      writer.copy(offset: position - candidate, length: length)
      position += length
      literal = position
    }
    writer.literal(block, literal..<block.count)
  }

  private static func matchLength(_ block: UnsafeRawBufferPointer, _ earlier: Int, _ later: Int) -> Int {
    var length = 4
    while later + length + 8 <= block.count {
      let difference =
        block.loadUnaligned(fromByteOffset: earlier + length, as: UInt64.self)
        ^ block.loadUnaligned(fromByteOffset: later + length, as: UInt64.self)
      if difference != 0 { return length + UInt64(littleEndian: difference).trailingZeroBitCount / 8 }
      length += 8
    }
    while later + length < block.count, block[earlier + length] == block[later + length] { length += 1 }
    return length
  }
}

/// Writes the elements of a snappy block.
private struct SnappyWriter {
  let output: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(output: UnsafeMutableRawBufferPointer) { self.output = output }

  @inline(__always)
  private mutating func byte(_ value: Int) {
    output[count] = UInt8(truncatingIfNeeded: value)
    count += 1
  }

  mutating func varint(_ value: Int) {
    var rest = value
    while rest >= 0x80 {
      byte(rest & 0x7f | 0x80)
      rest >>= 7
    }
    byte(rest)
  }

  mutating func literal(_ block: UnsafeRawBufferPointer, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let last = range.count - 1
    if last < 60 {
      byte(last << 2)
    } else {
      // Blocks have 64 KiB at most, so two bytes suffice for a length.
      let bytes = last < 1 << 8 ? 1 : 2
      byte((59 + bytes) << 2)
      byte(last)
      if bytes == 2 { byte(last >> 8) }
    }
    UnsafeMutableRawBufferPointer(rebasing: output[count..<count + range.count])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[range]))
    count += range.count
  }

  mutating func copy(offset: Int, length: Int) {
    var left = length
    while left > 0 {
      // A rest of fewer than four bytes would need an element of its own.
      let part = left <= 64 ? left : left < 68 ? left - 4 : 64
      if part >= 4, part < 12, offset < 2_048 {
        byte(1 | (part - 4) << 2 | (offset >> 8) << 5)
        byte(offset)
      } else {
        byte(2 | (part - 1) << 2)
        byte(offset)
        byte(offset >> 8)
      }
      left -= part
    }
  }
}
