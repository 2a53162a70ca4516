import TarnColumns

extension LeafPiece {
  /// Where each row's entries and values begin, and at last where the last row's end.
  private func starts(_ leaf: LeafColumn) -> (entries: [Int], slots: [Int]) {
    var entries: [Int] = []
    var slots: [Int] = []
    entries.reserveCapacity(rows + 1)
    slots.reserveCapacity(rows + 1)
    var slot = 0
    for index in definitions.indices {
      if repetitions.isEmpty || repetitions[index] == 0 {
        entries.append(index)
        slots.append(slot)
      }
      if Int(definitions[index]) >= leaf.slotDefinition { slot += 1 }
    }
    entries.append(definitions.count)
    slots.append(slot)
    return (entries, slots)
  }

  /// Chosen rows in their order; each must be below ``rows``.
  func gathered(_ chosen: [Int], _ leaf: LeafColumn) throws(FormatProblem) -> LeafPiece {
    if leaf.isFlat {
      return LeafPiece(values: try gather(chosen.map { Int32(truncatingIfNeeded: $0) }), rows: chosen.count)
    }
    let (entries, slots) = starts(leaf)
    var valueRows: [Int32] = []
    var result = LeafPiece(values: values, rows: chosen.count)
    for row in chosen {
      let range = entries[row]..<entries[row + 1]
      result.definitions.append(contentsOf: definitions[range])
      if !repetitions.isEmpty { result.repetitions.append(contentsOf: repetitions[range]) }
      for slot in slots[row]..<slots[row + 1] { valueRows.append(Int32(truncatingIfNeeded: slot)) }
    }
    result.values = try gather(valueRows)
    return result
  }

  private func gather(_ rows: [Int32]) throws(FormatProblem) -> Column {
    do { return try values.gather(rows) } catch { throw .outOfRange(error.description) }
  }

  /// The first rows, and what is left.
  func split(_ count: Int, _ leaf: LeafColumn) -> (front: LeafPiece, rest: LeafPiece) {
    if leaf.isFlat {
      return (
        LeafPiece(values: values.slice(0..<count), rows: count),
        LeafPiece(values: values.slice(count..<rows), rows: rows - count)
      )
    }
    let (entries, slots) = starts(leaf)
    let entry = entries[count]
    let slot = slots[count]
    return (
      LeafPiece(
        values: values.slice(0..<slot), definitions: Array(definitions[..<entry]),
        repetitions: Array(repetitions.prefix(entry)), rows: count),
      LeafPiece(
        values: values.slice(slot..<values.count), definitions: Array(definitions[entry...]),
        repetitions: Array(repetitions.dropFirst(entry)), rows: rows - count)
    )
  }

  /// Pieces one after the other; the second may go on the first one's last row.
  static func joined(_ pieces: [LeafPiece], _ leaf: LeafColumn) throws(FormatProblem) -> LeafPiece {
    if pieces.count == 1 { return pieces[0] }
    do {
      return LeafPiece(
        values: try Column.concatenate(pieces.map(\.values), type: leaf.type),
        definitions: pieces.flatMap(\.definitions), repetitions: pieces.flatMap(\.repetitions),
        rows: pieces.reduce(0) { $0 + $1.rows })
    } catch {
      throw .outOfRange(error.description)
    }
  }
}
