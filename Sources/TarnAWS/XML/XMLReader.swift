/// Why text is not the XML that this room reads, and where.
package struct XMLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Offset of the byte at which it was noticed.
  package let offset: Int
  /// What was wrong.
  package let what: String

  init(_ what: String, at offset: Int) {
    self.what = what
    self.offset = offset
  }

  /// What was wrong, and where.
  package var description: String { "\(what) at offset \(offset)" }
}

/// One step through a document.
package enum XMLToken: Sendable, Hashable {
  /// An element begins; its name has no prefix. Attributes are passed over.
  case start(String)
  /// Text within an element, entities decoded. There may be several in a row, and white space comes as it stands.
  case text(String)
  /// The element that began last ends.
  case end(String)
}

/// A pull reader for the XML that services answer with: elements and text, without document types.
///
/// It never traps, and takes no memory that the text itself does not have: names and nesting are limited, a
/// document type, and so an entity of its own, is refused.
package struct XMLReader: Sendable {
  /// How deep elements may be nested.
  package static let depthLimit = 32
  /// How long a name may be, in bytes.
  package static let nameLimit = 256

  private let bytes: [UInt8]
  private var offset = 0
  private var open: [String] = []
  /// The end of an element that began and ended in one tag.
  private var pendingEnd: String?
  private var hadRoot = false

  /// Reads a whole document.
  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { offset = 3 }
  }

  /// The next step; nil at the end of the document.
  ///
  /// - Throws: ``XMLError`` where the text is not well-formed, or beyond what is read.
  package mutating func next() throws(XMLError) -> XMLToken? {
    if let name = pendingEnd {
      pendingEnd = nil
      return .end(name)
    }
    while offset < bytes.count {
      if bytes[offset] != 0x3c {
        if let text = try readText() { return .text(text) }
      } else if starts("<?") {
        try skip(past: "?>", "a processing instruction without an end")
      } else if starts("<!--") {
        try skip(past: "-->", "a comment without an end")
      } else if starts("<![CDATA[") {
        return .text(try readCharacterData())
      } else if starts("<!") {
        throw XMLError("a document type", at: offset)
      } else if starts("</") {
        return try readEnd()
      } else {
        return try readStart()
      }
    }
    if let name = open.last { throw XMLError("the text ends within the element \(name)", at: offset) }
    if !hadRoot { throw XMLError("no element", at: offset) }
    return nil
  }

  private func starts(_ text: String) -> Bool { bytes[offset...].starts(with: text.utf8) }

  private mutating func skip(past mark: String, _ what: String) throws(XMLError) {
    guard let found = bytes[offset...].firstRange(of: Array(mark.utf8)) else {
      throw XMLError(what, at: offset)
    }
    offset = found.upperBound
  }

  private mutating func readCharacterData() throws(XMLError) -> String {
    let start = offset + 9
    try skip(past: "]]>", "character data without an end")
    guard !open.isEmpty, start <= offset - 3 else { throw XMLError("text outside of elements", at: start) }
    return try string(bytes[start..<offset - 3])
  }

  /// The text up to the next tag; nil where it is white space outside of elements.
  private mutating func readText() throws(XMLError) -> String? {
    let start = offset
    offset = bytes[offset...].firstIndex(of: 0x3c) ?? bytes.count
    let raw = bytes[start..<offset]
    if open.isEmpty {
      if raw.allSatisfy(Self.isBlank) { return nil }
      throw XMLError("text outside of elements", at: start)
    }
    return try XMLEntities.decode(raw)
  }

  private mutating func readStart() throws(XMLError) -> XMLToken {
    if open.isEmpty, hadRoot { throw XMLError("a second root element", at: offset) }
    offset += 1
    let name = try readName()
    guard open.count < Self.depthLimit else { throw XMLError("elements nested too deep", at: offset) }
    try skipAttributes()
    hadRoot = true
    if bytes[offset] == 0x2f {
      offset += 1
      guard offset < bytes.count, bytes[offset] == 0x3e else {
        throw XMLError("a tag without an end", at: offset)
      }
      pendingEnd = name
    } else {
      open.append(name)
    }
    offset += 1
    return .start(name)
  }

  /// Goes to the `>` or `/` that ends a tag.
  private mutating func skipAttributes() throws(XMLError) {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x3e, 0x2f: return
      case 0x3c: throw XMLError("a tag within a tag", at: offset)
      case 0x22, 0x27:
        let quote = bytes[offset]
        guard let end = bytes[(offset + 1)...].firstIndex(of: quote) else {
          throw XMLError("an attribute without an end", at: offset)
        }
        offset = end + 1
      default: offset += 1
      }
    }
    throw XMLError("a tag without an end", at: offset)
  }

  private mutating func readEnd() throws(XMLError) -> XMLToken {
    offset += 2
    let name = try readName()
    while offset < bytes.count, Self.isBlank(bytes[offset]) { offset += 1 }
    guard offset < bytes.count, bytes[offset] == 0x3e else {
      throw XMLError("a tag without an end", at: offset)
    }
    guard open.popLast() == name else { throw XMLError("the end of \(name), which is not open", at: offset) }
    offset += 1
    return .end(name)
  }

  /// A name up to a blank, `/` or `>`, without its prefix.
  private mutating func readName() throws(XMLError) -> String {
    let start = offset
    while offset < bytes.count, offset - start <= Self.nameLimit {
      let byte = bytes[offset]
      if Self.isBlank(byte) || byte == 0x2f || byte == 0x3e || byte == 0x3c || byte == 0x3d { break }
      offset += 1
    }
    let raw = bytes[start..<offset]
    let local = raw.lastIndex(of: 0x3a).map { raw[($0 + 1)...] } ?? raw
    guard !local.isEmpty, raw.count <= Self.nameLimit, let first = local.first,
      first >= 0x80 || first == 0x5f || (0x41...0x5a).contains(first & 0xdf)
    else { throw XMLError("no name of an element", at: start) }
    return try string(local)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  private func string(_ bytes: ArraySlice<UInt8>) throws(XMLError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw XMLError("text that is not UTF-8", at: bytes.startIndex)
    }
    return text
  }
}
