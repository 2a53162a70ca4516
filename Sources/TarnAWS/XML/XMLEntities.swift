/// Entities and character references in text.
enum XMLEntities {
  /// The text of raw bytes, entities decoded, and line ends as XML has them.
  static func decode(_ raw: ArraySlice<UInt8>) throws(XMLError) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    var offset = raw.startIndex
    while offset < raw.endIndex {
      let byte = raw[offset]
      if byte == 0x0d {
        // A line end of two characters counts as one.
        if offset + 1 == raw.endIndex || raw[offset + 1] != 0x0a { out.append(0x0a) }
        offset += 1
        continue
      }
      guard byte == 0x26 else {
        out.append(byte)
        offset += 1
        continue
      }
      guard let end = raw[offset...].prefix(12).firstIndex(of: 0x3b) else {
        throw XMLError("an entity without an end", at: offset)
      }
      guard let scalar = scalar(raw[(offset + 1)..<end]) else {
        throw XMLError("an unknown entity", at: offset)
      }
      out.append(contentsOf: String(Character(scalar)).utf8)
      offset = end + 1
    }
    guard let text = String(validating: out, as: UTF8.self) else {
      throw XMLError("text that is not UTF-8", at: raw.startIndex)
    }
    return text
  }

  private static func scalar(_ name: ArraySlice<UInt8>) -> Unicode.Scalar? {
    let text = String(decoding: name, as: UTF8.self)
    switch text {
    case "lt": return "<"
    case "gt": return ">"
    case "amp": return "&"
    case "quot": return "\""
    case "apos": return "'"
    default:
      guard text.hasPrefix("#") else { return nil }
      let isHexadecimal = text.hasPrefix("#x") || text.hasPrefix("#X")
      let digits = text.dropFirst(isHexadecimal ? 2 : 1)
      guard digits.first != "+", digits.first != "-" else { return nil }
      // S3 writes control characters of a key so too, though XML 1.0 forbids most of them.
      return UInt32(digits, radix: isHexadecimal ? 16 : 10).flatMap { Unicode.Scalar($0) }
    }
  }
}
