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
}
