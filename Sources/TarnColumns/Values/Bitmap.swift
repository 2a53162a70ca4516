/// Bits, least significant first, as Arrow keeps validity and boolean values.
@frozen
public struct Bitmap: Sendable, Hashable {
  @usableFromInline var words: [UInt64]
  /// Number of bits.
  public private(set) var count: Int

  /// Makes a bitmap of equal bits.
  public init(repeating bit: Bool = false, count: Int = 0) {
    words = [UInt64](repeating: bit ? ~0 : 0, count: (count + 63) / 64)
    self.count = count
    clearTail()
  }

  /// Makes a bitmap of words of 64 bits each, of which there must be as many as the bits need.
  @usableFromInline
  package init(words: [UInt64], count: Int) {
    precondition(words.count == (count + 63) / 64)
    self.words = words
    self.count = count
    clearTail()
  }

  /// Makes bits, a word at a time.
  ///
  /// - Parameter isSet: Asked for each bit, ascending; it becomes a part of the loop that calls this.
  @inlinable
  @inline(__always)
  package init(count: Int, where isSet: (Int) -> Bool) {
    var words: [UInt64] = []
    words.reserveCapacity((count &+ 63) / 64)
    var row = 0
    while row < count {
      var word: UInt64 = 0
      let end = Swift.min(row &+ 64, count)
      var bit: UInt64 = 0
      while row < end {
        word |= (isSet(row) ? 1 : 0) &<< bit
        bit &+= 1
        row &+= 1
      }
      words.append(word)
    }
    self.init(words: words, count: count)
  }

  private mutating func clearTail() {
    if count & 63 != 0, !words.isEmpty { words[words.count - 1] &= (1 << UInt64(count & 63)) - 1 }
  }

  /// A bit; the index must be below ``count``.
  @inlinable
  public subscript(_ index: Int) -> Bool {
    get { words[index &>> 6] &>> UInt64(index & 63) & 1 != 0 }
    set {
      let mask: UInt64 = 1 &<< UInt64(index & 63)
      if newValue { words[index &>> 6] |= mask } else { words[index &>> 6] &= ~mask }
    }
  }

  /// Appends a bit.
  public mutating func append(_ bit: Bool) {
    if count & 63 == 0 { words.append(0) }
    if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
    count += 1
  }

  /// Appends equal bits.
  public mutating func append(repeating bit: Bool, count added: Int) {
    guard added > 0 else { return }
    let start = count
    count += added
    words.append(contentsOf: repeatElement(0, count: (count + 63) / 64 - words.count))
    guard bit else { return }
    var index = start
    while index < count, index & 63 != 0 {
      words[index >> 6] |= 1 << UInt64(index & 63)
      index += 1
    }
    while index + 64 <= count {
      words[index >> 6] = ~0
      index += 64
    }
    while index < count {
      words[index >> 6] |= 1 << UInt64(index & 63)
      index += 1
    }
  }

  /// Appends a range of another bitmap's bits.
  public mutating func append(_ other: Bitmap, _ range: Range<Int>) {
    precondition(range.upperBound <= other.count)
    var index = range.lowerBound
    // Whole words while both sides are aligned; bit by bit elsewhere.
    if count & 63 == 0, index & 63 == 0 {
      while index + 64 <= range.upperBound {
        words.append(other.words[index >> 6])
        count += 64
        index += 64
      }
    }
    while index < range.upperBound {
      append(other[index])
      index += 1
    }
  }

  /// Number of bits that are set.
  public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Whether all bits are set.
  public var isAllSet: Bool { setCount == count }

  /// Makes room.
  public mutating func reserve(_ bits: Int) { words.reserveCapacity((bits + 63) / 64) }

  /// The bits that are set in either of two bitmaps of one length.
  package func union(_ other: Bitmap) -> Bitmap { combined(other, |) }

  /// The bits that are set in both of two bitmaps of one length.
  package func intersection(_ other: Bitmap) -> Bitmap { combined(other, &) }

  /// The bits that are set here and not in another bitmap of the same length.
  package func subtracting(_ other: Bitmap) -> Bitmap { combined(other) { $0 & ~$1 } }

  @inline(__always)
  private func combined(_ other: Bitmap, _ combine: (UInt64, UInt64) -> UInt64) -> Bitmap {
    precondition(count == other.count)
    var result = self
    for index in result.words.indices { result.words[index] = combine(words[index], other.words[index]) }
    return result
  }

  /// The opposite of each bit.
  package var inverted: Bitmap {
    var result = self
    for index in result.words.indices { result.words[index] = ~words[index] }
    result.clearTail()
    return result
  }

  /// The positions of the bits that are set, ascending.
  package var setPositions: [Int32] {
    var positions: [Int32] = []
    positions.reserveCapacity(setCount)
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        positions.append(Int32(truncatingIfNeeded: index &* 64 &+ rest.trailingZeroBitCount))
        rest &= rest &- 1
      }
    }
    return positions
  }
}
