/// Percent-encoding as AWS signs it: all bytes but letters, digits, `-`, `_`, `.` and `~`.
package enum PercentEncoding {
  private static let digits = Array("0123456789ABCDEF".utf8)

  /// A name or value of a query, or one segment of a path.
  package static func encode(_ text: String) -> String { encode(text, keepingSlashes: false) }

  /// A path of plain segments, whose slashes stay.
  package static func encode(path: String) -> String { encode(path, keepingSlashes: true) }

  private static func encode(_ text: String, keepingSlashes: Bool) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: out.append(byte)
      case 0x2f where keepingSlashes: out.append(byte)
      default:
        out.append(0x25)
        out.append(digits[Int(byte >> 4)])
        out.append(digits[Int(byte & 15)])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The text that was encoded, once; nil where it is none.
  ///
  /// - Parameter plusIsBlank: Whether `+` stands for a blank, as forms write it.
  package static func decode(_ text: String, plusIsBlank: Bool) -> String? {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      if byte == 0x25 {
        guard let high = bytes.next().flatMap(value(ofDigit:)),
          let low = bytes.next().flatMap(value(ofDigit:))
        else { return nil }
        out.append(high << 4 | low)
      } else {
        out.append(plusIsBlank && byte == 0x2b ? 0x20 : byte)
      }
    }
    return String(validating: out, as: UTF8.self)
  }

  private static func value(ofDigit byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
