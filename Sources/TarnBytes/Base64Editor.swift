/// Changes bytes of a base64 text where they stand, so that the rest of it is neither decoded nor encoded.
public struct Base64Editor: ~Copyable, ~Escapable {
  private var letters: MutableRawSpan
  private let values = Base64.values

  @_lifetime(copy letters)
  init(_ letters: consuming MutableRawSpan) { self.letters = letters }

  /// Sets further bits of a byte; one behind the end is left out.
  @_lifetime(self: copy self)
  public mutating func add(_ bits: UInt8, at byte: Int) { change(byte) { $0 | bits } }

  /// Replaces a byte; one behind the end is left out.
  @_lifetime(self: copy self)
  public mutating func set(_ value: UInt8, at byte: Int) { change(byte) { _ in value } }

  /// Three bytes are four letters; each byte lies in two of them.
  @_lifetime(self: copy self)
  private mutating func change(_ byte: Int, _ body: (UInt8) -> UInt8) {
    let place = byte % 3
    let first = byte / 3 * 4 + place
    guard byte >= 0, first + 1 < letters.byteCount else { return }
    let shift = UInt16(4 - 2 * place)
    let pair = UInt16(value(first)) << 6 | UInt16(value(first + 1))
    let new = body(UInt8(truncatingIfNeeded: pair >> shift))
    let changed = pair & ~(0xff << shift) | UInt16(new) << shift
    store(changed >> 6, first)
    store(changed & 63, first + 1)
  }

  /// The bits of a letter; zeros for padding.
  private func value(_ index: Int) -> UInt8 {
    let value = values[Int(letters.bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))]
    return value < 64 ? value : 0
  }

  @_lifetime(self: copy self)
  private mutating func store(_ value: UInt16, _ index: Int) {
    letters.storeBytes(of: Base64.alphabet.utf8Start[Int(value)], toByteOffset: index, as: UInt8.self)
  }
}

extension Base64 {
  /// Changes bytes of the text that stands from `start` on, up to the end.
  public static func edit(_ bytes: inout [UInt8], from start: Int, _ body: (inout Base64Editor) -> Void) {
    bytes.withUnsafeMutableBufferPointer { bytes in
      var editor = Base64Editor(
        MutableRawSpan(_unsafeElements: UnsafeMutableBufferPointer(rebasing: bytes[start...])))
      body(&editor)
    }
  }

  /// Bytes of a text; nil where it has not so many, or they are not well-formed.
  public static func decode(_ text: String, bytes range: Range<Int>) -> [UInt8]? {
    guard range.lowerBound >= 0, range.lowerBound <= Int.max / 2, range.upperBound <= Int.max / 2 else {
      return nil
    }
    let letters = range.lowerBound / 3 * 4..<(range.upperBound + 2) / 3 * 4
    guard letters.upperBound <= text.utf8.count else { return nil }
    let part = text.utf8.dropFirst(letters.lowerBound).prefix(letters.count)
    guard let bytes = decode(Array(part).span.bytes) else { return nil }
    let start = range.lowerBound % 3
    guard start + range.count <= bytes.count else { return nil }
    return Array(bytes[start..<start + range.count])
  }

  /// Number of bytes that a well-formed text holds.
  public static func byteCount(_ text: String) -> Int {
    text.utf8.count / 4 * 3 - text.utf8.suffix(2).count { $0 == 0x3d }
  }

  /// Whether a text is made of the alphabet's letters alone, with padding at its end only.
  public static func isWellFormed(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { letters in
      guard letters.count % 4 == 0 else { return false }
      var end = letters.count
      for _ in 0..<2 where end > 0 && letters[end - 1] == 0x3d { end -= 1 }
      // Without a way out the loop takes many letters at a time.
      var isBad: UInt8 = 0
      for index in 0..<end { isBad |= isLetter(letters[index]) ^ 1 }
      return isBad == 0
    }
  }

  /// 1 for a letter of the alphabet, else 0.
  @inline(__always)
  private static func isLetter(_ byte: UInt8) -> UInt8 {
    let isLatin: UInt8 = (byte | 0x20) &- 0x61 < 26 ? 1 : 0
    let isDigit: UInt8 = byte &- 0x30 < 10 ? 1 : 0
    // `+` and `/` differ in one bit.
    let isSign: UInt8 = byte | 4 == 0x2f ? 1 : 0
    return isLatin | isDigit | isSign
  }
}
