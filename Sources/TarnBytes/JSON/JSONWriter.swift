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
