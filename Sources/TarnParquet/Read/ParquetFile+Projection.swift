import TarnColumns

extension ParquetFile {
  /// The same file with a narrower schema: only these columns, and of structures only these fields.
  ///
  /// Columns and fields keep the file's order. Elements of lists and values of maps are stepped over: the field
  /// `n` of structures in the list `legs` is `legs.n`. A map keeps its keys.
  ///
  /// - Parameter paths: Names of columns, or of fields within them, joined by points.
  /// - Throws: ``ParquetError`` where there is no such column or field, or it cannot be read.
  public func selecting(_ paths: [String]) throws(ParquetError) -> ParquetFile {
    var wanted: Set<Int> = []
    for path in paths {
      let found = nodes.flatMap { $0.chunks(at: path, below: "") }
      if found.isEmpty {
        // Names the column that cannot be read, or says that there is none.
        _ = try columnIndex(path)
      }
      wanted.formUnion(found)
    }
    return ParquetFile(self, nodes: nodes.compactMap { node in node.pruned { wanted.contains($0.chunk) } })
  }
}

extension SchemaNode {
  /// The chunks of all leaves of the node that a path names, or of the part of it that the path names.
  fileprivate func chunks(at path: String, below prefix: String) -> [Int] {
    let name = prefix + field.name
    if name == path { return leaves.map(\.chunk) }
    return inner(at: path, below: name + ".")
  }

  /// The same for what is within, whose names follow the prefix.
  private func inner(at path: String, below prefix: String) -> [Int] {
    guard path.hasPrefix(prefix) else { return [] }
    switch shape {
    case .leaf: return []
    case .structure(let children): return children.flatMap { $0.chunks(at: path, below: prefix) }
    case .list(_, _, let element): return element.inner(at: path, below: prefix)
    case .map(_, _, _, let value): return value.inner(at: path, below: prefix)
    }
  }
}
