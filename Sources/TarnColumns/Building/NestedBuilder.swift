/// The columns within a list, map or structure, gone on with until the whole is done.
///
/// They stay builders from one append to the next: what is in dictionaries is put together once, in the end.
struct NestedBuilder: Sendable {
  /// What holds the columns.
  private enum Shape {
    case list, map, structure
  }

  private let shape: Shape
  /// Where the elements of each list or map begin, and the last ones end.
  private var offsets: [Int32] = []
  /// Elements; keys and values; or the fields.
  private var columns: [ColumnBuilder]
  /// Number of structures.
  private var count = 0

  /// Goes on with nested values; nil for others.
  init?(_ values: Column.Values) {
    switch values {
    case .list(let offsets, let elements):
      (shape, self.offsets, columns) = (.list, offsets, [ColumnBuilder(elements)])
    case .map(let offsets, let keys, let items):
      (shape, self.offsets, columns) = (.map, offsets, [ColumnBuilder(keys), ColumnBuilder(items)])
    case .structure(let fields, let count):
      (shape, self.count, columns) = (.structure, count, fields.map { ColumnBuilder($0) })
    default: return nil
    }
  }

  /// Appends nulls: lists and maps without elements, structures of nulls.
  mutating func appendNulls(_ added: Int) {
    guard case .structure = shape else {
      let end = offsets.last ?? 0
      return offsets.append(contentsOf: repeatElement(end, count: added))
    }
    for index in columns.indices { columns[index].appendNulls(added) }
    count += added
  }

  /// Appends a range of other values of the same type.
  ///
  /// - Throws: ``ColumnError`` where they have another layout, or a column would pass 2 GiB.
  mutating func append(_ values: Column.Values, _ rows: Range<Int>) throws(ColumnError) {
    switch (shape, values) {
    case (.list, .list(let theirs, let elements)):
      let part = try append(theirs, rows)
      try columns[0].append(elements, part)
    case (.map, .map(let theirs, let keys, let items)):
      let part = try append(theirs, rows)
      try columns[0].append(keys, part)
      try columns[1].append(items, part)
    case (.structure, .structure(let fields, _)) where fields.count == columns.count:
      for (index, field) in fields.enumerated() { try columns[index].append(field, rows) }
      count += rows.count
    default: throw ColumnBuilder.mismatch
    }
  }

  /// Appends where others' elements will end; gives which of these are to be appended.
  private mutating func append(_ theirs: [Int32], _ rows: Range<Int>) throws(ColumnError) -> Range<Int> {
    let part = Int(theirs[rows.lowerBound])..<Int(theirs[rows.upperBound])
    let held = columns[0].count
    guard held + part.count <= Int(Int32.max) else { throw ColumnError.tooLarge }
    for row in rows { offsets.append(Int32(Int(theirs[row + 1]) - part.lowerBound + held)) }
    return part
  }

  /// The values.
  consuming func finish() -> Column.Values {
    let finished = columns.map { $0.finish() }
    return switch shape {
    case .list: .list(offsets: offsets, elements: finished[0])
    case .map: .map(offsets: offsets, keys: finished[0], values: finished[1])
    case .structure: .structure(finished, count: count)
    }
  }
}
