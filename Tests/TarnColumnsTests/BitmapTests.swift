import TarnBytes
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct BitmapTests {
  static func bits(_ bitmap: Bitmap) -> [Bool] { (0..<bitmap.count).map { bitmap[$0] } }

  static func bitmap(_ bits: [Bool]) -> Bitmap {
    var bitmap = Bitmap()
    for bit in bits { bitmap.append(bit) }
    return bitmap
  }

  @Test(arguments: [0, 1, 31, 63, 64, 65, 127, 128, 130]) func rangesAppendAtEveryAlignment(_ held: Int) {
    var generator = SeededGenerator(seed: UInt64(held))
    let before = (0..<held).map { _ in generator.oneIn(2) }
    let other = (0..<200).map { _ in generator.oneIn(3) }
    let source = Self.bitmap(other)
    for lower in [0, 1, 7, 63, 64, 65, 128] {
      for upper in [lower, lower + 1, lower + 8, 127, 128, 129, 192, 200] where upper >= lower {
        var joined = Self.bitmap(before)
        joined.append(source, lower..<upper)
        let expected = before + other[lower..<upper]
        #expect(Self.bits(joined) == expected)
        #expect(joined.setCount == expected.count { $0 })
        // Equal bits make equal bitmaps, however they came about.
        #expect(joined == Self.bitmap(expected))
      }
    }
    for count in [0, 1, 63, 64, 65, 200] {
      for bit in [true, false] {
        var joined = Self.bitmap(before)
        joined.append(repeating: bit, count: count)
        #expect(joined == Self.bitmap(before + [Bool](repeating: bit, count: count)))
      }
    }
  }

  @Test func repeatedBitsHaveAClearTail() {
    for count in [0, 1, 63, 64, 65, 128] {
      let ones = Bitmap(repeating: true, count: count)
      #expect(ones.setCount == count && ones.isAllSet)
      #expect(Bitmap(count: count).setCount == 0)
      var cleared = ones
      if count > 0 {
        cleared[count - 1] = false
        #expect(!cleared.isAllSet)
        cleared[count - 1] = true
      }
      #expect(cleared == ones)
      #expect(ones == Bitmap(words: [UInt64](repeating: .max, count: (count + 63) / 64), count: count))
    }
  }
}

@Suite struct ByteStringsTests {
  static func strings(_ column: ByteStrings) -> [String] { (0..<column.count).map { column.string($0) } }

  static func column(_ texts: [String]) throws -> ByteStrings {
    var column = ByteStrings()
    for text in texts { try column.append(text) }
    return column
  }

  @Test func stringsComeBackHoweverTheyWereAppended() throws {
    let texts = ["a", "", "é", "longer than eight bytes", "", "z"]
    let source = try Self.column(texts)
    #expect(Self.strings(source) == texts)
    #expect(source.offsets == [0, 1, 1, 3, 26, 26, 27])
    for lower in 0...texts.count {
      for upper in lower...texts.count {
        var joined = try Self.column(["first"])
        try joined.append(source, lower..<upper)
        joined.appendEmpty(2)
        #expect(Self.strings(joined) == ["first"] + texts[lower..<upper] + ["", ""])
      }
    }
    var chosen = try Self.column(["x"])
    try chosen.append(source, rows: ([5, 3, 3, 1, 0] as [Int32]).span)
    try chosen.appendBuilt { $0.append(text: "built") }
    #expect(Self.strings(chosen) == ["x", "z", texts[3], texts[3], "", "a", "built"])
    #expect(chosen.length(2) == 23 && chosen.range(0) == 0..<1)
    chosen.removeAll()
    #expect(chosen.count == 0 && chosen.bytes.isEmpty)
  }

  @Test func stringsAreComparedAndHashedByTheirBytes() throws {
    let texts = ["", "a", "a\u{0}", "ab", "b", "é", "\u{ffff}", "😀"]
    let column = try Self.column(texts)
    let other = try Self.column(["shift"] + texts)
    for left in texts.indices {
      for right in texts.indices {
        #expect(column.equals(left, other, right + 1) == (left == right))
        #expect(column.precedes(left, other, right + 1) == (left < right))
        #expect((column.hash(left) == other.hash(right + 1)) == (left == right))
      }
    }
  }

  @Test(
    arguments: [
      [], [1], [0, 4], [0, 2], [0, 3, 2, 3], [0, -1, 3], [1, 3], [0, 5, 3],
    ] as [[Int32]]) func offsetsThatDoNotSpanTheBytesAreRefused(_ offsets: [Int32])
  {
    #expect(throws: ColumnError.self) { try ByteStrings(offsets: offsets, bytes: [1, 2, 3]) }
  }
}
