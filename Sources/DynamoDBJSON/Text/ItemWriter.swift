internal import TarnBytes

/// Writes DynamoDB JSON piece by piece, and sees that no map has a name twice.
struct ItemWriter {
  /// What was written.
  var out: [UInt8] = []
  /// The names of maps that are open, those of the innermost last.
  private var names: [(hash: UInt32, start: Int, count: Int)] = []

  /// Where writing stood, to go back there.
  struct Mark {
    let bytes: Int
    let names: Int
  }

  var mark: Mark { Mark(bytes: out.count, names: names.count) }

  /// Takes back what was written since.
  mutating func goBack(to mark: Mark) {
    out.removeLast(out.count - mark.bytes)
    names.removeLast(names.count - mark.names)
  }

  /// Begins the next attribute of the innermost map.
  mutating func append(name: RawSpan, isFirst: Bool) {
    if !isFirst { out.append(0x2c) }
    let start = out.count + 1
    out.appendJSON(string: name)
    note(start)
  }

  /// Begins the next attribute, whose name is written as it stands in other JSON.
  mutating func append(quoted name: RawSpan, isFirst: Bool) {
    if !isFirst { out.append(0x2c) }
    out.append(0x22)
    let start = out.count
    out.append(name)
    out.append(0x22)
    note(start)
  }

  // A name has one text, so that texts are compared as they stand.
  private mutating func note(_ start: Int) {
    let count = out.count - 1 - start
    names.append((NameOrder.hash(out.span.bytes.extracting(start..<start + count)), start, count))
    out.append(0x3a)
  }

  /// Ends a map whose first name came behind a mark.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it has a name twice.
  mutating func endMap(from mark: Mark) throws(DynamoDBJSONError) {
    defer { names.removeLast(names.count - mark.names) }
    guard let twice = twice(mark.names) else { return }
    // The name is JSON text, whose escapes are left in place.
    let shown = name(twice).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    throw DynamoDBJSONError(.duplicateAttribute(shown))
  }

  @_lifetime(borrow self)
  private func name(_ number: Int) -> RawSpan {
    out.span.bytes.extracting(names[number].start..<names[number].start + names[number].count)
  }

  private func twice(_ first: Int) -> Int? {
    guard names.count - first > NameOrder.few else {
      for number in first..<names.count {
        for other in first..<number
        where names[other].hash == names[number].hash && name(other).isEqual(to: name(number)) {
          return number
        }
      }
      return nil
    }
    var entries = (first..<names.count).map {
      NameOrder.entry(hash: names[$0].hash, number: UInt32(truncatingIfNeeded: $0))
    }
    return NameOrder.sort(&entries) { name($0).precedes(name($1)) }
  }

  /// The name that was begun last before a mark; nil where none was.
  func name(before mark: Mark) -> String? {
    guard mark.names > 0 else { return nil }
    return name(mark.names - 1).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Values

  mutating func append(string text: RawSpan) {
    out.append(text: "{\"S\":")
    out.appendJSON(string: text)
    out.append(0x7d)
  }

  /// Writes a string that stands so in other JSON.
  mutating func append(quoted text: RawSpan) {
    out.append(text: "{\"S\":\"")
    out.append(text)
    out.append(text: "\"}")
  }

  /// Writes the text of a number, which has been checked.
  mutating func append(number text: RawSpan) {
    out.append(text: "{\"N\":\"")
    out.append(text)
    out.append(text: "\"}")
  }

  mutating func append(boolean value: Bool) {
    out.append(text: value ? "{\"BOOL\":true}" : "{\"BOOL\":false}")
  }

  mutating func appendNull() { out.append(text: "{\"NULL\":true}") }

  mutating func append(binary bytes: RawSpan) {
    out.append(text: "{\"B\":\"")
    Base64.append(bytes, to: &out)
    out.append(text: "\"}")
  }
}
