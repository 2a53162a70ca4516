internal import TarnBytes

/// Strings in dictionaries, one behind the other, of which none is written out: positions are appended, and the
/// dictionaries are put end to end once all are known.
struct DictionaryBuilder: Sendable {
  /// Where each string is: among the entries of all sources, or with ``ownMark`` among ``own``.
  private var positions: [UInt32]
  /// The dictionaries, each once.
  private var sources: [DictionaryStrings.Entries] = []
  /// Where the entries of each source begin.
  private var firsts: [ObjectIdentifier: UInt32] = [:]
  private var entryCount = 0
  private var entryBytes = 0
  /// The bytes of strings that were taken out of dictionaries which are no sources.
  private var copied: [ObjectIdentifier: Int] = [:]
  /// Strings that were in no dictionary, or in one that is larger than they are.
  private var own = ByteStrings()
  /// The empty string among ``own`` that stands for nulls.
  private var empty: UInt32?

  private static let ownMark: UInt32 = 1 << 31
  /// Sources beyond which equal entries are looked for.
  private static let fewSources = 2
  /// Bytes up to which a dictionary is a source whatever is taken of it.
  static let smallBytes = 4 << 10

  /// Goes on with strings in a dictionary.
  init(_ strings: DictionaryStrings) {
    positions = strings.indices
    // Its entries had a place before, so that they have one now.
    _ = try? first(of: strings.entries)
  }

  /// Goes on with strings end to end.
  init(plain strings: ByteStrings) {
    own = strings
    positions = (0..<UInt32(truncatingIfNeeded: strings.count)).map { $0 | Self.ownMark }
  }

  /// The bytes that the dictionaries, and what is in none, take.
  var byteCount: Int { entryBytes + own.bytes.count }

  /// Where the entries of a source begin, which is added where it is new.
  private mutating func first(of entries: DictionaryStrings.Entries) throws(ColumnError) -> UInt32 {
    if let known = firsts[ObjectIdentifier(entries)] { return known }
    let bytes = entries.strings.bytes.count
    guard byteCount + bytes <= Int(Int32.max), entryCount + entries.strings.count < Int(Int32.max) else {
      throw ColumnError.tooLarge
    }
    let first = UInt32(truncatingIfNeeded: entryCount)
    sources.append(entries)
    firsts[ObjectIdentifier(entries)] = first
    entryCount += entries.strings.count
    entryBytes += bytes
    return first
  }

  /// Takes note that strings of another dictionary are to be copied; false where it is better made a source.
  ///
  /// Few strings of a large dictionary are copied, but never more of it in all than it holds.
  private mutating func mayCopy<Rows: RowChoice>(_ other: DictionaryStrings, _ rows: Rows) -> Bool {
    let place = ObjectIdentifier(other.entries)
    let most = other.entries.strings.bytes.count
    guard most > Self.smallBytes, firsts[place] == nil else { return false }
    let total = copied[place, default: 0] + rows.plainByteCount(other)
    copied[place] = total
    return total <= most
  }

  /// Appends some of other strings.
  ///
  /// - Throws: ``ColumnError`` where the entries would pass 2 GiB.
  mutating func append<Rows: RowChoice>(_ other: DictionaryStrings, _ rows: Rows) throws(ColumnError) {
    if mayCopy(other, rows) {
      let before = own.count
      try rows.append(other, to: &own)
      return try note(from: before)
    }
    let first = try first(of: other.entries)
    rows.append(positions: other.indices, raisedBy: first, to: &positions)
  }

  /// Appends some of other strings that are in no dictionary.
  ///
  /// - Throws: ``ColumnError`` where all would pass 2 GiB.
  mutating func append<Rows: RowChoice>(_ strings: ByteStrings, _ rows: Rows) throws(ColumnError) {
    let before = own.count
    try rows.append(strings, to: &own)
    try note(from: before)
  }

  private mutating func note(from start: Int) throws(ColumnError) {
    guard byteCount <= Int(Int32.max) else { throw ColumnError.tooLarge }
    for position in start..<own.count {
      positions.append(UInt32(truncatingIfNeeded: position) | Self.ownMark)
    }
  }

  /// Appends a string.
  ///
  /// - Throws: ``ColumnError`` where all would pass 2 GiB.
  mutating func append(_ string: RawSpan) throws(ColumnError) {
    let before = own.count
    try own.append(string)
    try note(from: before)
  }

  /// Appends a string which `build` writes.
  ///
  /// - Throws: ``ColumnError`` where all would pass 2 GiB.
  mutating func appendBuilt(_ build: (inout [UInt8]) -> Void) throws(ColumnError) {
    let before = own.count
    try own.appendBuilt(build)
    try note(from: before)
  }

  /// Appends what a null has in its place.
  mutating func appendEmpty(_ count: Int) {
    if empty == nil {
      empty = UInt32(truncatingIfNeeded: own.count) | Self.ownMark
      own.appendEmpty()
    }
    positions.append(contentsOf: repeatElement(empty ?? 0, count: count))
  }

  /// The strings, all of one dictionary.
  consuming func finish() -> DictionaryStrings {
    if own.count == 0, sources.count == 1 { return DictionaryStrings(unchecked: positions, sources[0]) }
    return sources.count > Self.fewSources ? unified() : joined()
  }

  /// All entries end to end, those that are equal as well.
  private consuming func joined() -> DictionaryStrings {
    var all = ByteStrings()
    all.reserve(strings: entryCount + own.count, bytes: byteCount)
    // Their sum was checked as they came.
    for source in sources { try? all.append(source.strings, 0..<source.strings.count) }
    try? all.append(own, 0..<own.count)
    if own.count > 0 {
      let first = UInt32(truncatingIfNeeded: entryCount)
      for index in positions.indices where positions[index] & Self.ownMark != 0 {
        positions[index] = (positions[index] & ~Self.ownMark) &+ first
      }
    }
    return DictionaryStrings(unchecked: positions, DictionaryStrings.Entries(all))
  }

  /// Each entry of the sources once, and behind them what was in none.
  private consuming func unified() -> DictionaryStrings {
    var all = ByteStrings()
    var index = HashIndex(expected: sources[0].strings.count)
    var places: [UInt32] = []
    places.reserveCapacity(entryCount)
    for source in sources {
      let strings = source.strings
      for entry in 0..<strings.count {
        let known = index.findOrInsert(
          hash: strings.hash(entry), position: all.count, where: { all.equals($0, strings, entry) },
          hashOf: { all.hash($0) })
        places.append(UInt32(truncatingIfNeeded: known ?? all.count))
        // No more than the sum that was checked as they came.
        if known == nil { try? all.append(strings[entry]) }
      }
    }
    let first = UInt32(truncatingIfNeeded: all.count)
    try? all.append(own, 0..<own.count)
    for index in positions.indices {
      let position = positions[index]
      positions[index] =
        position & Self.ownMark != 0 ? (position & ~Self.ownMark) &+ first : places[Int(position)]
    }
    return DictionaryStrings(unchecked: positions, DictionaryStrings.Entries(all))
  }
}
