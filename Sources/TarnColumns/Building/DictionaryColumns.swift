extension DictionaryStrings {
  /// Some of the strings, which share the entries.
  func part<Rows: RowChoice>(_ rows: Rows) -> DictionaryStrings {
    var part: [UInt32] = []
    rows.append(positions: positions, raisedBy: 0, to: &part)
    return DictionaryStrings(unchecked: part, entries)
  }
}

extension Column {
  /// A column that repeats the first of some entries, of which there must be one.
  package init(repeating entries: DictionaryStrings.Entries, count: Int) {
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
  package func withoutNeedlessDictionary() throws(ColumnError) -> Column {
    guard case .dictionary(let strings) = values,
      strings.isAtMost(2 * strings.entries.strings.bytes.count, 0..<strings.count)
    else { return self }
    return try plain()
  }

  /// Some strings, which keep their dictionary; nil for other columns.
  func dictionaryPart<Rows: RowChoice>(_ rows: Rows) -> Column? {
    guard case .dictionary(let strings) = values else { return nil }
    var bits: Bitmap?
    if let validity {
      var part = Bitmap()
      rows.append(validity, to: &part)
      bits = part.isAllSet ? nil : part
    }
    return Column(unchecked: type, .dictionary(strings.part(rows)), bits)
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
