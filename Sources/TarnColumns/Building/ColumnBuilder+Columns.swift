/// How a column is built of parts of others.
extension ColumnBuilder {
  /// Bytes of strings in dictionaries up to which they are put behind others as these are.
  private static let mostWrittenOut = 1 << 20

  static let mismatch = ColumnError.malformed("columns of one type differ in layout")

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
    if column.type.isNested {
      try nested?.append(column.values, rows)
    } else {
      try extend(with: column.values, rows)
    }
    note(column.validity, rows)
  }

  /// Appends chosen rows of another column of the same type; each must be below its count.
  ///
  /// - Throws: ``ColumnError`` where the type differs, or the column would pass 2 GiB.
  public mutating func append(_ column: Column, rows: [Int32]) throws(ColumnError) {
    try check(column)
    guard !rows.isEmpty else { return }
    guard column.type.isNested else {
      goOnWithin()
      try extend(with: column.values, rows)
      return note(column.validity, rows)
    }
    // Rows that follow one another go as one, so that few chosen out of many cost no more than all.
    var start = 0
    for index in rows.indices
    where index + 1 == rows.count || Int(rows[index + 1]) != Int(rows[index]) + 1 {
      try append(column, Int(rows[start])..<Int(rows[index]) + 1)
      start = index + 1
    }
  }

  /// Takes note of rows that were appended.
  private mutating func note<Rows: RowChoice>(_ theirs: Bitmap?, _ rows: Rows) {
    if let theirs {
      var bits = validity.take() ?? Bitmap(repeating: true, count: length)
      rows.append(theirs, to: &bits)
      validity = bits
    } else {
      validity?.append(repeating: true, count: rows.count)
    }
    length += rows.count
  }

  /// Appends values that hold no others.
  private mutating func extend<Rows: RowChoice>(
    with theirs: Column.Values, _ rows: Rows
  ) throws(ColumnError) {
    switch theirs {
    case .boolean(let other):
      guard case .boolean(var bits) = values else { throw Self.mismatch }
      values = Self.taken
      rows.append(other, to: &bits)
      values = .boolean(bits)
    case .int8(let other): try extend(with: other, rows)
    case .int16(let other): try extend(with: other, rows)
    case .int32(let other): try extend(with: other, rows)
    case .int64(let other): try extend(with: other, rows)
    case .float(let other): try extend(with: other, rows)
    case .double(let other): try extend(with: other, rows)
    case .decimal(let other): try extend(with: other, rows)
    case .bytes(let other):
      guard dictionary == nil else {
        try dictionary?.append(other, rows)
        return
      }
      try extendStrings { strings throws(ColumnError) in try rows.append(other, to: &strings) }
    case .dictionary(let other):
      guard !writesOut(other, rows) else {
        return try extendStrings { strings throws(ColumnError) in try rows.append(other, to: &strings) }
      }
      if length == 0 {
        values = Self.taken
        dictionary = DictionaryBuilder(other.part(rows))
      } else {
        try dictionary?.append(other, rows)
      }
    case .list, .map, .structure: throw Self.mismatch
    }
  }

  /// Appends values of one size.
  ///
  /// The list is taken out of its place before it grows, since one that is held twice is copied whole each time.
  private mutating func extend<Value: FixedSizeValue, Rows: RowChoice>(
    with other: [Value], _ rows: Rows
  ) throws(ColumnError) {
    guard var list = Value.columnValues(in: values) else { throw Self.mismatch }
    values = Self.taken
    rows.append(other, to: &list)
    values = Value.columnValues(list)
  }

  /// Appends strings end to end, which are taken out of their place likewise.
  private mutating func extendStrings(
    _ body: (inout ByteStrings) throws(ColumnError) -> Void
  ) throws(ColumnError) {
    guard case .bytes(var strings) = values else { throw Self.mismatch }
    values = Self.taken
    defer { values = .bytes(strings) }
    try body(&strings)
  }

  /// Whether strings of a dictionary are put end to end: a few behind others, or at first fewer than the dictionary
  /// has.
  private mutating func writesOut<Rows: RowChoice>(_ theirs: DictionaryStrings, _ rows: Rows) -> Bool {
    guard dictionary == nil, case .bytes(let strings) = values else { return false }
    let entries = theirs.entries.strings.bytes.count
    guard length > 0 || entries > DictionaryBuilder.smallBytes else { return false }
    let bytes = rows.plainByteCount(theirs)
    if length == 0 {
      guard bytes <= min(entries, Self.mostWrittenOut) else { return false }
      writtenOut = bytes
      return true
    }
    writtenOut += bytes
    if writtenOut <= Self.mostWrittenOut { return true }
    values = Self.taken
    dictionary = DictionaryBuilder(plain: strings)
    return false
  }

  /// About how many bytes the strings take that are held.
  package var stringByteCount: Int {
    if let dictionary { return dictionary.byteCount }
    return switch values {
    case .bytes(let strings): strings.bytes.count
    case .dictionary(let strings): strings.entries.strings.bytes.count
    default: 0
    }
  }
}
