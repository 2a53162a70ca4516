package import TarnBytes

extension AttributeValue {
  /// Reads one value, such as `{"S":"text"}`, which must be the whole text.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json text: String) throws(DynamoDBJSONError) {
    try self.init(json: Array(text.utf8))
  }

  /// Reads one value, which must be all of the bytes.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json bytes: [UInt8]) throws(DynamoDBJSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    try self.init(scanning: &scanner)
    try scanner.finish()
  }

  /// Takes the next value from a scanner.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the next value is none.
  package init(scanning scanner: inout JSONScanner) throws(DynamoDBJSONError) {
    self = try scanner.attributeValue(depth: 0)
  }
}

extension Item {
  /// Reads the attributes of an item, such as `{"id":{"N":"1"}}`, which must be the whole text.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json text: String) throws(DynamoDBJSONError) {
    try self.init(json: Array(text.utf8))
  }

  /// Reads the attributes of an item, which must be all of the bytes.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json bytes: [UInt8]) throws(DynamoDBJSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    try self.init(scanning: &scanner)
    try scanner.finish()
  }

  /// Takes the attributes of an item from a scanner.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the next value is none.
  package init(scanning scanner: inout JSONScanner) throws(DynamoDBJSONError) {
    self = try scanner.item(depth: 0)
  }
}

// The scanner's own calls, with errors of this room.
extension JSONScanner {
  @_lifetime(self: copy self)
  mutating func finish() throws(DynamoDBJSONError) {
    guard isAtEnd() else { throw DynamoDBJSONError(.trailingText, at: offset) }
  }

  @_lifetime(self: copy self)
  mutating func openObject() throws(DynamoDBJSONError) {
    do { try beginObject() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func key() throws(DynamoDBJSONError) -> JSONText? {
    do { return try nextKey() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func openArray() throws(DynamoDBJSONError) {
    do { try beginArray() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func element() throws(DynamoDBJSONError) -> Bool {
    do { return try nextElement() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func text() throws(DynamoDBJSONError) -> JSONText {
    do { return try readString() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func truth() throws(DynamoDBJSONError) -> Bool {
    do { return try readBoolean() } catch { throw DynamoDBJSONError(error) }
  }
}

extension JSONScanner {
  @_lifetime(self: copy self)
  mutating func item(depth: Int) throws(DynamoDBJSONError) -> Item {
    let start = offset
    var attributes: [(name: String, value: AttributeValue)] = []
    try openObject()
    while let key = try key() {
      let name = string(key)
      do {
        attributes.append((name, try attributeValue(depth: depth)))
      } catch {
        throw error.under(name)
      }
    }
    var twice = ""
    guard let item = Item(attributes, twice: &twice) else {
      throw DynamoDBJSONError(.duplicateAttribute(twice), at: start)
    }
    return item
  }

  @_lifetime(self: copy self)
  mutating func attributeValue(depth: Int) throws(DynamoDBJSONError) -> AttributeValue {
    guard depth < AttributeValue.depthLimit else { throw DynamoDBJSONError(.tooDeep, at: offset) }
    let start = offset
    try openObject()
    guard let tag = try key() else { throw DynamoDBJSONError(.notOneType, at: start) }
    let value = try taggedValue(tag, depth: depth)
    guard try key() == nil else { throw DynamoDBJSONError(.notOneType, at: start) }
    return value
  }

  @_lifetime(self: copy self)
  mutating func taggedValue(_ tag: JSONText, depth: Int) throws(DynamoDBJSONError) -> AttributeValue {
    let start = offset
    switch string(tag) {
    case "S": return .string(string(try text()))
    case "N": return .number(try number())
    case "B": return .binary(try binary())
    case "BOOL": return .boolean(try truth())
    case "NULL":
      guard try truth() else { throw DynamoDBJSONError(.nullNotTrue, at: start) }
      return .null
    case "M": return .map(try item(depth: depth + 1))
    case "L": return .list(try list(depth: depth + 1))
    case "SS": return .stringSet(try stringSet())
    case "NS": return .numberSet(try numberSet())
    case "BS": return .binarySet(try binarySet())
    case let other: throw DynamoDBJSONError(.unknownType(String(other.prefix(32))), at: tag.range.lowerBound)
    }
  }

  @_lifetime(self: copy self)
  mutating func number() throws(DynamoDBJSONError) -> DynamoDBNumber {
    let text = try text()
    do {
      // An escape in a number is legal JSON, however odd.
      return text.isEscaped ? try DynamoDBNumber(string(text)) : try DynamoDBNumber(scanned: raw(text))
    } catch {
      throw error.at(text.range.lowerBound)
    }
  }

  @_lifetime(self: copy self)
  mutating func binary() throws(DynamoDBJSONError) -> [UInt8] {
    let text = try text()
    var plain: [UInt8] = []
    append(text, to: &plain)
    guard let bytes = Base64.decode(plain.span.bytes) else {
      throw DynamoDBJSONError(.badBase64, at: text.range.lowerBound)
    }
    return bytes
  }

  @_lifetime(self: copy self)
  mutating func list(depth: Int) throws(DynamoDBJSONError) -> [AttributeValue] {
    var values: [AttributeValue] = []
    try openArray()
    while try element() {
      do {
        values.append(try attributeValue(depth: depth))
      } catch {
        throw error.under("[\(values.count)]")
      }
    }
    return values
  }

  @_lifetime(self: copy self)
  mutating func stringSet() throws(DynamoDBJSONError) -> [String] {
    let start = offset
    var members: [String] = []
    try openArray()
    while try element() { members.append(string(try text())) }
    guard !members.isEmpty else { throw DynamoDBJSONError(.emptySet, at: start) }
    let sorted = AttributeValue.sorted(members)
    for index in sorted.indices.dropFirst() where sorted[index].elementsEqual(sorted[index - 1]) {
      throw DynamoDBJSONError(.duplicateMember("\"\(String(sorted[index].prefix(32)) ?? "")\""), at: start)
    }
    return members
  }

  @_lifetime(self: copy self)
  mutating func numberSet() throws(DynamoDBJSONError) -> [DynamoDBNumber] {
    let start = offset
    var members: [DynamoDBNumber] = []
    try openArray()
    while try element() { members.append(try number()) }
    guard !members.isEmpty else { throw DynamoDBJSONError(.emptySet, at: start) }
    let sorted = members.sorted()
    for index in sorted.indices.dropFirst() where sorted[index] == sorted[index - 1] {
      throw DynamoDBJSONError(.duplicateMember(sorted[index].text), at: start)
    }
    return members
  }

  @_lifetime(self: copy self)
  mutating func binarySet() throws(DynamoDBJSONError) -> [[UInt8]] {
    let start = offset
    var members: [[UInt8]] = []
    try openArray()
    while try element() { members.append(try binary()) }
    guard !members.isEmpty else { throw DynamoDBJSONError(.emptySet, at: start) }
    let sorted = AttributeValue.sorted(members)
    for index in sorted.indices.dropFirst() where sorted[index] == sorted[index - 1] {
      throw DynamoDBJSONError(.duplicateMember("the same bytes"), at: start)
    }
    return members
  }
}
