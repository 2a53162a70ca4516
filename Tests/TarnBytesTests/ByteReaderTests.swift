import TarnBytes
import TarnTestSupport
import Testing

@Suite struct ByteReaderTests {
  static let edges: [UInt64] = [
    0, 1, 127, 128, 16_383, 16_384, 1 << 32, 1 << 62, 1 << 63, UInt64.max - 1, .max,
  ]

  @Test(arguments: edges) func varintsComeBackAndEndTooEarlyEverywhere(_ value: UInt64) throws {
    var bytes: [UInt8] = []
    bytes.appendVarint(value)
    var reader = ByteReader(bytes.span.bytes)
    let read = try reader.readVarint()
    let isAtEnd = reader.isAtEnd
    #expect(read == value)
    #expect(isAtEnd)
    for length in 0..<bytes.count {
      let part = Array(bytes[..<length])
      let error = #expect(throws: ByteError.self) {
        var reader = ByteReader(part.span.bytes)
        _ = try reader.readVarint()
      }
      #expect(error == .endOfInput(offset: length))
    }
  }

  @Test(arguments: [0, 1, -1, 63, -64, 64, Int64.max, .min]) func zigzagComesBack(_ value: Int64) throws {
    var bytes: [UInt8] = []
    bytes.appendZigZag(value)
    var reader = ByteReader(bytes.span.bytes)
    let read = try reader.readZigZag()
    #expect(read == value)
    // Small magnitudes take one byte, whatever their sign.
    #expect(value.magnitude > 64 || value == 64 || bytes.count == 1)
  }

  @Test(arguments: [
    [UInt8](repeating: 0xff, count: 9) + [0x02], [UInt8](repeating: 0x80, count: 10) + [0],
    [UInt8](repeating: 0xff, count: 30),
  ]) func aVarintBeyond64BitsIsRefused(_ bytes: [UInt8]) {
    let error = #expect(throws: ByteError.self) {
      var reader = ByteReader(([0x05] + bytes).span.bytes, at: 1)
      _ = try reader.readVarint()
    }
    #expect(error == .integerTooLong(offset: 1))
  }

  @Test func fixedWidthIntegersReadInBothOrders() throws {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt32(0x0102_0304))
    bytes.appendBigEndian(UInt32(0x0102_0304))
    bytes.appendLittleEndian(Int64.min)
    bytes.appendBigEndian(Int16(-2))
    #expect(bytes[..<8] == [4, 3, 2, 1, 1, 2, 3, 4])
    var reader = ByteReader(bytes.span.bytes)
    let little = try reader.readLittleEndian(UInt32.self)
    let big = try reader.readBigEndian(UInt32.self)
    let long = try reader.readLittleEndian(Int64.self)
    let short = try reader.readBigEndian(Int16.self)
    #expect((little, big) == (0x0102_0304, 0x0102_0304))
    #expect((long, short) == (.min, -2))
    let offset = reader.offset
    #expect(throws: ByteError.endOfInput(offset: offset)) {
      var reader = ByteReader(bytes.span.bytes, at: offset)
      _ = try reader.readByte()
    }
  }

  @Test(arguments: [-1, Int.min, 0, 7, 8, 9, Int.max]) func noOffsetLeavesTheInput(_ offset: Int) {
    let bytes = [UInt8](0..<8)
    func refused(_ body: (inout ByteReader) throws -> Void) -> Bool {
      var reader = ByteReader(bytes.span.bytes, at: offset)
      do { try body(&reader) } catch { return error is ByteError }
      return false
    }
    let isInside = (0..<8).contains(offset)
    #expect(refused { _ = try $0.readByte() } == !isInside)
    #expect(refused { _ = try $0.readVarint() } == !isInside)
    #expect(refused { _ = try $0.readLittleEndian(UInt64.self) } == (offset != 0))
    #expect(refused { try $0.skip(8) } == (offset != 0))
    #expect(refused { _ = try $0.readBytes(1) } == !isInside)
    #expect(refused { _ = try $0.readBytes(-1) })
    #expect(refused { _ = try $0.readBytes(.max) })
    #expect(refused { try $0.skip(.min) })
  }

  @Test func bytesAreLentWithoutLosingTheirPlace() throws {
    let bytes = [UInt8](0..<10)
    var reader = ByteReader(bytes.span.bytes)
    try reader.skip(2)
    let part = try reader.readBytes(3).copied()
    let remaining = reader.remaining
    let empty = try reader.readBytes(0).byteCount
    let next = try reader.readByte()
    #expect(part == [2, 3, 4])
    #expect((remaining, empty, next) == (5, 0, 5))
  }

  @Test func equalityLooksAtEveryByte() {
    func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.span.bytes.isEqual(to: right.span.bytes) }
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8($0) }
      #expect(equal(bytes, Array(bytes)))
      #expect(!equal(bytes, bytes + [0]))
      for position in 0..<count {
        var other = bytes
        other[position] ^= 0x80
        #expect(!equal(bytes, other))
      }
    }
  }
}

@Suite struct ByteBufferTests {
  @Test func aBufferHoldsWhatAnArrayDoes() {
    var generator = SeededGenerator(seed: 3)
    var buffer = ByteBuffer()
    var expected: [UInt8] = []
    for step in 0..<400 {
      switch generator.below(5) {
      case 0:
        let count = generator.below(expected.count + 1)
        buffer.removeFirst(count)
        expected.removeFirst(count)
      case 1:
        let count = generator.below(300)
        buffer.append(count: count) { room in
          for index in 0..<(count / 2) { room[index] = UInt8(truncatingIfNeeded: step &+ index) }
          return count / 2
        }
        expected += (0..<(count / 2)).map { UInt8(truncatingIfNeeded: step &+ $0) }
      case 2:
        buffer.reserve(generator.below(2_000))
      case 3 where generator.oneIn(8):
        buffer.fill(count: 10) { room in
          for index in 0..<10 { room[index] = UInt8(index) }
          return 7
        }
        expected = [UInt8](0..<7)
      default:
        let part = (0..<generator.below(50)).map { UInt8(truncatingIfNeeded: $0 &+ step) }
        buffer.append(part.span.bytes)
        expected += part
      }
      let isSame = buffer.bytes.isEqual(to: expected.span.bytes)
      let fits = buffer.capacity >= buffer.count
      #expect(isSame && fits)
    }
    let copy = buffer.copied()
    let capacity = buffer.capacity
    buffer.removeAll()
    let (count, kept) = (buffer.count, buffer.capacity)
    #expect(copy == expected)
    #expect((count, kept) == (0, capacity))
  }

  @Test func whatFillThrowsPassesThroughAndLeavesNothingHeld() {
    struct Stop: Error {}
    var buffer = ByteBuffer()
    buffer.append(([1, 2, 3] as [UInt8]).span.bytes)
    var stops = 0
    do { try buffer.append(count: 5) { _ throws(Stop) in throw Stop() } } catch { stops += 1 }
    let held = buffer.copied()
    do { try buffer.fill(count: 5) { _ throws(Stop) in throw Stop() } } catch { stops += 1 }
    let count = buffer.count
    #expect(stops == 2)
    #expect(held == [1, 2, 3])
    #expect(count == 0)
  }
}
