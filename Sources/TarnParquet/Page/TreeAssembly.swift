import TarnColumns

/// Makes columns of leaves' values and levels: the inverse of the record shredding of the Dremel paper.
struct TreeAssembly {
  /// By position among a row group's chunks; all of the same rows.
  let pieces: [Int: LeafValues]

  private static let damaged = FormatError.malformed("the leaves of a nested column do not fit each other")

  /// The column of a node.
  func column(_ node: SchemaNode) throws(FormatError) -> Column {
    switch node.shape {
    case .leaf(let leaf):
      guard let piece = pieces[leaf.chunk] else { throw Self.damaged }
      return piece.values
    case .structure(let children):
      var columns: [Column] = []
      for child in children { columns.append(try column(child)) }
      let cells = try cells(of: node)
      guard columns.allSatisfy({ $0.count == cells.count }) else { throw Self.damaged }
      return try column(node, .structure(columns, count: cells.count), cells.validity)
    case .list(let definition, let repetition, let element):
      let lists = try lists(of: node, definition, repetition)
      let elements = try column(element)
      guard elements.count == Int(lists.offsets.last ?? 0) else { throw Self.damaged }
      return try column(node, .list(offsets: lists.offsets, elements: elements), lists.cells.validity)
    case .map(let definition, let repetition, let key, let value):
      let lists = try lists(of: node, definition, repetition)
      let keys = try column(key)
      let values = try column(value)
      let count = Int(lists.offsets.last ?? 0)
      guard keys.count == count, values.count == count else { throw Self.damaged }
      return try column(
        node, .map(offsets: lists.offsets, keys: keys, values: values), lists.cells.validity)
    }
  }

  private func column(
    _ node: SchemaNode, _ values: Column.Values, _ validity: BitBuffer?
  ) throws(FormatError) -> Column {
    do {
      return try Column(type: node.field.type, values: values, validity: validity?.bitmap())
    } catch { throw Self.damaged }
  }

  private struct Cells {
    var count = 0
    /// Nil for what is never null.
    var validity: BitBuffer?

    mutating func append(_ isPresent: Bool) {
      count += 1
      validity?.append(word: isPresent ? 1 : 0, 1)
    }
  }

  /// The levels of a node's first leaf, which tell of the node itself.
  private func levels(of node: SchemaNode) throws(FormatError) -> LeafValues {
    guard let leaf = node.leaves.first, let piece = pieces[leaf.chunk] else { throw Self.damaged }
    return piece
  }

  private func cells(of node: SchemaNode) throws(FormatError) -> Cells {
    let levels = try levels(of: node)
    var cells = Cells(validity: node.field.isNullable ? BitBuffer() : nil)
    // A leaf that is flat has no levels: it is never null, and neither is what holds it.
    if levels.definitions.isEmpty {
      cells.count = levels.rows
      return cells
    }
    let hasLists = !levels.repetitions.isEmpty
    for index in levels.definitions.indices {
      let definition = Int(levels.definitions[index])
      if definition < node.cellDefinition { continue }
      if hasLists, Int(levels.repetitions[index]) > node.cellRepetition { continue }
      cells.append(definition >= node.presentDefinition)
    }
    return cells
  }

  private func lists(
    of node: SchemaNode, _ elementDefinition: Int, _ elementRepetition: Int
  ) throws(FormatError) -> (offsets: [Int32], cells: Cells) {
    let levels = try levels(of: node)
    var cells = Cells(validity: node.field.isNullable ? BitBuffer() : nil)
    var offsets: [Int32] = []
    var elements = 0
    guard levels.repetitions.count == levels.definitions.count else { throw Self.damaged }
    for index in levels.definitions.indices {
      let definition = Int(levels.definitions[index])
      let repetition = Int(levels.repetitions[index])
      if repetition <= node.cellRepetition, definition >= node.cellDefinition {
        offsets.append(Int32(truncatingIfNeeded: elements))
        cells.append(definition >= node.presentDefinition)
      }
      if repetition <= elementRepetition, definition >= elementDefinition { elements += 1 }
    }
    guard elements <= Int(Int32.max), offsets.first ?? Int32(truncatingIfNeeded: elements) == 0 else {
      throw Self.damaged
    }
    offsets.append(Int32(truncatingIfNeeded: elements))
    return (offsets, cells)
  }
}
