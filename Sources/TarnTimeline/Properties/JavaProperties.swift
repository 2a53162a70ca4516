import TarnBytes

/// Why a file is not in the text format of `java.util.Properties`.
public struct JavaPropertiesError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The line, counted from 1.
  public let line: Int
  /// What is wrong with it, for people.
  public let message: String

  /// The line, and what is wrong with it.
  public var description: String { "line \(line): \(message)" }
}

/// Entries in the text format of `java.util.Properties`, in the order of the file.
///
/// Source: the contract of `Properties.load` and `Properties.store`; the files are ISO 8859-1.
public struct JavaProperties: Sendable, Hashable {
  /// The entries.
  public package(set) var entries: OrderedMap<String>

  /// Makes properties of entries.
  package init(_ entries: OrderedMap<String> = [:]) { self.entries = entries }

  /// The value of a key; setting nil removes it.
  public package(set) subscript(_ key: String) -> String? {
    get { entries[key] }
    set { entries[key] = newValue }
  }

  /// The most bytes of a file that is read: 50,000 columns in the schema that a table's properties hold take less.
  public static let largestFile = 8 << 20

  /// The most entries of a file that is read; tables have some dozens, and one for each of the names, ten thousand at
  /// most, that are not those of their columns.
  public static let mostEntries = 50_000

  /// Parses a file.
  ///
  /// - Throws: ``JavaPropertiesError`` for more than ``mostEntries``, or a broken `\uXXXX`.
  public init(parsing bytes: [UInt8]) throws(JavaPropertiesError) {
    self.init()
    var lines = PropertyLines(bytes)
    while let (line, content) = lines.next() {
      var parser = PropertyParser(line: line, content: content)
      guard entries.count < Self.mostEntries else {
        throw JavaPropertiesError(
          line: line, message: "there are more than \(Self.mostEntries) entries; restore the file from a copy"
        )
      }
      let key = try parser.text(untilSeparator: true)
      parser.skipSeparator()
      self[key] = try parser.text(untilSeparator: false)
    }
  }

  /// The file as bytes: comment lines first, then a line for each entry.
  ///
  /// - Parameter comments: Lines of plain ASCII; `#` is put before each.
  package func bytes(comments: [String]) -> [UInt8] {
    var out: [UInt8] = []
    for comment in comments { out.append(text: "#" + comment + "\n") }
    for (key, value) in entries.pairs {
      Self.append(key, escapingAllBlanks: true, to: &out)
      out.append(0x3d)
      Self.append(value, escapingAllBlanks: false, to: &out)
      out.append(0x0a)
    }
    return out
  }

  private static func append(_ text: String, escapingAllBlanks: Bool, to out: inout [UInt8]) {
    let digits = Array("0123456789ABCDEF".utf8)
    for (position, unit) in text.utf16.enumerated() {
      switch unit {
      case 0x20:
        if position == 0 || escapingAllBlanks { out.append(0x5c) }
        out.append(0x20)
      case 0x09: out.append(text: "\\t")
      case 0x0a: out.append(text: "\\n")
      case 0x0d: out.append(text: "\\r")
      case 0x0c: out.append(text: "\\f")
      case 0x3d, 0x3a, 0x23, 0x21, 0x5c:
        out.append(0x5c)
        out.append(UInt8(unit))
      case 0x21...0x7e: out.append(UInt8(unit))
      default:
        out.append(text: "\\u")
        for shift in [12, 8, 4, 0] { out.append(digits[Int(unit >> UInt16(shift)) & 15]) }
      }
    }
  }
}

/// Cuts a properties file into logical lines: no comments, no blank lines, continued lines joined.
private struct PropertyLines {
  let bytes: [UInt8]
  var offset = 0
  var line = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0c }

  /// The next line of the file without its blanks in front and its end; nil at the end of the file.
  mutating func natural() -> ArraySlice<UInt8>? {
    guard offset < bytes.count else { return nil }
    line += 1
    var end = offset
    while end < bytes.count, bytes[end] != 0x0a, bytes[end] != 0x0d { end += 1 }
    let content = bytes[offset..<end].drop(while: Self.isBlank)
    offset = end
    if offset + 1 < bytes.count, bytes[offset] == 0x0d, bytes[offset + 1] == 0x0a { offset += 1 }
    offset += 1
    return content
  }

  mutating func next() -> (line: Int, content: ArraySlice<UInt8>)? {
    while let first = natural() {
      guard let start = first.first, start != 0x23, start != 0x21 else { continue }
      let number = line
      var content = first
      // What is joined before ends in an even number of backslashes, so that the last part alone tells.
      var part = first
      while Self.isContinued(part) {
        content.removeLast()
        guard let more = natural() else { break }
        content += more
        part = more
      }
      return (number, content)
    }
    return nil
  }

  /// Whether an odd number of backslashes ends it.
  static func isContinued(_ content: ArraySlice<UInt8>) -> Bool {
    content.reversed().prefix { $0 == 0x5c }.count % 2 == 1
  }
}

/// Reads the key and the value of one logical line.
private struct PropertyParser {
  let line: Int
  let content: ArraySlice<UInt8>
  var offset: Int

  init(line: Int, content: ArraySlice<UInt8>) {
    self.line = line
    self.content = content
    offset = content.startIndex
  }

  mutating func skipSeparator() {
    skipBlanks()
    if offset < content.endIndex, content[offset] == 0x3d || content[offset] == 0x3a {
      offset += 1
      skipBlanks()
    }
  }

  mutating func skipBlanks() {
    while offset < content.endIndex, PropertyLines.isBlank(content[offset]) { offset += 1 }
  }

  mutating func text(untilSeparator: Bool) throws(JavaPropertiesError) -> String {
    let plain = content[offset...].prefix { byte in
      byte < 0x80 && byte != 0x5c
        && !(untilSeparator && (byte == 0x3d || byte == 0x3a || PropertyLines.isBlank(byte)))
    }
    offset = plain.endIndex
    let text = String(decoding: plain, as: UTF8.self)
    let isWhole =
      offset == content.endIndex || (untilSeparator && content[offset] < 0x80 && content[offset] != 0x5c)
    return isWhole ? text : text + (try escapedText(untilSeparator: untilSeparator))
  }

  /// The rest of a text in which there is more than plain ASCII.
  private mutating func escapedText(untilSeparator: Bool) throws(JavaPropertiesError) -> String {
    var units: [UInt16] = []
    while offset < content.endIndex {
      let byte = content[offset]
      if untilSeparator, byte == 0x3d || byte == 0x3a || PropertyLines.isBlank(byte) { break }
      offset += 1
      guard byte == 0x5c else {
        units.append(UInt16(byte))
        continue
      }
      guard offset < content.endIndex else { break }
      let escaped = content[offset]
      offset += 1
      switch escaped {
      case 0x74: units.append(0x09)
      case 0x6e: units.append(0x0a)
      case 0x72: units.append(0x0d)
      case 0x66: units.append(0x0c)
      case 0x75: units.append(try unicode())
      default: units.append(UInt16(escaped))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  mutating func unicode() throws(JavaPropertiesError) -> UInt16 {
    let digits = content[offset..<min(offset + 4, content.endIndex)]
    let text = String(decoding: digits, as: UTF8.self)
    guard digits.count == 4, digits.first != 0x2b, digits.first != 0x2d, let unit = UInt16(text, radix: 16)
    else { throw JavaPropertiesError(line: line, message: "\\u is not followed by four hexadecimal digits") }
    offset += 4
    return unit
  }
}
