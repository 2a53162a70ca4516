import TarnColumns

/// A column of a file, or a part of one: what levels say of it, and what lies below.
struct SchemaNode: Sendable {
  var field: Field
  var shape: Shape
  /// The definition level from which the enclosing list has an element, and so this a cell.
  var cellDefinition: Int
  /// The repetition level of the enclosing list's elements.
  var cellRepetition: Int
  /// The definition level from which this is not null.
  var presentDefinition: Int

  indirect enum Shape: Sendable {
    case leaf(LeafColumn)
    case structure([SchemaNode])
    /// A list: from which levels it has an element, and what its elements are.
    case list(elementDefinition: Int, elementRepetition: Int, SchemaNode)
    case map(elementDefinition: Int, elementRepetition: Int, key: SchemaNode, value: SchemaNode)
  }

  /// The leaves below, in the file's order.
  var leaves: [LeafColumn] {
    switch shape {
    case .leaf(let leaf): [leaf]
    case .structure(let children): children.flatMap(\.leaves)
    case .list(_, _, let element): element.leaves
    case .map(_, _, let key, let value): key.leaves + value.leaves
    }
  }

  /// The leaf, where the column is one that stands alone.
  var flatLeaf: LeafColumn? {
    if case .leaf(let leaf) = shape { leaf } else { nil }
  }

  /// The part of the tree whose leaves a caller wants; nil where there is none.
  ///
  /// Structures lose fields; a map keeps its keys whatever is asked for.
  func pruned(_ wants: (LeafColumn) -> Bool) -> SchemaNode? {
    var node = self
    switch shape {
    case .leaf(let leaf): return wants(leaf) ? self : nil
    case .structure(let children):
      let kept = children.compactMap { $0.pruned(wants) }
      guard !kept.isEmpty else { return nil }
      node.shape = .structure(kept)
      node.field.type = .structure(kept.map(\.field))
    case .list(let definition, let repetition, let element):
      guard let kept = element.pruned(wants) else { return nil }
      node.shape = .list(elementDefinition: definition, elementRepetition: repetition, kept)
      node.field.type = .list(kept.field)
    case .map(let definition, let repetition, let key, let value):
      guard let kept = value.pruned(wants) else { return nil }
      node.shape = .map(
        elementDefinition: definition, elementRepetition: repetition, key: key, value: kept)
      node.field.type = .map(key: key.field, value: kept.field)
    }
    return node
  }
}
