import TarnColumns

/// Bits in the order of Arrow's bitmaps, least significant first, appended a word at a time.
struct BitBuffer: Sendable {
  private(set) var words: [UInt64] = []
  private(set) var count = 0

  /// A bit; the index must be below ``count``.
  subscript(_ index: Int) -> Bool { words[index &>> 6] &>> UInt64(index & 63) & 1 != 0 }

  /// Number of bits that are set.
  var setCount: Int { words.reduce(0) { $0 &+ $1.nonzeroBitCount } }

  /// Appends the lowest `added` bits of a word, 64 at most; the others must be zero.
  mutating func append(word: UInt64, _ added: Int) {
    guard added > 0 else { return }
    let shift = UInt64(count & 63)
    if shift == 0 {
      words.append(word)
    } else {
      words[words.count - 1] |= word &<< shift
      if Int(shift) + added > 64 { words.append(word &>> (64 - shift)) }
    }
    count += added
  }

  /// Appends equal bits.
  mutating func append(repeating bit: Bool, _ added: Int) {
    var left = added
    while left > 0 {
      // To the end of the present word first, then whole words.
      let step = min(left, 64 - count & 63)
      append(word: bit ? ~0 >> UInt64(64 - step) : 0, step)
      left -= step
    }
  }

  /// Appends `added` bits out of bytes, of which there must be enough.
  mutating func append(bytes: RawSpan, _ added: Int) {
    var left = added
    var offset = 0
    while left >= 64 {
      append(
        word: UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)), 64)
      offset += 8
      left -= 64
    }
    while left > 0 {
      let step = min(left, 8)
      let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      append(word: UInt64(byte) & ((1 << UInt64(step)) - 1), step)
      offset += 1
      left -= step
    }
  }

  /// Appends all bits of another buffer.
  mutating func append(_ other: BitBuffer) {
    var left = other.count
    for word in other.words {
      append(word: word, min(left, 64))
      left -= 64
    }
  }

  /// A range of the bits, which must lie within.
  func part(_ range: Range<Int>) -> BitBuffer {
    var part = BitBuffer()
    var next = range.lowerBound
    while next < range.upperBound {
      // To the end of a word of this buffer.
      let step = min(range.upperBound - next, 64 - next & 63)
      let word = words[next >> 6] >> UInt64(next & 63)
      part.append(word: word & (~0 >> UInt64(64 - step)), step)
      next += step
    }
    return part
  }

  /// The same bits as a column keeps them.
  consuming func bitmap() -> Bitmap { Bitmap(words: words, count: count) }
}
