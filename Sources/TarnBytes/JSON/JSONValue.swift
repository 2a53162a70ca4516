/// A JSON document of modest size as a tree: commit metadata, schemas, dead letters.
///
/// Numbers keep their text, and objects the order of their members.
public indirect enum JSONValue: Sendable, Hashable {
  case object([Member])
  case array([JSONValue])
  case string(String)
  case number(String)
  case boolean(Bool)
  case null

  /// A member of an object.
  public struct Member: Sendable, Hashable {
    /// The key.
    public var key: String
    /// The value.
    public var value: JSONValue

    /// Makes a member.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// An integer.
  public static func integer<T: FixedWidthInteger>(_ value: T) -> JSONValue { .number(String(value)) }

  /// An object of members in the order given.
  public static func members(_ pairs: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(pairs.map { Member($0.key, $0.value) })
  }

  /// Parses one whole document.
  ///
  /// - Throws: ``JSONError`` where it is not JSON, or text follows it.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    self = try JSONValue(scanning: &scanner, depth: 0)
    guard scanner.isAtEnd() else {
      throw JSONError(.unexpected(bytes[scanner.offset]), at: scanner.offset)
    }
  }

  /// Takes the next value from a scanner.
  public init(scanning scanner: inout JSONScanner) throws(JSONError) {
    self = try JSONValue(scanning: &scanner, depth: 0)
  }

  init(scanning scanner: inout JSONScanner, depth: Int) throws(JSONError) {
    guard depth < JSONScanner.depthLimit else { throw JSONError(.tooDeep, at: scanner.offset) }
    switch try scanner.peek() {
    case .object:
      var members: [Member] = []
      try scanner.beginObject()
      while let key = try scanner.nextKey() {
        members.append(Member(scanner.string(key), try JSONValue(scanning: &scanner, depth: depth + 1)))
      }
      self = .object(members)
    case .array:
      var elements: [JSONValue] = []
      try scanner.beginArray()
      while try scanner.nextElement() {
        elements.append(try JSONValue(scanning: &scanner, depth: depth + 1))
      }
      self = .array(elements)
    case .string: self = .string(scanner.string(try scanner.readString()))
    case .number: self = .number(scanner.string(try scanner.readNumber()))
    case .boolean: self = .boolean(try scanner.readBoolean())
    case .null:
      try scanner.readNull()
      self = .null
    }
  }

  /// The value of an object's member; nil where this is no object or has no such member.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  /// The text, where this is a string.
  public var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The integer, where this is a number without fraction that fits.
  public var integer: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  /// The truth, where this is a boolean.
  public var boolean: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }

  /// The elements, where this is an array.
  public var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members, where this is an object.
  public var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// How a document is laid out as text.
  public enum Layout: Sendable {
    /// No blanks at all.
    case compact
    /// Two blanks a level, ` : ` between key and value: as Jackson, and so Hudi, writes it.
    case jackson
  }

  /// The document as text.
  public func text(_ layout: Layout = .compact) -> String {
    String(decoding: bytes(layout), as: UTF8.self)
  }

  /// The document as UTF-8 bytes.
  public func bytes(_ layout: Layout = .compact) -> [UInt8] {
    var out: [UInt8] = []
    append(to: &out, layout, level: 0)
    return out
  }

  func append(to out: inout [UInt8], _ layout: Layout, level: Int) {
    switch self {
    case .object(let members): Self.append(members: members, to: &out, layout, level)
    case .array(let elements):
      let blank = layout == .jackson ? " " : ""
      if elements.isEmpty {
        out.append(text: layout == .jackson ? "[ ]" : "[]")
        return
      }
      out.append(text: "[" + blank)
      for (index, element) in elements.enumerated() {
        if index > 0 { out.append(text: "," + blank) }
        element.append(to: &out, layout, level: level)
      }
      out.append(text: blank + "]")
    case .string(let text): out.appendJSON(string: text)
    case .number(let text): out.append(text: text)
    case .boolean(let value): out.append(text: value ? "true" : "false")
    case .null: out.append(text: "null")
    }
  }

  static func append(members: [Member], to out: inout [UInt8], _ layout: Layout, _ level: Int) {
    if members.isEmpty {
      out.append(text: layout == .jackson ? "{ }" : "{}")
      return
    }
    func newLine(_ level: Int) {
      guard layout == .jackson else { return }
      out.append(0x0a)
      out.append(contentsOf: repeatElement(0x20, count: level * 2))
    }
    out.append(0x7b)
    for (index, member) in members.enumerated() {
      if index > 0 { out.append(0x2c) }
      newLine(level + 1)
      out.appendJSON(string: member.key)
      out.append(text: layout == .jackson ? " : " : ":")
      member.value.append(to: &out, layout, level: level + 1)
    }
    newLine(level)
    out.append(0x7d)
  }
}
