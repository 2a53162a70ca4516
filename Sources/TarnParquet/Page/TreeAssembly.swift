import TarnColumns

/// Makes columns of leaves' values and levels: the inverse of the record shredding of the Dremel paper.
struct TreeAssembly {
  /// By position among a row group's chunks; all of the same rows.
  let pieces: [Int: LeafValues]

  private static let damaged = FormatProblem.malformed("the leaves of a nested column do not fit each other")

  /// The column of a node.
  func column(_ node: SchemaNode) throws(FormatProblem) -> Column {
    switch node.shape {
    case .leaf(let leaf):
      guard let piece = pieces[leaf.chunk] else { throw Self.damaged }
      return piece.values
    case .structure(let children):
      var columns: [Column] = []
      for child in children { columns.append(try column(child)) }
      let slots = try slots(of: node)
      guard columns.allSatisfy({ $0.count == slots.count }) else { throw Self.damaged }
      return try column(node, .structure(columns, count: slots.count), slots.validity)
    case .list(let definition, let repetition, let element):
      let lists = try lists(of: node, definition, repetition)
      let elements = try column(element)
      guard elements.count == Int(lists.offsets.last ?? 0) else { throw Self.damaged }
      return try column(node, .list(offsets: lists.offsets, elements: elements), lists.slots.validity)
    case .map(let definition, let repetition, let key, let value):
      let lists = try lists(of: node, definition, repetition)
      let keys = try column(key)
      let values = try column(value)
      let count = Int(lists.offsets.last ?? 0)
      guard keys.count == count, values.count == count else { throw Self.damaged }
      return try column(
        node, .map(offsets: lists.offsets, keys: keys, values: values), lists.slots.validity)
    }
  }

  private func column(
    _ node: SchemaNode, _ values: Column.Values, _ validity: BitBuffer?
  ) throws(FormatProblem) -> Column {
    do {
      return try Column(type: node.field.type, values: values, validity: validity?.bitmap())
    } catch { throw Self.damaged }
  }

  private struct Slots {
    var count = 0
    /// Nil for what is never null.
    var validity: BitBuffer?

    mutating func append(_ isPresent: Bool) {
      count += 1
      validity?.append(word: isPresent ? 1 : 0, 1)
    }
  }

  /// The levels of a node's first leaf, which tell of the node itself.
  private func levels(of node: SchemaNode) throws(FormatProblem) -> LeafValues {
    guard let leaf = node.leaves.first, let piece = pieces[leaf.chunk] else { throw Self.damaged }
    return piece
  }

  private func slots(of node: SchemaNode) throws(FormatProblem) -> Slots {
    let levels = try levels(of: node)
    var slots = Slots(validity: node.field.isNullable ? BitBuffer() : nil)
    // A leaf that is flat has no levels: it is never null, and neither is what holds it.
    if levels.definitions.isEmpty {
      slots.count = levels.rows
      return slots
    }
    let hasLists = !levels.repetitions.isEmpty
    for index in levels.definitions.indices {
      let definition = Int(levels.definitions[index])
      if definition < node.slotDefinition { continue }
      if hasLists, Int(levels.repetitions[index]) > node.slotRepetition { continue }
      slots.append(definition >= node.presentDefinition)
    }
    return slots
  }

  private func lists(
    of node: SchemaNode, _ elementDefinition: Int, _ elementRepetition: Int
  ) throws(FormatProblem) -> (offsets: [Int32], slots: Slots) {
    let levels = try levels(of: node)
    var slots = Slots(validity: node.field.isNullable ? BitBuffer() : nil)
    var offsets: [Int32] = []
    var elements = 0
    guard levels.repetitions.count == levels.definitions.count else { throw Self.damaged }
    for index in levels.definitions.indices {
      let definition = Int(levels.definitions[index])
      let repetition = Int(levels.repetitions[index])
      if repetition <= node.slotRepetition, definition >= node.slotDefinition {
        offsets.append(Int32(truncatingIfNeeded: elements))
        slots.append(definition >= node.presentDefinition)
      }
      if repetition <= elementRepetition, definition >= elementDefinition { elements += 1 }
    }
    guard elements <= Int(Int32.max), offsets.first ?? Int32(truncatingIfNeeded: elements) == 0 else {
      throw Self.damaged
    }
    offsets.append(Int32(truncatingIfNeeded: elements))
    return (offsets, slots)
  }
}
