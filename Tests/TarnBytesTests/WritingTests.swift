import TarnBytes
import TarnTestSupport
import Testing

@Suite struct WritingTests {
  private func text(_ body: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    body(&bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func isPlain(_ text: [UInt8]) -> Bool { text.span.bytes.isPlainJSON }

  /// A number's digits with zeros before them, made as text.
  private func padded(_ value: Int128, _ width: Int) -> String {
    let digits = "\(value.magnitude)"
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  @Test func digitsAreThoseOfTheNumber() {
    var generator = SeededGenerator(seed: 79)
    var values: [Int128] = [0, 1, -1, 9, 10, .max, .min, Int128(UInt64.max), Int128(UInt64.max) + 1]
    for power in 0..<39 {
      let ten = ExactDecimal.power(min(power, 38))
      values += [ten, ten - 1, ten + 1, -ten]
    }
    for _ in 0..<300 {
      let high = Int128(Int64(bitPattern: generator.next())) << 64
      values.append((high | Int128(generator.next())) >> Int128(generator.below(127)))
    }
    for value in values {
      #expect(text { $0.append(decimal: value) } == "\(value)")
      for width in [-1, 0, 1, 5, 19, 20, 21, 40] {
        #expect(text { $0.append(decimal: value, width: width) } == padded(value, max(width, 1)))
      }
      let small = Int64(truncatingIfNeeded: value)
      #expect(text { $0.append(decimal: small) } == "\(small)")
      #expect(
        text { $0.append(decimal: Int8(truncatingIfNeeded: value), width: 4) }
          == padded(Int128(Int8(truncatingIfNeeded: value)), 4))
      for scale in [0, 1, 2, 18, 19, 20, 38] {
        let digits = padded(value, scale + 1)
        let expected = scale == 0 ? digits : digits.dropLast(scale) + "." + digits.suffix(scale)
        #expect(text { $0.append(unscaled: value, scale: scale) } == expected)
      }
    }
  }

  @Test func whatIsToBeEscapedIsFoundWhereverItStands() {
    for length in 0..<70 {
      let plain = [UInt8](repeating: 0x78, count: length)
      #expect(isPlain(plain))
      for place in 0..<length {
        for byte in 0...255 as ClosedRange<UInt8> where place % 7 == 0 || byte < 0x24 {
          var text = plain
          text[place] = byte
          #expect(isPlain(text) == !(byte < 0x20 || byte == 0x22 || byte == 0x5c))
        }
      }
    }
  }

  @Test func linesAreTheirTextsInTheOrderOfTheColumns() {
    var generator = SeededGenerator(seed: 83)
    for lines in [0, 1, 7, 300] {
      var assembly = LineAssembly()
      let columns = (0..<3).map { _ in
        (0..<lines).map { _ in [UInt8]((0..<generator.below(100)).map { _ in UInt8(generator.below(256)) }) }
      }
      let frames = columns.indices.map { (head: [UInt8]("<\($0)".utf8), foot: [UInt8]("\($0)>".utf8)) }
      let offsets = columns.map { $0.reduce(into: [3] as [Int]) { $0.append(($0.last ?? 0) + $1.count) } }
      assembly.begin(lines: lines, bytesEach: frames.reduce(0) { $0 + $1.head.count + $1.foot.count })
      for column in columns.indices { assembly.measure(offsets[column]) }
      var out = Array("before".utf8)
      assembly.open(in: &out)
      for column in columns.indices {
        let bytes: [UInt8] = [1, 2, 3] + columns[column].flatMap { $0 }
        assembly.copy(
          head: LineAssembly.Padded(frames[column].head), bytes.span.bytes, offsets[column],
          foot: LineAssembly.Padded(frames[column].foot), to: &out)
      }
      let expected = (0..<lines).flatMap { line in
        columns.indices.flatMap { frames[$0].head + columns[$0][line] + frames[$0].foot }
      }
      #expect(out == Array("before".utf8) + expected)
    }
  }
}
