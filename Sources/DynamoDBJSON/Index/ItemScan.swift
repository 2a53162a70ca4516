internal import TarnBytes

/// Finds where the attributes of an item stand, in one pass over its text, and checks all of it.
struct ItemScan {
  var nodes: [ItemNode] = []
  /// The texts that had escapes, resolved.
  private(set) var resolved: [UInt8] = []
  /// The attributes of maps that have many, sorted.
  private(set) var order: [UInt64] = []

  /// - Parameter bytes: How long the text is about.
  init(expecting bytes: Int) { nodes.reserveCapacity(min(bytes / 24 + 2, 256)) }

  /// Takes an item, whose attributes become members of the first node.
  @_lifetime(scanner: copy scanner)
  mutating func item(_ scanner: inout JSONScanner) throws(DynamoDBJSONError) {
    try checkLength(scanner)
    scanner.skipWhitespace()
    nodes.append(ItemNode(offset: UInt32(truncatingIfNeeded: scanner.offset), kind: .map))
    try map(&scanner, 0, depth: 0)
  }

  /// Takes one attribute value.
  @_lifetime(scanner: copy scanner)
  mutating func value(_ scanner: inout JSONScanner) throws(DynamoDBJSONError) {
    try checkLength(scanner)
    nodes.append(ItemNode())
    try value(&scanner, 0, depth: 0)
  }

  // Offsets are kept in 32 bits; an item of DynamoDB's has 400 KB.
  private func checkLength(_ scanner: borrowing JSONScanner) throws(DynamoDBJSONError) {
    guard scanner.bytes.byteCount <= Int(UInt32.max) else { throw DynamoDBJSONError(.tooLong) }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func map(
    _ scanner: inout JSONScanner, _ node: Int, depth: Int
  ) throws(DynamoDBJSONError) {
    try scanner.openObject()
    var count: UInt32 = 0
    while let name = try scanner.key() {
      let child = nodes.count
      nodes.append(named(name, scanner))
      do { try value(&scanner, child, depth: depth) } catch { throw error.under(scanner.string(name)) }
      count &+= 1
    }
    close(node, count)
    if let twice = twice(node, scanner) {
      throw DynamoDBJSONError(
        .duplicateAttribute(String(decoding: twice, as: UTF8.self)), at: Int(nodes[node].offset))
    }
  }

  private mutating func close(_ node: Int, _ count: UInt32) {
    nodes[node].count = count
    nodes[node].next = UInt32(truncatingIfNeeded: nodes.count)
  }

  private mutating func named(_ name: JSONText, _ scanner: borrowing JSONScanner) -> ItemNode {
    var node = ItemNode()
    if name.isEscaped {
      let start = resolved.count
      scanner.append(name, to: &resolved)
      node.nameIsResolved = true
      (node.nameStart, node.nameCount) = (
        UInt32(truncatingIfNeeded: start), UInt32(truncatingIfNeeded: resolved.count - start)
      )
      node.nameHash = NameOrder.hash(resolved.span.bytes.extracting(start...))
    } else {
      (node.nameStart, node.nameCount) = (
        UInt32(truncatingIfNeeded: name.range.lowerBound), UInt32(truncatingIfNeeded: name.range.count)
      )
      node.nameHash = NameOrder.hash(scanner.raw(name))
    }
    return node
  }

  @_lifetime(scanner: copy scanner)
  private mutating func value(
    _ scanner: inout JSONScanner, _ node: Int, depth: Int
  ) throws(DynamoDBJSONError) {
    guard depth < AttributeValue.depthLimit else { throw DynamoDBJSONError(.tooDeep, at: scanner.offset) }
    scanner.skipWhitespace()
    let start = scanner.offset
    nodes[node].offset = UInt32(truncatingIfNeeded: start)
    if let (tag, text) = try scanner.taggedString() {
      switch tag {
      case 0x53: return set(node, .string, text, scanner)
      case 0x4e: return try number(node, text, scanner)
      case 0x42: return try binary(node, text, scanner)
      default: scanner.offset = start
      }
    }
    try scanner.openObject()
    guard let tag = try scanner.key() else { throw DynamoDBJSONError(.notOneType, at: start) }
    try tagged(&scanner, tag, node, depth)
    guard try scanner.key() == nil else { throw DynamoDBJSONError(.notOneType, at: start) }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func tagged(
    _ scanner: inout JSONScanner, _ tag: JSONText, _ node: Int, _ depth: Int
  ) throws(DynamoDBJSONError) {
    let start = scanner.offset
    if scanner.matches(tag, "S") {
      set(node, .string, try scanner.text(), scanner)
    } else if scanner.matches(tag, "N") {
      try number(node, try scanner.text(), scanner)
    } else if scanner.matches(tag, "BOOL") {
      nodes[node].kind = try scanner.truth() ? .yes : .no
      close(node, 0)
    } else if scanner.matches(tag, "NULL") {
      guard try scanner.truth() else { throw DynamoDBJSONError(.nullNotTrue, at: start) }
      close(node, 0)
    } else if scanner.matches(tag, "M") {
      nodes[node].kind = .map
      try map(&scanner, node, depth: depth + 1)
    } else if scanner.matches(tag, "L") {
      nodes[node].kind = .list
      try list(&scanner, node, depth: depth + 1)
    } else if scanner.matches(tag, "B") {
      try binary(node, try scanner.text(), scanner)
    } else if scanner.matches(tag, "SS") {
      try stringSet(&scanner, node)
    } else if scanner.matches(tag, "NS") {
      try numberSet(&scanner, node)
    } else if scanner.matches(tag, "BS") {
      try binarySet(&scanner, node)
    } else {
      throw DynamoDBJSONError(
        .unknownType(String(scanner.string(tag).prefix(32))), at: tag.range.lowerBound)
    }
  }

  // MARK: Texts

  private mutating func set(
    _ node: Int, _ kind: ItemNode.Kind, _ text: JSONText, _ scanner: borrowing JSONScanner
  ) {
    nodes[node].kind = kind
    if text.isEscaped {
      let start = resolved.count
      scanner.append(text, to: &resolved)
      nodes[node].isResolved = true
      nodes[node].start = UInt32(truncatingIfNeeded: start)
      nodes[node].count = UInt32(truncatingIfNeeded: resolved.count - start)
    } else {
      nodes[node].start = UInt32(truncatingIfNeeded: text.range.lowerBound)
      nodes[node].count = UInt32(truncatingIfNeeded: text.range.count)
    }
    nodes[node].next = UInt32(truncatingIfNeeded: nodes.count)
  }

  private mutating func number(
    _ node: Int, _ text: JSONText, _ scanner: borrowing JSONScanner
  ) throws(DynamoDBJSONError) {
    set(node, .number, text, scanner)
    do {
      // An escape in a number is legal JSON, however odd.
      if text.isEscaped {
        try DynamoDBNumber.check(resolved.span.bytes.extracting(Int(nodes[node].start)...))
      } else {
        try DynamoDBNumber.check(scanner.raw(text))
      }
    } catch {
      throw error.at(text.range.lowerBound)
    }
  }

  private mutating func binary(
    _ node: Int, _ text: JSONText, _ scanner: borrowing JSONScanner
  ) throws(DynamoDBJSONError) {
    set(node, .binary, text, scanner)
    let count =
      text.isEscaped
      ? Base64.count(resolved.span.bytes.extracting(Int(nodes[node].start)...))
      : Base64.count(scanner.raw(text))
    guard count != nil else { throw DynamoDBJSONError(.badBase64, at: text.range.lowerBound) }
  }

  // MARK: Lists and sets

  @_lifetime(scanner: copy scanner)
  private mutating func list(
    _ scanner: inout JSONScanner, _ node: Int, depth: Int
  ) throws(DynamoDBJSONError) {
    try scanner.openArray()
    var count: UInt32 = 0
    while try scanner.element() {
      let child = nodes.count
      nodes.append(ItemNode())
      do { try value(&scanner, child, depth: depth) } catch { throw error.under(Int(count)) }
      count &+= 1
    }
    close(node, count)
  }

  /// Begins the next member of a set; nil at its end.
  @_lifetime(scanner: copy scanner)
  private mutating func member(_ scanner: inout JSONScanner) throws(DynamoDBJSONError) -> (Int, JSONText)? {
    guard try scanner.element() else { return nil }
    let text = try scanner.text()
    nodes.append(ItemNode(offset: UInt32(truncatingIfNeeded: text.range.lowerBound - 1)))
    return (nodes.count - 1, text)
  }

  private mutating func closeSet(_ node: Int, _ kind: ItemNode.Kind) throws(DynamoDBJSONError) {
    let count = nodes.count - node - 1
    guard count > 0 else { throw DynamoDBJSONError(.emptySet, at: Int(nodes[node].offset)) }
    nodes[node].kind = kind
    close(node, UInt32(truncatingIfNeeded: count))
  }

  @_lifetime(scanner: copy scanner)
  private mutating func stringSet(_ scanner: inout JSONScanner, _ node: Int) throws(DynamoDBJSONError) {
    try scanner.openArray()
    while let (child, text) = try member(&scanner) { set(child, .string, text, scanner) }
    try closeSet(node, .stringSet)
    guard let twice = twiceMember(node, scanner) else { return }
    let shown = String(String(decoding: twice, as: UTF8.self).prefix(32))
    throw DynamoDBJSONError(.duplicateMember("\"\(shown)\""), at: Int(nodes[node].offset))
  }

  @_lifetime(scanner: copy scanner)
  private mutating func numberSet(_ scanner: inout JSONScanner, _ node: Int) throws(DynamoDBJSONError) {
    try scanner.openArray()
    var numbers: [DynamoDBNumber] = []
    while let (child, text) = try member(&scanner) {
      try number(child, text, scanner)
      do {
        numbers.append(try DynamoDBNumber(scanner.string(text)))
      } catch { throw error.at(text.range.lowerBound) }
    }
    try closeSet(node, .numberSet)
    numbers.sort()
    for index in numbers.indices.dropFirst() where numbers[index] == numbers[index - 1] {
      throw DynamoDBJSONError(.duplicateMember(numbers[index].text), at: Int(nodes[node].offset))
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func binarySet(_ scanner: inout JSONScanner, _ node: Int) throws(DynamoDBJSONError) {
    try scanner.openArray()
    while let (child, text) = try member(&scanner) { try binary(child, text, scanner) }
    try closeSet(node, .binarySet)
    // Each run of bytes has one text.
    guard twiceMember(node, scanner) != nil else { return }
    throw DynamoDBJSONError(.duplicateMember("the same bytes"), at: Int(nodes[node].offset))
  }

  // MARK: What is there twice

  /// A name that a map has twice.
  ///
  /// Of a map with many attributes, their order is kept.
  private mutating func twice(_ map: Int, _ scanner: borrowing JSONScanner) -> [UInt8]? {
    let count = Int(nodes[map].count)
    guard count > 1 else { return nil }
    guard count > NameOrder.few else {
      var node = map + 1
      for _ in 0..<count {
        let hash = nodes[node].nameHash
        var other = map + 1
        while other < node {
          if nodes[other].nameHash == hash, name(other, scanner).isEqual(to: name(node, scanner)) {
            return name(node, scanner).copied()
          }
          other = Int(nodes[other].next)
        }
        node = Int(nodes[node].next)
      }
      return nil
    }
    var entries: [UInt64] = []
    entries.reserveCapacity(count)
    var node = map + 1
    for _ in 0..<count {
      entries.append(
        NameOrder.entry(hash: nodes[node].nameHash, number: UInt32(truncatingIfNeeded: node)))
      node = Int(nodes[node].next)
    }
    let found = NameOrder.sort(&entries) { name($0, scanner).precedes(name($1, scanner)) }
    if let found { return name(found, scanner).copied() }
    nodes[map].start = UInt32(truncatingIfNeeded: order.count)
    order += entries
    return nil
  }

  /// The text of a member that a set of texts has twice.
  private func twiceMember(_ set: Int, _ scanner: borrowing JSONScanner) -> [UInt8]? {
    var entries = (set + 1..<nodes.count).map { node in
      NameOrder.entry(
        hash: NameOrder.hash(text(node, scanner)), number: UInt32(truncatingIfNeeded: node))
    }
    return NameOrder.sort(&entries) { text($0, scanner).precedes(text($1, scanner)) }
      .map { text($0, scanner).copied() }
  }

  @_lifetime(borrow self, borrow scanner)
  private func name(_ node: Int, _ scanner: borrowing JSONScanner) -> RawSpan {
    let found = nodes[node]
    let range = Int(found.nameStart)..<Int(found.nameStart) + Int(found.nameCount)
    return found.nameIsResolved ? resolved.span.bytes.extracting(range) : scanner.raw(range)
  }

  @_lifetime(borrow self, borrow scanner)
  private func text(_ node: Int, _ scanner: borrowing JSONScanner) -> RawSpan {
    let found = nodes[node]
    let range = Int(found.start)..<Int(found.start) + Int(found.count)
    return found.isResolved ? resolved.span.bytes.extracting(range) : scanner.raw(range)
  }
}
