import TarnColumns

/// Finds the least and the greatest of strings by their unsigned bytes.
struct ByteBounds {
  private let strings: ByteStrings
  private var minimum = -1
  private var maximum = -1
  /// The first eight bytes of each bound as a number that sorts as they do.
  private var minimumPrefix = UInt64.max
  private var maximumPrefix: UInt64 = 0

  init(_ strings: ByteStrings) { self.strings = strings }

  /// Takes a string into account.
  @inline(__always)
  mutating func note(_ row: Int) {
    let prefix = Self.prefix(strings, row)
    // Strictly between the bounds' beginnings: it cannot be a bound.
    if prefix > minimumPrefix, prefix < maximumPrefix { return }
    compare(row, prefix)
  }

  @inline(never)
  private mutating func compare(_ row: Int, _ prefix: UInt64) {
    if minimum < 0 || prefix < minimumPrefix
      || prefix == minimumPrefix && strings.precedes(row, strings, minimum)
    {
      minimum = row
      minimumPrefix = prefix
    }
    if maximum < 0 || prefix > maximumPrefix
      || prefix == maximumPrefix && strings.precedes(maximum, strings, row)
    {
      maximum = row
      maximumPrefix = prefix
    }
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

  /// The bounds, cut where they are long; nil where no string was noted.
  func encoded(isText: Bool) -> EncodedBounds? {
    guard minimum >= 0 else { return nil }
    let least = Array(strings.bytes[strings.range(minimum)])
    let greatest = Array(strings.bytes[strings.range(maximum)])
    let low = BoundCut.below(least, isText: isText)
    let high = BoundCut.above(greatest, isText: isText)
    return EncodedBounds(
      minimum: low ?? least, maximum: high ?? greatest, isMinimumExact: low == nil,
      isMaximumExact: high == nil)
  }
}

/// Cuts long bounds of strings.
enum BoundCut {
  /// Bounds longer than this are cut.
  static let greatestLength = 64

  /// A short string not above `bytes`; nil where these are short themselves.
  static func below(_ bytes: [UInt8], isText: Bool) -> [UInt8]? {
    bytes.count > greatestLength ? recognizable(Array(bytes[..<end(bytes, isText)])) : nil
  }

  /// A short string above all that begin as `bytes` do; nil where these are short, or where there is none.
  static func above(_ bytes: [UInt8], isText: Bool) -> [UInt8]? {
    guard bytes.count > greatestLength else { return nil }
    var short = Array(bytes[..<end(bytes, isText)])
    if isText, let text = String(validating: short, as: UTF8.self) {
      return above(text).flatMap(recognizable)
    }
    while let last = short.popLast() {
      if last < 0xff { return recognizable(short + [last + 1]) }
    }
    return nil
  }

  /// Cut bounds are told from whole ones by their length, where a file does not say which they are.
  private static func recognizable(_ bound: [UInt8]) -> [UInt8]? {
    bound.count >= greatestLength - 3 ? bound : nil
  }

  /// Raises the last character that can be raised, so that text stays text.
  private static func above(_ text: String) -> [UInt8]? {
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      // Surrogates are no characters: the one after U+D7FF is U+E000.
      let next = last.value == 0xd7ff ? 0xe000 : last.value + 1
      guard let raised = Unicode.Scalar(next) else { continue }
      var raisedText = String.UnicodeScalarView(scalars)
      raisedText.append(raised)
      return Array(String(raisedText).utf8)
    }
    return nil
  }

  /// Where to cut, between characters for text.
  private static func end(_ bytes: [UInt8], _ isText: Bool) -> Int {
    var length = greatestLength
    while isText, length > 0, bytes[length] & 0xc0 == 0x80 { length -= 1 }
    return length
  }
}
