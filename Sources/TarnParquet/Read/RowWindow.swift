import TarnColumns

/// A leaf's piece with the places of its rows, so that parts of it are taken without going through it all.
struct RowWindow: Sendable {
  let piece: LeafValues
  private let leaf: LeafColumn
  /// Where each row's entries and values begin, and at last where the last row's end; empty for a flat leaf.
  private var entries: [Int] = []
  private var cells: [Int] = []

  init(_ piece: LeafValues, _ leaf: LeafColumn) {
    self.piece = piece
    self.leaf = leaf
    guard !leaf.isFlat else { return }
    entries.reserveCapacity(piece.rows + 1)
    cells.reserveCapacity(piece.rows + 1)
    var cell = 0
    for index in piece.definitions.indices {
      if piece.repetitions.isEmpty || piece.repetitions[index] == 0 {
        entries.append(index)
        cells.append(cell)
      }
      if Int(piece.definitions[index]) >= leaf.cellDefinition { cell += 1 }
    }
    entries.append(piece.definitions.count)
    cells.append(cell)
  }

  /// A range of rows.
  func slice(_ rows: Range<Int>) -> LeafValues {
    if rows == 0..<piece.rows { return piece }
    if leaf.isFlat { return LeafValues(values: piece.values.slice(rows), rows: rows.count) }
    let range = entries[rows.lowerBound]..<entries[rows.upperBound]
    return LeafValues(
      values: piece.values.slice(cells[rows.lowerBound]..<cells[rows.upperBound]),
      definitions: Array(piece.definitions[range]),
      repetitions: piece.repetitions.isEmpty ? [] : Array(piece.repetitions[range]), rows: rows.count)
  }

  /// Chosen rows in their order; each must be below the piece's number of rows.
  func gathered(_ chosen: [Int]) throws(FormatError) -> LeafValues {
    var result = LeafValues(values: piece.values, rows: chosen.count)
    var valueRows: [Int32] = []
    for row in chosen {
      guard !leaf.isFlat else {
        valueRows.append(Int32(truncatingIfNeeded: row))
        continue
      }
      let range = entries[row]..<entries[row + 1]
      result.definitions.append(contentsOf: piece.definitions[range])
      if !piece.repetitions.isEmpty { result.repetitions.append(contentsOf: piece.repetitions[range]) }
      for cell in cells[row]..<cells[row + 1] { valueRows.append(Int32(truncatingIfNeeded: cell)) }
    }
    do {
      result.values = try piece.values.gather(valueRows)
    } catch { throw .outOfRange(error.description) }
    return result
  }
}

extension LeafValues {
  /// Pieces one after the other; the second may go on the first one's last row.
  static func joined(_ pieces: [LeafValues], _ leaf: LeafColumn) throws(FormatError) -> LeafValues {
    if pieces.count == 1 { return pieces[0] }
    do {
      return LeafValues(
        values: try Column.concatenate(pieces.map(\.values), type: leaf.type),
        definitions: pieces.flatMap(\.definitions), repetitions: pieces.flatMap(\.repetitions),
        rows: pieces.reduce(0) { $0 + $1.rows })
    } catch {
      throw .outOfRange(error.description)
    }
  }
}
