import TarnBytes
import TarnColumns

/// Encodes strings and binary.
struct BytesEncoder: PageEncoder {
  private let isText: Bool
  private var policy: DictionaryPolicy
  private var state = DictionaryState.undecided
  private var entries = ByteStrings()
  private var index = HashIndex()
  /// Whether the index has all entries: those of a dictionary that is gone on with wait until strings are looked up in it.
  private var isIndexed = true
  private var indices: [UInt32] = []
  /// The page that last used an entry, so that each is compared once a page.
  private var lastUse: [UInt32] = []
  private var page: UInt32 = 0
  /// The dictionary of the column at hand, and the entry here of each of its positions that was met.
  private var shared: DictionaryStrings.Entries?
  private var places: [UInt32] = []
  /// How many of them were met, and the bytes of these.
  private var sharedCount = 0
  private var sharedBytes = 0
  private var collectsHashes = false
  private var collected: [UInt64] = []

  init(isText: Bool, _ choice: ParquetWriteOptions.EncodingChoice) {
    self.isText = isText
    policy = DictionaryPolicy(choice)
  }

  private static let otherLayout = FormatError.malformed("a column has another layout than its type")

  var isDecided: Bool { state.isDecided }
  var dictionaryCount: Int { entries.count }
  var dictionaryByteCount: Int { entries.bytes.count + 4 * entries.count }

  func hasRoom(for theirs: DictionaryStrings.Entries) -> Bool {
    // Those that were met are among the entries already.
    let isShared = shared === theirs
    let count = entries.count + theirs.strings.count - (isShared ? sharedCount : 0)
    let bytes = entries.bytes.count + theirs.strings.bytes.count - (isShared ? sharedBytes : 0)
    return state.mayHaveDictionary && policy.allows(entries: count, bytes: bytes + 4 * count)
  }

  mutating func encode(
    _ column: Column, _ rows: ValueRows, cells: Int, _ compressor: inout PageCompressor,
    into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues {
    if case .dictionary(let strings) = column.values {
      return try encode(strings, rows, cells, &compressor, into: &out)
    }
    guard let strings = column.strings else { throw Self.otherLayout }
    if rows.count == 0, case .direct = state { return EncodedValues(encoding: .plain) }
    if state.mayHaveDictionary, policy.triesDictionary {
      let before = entries.count
      indexEntries()
      do {
        try Self.look(up: strings, rows.list, &entries, &index, &indices)
      } catch {
        throw .outOfRange(error.description)
      }
      if policy.keeps(entries: entries.count, bytes: dictionaryByteCount, count: rows.count, cells: cells) {
        state = .dictionary
        out.appendIndices(indices.span, entries: entries.count)
        return EncodedValues(encoding: .rleDictionary, bounds: usedBounds())
      }
      try drop(from: before)
    }
    return try encodeDirectly(strings, rows.list, &compressor, into: &out)
  }

  /// Encodes positions in a dictionary, whose entries are looked up once.
  private mutating func encode(
    _ strings: DictionaryStrings, _ rows: ValueRows, _ cells: Int, _ compressor: inout PageCompressor,
    into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues {
    if rows.count == 0, case .direct = state { return EncodedValues(encoding: .plain) }
    let list = rows.list
    if state.mayHaveDictionary, policy.triesDictionary {
      let before = entries.count
      indexEntries()
      do { try look(up: strings, list) } catch { throw .outOfRange(error.description) }
      if policy.keeps(entries: entries.count, bytes: dictionaryByteCount, count: rows.count, cells: cells) {
        state = .dictionary
        out.appendIndices(indices.span, entries: entries.count)
        return EncodedValues(encoding: .rleDictionary, bounds: usedBounds())
      }
      try drop(from: before)
    }
    let positions = (0..<list.count).map { Int32(bitPattern: strings.indices[list[$0]]) }
    var plain = ByteStrings()
    do { try plain.append(strings.entries.strings, rows: positions.span) } catch {
      throw .outOfRange(error.description)
    }
    return try encodeDirectly(plain, ValueRows.range(0..<plain.count).list, &compressor, into: &out)
  }

  /// Finds the entries of a dictionary that rows refer to among those here, and adds those that are not there.
  private mutating func look(up strings: DictionaryStrings, _ rows: RowList) throws(ColumnError) {
    let theirs = strings.entries.strings
    if shared !== strings.entries {
      shared = strings.entries
      places = [UInt32](repeating: UInt32.max, count: theirs.count)
      sharedCount = 0
      sharedBytes = 0
    }
    indices.removeAll(keepingCapacity: true)
    indices.reserveCapacity(rows.count)
    let positions = strings.indices.span
    for row in 0..<rows.count {
      let position = Int(positions[rows[row]])
      var place = places[position]
      if place == UInt32.max {
        place = try Self.place(of: theirs, position, &entries, &index)
        places[position] = place
        sharedCount += 1
        sharedBytes += theirs.length(position)
      }
      indices.append(place)
    }
  }

  /// The position of a string among the entries, to which it is added where it is not there.
  private static func place(
    of strings: ByteStrings, _ row: Int, _ entries: inout ByteStrings, _ index: inout HashIndex
  ) throws(ColumnError) -> UInt32 {
    let found = index.findOrInsert(
      hash: strings.hash(row), position: entries.count, where: { entries.equals($0, strings, row) },
      hashOf: { entries.hash($0) })
    if found == nil { try entries.append(strings[row]) }
    return UInt32(truncatingIfNeeded: found ?? entries.count &- 1)
  }

  private mutating func encodeDirectly(
    _ strings: ByteStrings, _ rows: RowList, _ compressor: inout PageCompressor,
    into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues {
    var range = ByteBounds(strings)
    for index in 0..<rows.count { range.note(rows[index]) }
    let bounds = range.encoded(isText: isText)
    if collectsHashes { for index in 0..<rows.count { collected.append(strings.hash(rows[index])) } }
    if state.mayHaveDictionary { state = .direct(try Self.choose(strings, rows, policy, &compressor)) }
    guard case .direct(.deltaLengthByteArray) = state else {
      Self.appendPlain(strings, rows, to: &out)
      return EncodedValues(encoding: .plain, bounds: bounds)
    }
    Self.appendDeltaLength(strings, rows, to: &out)
    return EncodedValues(encoding: .deltaLengthByteArray, bounds: bounds)
  }

  /// Decides by the compressed size of a page.
  ///
  /// Lengths between the strings hinder compression most where these are random, such as UUIDs; where
  /// neither is smaller, lengths apart are faster to compress.
  private static func choose(
    _ strings: ByteStrings, _ rows: RowList, _ policy: DictionaryPolicy,
    _ compressor: inout PageCompressor
  ) throws(FormatError) -> Encoding {
    switch policy.choice {
    case .plain: return .plain
    case .delta: return .deltaLengthByteArray
    case .automatic, .dictionary: break
    }
    var plain: [UInt8] = []
    appendPlain(strings, rows, to: &plain)
    var delta: [UInt8] = []
    appendDeltaLength(strings, rows, to: &delta)
    return try compressor.size(of: plain) < compressor.size(of: delta) ? .plain : .deltaLengthByteArray
  }

  /// Finds the strings' positions among the entries, and adds those that are not there.
  private static func look(
    up strings: ByteStrings, _ rows: RowList, _ entries: inout ByteStrings,
    _ index: inout HashIndex, _ indices: inout [UInt32]
  ) throws(ColumnError) {
    indices.removeAll(keepingCapacity: true)
    indices.reserveCapacity(rows.count)
    var last: UInt32 = 0
    var lastRow = -1
    for position in 0..<rows.count {
      let row = rows[position]
      // Equal strings often follow one another.
      if lastRow < 0 || !strings.equals(row, strings, lastRow) {
        let found = index.findOrInsert(
          hash: strings.hash(row), position: entries.count, where: { entries.equals($0, strings, row) },
          hashOf: { entries.hash($0) })
        if found == nil { try entries.append(strings[row]) }
        last = UInt32(truncatingIfNeeded: found ?? entries.count &- 1)
        lastRow = row
      }
      indices.append(last)
    }
  }

  /// Forgets the entries that the page at hand has added, as it will not refer to them.
  private mutating func drop(from count: Int) throws(FormatError) {
    var kept = ByteStrings()
    do {
      try kept.append(entries, 0..<count)
    } catch {
      throw .outOfRange(error.description)
    }
    entries = kept
    // No more strings are looked up.
    index = HashIndex()
    isIndexed = true
    indices = []
    places = []
    lastUse = []
    shared = nil
  }

  /// Bounds of the entries that the page at hand refers to.
  private mutating func usedBounds() -> EncodedBounds? {
    page += 1
    lastUse.append(contentsOf: repeatElement(0, count: max(0, entries.count - lastUse.count)))
    var range = ByteBounds(entries)
    for entry in indices where lastUse[Int(entry)] != page {
      lastUse[Int(entry)] = page
      range.note(Int(entry))
    }
    return range.encoded(isText: isText)
  }

  private static func appendPlain(
    _ strings: ByteStrings, _ rows: RowList, to out: inout [UInt8]
  ) {
    let total = 4 * rows.count + byteCount(strings, rows)
    let source = strings.bytes
    // Room behind the last string, so that short ones are copied sixteen bytes at once.
    out.append(addingCapacity: total + 16) { span in
      span.withUnsafeMutableBufferPointer { target, count in
        let raw = UnsafeMutableRawBufferPointer(target)
        var position = 0
        for index in 0..<rows.count {
          let part = strings.range(rows[index])
          raw.storeBytes(of: UInt32(part.count).littleEndian, toByteOffset: position, as: UInt32.self)
          CopyBytes.copy(source.span.bytes, part.lowerBound, part.count, raw, position &+ 4)
          position &+= 4 &+ part.count
        }
        count = total
      }
    }
  }

  /// Appends the lengths as DELTA_BINARY_PACKED, then the bytes end to end.
  private static func appendDeltaLength(
    _ strings: ByteStrings, _ rows: RowList, to out: inout [UInt8]
  ) {
    let lengths = (0..<rows.count).map { Int32(truncatingIfNeeded: strings.length(rows[$0])) }
    out.appendDelta(lengths.span)
    // Rows that follow one another have their bytes in one piece.
    if rows.isRange, rows.count > 0 {
      let end = strings.range(rows[rows.count - 1]).upperBound
      out.append(strings.bytes.span.bytes.extracting(strings.range(rows[0]).lowerBound..<end))
      return
    }
    let total = byteCount(strings, rows)
    let source = strings.bytes
    out.append(addingCapacity: total + 16) { span in
      span.withUnsafeMutableBufferPointer { target, count in
        let raw = UnsafeMutableRawBufferPointer(target)
        var position = 0
        for index in 0..<rows.count {
          let part = strings.range(rows[index])
          CopyBytes.copy(source.span.bytes, part.lowerBound, part.count, raw, position)
          position &+= part.count
        }
        count = total
      }
    }
  }

  private static func byteCount(_ strings: ByteStrings, _ rows: RowList) -> Int {
    (0..<rows.count).reduce(0) { $0 &+ strings.length(rows[$1]) }
  }

  var patchable: PatchableValues? { .strings }

  /// The strings among which those of chosen rows are, and where.
  private static func strings(
    _ column: Column, _ rows: [Int32]
  ) throws(FormatError) -> (ByteStrings, RowList) {
    switch column.values {
    case .bytes(let strings): return (strings, ValueRows.chosen(rows).list)
    case .dictionary(let strings):
      let positions = rows.map { Int32(bitPattern: strings.indices[Int($0)]) }
      return (strings.entries.strings, ValueRows.chosen(positions).list)
    default: throw otherLayout
    }
  }

  func plainByteCount(_ column: Column, _ rows: [Int32]) -> Int {
    guard let (strings, list) = try? Self.strings(column, rows) else { return 0 }
    return 4 * list.count + Self.byteCount(strings, list)
  }

  func plain(
    _ column: Column, _ rows: [Int32], areWritten: Bool
  ) throws(FormatError) -> (values: [UInt8], bounds: EncodedBounds?) {
    let (strings, rows) = try Self.strings(column, rows)
    var range = ByteBounds(strings)
    for index in 0..<rows.count { range.note(rows[index]) }
    var values: [UInt8] = []
    if areWritten { Self.appendPlain(strings, rows, to: &values) }
    return (values, range.encoded(isText: isText))
  }

  mutating func entries(of column: Column, _ rows: [Int32]) throws(FormatError) -> [UInt32]? {
    let (strings, list) = try Self.strings(column, rows)
    let most = dictionaryByteCount + Self.byteCount(strings, list) + 4 * list.count
    guard case .dictionary = state, policy.allows(entries: self.entries.count + list.count, bytes: most)
    else { return nil }
    do throws(ColumnError) {
      if !isIndexed, list.count <= Self.fewStrings {
        try find(strings, list)
      } else {
        indexEntries()
        try Self.look(up: strings, list, &self.entries, &index, &indices)
      }
    } catch {
      throw .outOfRange(error.description)
    }
    return indices
  }

  /// Strings that are looked for one by one, since an index of all entries costs more than they are worth.
  private static let fewStrings = 8

  /// Finds the positions of few strings among the entries, one by one, and adds those that are not there.
  private mutating func find(_ strings: ByteStrings, _ rows: RowList) throws(ColumnError) {
    indices.removeAll(keepingCapacity: true)
    for number in 0..<rows.count {
      let row = rows[number]
      let found = (0..<entries.count).first { entries.equals($0, strings, row) }
      if found == nil { try entries.append(strings[row]) }
      indices.append(UInt32(truncatingIfNeeded: found ?? entries.count &- 1))
    }
  }

  /// Makes the index of the entries of a dictionary that is gone on with.
  private mutating func indexEntries() {
    guard !isIndexed else { return }
    isIndexed = true
    index = HashIndex(expected: entries.count)
    let stored = entries
    // An entry that occurs twice stays, since pages may refer to either.
    for position in 0..<stored.count {
      _ = index.findOrInsert(
        hash: stored.hash(position), position: position, where: { stored.equals($0, stored, position) },
        hashOf: { stored.hash($0) })
    }
  }

  func entry(_ position: Int) -> [UInt8] { Array(entries.bytes[entries.range(position)]) }

  func dictionaryPage() -> [UInt8] {
    var out: [UInt8] = []
    Self.appendPlain(entries, ValueRows.range(0..<entries.count).list, to: &out)
    return out
  }

  mutating func adopt(dictionary: RawSpan, count: Int) throws(FormatError) {
    var reader = ByteReader(dictionary)
    do {
      for _ in 0..<count {
        let length = Int(try reader.readLittleEndian(UInt32.self))
        try entries.append(try reader.readBytes(length))
      }
    } catch {
      throw .malformed("a dictionary holds fewer entries than it declares")
    }
    shared = nil
    isIndexed = false
    policy.adopt(entries: count, bytes: dictionaryByteCount)
    state = .dictionary
  }

  mutating func settle(_ encoding: Encoding) { state = .direct(encoding) }

  mutating func collectHashes() { collectsHashes = true }

  func hashes() -> [UInt64] {
    collectsHashes ? collected + (0..<entries.count).map { entries.hash($0) } : []
  }

  mutating func reset() {
    state = .undecided
    entries.removeAll()
    index.removeAll()
    isIndexed = true
    shared = nil
    policy.reset()
    lastUse.removeAll(keepingCapacity: true)
    page = 0
    collected.removeAll(keepingCapacity: true)
  }
}
