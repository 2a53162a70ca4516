import TarnBytes

/// Strings of which many are equal: each a position among shared entries, as Parquet's dictionary pages have it.
public struct DictionaryStrings: Sendable {
  /// The position among the entries of each string; all lie among them.
  @inlinable public var indices: [UInt32] { positions }
  @usableFromInline var positions: [UInt32]
  /// The strings there are; columns with the same object share them, and equal positions are equal strings.
  public private(set) var entries: Entries

  /// Strings that columns share.
  public final class Entries: Sendable {
    /// The strings, which may repeat.
    public let strings: ByteStrings
    /// Bytes of the longest of them.
    public let greatestLength: Int

    /// Makes entries that columns may share.
    public init(_ strings: ByteStrings) {
      self.strings = strings
      var greatest = 0
      for index in 0..<strings.count { greatest = max(greatest, strings.length(index)) }
      greatestLength = greatest
    }
  }

  /// Makes strings of their parts.
  ///
  /// - Throws: ``ColumnError`` where a position does not lie among the entries.
  public init(indices: [UInt32], entries: Entries) throws(ColumnError) {
    let greatest = indices.reduce(0) { max($0, $1) }
    guard indices.isEmpty || Int(greatest) < entries.strings.count else {
      throw ColumnError.malformed(
        "position \(greatest) among \(entries.strings.count) entries of a dictionary")
    }
    positions = indices
    self.entries = entries
  }

  init(unchecked indices: [UInt32], _ entries: Entries) {
    positions = indices
    self.entries = entries
  }

  /// A range of the strings, which share the entries.
  func part(_ rows: Range<Int>) -> DictionaryStrings {
    DictionaryStrings(unchecked: Array(positions[rows]), entries)
  }

  /// Chosen ones of the strings, which share the entries.
  func gathered(_ rows: [Int32]) -> DictionaryStrings {
    DictionaryStrings(unchecked: rows.map { positions[Int($0)] }, entries)
  }

  /// Number of strings.
  public var count: Int { indices.count }

  /// The position of a string among the entries; the index must be below ``count``.
  @inlinable
  public func position(_ index: Int) -> Int { Int(indices[index]) }

  /// The same strings end to end, as columns have them otherwise.
  ///
  /// - Throws: ``ColumnError`` where they would pass 2 GiB.
  public func plain() throws(ColumnError) -> ByteStrings { try plain(0..<count) }

  /// The bytes that a range of the strings takes end to end.
  public func plainByteCount(_ rows: Range<Int>) -> Int {
    let strings = entries.strings
    var total = 0
    for position in positions[rows] { total &+= strings.length(Int(position)) }
    return total
  }

  /// Whether a range of the strings takes at most so many bytes end to end.
  public func isAtMost(_ bytes: Int, _ rows: Range<Int>) -> Bool {
    let (most, overflow) = rows.count.multipliedReportingOverflow(by: entries.greatestLength)
    return !overflow && most <= bytes || plainByteCount(rows) <= bytes
  }

  /// A range of the strings end to end.
  ///
  /// - Throws: ``ColumnError`` where they would pass 2 GiB.
  func plain(_ rows: Range<Int>) throws(ColumnError) -> ByteStrings {
    var strings = ByteStrings()
    try strings.append(entries.strings, positions: positions.span.extracting(rows))
    return strings
  }
}

extension Column {
  /// A column that repeats the first of some entries, of which there must be one.
  public init(repeating entries: DictionaryStrings.Entries, count: Int) {
    precondition(entries.strings.count > 0, "there is no entry to repeat")
    self.init(
      unchecked: .string,
      .dictionary(DictionaryStrings(unchecked: [UInt32](repeating: 0, count: count), entries)), nil)
  }

  /// The column with its strings, and those within it, end to end rather than as positions in a dictionary.
  ///
  /// - Throws: ``ColumnError`` where strings would pass 2 GiB.
  public func plain() throws(ColumnError) -> Column {
    var column = self
    switch values {
    case .dictionary(let strings): column.values = .bytes(try strings.plain())
    case .list(let offsets, let elements):
      column.values = .list(offsets: offsets, elements: try elements.plain())
    case .map(let offsets, let keys, let items):
      column.values = .map(offsets: offsets, keys: try keys.plain(), values: try items.plain())
    case .structure(let columns, let count):
      var plain: [Column] = []
      for column in columns { plain.append(try column.plain()) }
      column.values = .structure(plain, count: count)
    default: break
    }
    return column
  }

  /// The column with strings end to end where these take no more room than the dictionary in which they are.
  ///
  /// - Throws: ``ColumnError`` where strings would pass 2 GiB.
  public func withoutNeedlessDictionary() throws(ColumnError) -> Column {
    guard case .dictionary(let strings) = values,
      strings.isAtMost(2 * strings.entries.strings.bytes.count, 0..<strings.count)
    else { return self }
    return try plain()
  }

  /// A part of strings that keep their dictionary; nil for other columns.
  func dictionarySlice(_ rows: Range<Int>) -> Column? {
    guard case .dictionary(var strings) = values else { return nil }
    strings.positions = Array(strings.positions[rows])
    var bits: Bitmap?
    if let validity {
      var part = Bitmap()
      part.append(validity, rows)
      bits = part.isAllSet ? nil : part
    }
    return Column(unchecked: type, .dictionary(strings), bits)
  }

  /// Chosen strings that keep their dictionary; nil for other columns.
  func dictionaryGather(_ rows: [Int32]) -> Column? {
    guard case .dictionary(var strings) = values else { return nil }
    let all = strings.indices
    strings.positions = rows.map { all[Int($0)] }
    var bits: Bitmap?
    if let validity {
      var part = Bitmap()
      for row in rows { part.append(validity[Int(row)]) }
      bits = part.isAllSet ? nil : part
    }
    return Column(unchecked: type, .dictionary(strings), bits)
  }

  /// Columns that share one dictionary, one after the other; nil for others.
  static func dictionaryConcatenate(_ columns: [Column], type: DataType) -> Column? {
    guard let first = columns.first, case .dictionary(var joined) = first.values, first.type == type else {
      return nil
    }
    var bits = columns.contains { $0.validity != nil } ? Bitmap() : nil
    joined.positions = []
    for column in columns {
      guard case .dictionary(let strings) = column.values, column.type == type,
        strings.entries === joined.entries
      else { return nil }
      joined.positions += strings.positions
      if let validity = column.validity {
        bits?.append(validity, 0..<validity.count)
      } else {
        bits?.append(repeating: true, count: column.count)
      }
    }
    return Column(unchecked: type, .dictionary(joined), bits)
  }
}

extension RecordBatch {
  /// The batch with all strings end to end rather than as positions in dictionaries.
  ///
  /// - Throws: ``ColumnError`` where strings of a column would pass 2 GiB.
  public func plain() throws(ColumnError) -> RecordBatch {
    var batch = self
    for index in columns.indices { batch.columns[index] = try columns[index].plain() }
    return batch
  }
}
