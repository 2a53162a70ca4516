internal import TarnBytes

extension PlainJSON {
  /// Appends a value of an item without its type tag.
  func append(_ index: ItemIndex, _ node: Int, to out: inout [UInt8]) {
    switch index.nodes[node].kind {
    case .string, .binary:
      append(text: index.text(node), isResolved: index.nodes[node].isResolved, to: &out)
    case .number: append(number: index.text(node), to: &out)
    case .yes: out.append(text: "true")
    case .no: out.append(text: "false")
    case .null: out.append(text: "null")
    case .map:
      out.append(0x7b)
      for (number, member) in ordered(index, node).enumerated() {
        if number > 0 { out.append(0x2c) }
        append(text: index.name(member), isResolved: index.nodes[member].nameIsResolved, to: &out)
        out.append(0x3a)
        append(index, member, to: &out)
      }
      out.append(0x7d)
    case .list, .stringSet, .numberSet, .binarySet:
      out.append(0x5b)
      for (number, member) in ordered(index, node).enumerated() {
        if number > 0 { out.append(0x2c) }
        append(index, member, to: &out)
      }
      out.append(0x5d)
    }
  }

  /// The members in the order in which they are written.
  private func ordered(_ index: ItemIndex, _ node: Int) -> [Int] {
    let members = Array(index.members(node))
    guard isSorted else { return members }
    return switch index.nodes[node].kind {
    case .map: members.sorted { index.name($0).precedes(index.name($1)) }
    case .stringSet: members.sorted { index.text($0).precedes(index.text($1)) }
    case .numberSet: members.map { ($0, index.number($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    // Base64 does not sort as its bytes do.
    case .binarySet:
      members.map { ($0, index.binary($0)) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    default: members
    }
  }

  /// Appends a text, which stands in JSON as it is where it had no escapes.
  private func append(text: RawSpan, isResolved: Bool, to out: inout [UInt8]) {
    if isResolved { return out.appendJSON(string: text) }
    out.append(0x22)
    out.append(text)
    out.append(0x22)
  }

  private func append(number text: RawSpan, to out: inout [UInt8]) {
    var scanner = JSONScanner(text)
    // DynamoDB takes +1 and 007, which JSON does not.
    if numbers == .asWritten, let range = try? scanner.readNumber(), range.count == text.byteCount {
      out.append(text)
    } else {
      DynamoDBNumber(checked: text).appendCanonical(to: &out)
    }
  }
}

/// Makes DynamoDB JSON of plain JSON in one pass.
struct PlainConversion {
  var writer = ItemWriter()
  private let numbers: PlainJSON.Numbers

  init(_ numbers: PlainJSON.Numbers) { self.numbers = numbers }

  /// Takes a plain object for an item; it must be all of the bytes.
  mutating func takeItem(_ bytes: [UInt8]) throws(DynamoDBJSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    try members(&scanner, levels: 0)
    try scanner.finish()
  }

  /// Takes a plain value for an attribute; it must be all of the bytes.
  mutating func takeValue(_ bytes: [UInt8]) throws(DynamoDBJSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    try value(&scanner, levels: 0)
    try scanner.finish()
  }

  /// - Parameter levels: Maps and lists around the values.
  @_lifetime(scanner: copy scanner)
  private mutating func members(_ scanner: inout JSONScanner, levels: Int) throws(DynamoDBJSONError) {
    try scanner.openObject()
    let start = scanner.offset - 1
    writer.out.append(0x7b)
    let mark = writer.mark
    var isFirst = true
    while let name = try scanner.key() {
      if name.isEscaped {
        scanner.string(name).withBytes { writer.append(name: $0, isFirst: isFirst) }
      } else {
        writer.append(quoted: scanner.raw(name), isFirst: isFirst)
      }
      isFirst = false
      do { try value(&scanner, levels: levels) } catch { throw error.under(scanner.string(name)) }
    }
    do { try writer.endMap(from: mark) } catch { throw error.at(start) }
    writer.out.append(0x7d)
  }

  @_lifetime(scanner: copy scanner)
  private mutating func value(_ scanner: inout JSONScanner, levels: Int) throws(DynamoDBJSONError) {
    switch try scanner.kind() {
    case .null:
      try scanner.null()
      writer.appendNull()
    case .boolean: writer.append(boolean: try scanner.truth())
    case .number: try number(scanner.raw(try scanner.numberRange()), scanner.offset)
    case .string:
      let text = try scanner.text()
      if text.isEscaped {
        scanner.string(text).withBytes { writer.append(string: $0) }
      } else {
        writer.append(quoted: scanner.raw(text))
      }
    case .array:
      try checkDepth(levels, scanner.offset)
      try scanner.openArray()
      writer.out.append(text: "{\"L\":[")
      var count = 0
      while try scanner.element() {
        if count > 0 { writer.out.append(0x2c) }
        do { try value(&scanner, levels: levels + 1) } catch { throw error.under(count) }
        count += 1
      }
      writer.out.append(text: "]}")
    case .object:
      try checkDepth(levels, scanner.offset)
      writer.out.append(text: "{\"M\":")
      try members(&scanner, levels: levels + 1)
      writer.out.append(0x7d)
    }
  }

  private func checkDepth(_ levels: Int, _ offset: Int) throws(DynamoDBJSONError) {
    guard levels < AttributeValue.storedDepthLimit else {
      throw DynamoDBJSONError(.tooDeepToStore, at: offset)
    }
  }

  private mutating func number(_ text: RawSpan, _ end: Int) throws(DynamoDBJSONError) {
    do {
      guard numbers == .canonical else {
        try DynamoDBNumber.check(text)
        return writer.append(number: text)
      }
      var canonical: [UInt8] = []
      DynamoDBNumber.appendCanonical(try DynamoDBNumber.parse(text), to: &canonical)
      writer.append(number: canonical.span.bytes)
    } catch {
      throw error.at(end - text.byteCount)
    }
  }
}
