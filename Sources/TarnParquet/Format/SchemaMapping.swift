import TarnColumns

/// What of a file's schema can be read.
struct SchemaMapping: Sendable {
  var columns: [SchemaNode] = []
  /// Names of columns that cannot be read, with reasons.
  var unreadable: [String: String] = [:]
  /// Names of columns of the null type.
  var untyped: Set<String> = []
  /// Number of chunks that each row group must have.
  var chunkCount = 0

  /// Maps the stored tree.
  ///
  /// - Parameter hasOrderOfType: For each chunk whether the file says that bounds follow the order of its type.
  init(_ elements: [SchemaElement], hasOrderOfType: [Bool]) throws(FormatError) {
    guard let root = elements.first, let children = root.childCount else {
      throw .malformed("the schema has no root")
    }
    var position = 1
    var names: Set<String> = []
    for _ in 0..<children {
      var leafCount = chunkCount
      let tree = try StoredNode(elements, &position, &leafCount, depth: 0)
      let name = tree.element.name
      if !names.insert(name).inserted {
        unreadable[name] = "several columns have this name"
      } else {
        do throws(UnreadableError) {
          columns.append(try SchemaTreeBuilder(hasOrderOfType: hasOrderOfType).column(tree))
        } catch {
          unreadable[name] = error.text
        }
      }
      if !tree.isGroup, tree.element.effectiveLogical == .unknown { untyped.insert(name) }
      chunkCount = leafCount
    }
    guard position == elements.count else { throw StoredNode.damaged }
    columns.removeAll { unreadable[$0.field.name] != nil }
  }

  /// Leaves out columns that cannot be read in some row group, each of which has a chunk for every leaf.
  mutating func leaveOutUnreadable(_ groups: [RowGroupMetadata]) {
    columns.removeAll { column in
      let leaves = column.leaves
      for group in groups {
        for leaf in leaves {
          guard let reason = group.columns[leaf.chunk].unreadable else { continue }
          unreadable[column.field.name] = reason
          return true
        }
      }
      return false
    }
  }
}

/// A node of the schema as stored, with its children.
struct StoredNode {
  var element: SchemaElement
  var children: [StoredNode] = []
  /// Position among the chunks, of a leaf.
  var chunk = 0

  static var damaged: FormatError { .malformed("the schema's tree does not fit its elements") }
  /// Levels are kept in a byte each, and each node adds two at most.
  static let greatestDepth = 100

  /// Takes a node and all below it from the list of elements, which is depth first.
  init(
    _ elements: [SchemaElement], _ position: inout Int, _ leaves: inout Int, depth: Int
  ) throws(FormatError) {
    guard position < elements.count else { throw Self.damaged }
    guard depth < Self.greatestDepth else {
      throw .unsupported("the schema is nested more than \(Self.greatestDepth) deep")
    }
    element = elements[position]
    position += 1
    let count = element.childCount ?? 0
    if count == 0 {
      chunk = leaves
      // A group without fields has no chunk.
      if element.physical != nil || element.childCount == nil { leaves += 1 }
    }
    guard count <= elements.count - position else { throw Self.damaged }
    for _ in 0..<count {
      children.append(try StoredNode(elements, &position, &leaves, depth: depth + 1))
    }
  }

  var isGroup: Bool { element.physical == nil }
  var isRepeated: Bool { element.repetition == .repeated }
}

/// Makes columns of stored nodes by the rules of `LogicalTypes.md`, those for older writers included.
struct SchemaTreeBuilder {
  /// For each chunk whether the file says that bounds follow the order of its type.
  let hasOrderOfType: [Bool]

  /// Levels and names above a node.
  private struct Levels {
    var path: [String] = []
    var definition = 0
    var cellDefinition = 0
    var cellRepetition = 0
  }

  func column(_ node: StoredNode) throws(UnreadableError) -> SchemaNode { try field(node, Levels()) }

  /// A node where any repetition may stand.
  private func field(_ node: StoredNode, _ levels: Levels) throws(UnreadableError) -> SchemaNode {
    guard node.isRepeated else {
      return try value(node, levels, isNullable: node.element.repetition == .optional)
    }
    // A repeated field that no list or map explains is a list itself, and neither it nor its elements are null.
    let inner = entered(node, levels)
    let element = try value(node, inner, isNullable: false, isEntered: true)
    return list(node.element.name, element, levels, inner, present: levels.definition, isNullable: false)
  }

  /// The levels of a repeated node's own content.
  private func entered(_ node: StoredNode, _ levels: Levels) -> Levels {
    var inner = levels
    inner.path.append(node.element.name)
    inner.definition += 1
    inner.cellDefinition = inner.definition
    inner.cellRepetition += 1
    return inner
  }

  private func list(
    _ name: String, _ element: SchemaNode, _ levels: Levels, _ inner: Levels, present: Int, isNullable: Bool
  ) -> SchemaNode {
    var element = element
    element.field.name = "element"
    return SchemaNode(
      field: Field(name, .list(element.field), isNullable: isNullable),
      shape: .list(
        elementDefinition: inner.cellDefinition, elementRepetition: inner.cellRepetition, element),
      cellDefinition: levels.cellDefinition, cellRepetition: levels.cellRepetition, presentDefinition: present
    )
  }

  /// What a node means, its own repetition aside.
  private func value(
    _ node: StoredNode, _ outer: Levels, isNullable: Bool, isEntered: Bool = false
  ) throws(UnreadableError) -> SchemaNode {
    var levels = outer
    if !isEntered { levels.path.append(node.element.name) }
    if isNullable { levels.definition += 1 }
    guard node.isGroup else { return try leaf(node, levels, isNullable) }
    switch node.element.effectiveLogical {
    case .list: return try annotatedList(node, levels, isNullable)
    case .map: return try map(node, levels, isNullable)
    default: return try structure(node, levels, isNullable)
    }
  }

  private func leaf(
    _ node: StoredNode, _ levels: Levels, _ isNullable: Bool
  ) throws(UnreadableError) -> SchemaNode {
    guard let physical = node.element.physical else { throw UnreadableError(text: "it has no physical type") }
    let length = node.element.byteLength ?? 0
    guard physical != .fixedByteArray || length > 0 && length <= Int(Int32.max) else {
      throw UnreadableError(text: "its values have no length")
    }
    let (type, conversion) = try node.element.meaning()
    let leaf = LeafColumn(
      path: levels.path, type: type, chunk: node.chunk, physical: physical, byteLength: length,
      conversion: conversion, order: node.element.order,
      hasOrderOfType: node.chunk < hasOrderOfType.count && hasOrderOfType[node.chunk],
      greatestDefinition: levels.definition, greatestRepetition: levels.cellRepetition,
      cellDefinition: levels.cellDefinition)
    return SchemaNode(
      field: Field(node.element.name, type, isNullable: isNullable), shape: .leaf(leaf),
      cellDefinition: levels.cellDefinition, cellRepetition: levels.cellRepetition,
      presentDefinition: levels.definition)
  }

  private func structure(
    _ node: StoredNode, _ levels: Levels, _ isNullable: Bool
  ) throws(UnreadableError) -> SchemaNode {
    guard !node.children.isEmpty else { throw UnreadableError(text: "it is a group without fields") }
    var fields: [SchemaNode] = []
    var names: Set<String> = []
    for child in node.children {
      guard names.insert(child.element.name).inserted else {
        throw UnreadableError(text: "several of its fields are called \(child.element.name)")
      }
      fields.append(try field(child, levels))
    }
    return SchemaNode(
      field: Field(node.element.name, .structure(fields.map(\.field)), isNullable: isNullable),
      shape: .structure(fields), cellDefinition: levels.cellDefinition,
      cellRepetition: levels.cellRepetition, presentDefinition: levels.definition)
  }

  private func annotatedList(
    _ node: StoredNode, _ levels: Levels, _ isNullable: Bool
  ) throws(UnreadableError) -> SchemaNode {
    guard node.children.count == 1, let repeated = node.children.first, repeated.isRepeated else {
      throw UnreadableError(text: "a list must hold one repeated field, and nothing else")
    }
    let inner = entered(repeated, levels)
    let element: SchemaNode
    if isElement(repeated, of: node) {
      element = try value(repeated, inner, isNullable: false, isEntered: true)
    } else {
      element = try field(repeated.children[0], inner)
    }
    return list(
      node.element.name, element, levels, inner, present: levels.definition, isNullable: isNullable)
  }

  /// Whether the repeated field of a list is its element, as older writers have it, rather than a group
  /// around the element: the backward-compatibility rules 1 to 4.
  private func isElement(_ repeated: StoredNode, of list: StoredNode) -> Bool {
    guard repeated.isGroup, repeated.children.count == 1 else { return true }
    return repeated.children[0].isRepeated || repeated.element.name == "array"
      || repeated.element.name == list.element.name + "_tuple"
  }

  private func map(
    _ node: StoredNode, _ levels: Levels, _ isNullable: Bool
  ) throws(UnreadableError) -> SchemaNode {
    guard node.children.count == 1, let entries = node.children.first, entries.isRepeated, entries.isGroup,
      (1...2).contains(entries.children.count)
    else { throw UnreadableError(text: "a map must hold one repeated group of a key and a value") }
    let inner = entered(entries, levels)
    var key = try field(entries.children[0], inner)
    guard entries.children.count == 2 else {
      // Keys alone are a set.
      return list(
        node.element.name, key, levels, inner, present: levels.definition, isNullable: isNullable)
    }
    var item = try field(entries.children[1], inner)
    key.field.name = "key"
    item.field.name = "value"
    return SchemaNode(
      field: Field(node.element.name, .map(key: key.field, value: item.field), isNullable: isNullable),
      shape: .map(
        elementDefinition: inner.cellDefinition, elementRepetition: inner.cellRepetition, key: key,
        value: item),
      cellDefinition: levels.cellDefinition, cellRepetition: levels.cellRepetition,
      presentDefinition: levels.definition)
  }
}
