import TarnBytes
import TarnCompression
import TarnTestSupport
import Testing

@Suite struct SnappyCompressorTests {
  private func expectRoundTrip(_ input: [UInt8]) throws {
    var compressor = Compressor()
    var packed: [UInt8] = [9]
    try compressor.snappy(input.span.bytes, into: &packed)
    var decompressor = Decompressor()
    var buffer = ByteBuffer()
    try decompressor.snappy(packed.span.bytes.extracting(1...), size: input.count, into: &buffer)
    #expect(buffer.copied() == input)
  }

  @Test func bytesOfEveryKindAndLengthComeBack() throws {
    var random = SeededGenerator(seed: 3)
    for length in [0, 1, 2, 15, 16, 17, 59, 60, 61, 255, 256, 300, 4_096, 65_535, 65_536, 65_537, 200_000] {
      try expectRoundTrip([UInt8](repeating: 0x61, count: length))
      try expectRoundTrip((0..<length).map { _ in UInt8(random.below(256)) })
      try expectRoundTrip((0..<length).map { _ in UInt8(random.below(3)) })
      let words = (0..<length / 7 + 1).flatMap { _ in Array("word \(random.below(50)) ".utf8) }
      try expectRoundTrip(Array(words.prefix(length)))
    }
  }

  @Test func matchesOfEveryLengthAndDistanceComeBack() throws {
    var random = SeededGenerator(seed: 4)
    for distance in [4, 5, 7, 8, 11, 100, 2_047, 2_048, 5_000, 65_000] {
      for length in 4..<140 {
        let part = (0..<distance).map { _ in UInt8(random.below(256)) }
        let doubled = part + part.prefix(length) + [1, 2, 3] + part.prefix(length)
        try expectRoundTrip(doubled)
      }
    }
  }

  @Test func repetitionIsUsed() throws {
    var compressor = Compressor()
    var packed: [UInt8] = []
    let input = (0..<10_000).flatMap { _ in Array("abcdefgh".utf8) }
    try compressor.snappy(input.span.bytes, into: &packed)
    #expect(packed.count < input.count / 15)
  }
}
