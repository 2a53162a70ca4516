import TarnColumns

/// The least and the greatest of strings by their unsigned bytes.
struct ByteBounds: Sendable {
  private var minimum: [UInt8] = []
  private var maximum: [UInt8] = []
  private var isEmpty = true
  /// The first eight bytes of each bound as a number that sorts as they do.
  private var minimumPrefix = UInt64.max
  private var maximumPrefix: UInt64 = 0

  /// Bounds longer than this are cut.
  private static let greatestLength = 64

  /// Takes chosen strings into account.
  mutating func note(_ strings: ByteStrings, _ rows: [Int32]) {
    for row in rows { note(strings, Int(row)) }
  }

  /// Takes a range of strings into account.
  mutating func note(_ strings: ByteStrings, _ rows: Range<Int>) {
    for row in rows { note(strings, row) }
  }

  @inline(__always)
  private mutating func note(_ strings: ByteStrings, _ row: Int) {
    let prefix = Self.prefix(strings, row)
    // Strictly between the bounds' beginnings: it cannot be a bound.
    if prefix > minimumPrefix, prefix < maximumPrefix { return }
    compare(strings, row, prefix)
  }

  @inline(never)
  private mutating func compare(_ strings: ByteStrings, _ row: Int, _ prefix: UInt64) {
    let value = strings.bytes[strings.range(row)]
    if isEmpty || value.lexicographicallyPrecedes(minimum) {
      minimum = Array(value)
      minimumPrefix = prefix
    }
    if isEmpty || maximum.lexicographicallyPrecedes(value) {
      maximum = Array(value)
      maximumPrefix = prefix
    }
    isEmpty = false
  }

  @inline(__always)
  private static func prefix(_ strings: ByteStrings, _ row: Int) -> UInt64 {
    let value = strings[row]
    if value.byteCount >= 8 {
      return UInt64(bigEndian: value.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self))
    }
    var prefix: UInt64 = 0
    for index in 0..<value.byteCount {
      prefix |=
        UInt64(value.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)) &<< UInt64(56 &- 8 &* index)
    }
    return prefix
  }

  /// The bounds for the footer, cut where they are long; nil where a cut maximum would bound nothing.
  func encoded(isText: Bool) -> EncodedBounds? {
    guard !isEmpty else { return nil }
    var result = EncodedBounds(minimum: minimum, maximum: maximum)
    if minimum.count > Self.greatestLength {
      result.minimum = Array(minimum[..<Self.cut(minimum, isText)])
      result.isMinimumExact = false
    }
    if maximum.count > Self.greatestLength {
      guard let above = Self.above(maximum, isText) else { return nil }
      result.maximum = above
      result.isMaximumExact = false
    }
    return result
  }

  /// Where to cut, between characters for text.
  private static func cut(_ bytes: [UInt8], _ isText: Bool) -> Int {
    var length = greatestLength
    while isText, length > 0, bytes[length] & 0xc0 == 0x80 { length -= 1 }
    return length
  }

  /// A short string above all that begin as `bytes` do; text stays text, by raising an ASCII character.
  private static func above(_ bytes: [UInt8], _ isText: Bool) -> [UInt8]? {
    var short = Array(bytes[..<cut(bytes, isText)])
    let greatest: UInt8 = isText ? 0x7e : 0xfe
    while let last = short.last, last > greatest { short.removeLast() }
    guard let last = short.last else { return nil }
    short[short.count - 1] = last + 1
    return short
  }
}
