import TarnBytes
import TarnCompression
import Testing

/// Text that compresses, then bytes that do not.
let sample: [UInt8] = {
  var bytes: [UInt8] = []
  for index in 0..<5_000 { bytes.append(text: "record \(index % 97); ") }
  var state: UInt64 = 7
  for _ in 0..<50_000 {
    state = state &* 6_364_136_223_846_793_005 &+ 1
    bytes.append(UInt8(truncatingIfNeeded: state >> 56))
  }
  return bytes
}()

@Suite struct BlockTests {
  @Test(arguments: [0, 1, 6, 9]) func gzipBlocksComeBackAndStatesAreUsedAgain(level: Int) throws {
    var compressor = Compressor()
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    for size in [0, 1, 1_000, sample.count] {
      var out: [UInt8] = [42]
      try compressor.gzip(sample.span.bytes.extracting(first: size), level: level, into: &out)
      #expect(out[0] == 42)
      try decompressor.gzip(out.span.bytes.extracting(1...), size: size, into: &buffer)
      #expect(buffer.copied() == Array(sample[..<size]))
    }
  }

  @Test func deflatedDataOfUnknownSizeComesBack() throws {
    var compressor = Compressor()
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    for size in [0, 1, 1_000, sample.count] {
      var out: [UInt8] = [42]
      try compressor.deflate(sample.span.bytes.extracting(first: size), into: &out)
      let data = Array(out[1...])
      try decompressor.deflate(data.span.bytes, limit: size, into: &buffer)
      #expect(buffer.copied() == Array(sample[..<size]))
      if size > 0 {
        #expect(throws: CompressionError.self) {
          try decompressor.deflate(data.span.bytes, limit: size - 1, into: &buffer)
        }
      }
      try decompressor.deflate((data + [1, 2, 3]).span.bytes, limit: size, into: &buffer)
      #expect(buffer.count == size)
      for damaged in [Array(data.dropLast()), [0xff] + data] {
        #expect(throws: CompressionError.self) {
          try decompressor.deflate(damaged.span.bytes, limit: 1 << 30, into: &buffer)
        }
      }
    }
    // A state for each framing, used by turns.
    var gzip: [UInt8] = []
    try compressor.gzip(sample.span.bytes, into: &gzip)
    try decompressor.gzip(gzip.span.bytes, size: sample.count, into: &buffer)
    #expect(buffer.copied() == sample)
  }

  @Test(arguments: [1, 3, 19]) func zstdBlocksComeBackAndStatesAreUsedAgain(level: Int) throws {
    var compressor = Compressor()
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    for size in [0, 1, 1_000, sample.count] {
      var out: [UInt8] = [42]
      try compressor.zstd(sample.span.bytes.extracting(first: size), level: level, into: &out)
      try decompressor.zstd(out.span.bytes.extracting(1...), size: size, into: &buffer)
      #expect(buffer.copied() == Array(sample[..<size]))
    }
  }

  @Test func severalMembersAndFramesInOneBlockAreJoined() throws {
    var compressor = Compressor()
    var gzip: [UInt8] = []
    var zstd: [UInt8] = []
    for part in [sample[..<1_000], sample[1_000..<1_000], sample[1_000..<3_000]] {
      try compressor.gzip(part.span.bytes, into: &gzip)
      try compressor.zstd(part.span.bytes, level: 1, into: &zstd)
    }
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    try decompressor.gzip(gzip.span.bytes, size: 3_000, into: &buffer)
    #expect(buffer.copied() == Array(sample[..<3_000]))
    try decompressor.zstd(zstd.span.bytes, size: 3_000, into: &buffer)
    #expect(buffer.copied() == Array(sample[..<3_000]))
  }

  @Test(arguments: [0, 999, 1_001, 1 << 30, Int.max, -1])
  func aWrongDeclaredSizeIsAnError(size: Int) throws {
    var compressor = Compressor()
    var gzip: [UInt8] = []
    var zstd: [UInt8] = []
    try compressor.gzip(sample.span.bytes.extracting(first: 1_000), into: &gzip)
    try compressor.zstd(sample.span.bytes.extracting(first: 1_000), level: 1, into: &zstd)
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    #expect(throws: CompressionError.self) {
      try decompressor.gzip(gzip.span.bytes, size: size, into: &buffer)
    }
    #expect(throws: CompressionError.self) {
      try decompressor.zstd(zstd.span.bytes, size: size, into: &buffer)
    }
    #expect(buffer.capacity < 64 << 20)
  }

  @Test func damagedBlocksAreErrorsOrResultsButNeverCrashes() throws {
    var compressor = Compressor()
    var gzip: [UInt8] = []
    var zstd: [UInt8] = []
    try compressor.gzip(sample.span.bytes.extracting(first: 1_000), into: &gzip)
    try compressor.zstd(sample.span.bytes.extracting(first: 1_000), level: 1, into: &zstd)
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    func tryAll(_ block: [UInt8], _ size: Int) {
      try? decompressor.gzip(block.span.bytes, size: size, into: &buffer)
      try? decompressor.zstd(block.span.bytes, size: size, into: &buffer)
      try? decompressor.snappy(block.span.bytes, size: size, into: &buffer)
    }
    for (block, size) in [(gzip, 1_000), (zstd, 1_000), (SnappyTests.block, SnappyTests.text.count)] {
      for position in block.indices {
        var damaged = block
        damaged[position] ^= 0xff
        tryAll(damaged, size)
        damaged[position] = block[position] ^ 1
        tryAll(damaged, size)
        tryAll(Array(block[..<position]), size)
      }
    }
  }
}

@Suite struct SnappyTests {
  static let text =
    Array(String(repeating: "the quick brown fox jumps over the lazy dog; ", count: 20).utf8) + Array(0..<64)

  /// What Google's snappy makes of the text.
  static let block: [UInt8] = {
    var block: [UInt8] = [0xc4, 0x07, 0x78]
    block.append(text: "the quick brown fox jumps over ")
    block += [0x01, 0x1f]
    block += [0x20]
    block.append(text: "lazy dog;")
    block += [0x05, 0x0e]
    for _ in 0..<13 { block += [0xfe, 0x2d, 0x00] }
    block += [0x4a, 0x2d, 0x00, 0xf0, 0x3f] + Array(0..<64)
    return block
  }()

  @Test func whatSnappyItselfMadeIsDecoded() throws {
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    try decompressor.snappy(Self.block.span.bytes, size: Self.text.count, into: &buffer)
    #expect(buffer.copied() == Self.text)
  }

  @Test func literalsAndCopiesOfEveryKindAreDecoded() throws {
    // A literal of four, then copies with one, two and four bytes of offset, the first over itself.
    let block: [UInt8] = [
      19, 0x0c, 0x61, 0x62, 0x63, 0x64, 0x09, 0x02, 0x0e, 0x04, 0x00, 0x0f, 0x04, 0, 0, 0, 0, 0x7a,
    ]
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    try decompressor.snappy(block.span.bytes, size: 19, into: &buffer)
    #expect(String(decoding: buffer.copied(), as: UTF8.self) == "abcdcdcdcdcdcdcdcdz")
  }

  @Test(
    arguments: [
      [4, 0x0c, 0x61], [4, 0x01, 0x02], [4, 0x00, 0x61, 0x05, 0x00], [4, 0x00, 0x61, 0x05, 0x02],
      [2, 0x00, 0x61, 0x05, 0x01], [0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [4, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x61],
    ] as [[UInt8]])
  func aDamagedBlockIsAnError(block: [UInt8]) {
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    for size in [2, 4] {
      #expect(throws: CompressionError.self) {
        try decompressor.snappy(block.span.bytes, size: size, into: &buffer)
      }
    }
  }
}
