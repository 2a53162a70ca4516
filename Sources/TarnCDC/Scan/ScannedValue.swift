import DynamoDBJSON
import TarnBytes

/// What a scanned value is, with DynamoDB's types and plain JSON's side by side.
enum ScannedKind: UInt8, Sendable {
  /// Text.
  case string
  /// The text of a number; a DynamoDB number's stands in a JSON string.
  case number
  /// Bytes as base64 text.
  case binary
  case yes, no, null
  /// A DynamoDB map, list or set: its range is the whole attribute value, tag and all.
  case attributeDocument
  /// A JSON array or object.
  case document

  var isString: Bool { self == .string || self == .number || self == .binary }
}

/// Where an attribute's name and value stand in the scanned text.
struct ScannedValue: Sendable {
  /// The name's raw bytes, between the quotes.
  var name: Range<Int>
  /// The value's raw bytes, between the quotes for a string.
  var value: Range<Int>
  var kind: ScannedKind
  var nameIsEscaped: Bool
  var valueIsEscaped: Bool
  /// Whether a number follows the rules of DynamoDB's, rather than JSON's.
  var isAttribute: Bool
}

/// A mistake noticed while scanning on, so that the record's end is found all the same.
struct ScanProblem: Sendable {
  var name: String
  var what: String
}

extension JSONScanner {
  /// The bytes of the text between quotes that stands at a range, escapes resolved.
  func unescaped(_ range: Range<Int>) -> [UInt8] {
    var out: [UInt8] = []
    // The text has been scanned before, so that this cannot fail.
    var again = JSONScanner(bytes, at: range.lowerBound - 1)
    if let text = try? again.readString() { append(text, to: &out) }
    return out
  }

  func text(_ range: Range<Int>, isEscaped: Bool) -> String {
    isEscaped ? String(decoding: unescaped(range), as: UTF8.self) : string(range)
  }

  /// Takes the attributes of an image or of keys; mistakes other than in the JSON go to `problem`.
  @_lifetime(self: copy self)
  mutating func scanAttributes(
    into values: inout [ScannedValue], _ problem: inout ScanProblem?
  ) throws(JSONError) {
    try beginObject()
    while let name = try nextKey() {
      if try scanSimpleAttribute(name, into: &values) { continue }
      var what: String?
      if let scanned = try scanAttribute(name, &what) { values.append(scanned) }
      if let what, problem == nil { problem = ScanProblem(name: string(name), what: what) }
    }
  }

  /// Takes `{"S":"…"}` and `{"N":"…"}` written without blanks, which nearly all attributes are; false, and
  /// nothing taken, for all others.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func scanSimpleAttribute(
    _ name: JSONText, into values: inout [ScannedValue]
  ) throws(JSONError) -> Bool {
    let start = offset
    guard let (tag, text) = try readTaggedString() else { return false }
    let kind: ScannedKind
    switch tag {
    case 0x53: kind = .string
    case 0x4e: kind = .number
    default:
      offset = start
      return false
    }
    values.append(
      ScannedValue(
        name: name.range, value: text.range, kind: kind, nameIsEscaped: name.isEscaped,
        valueIsEscaped: text.isEscaped, isAttribute: true))
    return true
  }

  /// Takes one attribute value of any type; nil, and what is wrong, where it is none.
  @_lifetime(self: copy self)
  mutating func scanAttribute(
    _ name: JSONText, _ what: inout String?
  ) throws(JSONError) -> ScannedValue? {
    guard try peek() == .object else {
      try skipValue()
      what = "a value needs exactly one type tag, such as {\"S\":\"text\"}"
      return nil
    }
    let start = offset
    try beginObject()
    guard let tag = try nextKey() else {
      what = "a value without type tag"
      return nil
    }
    var result: ScannedValue?
    let found = try peek()
    switch (string(tag), found) {
    case ("S", .string): result = scanned(name, try readString(), .string)
    case ("N", .string): result = scanned(name, try readString(), .number)
    case ("B", .string): result = scanned(name, try readString(), .binary)
    case ("BOOL", .boolean): result = scanned(name, try readBoolean() ? .yes : .no)
    case ("NULL", .boolean):
      if try readBoolean() { result = scanned(name, .null) } else { what = "NULL can only be true" }
    case ("M", .object), ("L", .array), ("SS", .array), ("NS", .array), ("BS", .array):
      try skipValue()
      result = scanned(name, .attributeDocument)
    case (let other, _):
      try skipValue()
      what = "no value of type \"\(other.prefix(32))\": \(found)"
    }
    while try nextKey() != nil {
      try skipValue()
      what = "a value with more than one type tag"
    }
    if result?.kind == .attributeDocument { result?.value = start..<offset }
    return what == nil ? result : nil
  }

  /// Takes the members of a plain JSON object.
  @_lifetime(self: copy self)
  mutating func scanMembers(into values: inout [ScannedValue]) throws(JSONError) {
    try beginObject()
    while let name = try nextKey() { try scanMember(name, into: &values) }
  }

  /// Takes the value of one member of a plain JSON object.
  @_lifetime(self: copy self)
  mutating func scanMember(_ name: JSONText, into values: inout [ScannedValue]) throws(JSONError) {
    switch try peek() {
    case .string: values.append(scanned(name, try readString(), .string, isAttribute: false))
    case .number:
      var value = scanned(name, .number, isAttribute: false)
      value.value = try readNumber()
      values.append(value)
    case .boolean: values.append(scanned(name, try readBoolean() ? .yes : .no, isAttribute: false))
    case .null:
      try readNull()
      values.append(scanned(name, .null, isAttribute: false))
    case .array, .object:
      var value = scanned(name, .document, isAttribute: false)
      value.value = try skipValue()
      values.append(value)
    }
  }

  private func scanned(_ name: JSONText, _ kind: ScannedKind, isAttribute: Bool = true) -> ScannedValue {
    ScannedValue(
      name: name.range, value: 0..<0, kind: kind, nameIsEscaped: name.isEscaped, valueIsEscaped: false,
      isAttribute: isAttribute)
  }

  private func scanned(
    _ name: JSONText, _ text: JSONText, _ kind: ScannedKind, isAttribute: Bool = true
  ) -> ScannedValue {
    ScannedValue(
      name: name.range, value: text.range, kind: kind, nameIsEscaped: name.isEscaped,
      valueIsEscaped: text.isEscaped, isAttribute: isAttribute)
  }
}
