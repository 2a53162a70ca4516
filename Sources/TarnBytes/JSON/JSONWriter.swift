extension Array where Element == UInt8 {
  /// Appends a JSON string with its quotes; only what must be escaped is.
  @inlinable
  public mutating func appendJSON(string bytes: RawSpan) {
    append(0x22)
    appendJSON(unquoted: bytes)
    append(0x22)
  }

  /// Appends a JSON string with its quotes.
  public mutating func appendJSON(string text: String) {
    var text = text
    text.withUTF8 { appendJSON(string: RawSpan(_unsafeElements: $0)) }
  }

  @inlinable
  mutating func appendJSON(unquoted bytes: RawSpan) {
    if bytes.isPlainJSON { return append(bytes) }
    bytes.withUnsafeBytes { input in
      var start = 0
      for (index, byte) in input.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5c {
        append(contentsOf: input[start..<index])
        appendEscape(byte)
        start = index + 1
      }
      append(contentsOf: input[start...])
    }
  }

  @usableFromInline
  mutating func appendEscape(_ byte: UInt8) {
    append(0x5c)
    switch byte {
    case 0x22, 0x5c: append(byte)
    case 0x0a: append(0x6e)
    case 0x0d: append(0x72)
    case 0x09: append(0x74)
    case 0x08: append(0x62)
    case 0x0c: append(0x66)
    default:
      let digits: StaticString = "0123456789abcdef"
      append(text: "u00")
      append(digits.utf8Start[Int(byte >> 4)])
      append(digits.utf8Start[Int(byte & 15)])
    }
  }
}

extension RawSpan {
  /// Whether the bytes stand within a JSON string as they are, with nothing to be escaped.
  @inlinable
  public var isPlainJSON: Bool {
    let (blank, quote, escape) = (
      SIMD16<UInt8>(repeating: 0x20), SIMD16<UInt8>(repeating: 0x22), SIMD16<UInt8>(repeating: 0x5c)
    )
    var offset = 0
    while offset &+ 16 <= byteCount {
      let part = unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD16<UInt8>.self)
      if any((part .< blank) .| (part .== quote) .| (part .== escape)) { return false }
      offset &+= 16
    }
    while offset < byteCount {
      let byte = unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      if byte < 0x20 || byte == 0x22 || byte == 0x5c { return false }
      offset &+= 1
    }
    return true
  }
}
