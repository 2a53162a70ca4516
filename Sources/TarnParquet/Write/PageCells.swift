import TarnColumns

/// What a page of one leaf takes of a column: which values, and the levels of each cell.
///
/// A cell is a value, or a null or an empty list anywhere on the path to one. Levels are those of the
/// Parquet specification's "Nested Encoding", which is Dremel's.
struct PageCells {
  enum Levels {
    case constant(UInt32)
    case each([UInt32])
  }

  var rowCount: Int
  var count: Int
  /// The values that are there, as positions in the leaf's column.
  var values: ValueRows
  var definition = Levels.constant(0)
  var repetition: [UInt32] = []

  /// Rows of a column without parents.
  init(_ column: Column, _ rows: Range<Int>, isNullable: Bool) throws(FormatError) {
    rowCount = rows.count
    count = rows.count
    values = .range(rows)
    if isNullable { definition = .constant(1) }
    guard column.validity != nil else { return }
    var levels: [UInt32] = []
    var valid: [Int32] = []
    levels.reserveCapacity(rows.count)
    valid.reserveCapacity(rows.count)
    for row in rows {
      let isThere = !column.isNull(row)
      levels.append(isThere ? 1 : 0)
      if isThere { valid.append(Int32(truncatingIfNeeded: row)) }
    }
    guard valid.count < rows.count else { return }
    guard isNullable else { throw .outOfRange("a null in a column that was declared without nulls") }
    definition = valid.isEmpty ? .constant(0) : .each(levels)
    values = .chosen(valid)
  }

  fileprivate init(_ walk: CellWalk, rowCount: Int) {
    self.rowCount = rowCount
    count = walk.definition.count
    values = .chosen(walk.positions)
    definition = .each(walk.definition)
    repetition = walk.repetition
  }

  /// The cells of all leaves of a nested column, in the order of the schema, each with its column.
  static func ofLeaves(
    _ column: Column, _ field: Field, _ rows: Range<Int>
  ) throws(FormatError) -> [(Column, PageCells)] {
    var found: [(Column, PageCells)] = []
    let walk = CellWalk(
      definition: [UInt32](repeating: 0, count: rows.count), repetition: [],
      positions: rows.map { Int32(truncatingIfNeeded: $0) }, depth: 0, listDepth: 0)
    try walk.descend(column, field, isNullable: field.isNullable) { leaf, walk in
      found.append((leaf, PageCells(walk, rowCount: rows.count)))
    }
    return found
  }
}

/// The cells of a field on the way from the root to the leaves.
private struct CellWalk {
  var definition: [UInt32]
  /// Empty while no list has been passed.
  var repetition: [UInt32]
  /// Positions in the field's column of the cells whose definition is ``depth``; the others end above.
  var positions: [Int32]
  var depth: UInt32
  var listDepth: UInt32

  func descend(
    _ column: Column, _ field: Field, isNullable: Bool, _ visit: (Column, CellWalk) -> Void
  ) throws(FormatError) {
    var walk = self
    try walk.passNulls(column, isNullable: isNullable)
    switch (field.type, column.values) {
    case (.structure(let fields), .structure(let columns, _)):
      guard fields.count == columns.count else { throw Self.mismatch }
      for (child, column) in zip(fields, columns) {
        try walk.descend(column, child, isNullable: child.isNullable, visit)
      }
    case (.list(let element), .list(let offsets, let elements)):
      try walk.passList(offsets, elements.count)
      try walk.descend(elements, element, isNullable: element.isNullable, visit)
    case (.map(let key, let value), .map(let offsets, let keys, let values)):
      try walk.passList(offsets, min(keys.count, values.count))
      try walk.descend(keys, key, isNullable: false, visit)
      try walk.descend(values, value, isNullable: value.isNullable, visit)
    case (.structure, _), (.list, _), (.map, _): throw Self.mismatch
    default: visit(column, walk)
    }
  }

  private static var mismatch: FormatError { .malformed("a column has another layout than its type") }

  /// Ends the cells that are null here.
  private mutating func passNulls(_ column: Column, isNullable: Bool) throws(FormatError) {
    let hasNulls = column.validity != nil
    guard isNullable || hasNulls else { return }
    var alive = 0
    var kept = 0
    for cell in definition.indices where definition[cell] == depth {
      let position = positions[alive]
      alive += 1
      if hasNulls, column.isNull(Int(position)) {
        guard isNullable else { throw .outOfRange("a null in a field that was declared without nulls") }
        continue
      }
      if isNullable { definition[cell] = depth + 1 }
      positions[kept] = position
      kept += 1
    }
    positions.removeLast(positions.count - kept)
    if isNullable { depth += 1 }
  }

  /// Makes a cell of each element, and one of each empty list.
  private mutating func passList(_ offsets: [Int32], _ elements: Int) throws(FormatError) {
    var next = CellWalk(
      definition: [], repetition: [], positions: [], depth: depth + 1, listDepth: listDepth + 1)
    next.definition.reserveCapacity(definition.count * 2)
    next.repetition.reserveCapacity(definition.count * 2)
    var alive = 0
    for cell in definition.indices {
      next.repetition.append(repetition.isEmpty ? 0 : repetition[cell])
      guard definition[cell] == depth else {
        next.definition.append(definition[cell])
        continue
      }
      let position = Int(positions[alive])
      alive += 1
      guard position + 1 < offsets.count, offsets[position] >= 0,
        offsets[position] <= offsets[position + 1], Int(offsets[position + 1]) <= elements
      else { throw .malformed("the offsets of a list's elements do not fit") }
      let range = offsets[position]..<offsets[position + 1]
      next.definition.append(range.isEmpty ? depth : depth + 1)
      guard !range.isEmpty else { continue }
      next.definition.append(contentsOf: repeatElement(depth + 1, count: range.count - 1))
      next.repetition.append(contentsOf: repeatElement(listDepth + 1, count: range.count - 1))
      next.positions.append(contentsOf: range)
    }
    self = next
  }
}

extension Column {
  /// The entries of strings in a dictionary that is no larger than those that are written; nil for other columns.
  private var smallDictionary: ByteStrings? {
    guard case .dictionary(let strings) = values else { return nil }
    let entries = strings.entries.strings
    return entries.bytes.count <= DictionaryState.byteLimit ? entries : nil
  }

  /// About how many bytes rows take in pages at most.
  ///
  /// Pages that refer to a small dictionary, or repeat its entries, come to little more than these.
  func pageBytes(_ rows: Range<Int>) -> Int {
    smallDictionary.map { rows.count * 5 + $0.bytes.count } ?? plainBytes(rows)
  }

  /// About how many bytes rows add to others that wait for their page, which may have the dictionary already.
  func waitingBytes(_ rows: Range<Int>) -> Int {
    smallDictionary == nil ? plainBytes(rows) : rows.count * 5
  }

  /// About how many bytes rows take in PLAIN with their levels, found without a look at their bytes.
  func plainBytes(_ rows: Range<Int>) -> Int {
    func part(_ offsets: [Int32]) -> Range<Int> {
      guard rows.upperBound < offsets.count, offsets[rows.lowerBound] <= offsets[rows.upperBound] else {
        return 0..<0
      }
      return Int(offsets[rows.lowerBound])..<Int(offsets[rows.upperBound])
    }
    switch values {
    case .boolean: return rows.count
    case .int8, .int16, .int32, .float: return rows.count * 5
    case .int64, .double: return rows.count * 9
    case .decimal: return rows.count * 17
    case .bytes(let strings):
      guard !rows.isEmpty else { return 0 }
      return rows.count * 5 + strings.range(rows.upperBound - 1).upperBound
        - strings.range(rows.lowerBound).lowerBound
    case .dictionary(let strings):
      return rows.count * 5 + strings.plainByteCount(rows)
    case .list(let offsets, let elements): return rows.count * 2 + elements.plainBytes(part(offsets))
    case .map(let offsets, let keys, let values):
      return rows.count * 2 + keys.plainBytes(part(offsets)) + values.plainBytes(part(offsets))
    case .structure(let columns, _): return columns.reduce(rows.count) { $0 + $1.plainBytes(rows) }
    }
  }
}
