extension JSONScanner {
  /// The raw bytes between a string's quotes: the text itself where it has no escapes.
  @inlinable
  @_lifetime(copy self)
  public func raw(_ text: JSONText) -> RawSpan { bytes.extracting(text.range) }

  /// The raw bytes of a range of offsets, such as a number's.
  @inlinable
  @_lifetime(copy self)
  public func raw(_ range: Range<Int>) -> RawSpan { bytes.extracting(range) }

  /// Whether a string is this text, escapes resolved.
  @inlinable
  public func matches(_ text: JSONText, _ word: StaticString) -> Bool {
    if text.isEscaped { return string(text) == word.description }
    guard text.range.count == word.utf8CodeUnitCount else { return false }
    return bytes.extracting(text.range).withUnsafeBytes { left in
      equalBytes(
        left, UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
  }

  /// A string's text, escapes resolved.
  public func string(_ text: JSONText) -> String {
    var out: [UInt8] = []
    append(text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// The text of a range of offsets, such as a number's.
  public func string(_ range: Range<Int>) -> String {
    bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// Appends a string's UTF-8 bytes, escapes resolved.
  @inlinable
  public func append(_ text: JSONText, to out: inout [UInt8]) {
    if text.isEscaped { unescape(text, to: &out) } else { out.append(raw(text)) }
  }

  @usableFromInline
  func unescape(_ text: JSONText, to out: inout [UInt8]) {
    var position = text.range.lowerBound
    while position < text.range.upperBound {
      let next = byte(at: position)
      guard next == 0x5c else {
        out.append(next)
        position += 1
        continue
      }
      let escape = byte(at: position + 1)
      position += 2
      switch escape {
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0c)
      case 0x6e: out.append(0x0a)
      case 0x72: out.append(0x0d)
      case 0x74: out.append(0x09)
      case 0x75:
        // The scan has checked the digits and the pairing of surrogates.
        var value = (try? hexUnit(at: position)) ?? 0xfffd
        position += 4
        if value >= 0xd800, value < 0xdc00 {
          let low = (try? hexUnit(at: position + 2)) ?? 0xdc00
          value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00)
          position += 6
        }
        if let scalar = Unicode.Scalar(value) { out.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
      default: out.append(escape)
      }
    }
  }
}

extension JSONScanner {
  /// Takes an object of one member that is a string, as `{"S":"text"}`, written without blanks and with a name of one
  /// capital letter.
  ///
  /// - Returns: The letter and the string; nil, and nothing taken, where something else comes next, even another writing
  ///   of such an object.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func readTaggedString() throws(JSONError) -> (tag: UInt8, text: JSONText)? {
    let start = offset
    guard bytes.byteCount &- start >= 8 else { return nil }
    let word = UInt64(
      littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self))
    // The six bytes `{"S":"`, least significant first, but for the letter in the third.
    guard word & 0xffff_ff00_ffff == 0x223a_2200_227b else { return nil }
    let tag = UInt8(truncatingIfNeeded: word &>> 16)
    guard tag &- 0x41 < 26 else { return nil }
    offset = start &+ 5
    let text = try scanString()
    guard offset < bytes.byteCount else { throw JSONError(.endOfInput, at: offset) }
    guard byte(at: offset) == 0x7d else {
      offset = start
      return nil
    }
    offset &+= 1
    return (tag, text)
  }
}

extension String {
  /// Lends the UTF-8 bytes.
  @inlinable
  public func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
    var text = self
    return text.withUTF8 { body(RawSpan(_unsafeElements: $0)) }
  }
}
