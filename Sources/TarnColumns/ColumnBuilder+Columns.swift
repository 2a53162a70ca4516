import TarnBytes

/// How a column is built of parts of others.
extension ColumnBuilder {
  /// Bytes of strings in dictionaries up to which they are put behind others as these are.
  private static let mostWrittenOut = 1 << 20

  private func check(_ column: Column) throws(ColumnError) {
    guard column.type == type else {
      throw ColumnError.typeMismatch(expected: type.name, found: column.type.name)
    }
  }

  /// Appends a range of another column of the same type.
  ///
  /// - Throws: ``ColumnError`` where the type differs, or the column would pass 2 GiB.
  public mutating func append(_ column: Column, _ rows: Range<Int>) throws(ColumnError) {
    try check(column)
    guard !rows.isEmpty else { return }
    goOnWithin()
    switch column.values {
    case .list, .map, .structure: try nested?.append(column.values, rows)
    case .dictionary(let theirs) where !writesOut(theirs, { theirs.plainByteCount(rows) }):
      if length == 0 {
        values = Self.taken
        dictionary = DictionaryBuilder(theirs.part(rows))
      } else {
        try dictionary?.append(theirs, rows)
      }
    case .bytes(let theirs) where dictionary != nil: try dictionary?.append(theirs, rows)
    default: try Self.join(&values, column.values, rows)
    }
    if let theirs = column.validity {
      if validity == nil { validity = Bitmap(repeating: true, count: length) }
      validity?.append(theirs, rows)
    } else {
      validity?.append(repeating: true, count: rows.count)
    }
    length += rows.count
  }

  /// Whether strings of a dictionary, which take so many bytes, are put end to end: a few behind others, or at first
  /// fewer than the dictionary has.
  private mutating func writesOut(_ theirs: DictionaryStrings, _ count: () -> Int) -> Bool {
    guard dictionary == nil, case .bytes(let strings) = values else { return false }
    let entries = theirs.entries.strings.bytes.count
    guard length > 0 || entries > DictionaryBuilder.smallBytes else { return false }
    if length == 0 {
      let bytes = count()
      guard bytes <= min(entries, Self.mostWrittenOut) else { return false }
      writtenOut = bytes
      return true
    }
    writtenOut += count()
    if writtenOut <= Self.mostWrittenOut { return true }
    values = Self.taken
    dictionary = DictionaryBuilder(plain: strings)
    return false
  }

  /// About how many bytes the strings take that are held.
  public var stringByteCount: Int {
    if let dictionary { return dictionary.byteCount }
    return switch values {
    case .bytes(let strings): strings.bytes.count
    case .dictionary(let strings): strings.entries.strings.bytes.count
    default: 0
    }
  }

  static let mismatch = ColumnError.malformed("columns of one type differ in layout")

  /// Appends values to others of the same layout.
  ///
  /// A list is taken out of its place before it grows, since one that is held twice is copied whole each time.
  private static func join(
    _ mine: inout Column.Values, _ theirs: Column.Values, _ rows: Range<Int>
  ) throws(ColumnError) {
    switch theirs {
    case .boolean(let other):
      guard case .boolean(var bits) = mine else { throw mismatch }
      mine = taken
      bits.append(other, rows)
      mine = .boolean(bits)
    case .int8(let other):
      guard case .int8(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int8(list)
    case .int16(let other):
      guard case .int16(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int16(list)
    case .int32(let other):
      guard case .int32(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int32(list)
    case .int64(let other):
      guard case .int64(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int64(list)
    case .float(let other):
      guard case .float(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .float(list)
    case .double(let other):
      guard case .double(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .double(list)
    case .decimal(let other):
      guard case .decimal(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .decimal(list)
    case .bytes(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      try strings.append(other, rows)
      mine = .bytes(strings)
    case .dictionary(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      try strings.append(other.entries.strings, positions: other.positions.span.extracting(rows))
      mine = .bytes(strings)
    case .list, .map, .structure: throw mismatch
    }
  }

  /// Appends chosen rows of another column of the same type; each must be below its count.
  ///
  /// - Throws: ``ColumnError`` where the type differs, or the column would pass 2 GiB.
  public mutating func append(_ column: Column, rows: [Int32]) throws(ColumnError) {
    try check(column)
    guard !rows.isEmpty else { return }
    if column.type.isNested {
      // Rows that follow one another go as one, so that few chosen out of many cost no more than all.
      var start = 0
      for index in rows.indices
      where index + 1 == rows.count || Int(rows[index + 1]) != Int(rows[index]) + 1 {
        try append(column, Int(rows[start])..<Int(rows[index]) + 1)
        start = index + 1
      }
      return
    }
    goOnWithin()
    switch column.values {
    case .dictionary(let theirs)
    where !writesOut(
      theirs,
      {
        rows.reduce(0) { $0 + theirs.entries.strings.length(theirs.position(Int($1))) }
      }):
      if length == 0 {
        values = Self.taken
        dictionary = DictionaryBuilder(theirs.gathered(rows))
      } else {
        try dictionary?.append(theirs, rows: rows)
      }
    case .bytes(let theirs) where dictionary != nil: try dictionary?.append(theirs, rows: rows)
    default: try Self.gather(&values, column.values, rows)
    }
    if let theirs = column.validity {
      if validity == nil { validity = Bitmap(repeating: true, count: length) }
      for row in rows { validity?.append(theirs[Int(row)]) }
    } else {
      validity?.append(repeating: true, count: rows.count)
    }
    length += rows.count
  }

  /// Appends chosen values to others of the same layout, taken out of their place as in ``join(_:_:_:)``.
  private static func gather(
    _ mine: inout Column.Values, _ theirs: Column.Values, _ rows: [Int32]
  ) throws(ColumnError) {
    switch theirs {
    case .boolean(let other):
      guard case .boolean(var bits) = mine else { throw mismatch }
      mine = taken
      for row in rows { bits.append(other[Int(row)]) }
      mine = .boolean(bits)
    case .int8(let other):
      guard case .int8(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int8(list)
    case .int16(let other):
      guard case .int16(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int16(list)
    case .int32(let other):
      guard case .int32(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int32(list)
    case .int64(let other):
      guard case .int64(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int64(list)
    case .float(let other):
      guard case .float(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .float(list)
    case .double(let other):
      guard case .double(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .double(list)
    case .decimal(let other):
      guard case .decimal(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .decimal(list)
    case .bytes(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      try strings.append(other, rows: rows.span)
      mine = .bytes(strings)
    case .dictionary(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      let positions = rows.map { Int32(bitPattern: other.indices[Int($0)]) }
      try strings.append(other.entries.strings, rows: positions.span)
      mine = .bytes(strings)
    case .list, .map, .structure: throw mismatch
    }
  }

  private static func pick<T>(_ list: inout [T], _ other: [T], _ rows: [Int32]) {
    // Asked for at every run, room would be made anew at every run.
    if list.isEmpty { list.reserveCapacity(rows.count) }
    for row in rows { list.append(other[Int(row)]) }
  }
}
