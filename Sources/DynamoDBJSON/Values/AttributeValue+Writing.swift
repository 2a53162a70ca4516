internal import TarnBytes

extension AttributeValue {
  /// The value as DynamoDB JSON, such as `{"N":"12.50"}`, numbers as they were written.
  public func encoded() -> [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  /// Appends the value as DynamoDB JSON.
  public func append(to out: inout [UInt8]) {
    out.append(text: "{\"\(tag)\":")
    switch self {
    case .string(let text): out.appendJSON(string: text)
    case .number(let number): out.appendJSON(string: number.text)
    case .binary(let bytes): out.append(quotedBase64: bytes)
    case .boolean(let value): out.append(text: value ? "true" : "false")
    case .null: out.append(text: "true")
    case .map(let item): item.append(to: &out)
    case .list(let values): out.append(elements: values) { $1.append(to: &$0) }
    case .stringSet(let texts): out.append(elements: texts) { $0.appendJSON(string: $1) }
    case .numberSet(let numbers): out.append(elements: numbers) { $0.appendJSON(string: $1.text) }
    case .binarySet(let members): out.append(elements: members) { $0.append(quotedBase64: $1) }
    }
    out.append(0x7d)
  }

  /// The value as plain JSON without type tags; see ``appendPlainJSON(to:)``.
  public func plainJSON() -> String {
    var out: [UInt8] = []
    appendPlainJSON(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Appends the value as plain JSON without type tags, the same text for equal values.
  ///
  /// Numbers are JSON numbers without needless zeros, bytes base64 text, sets arrays sorted by value or by
  /// bytes, maps objects with names in the order of their UTF-8 bytes.
  public func appendPlainJSON(to out: inout [UInt8]) {
    switch self {
    case .string(let text): out.appendJSON(string: text)
    case .number(let number): number.appendCanonical(to: &out)
    case .binary(let bytes): out.append(quotedBase64: bytes)
    case .boolean(let value): out.append(text: value ? "true" : "false")
    case .null: out.append(text: "null")
    case .map(let item):
      out.append(members: item) { $1.appendPlainJSON(to: &$0) }
    case .list(let values): out.append(elements: values) { $1.appendPlainJSON(to: &$0) }
    case .stringSet(let texts):
      out.append(elements: Self.sorted(texts)) { $0.appendJSON(string: String($1)) }
    case .numberSet(let numbers): out.append(elements: numbers.sorted()) { $1.appendCanonical(to: &$0) }
    case .binarySet(let members): out.append(elements: Self.sorted(members)) { $0.append(quotedBase64: $1) }
    }
  }
}

extension Item {
  /// The attributes as DynamoDB JSON.
  public func encoded() -> [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  /// Appends the attributes as DynamoDB JSON.
  public func append(to out: inout [UInt8]) {
    out.append(members: self) { $1.append(to: &$0) }
  }
}

extension AttributeValue {
  static func base64(_ bytes: [UInt8]) -> String { Base64.encode(bytes) }

  static func bytes(base64 text: String) -> [UInt8]? { text.withBytes { Base64.decode($0) } }
}

extension Array where Element == UInt8 {
  mutating func append(quotedBase64 bytes: [UInt8]) {
    append(0x22)
    Base64.append(bytes.span.bytes, to: &self)
    append(0x22)
  }

  mutating func append<T>(elements: [T], _ appendOne: (inout [UInt8], T) -> Void) {
    append(0x5b)
    for (index, element) in elements.enumerated() {
      if index > 0 { append(0x2c) }
      appendOne(&self, element)
    }
    append(0x5d)
  }

  mutating func append(members item: Item, _ appendOne: (inout [UInt8], AttributeValue) -> Void) {
    append(0x7b)
    for (index, attribute) in item.attributes.enumerated() {
      if index > 0 { append(0x2c) }
      appendJSON(string: attribute.name)
      append(0x3a)
      appendOne(&self, attribute.value)
    }
    append(0x7d)
  }
}
