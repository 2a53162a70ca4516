internal import TarnBytes

/// An item's attributes by their places in its text: checked once, and no tree of values.
///
/// The nodes stand in the order of the text, each map, list or set before its members.
struct ItemIndex: Sendable {
  /// The text.
  let bytes: [UInt8]
  /// The texts that had escapes, resolved.
  let resolved: [UInt8]
  /// All values.
  ///
  /// The first is the item itself, as a map, or the one attribute value. The last is NULL, and stands for what is not
  /// there.
  let nodes: [ItemNode]
  /// The attributes of maps that have many, sorted: see ``NameOrder``.
  let order: [UInt64]

  /// The node of a value that is not there.
  var absent: Int { nodes.count - 1 }

  /// Reads the attributes of an item, which must be all of the bytes.
  init(item bytes: [UInt8]) throws(DynamoDBJSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    var scan = ItemScan(expecting: bytes.count)
    try scan.item(&scanner)
    try scanner.finish()
    self.init(scan, bytes)
  }

  /// Reads one attribute value, which must be all of the bytes.
  init(value bytes: [UInt8]) throws(DynamoDBJSONError) {
    var scanner = JSONScanner(bytes.span.bytes)
    var scan = ItemScan(expecting: bytes.count)
    try scan.value(&scanner)
    try scanner.finish()
    self.init(scan, bytes)
  }

  private init(_ scan: consuming ItemScan, _ bytes: [UInt8]) {
    scan.nodes.append(ItemNode(next: UInt32(truncatingIfNeeded: scan.nodes.count + 1)))
    self.bytes = bytes
    resolved = scan.resolved
    nodes = scan.nodes
    order = scan.order
  }

  /// The text of a string, number or binary value, escapes resolved.
  @_lifetime(borrow self)
  func text(_ node: Int) -> RawSpan {
    let found = nodes[node]
    let range = Int(found.start)..<Int(found.start) + Int(found.count)
    if found.isResolved { return resolved.span.bytes.extracting(range) }
    return bytes.span.bytes.extracting(range)
  }

  /// The name of an attribute, escapes resolved.
  @_lifetime(borrow self)
  func name(_ node: Int) -> RawSpan {
    let found = nodes[node]
    let range = Int(found.nameStart)..<Int(found.nameStart) + Int(found.nameCount)
    if found.nameIsResolved { return resolved.span.bytes.extracting(range) }
    return bytes.span.bytes.extracting(range)
  }

  func string(_ node: Int) -> String { text(node).withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

  func nameString(_ node: Int) -> String {
    name(node).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// A short number without exponent; nil for others.
  func plainNumber(_ node: Int) -> PlainNumber? { PlainNumber(text(node)) }

  /// A number's value, all of it.
  func exactNumber(_ node: Int) -> ExactDecimal? { ExactDecimal(text(node)) }

  /// The bytes of a binary value, whose base64 has been checked.
  func binary(_ node: Int) -> [UInt8] { Base64.decode(text(node)) ?? [] }

  /// The members of a map, list or set.
  func members(_ node: Int) -> Members {
    Members(index: self, first: node + 1, count: Int(nodes[node].count))
  }

  /// The attribute of a map with a name; nil where there is none.
  func attribute(_ name: String, of map: Int) -> Int? {
    name.withBytes { attribute($0, of: map) }
  }

  private func attribute(_ name: RawSpan, of map: Int) -> Int? {
    let hash = NameOrder.hash(name)
    let found = nodes[map]
    guard found.count <= NameOrder.few else { return sorted(name, hash, found) }
    var node = map &+ 1
    for _ in 0..<found.count {
      if nodes[node].nameHash == hash, self.name(node).isEqual(to: name) { return node }
      node = Int(nodes[node].next)
    }
    return nil
  }

  /// Looks an attribute up in a map that has many.
  private func sorted(_ name: RawSpan, _ hash: UInt32, _ map: ItemNode) -> Int? {
    var (low, high) = (Int(map.start), Int(map.start) + Int(map.count))
    while low < high {
      let middle = (low + high) / 2
      let entry = order[middle]
      let isBefore =
        NameOrder.hash(entry) == hash
        ? self.name(NameOrder.number(entry)).precedes(name) : NameOrder.hash(entry) < hash
      if isBefore { low = middle + 1 } else { high = middle }
    }
    guard low < Int(map.start) + Int(map.count) else { return nil }
    let node = NameOrder.number(order[low])
    return self.name(node).isEqual(to: name) ? node : nil
  }
}

extension ItemIndex {
  /// The nodes of the members of a map, list or set.
  struct Members: Sequence, IteratorProtocol {
    let index: ItemIndex
    var first: Int
    var count: Int

    mutating func next() -> Int? {
      guard count > 0 else { return nil }
      count -= 1
      defer { first = Int(index.nodes[first].next) }
      return first
    }
  }

  /// A step on the way to a value.
  enum Step {
    case name(String)
    case index(Int)
  }

  /// The steps from the top to a value; none for what is not there.
  func path(to target: Int) -> [Step] {
    guard target != absent else { return [] }
    var steps: [Step] = []
    var node = 0
    descending: while node != target {
      for (position, member) in members(node).enumerated() where target < Int(nodes[member].next) {
        steps.append(nodes[node].kind == .map ? .name(nameString(member)) : .index(position))
        node = member
        continue descending
      }
      break
    }
    return steps
  }

  /// An error at a value.
  func error(_ mistake: Mistake, at node: Int) -> DynamoDBJSONError {
    var error = DynamoDBJSONError(mistake, at: Int(nodes[node].offset))
    for step in path(to: node).reversed() {
      switch step {
      case .name(let name): error = error.under(name)
      case .index(let index): error = error.under(index)
      }
    }
    return error
  }
}
