/// The LZ4 block format, as `lz4_Block_format.md` of lz4 lays it down.
enum LZ4 {
  private static var damaged: CompressionError { CompressionError(.malformed, "lz4 data is damaged") }

  /// Decompresses a block and tells how many bytes it made; they must fit into `output`.
  static func decompress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    var position = 0
    var produced = 0
    while position < input.count {
      let token = input[position]
      position += 1
      let literals = try length(Int(token >> 4), input, &position)
      guard literals <= input.count - position, literals <= output.count - produced else { throw damaged }
      if literals > 0, let from = input.baseAddress, let to = output.baseAddress {
        (to + produced).copyMemory(from: from + position, byteCount: literals)
      }
      position += literals
      produced += literals
      // The last sequence ends with its literals.
      if position == input.count { break }
      guard input.count - position >= 2 else { throw damaged }
      let offset = Int(input[position]) | Int(input[position + 1]) << 8
      position += 2
      let count = try length(Int(token & 15), input, &position) + 4
      guard offset > 0, offset <= produced, count <= output.count - produced else { throw damaged }
      Repetition.copy(output, produced, count, offset)
      produced += count
    }
    return produced
  }

  /// A length of which the token holds the first four bits.
  private static func length(
    _ first: Int, _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(CompressionError) -> Int {
    guard first == 15 else { return first }
    var total = first
    while true {
      guard position < input.count else { throw damaged }
      let byte = input[position]
      position += 1
      // Cannot overflow: each byte of the input adds at most 255.
      total += Int(byte)
      if byte != 255 { return total }
    }
  }

  /// Decompresses what Hadoop's codec writes: blocks behind their decompressed size, each of parts behind
  /// their compressed size, both big-endian numbers of four bytes.
  static func decompressHadoop(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    var position = 0
    var produced = 0
    while position < input.count {
      let size = try bigEndian(input, &position)
      guard size <= output.count - produced else { throw damaged }
      let end = produced + size
      while produced < end {
        let compressed = try bigEndian(input, &position)
        guard compressed <= input.count - position else { throw damaged }
        let made = try decompress(
          UnsafeRawBufferPointer(rebasing: input[position..<position + compressed]),
          into: UnsafeMutableRawBufferPointer(rebasing: output[produced..<end]))
        guard made > 0 else { throw damaged }
        position += compressed
        produced += made
      }
    }
    return produced
  }

  private static func bigEndian(
    _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(CompressionError) -> Int {
    guard input.count - position >= 4 else { throw damaged }
    let value = UInt32(bigEndian: input.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    position += 4
    return Int(value)
  }
}

/// Copies from what has been written before, which may overlap what is being written.
enum Repetition {
  /// Copies `count` bytes from `offset` bytes back; the caller has checked that all lies within the output.
  @inline(__always)
  static func copy(_ output: UnsafeMutableRawBufferPointer, _ at: Int, _ count: Int, _ offset: Int) {
    guard let base = output.baseAddress else { return }
    if offset >= 8, output.count &- at &- count >= 8 {
      // Eight at a time; what is written beyond the end is written over later.
      var done = 0
      while done < count {
        let word = (base + (at &+ done &- offset)).loadUnaligned(as: UInt64.self)
        (base + (at &+ done)).storeBytes(of: word, as: UInt64.self)
        done &+= 8
      }
      return
    }
    if offset >= count {
      (base + at).copyMemory(from: base + (at - offset), byteCount: count)
      return
    }
    // The copy reads bytes that it has just written, so it goes byte by byte.
    for index in at..<at + count {
      (base + index).storeBytes(of: (base + (index - offset)).load(as: UInt8.self), as: UInt8.self)
    }
  }
}
