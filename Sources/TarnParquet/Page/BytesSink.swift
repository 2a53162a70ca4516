import TarnBytes
import TarnColumns

/// Collects strings of bytes, end to end.
struct BytesSink: ValueSink {
  /// Bytes of every value, for fixed-length values; nil where each tells its length.
  private let fixedLength: Int?
  private(set) var strings = StringArena()
  private var dictionary = StringArena()
  /// Whether strings stay positions in the dictionary as long as all pages have them so.
  private let keepsDictionary: Bool
  /// The positions of strings that stay so, and what they refer to.
  private var kept: [UInt32] = []
  private var entries: DictionaryStrings.Entries?
  /// Strings before those at hand: some in a dictionary and others not, as they would be too long end to end.
  private var segments: [Column.Values] = []
  /// Strings and bytes for which memory is taken at once.
  private var expected: Int
  private var expectedBytes: Int
  /// The bytes that all strings take together, if it is true what the file says.
  private let declaredBytes: Int

  /// Bytes of strings that are there, beyond which so many times their number is taken to be possible.
  private static let evidence = (bytes: 8 << 20, factor: 32)

  /// Bytes up to which strings of a dictionary are put end to end beside others.
  private static let mostWrittenOut = 1 << 20

  init(fixedLength: Int?, expected: Int, bytes: Int, declared: Int, keepsDictionary: Bool) {
    declaredBytes = declared
    self.fixedLength = fixedLength
    self.keepsDictionary = keepsDictionary
    self.expected = expected
    expectedBytes = bytes
  }

  /// Takes memory before the first string, since an arena that grows is copied again and again.
  private mutating func reserve() {
    guard strings.ends.count == 1 else { return }
    strings.ends.reserveCapacity(expected + 1)
    strings.bytes.reserveCapacity(expectedBytes)
  }

  mutating func setDictionary(_ bytes: RawSpan, count: Int) throws(FormatError) {
    dictionary = StringArena()
    try dictionary.append(bytes, fixedLength, PageLevels(allValid: count))
    // Short entries are copied sixteen bytes at a time.
    dictionary.bytes.append(contentsOf: repeatElement(0, count: StringArena.slack))
  }

  mutating func appendPlain(_ bytes: RawSpan, _ levels: PageLevels) throws(FormatError) {
    try leaveDictionary()
    reserve()
    growAtOnce(by: bytes.byteCount)
    try strings.append(bytes, fixedLength, levels)
  }

  /// Takes memory for all strings before they outgrow what there is, since an arena that doubles is there twice.
  private mutating func growAtOnce(by added: Int) {
    let count = strings.bytes.count
    guard count >= Self.evidence.bytes, count + added > strings.bytes.capacity else { return }
    let most = min(declaredBytes, count * Self.evidence.factor, Int(Int32.max))
    if most > 2 * count { strings.bytes.reserveCapacity(most) }
  }

  mutating func appendIndices(
    _ reader: inout HybridReader, _ levels: PageLevels, _ indices: inout [UInt32]
  ) throws(FormatError) {
    if keepsDictionary, try keepsNext(levels.validCount) { return try keep(&reader, levels, &indices) }
    reserve()
    let start = strings.ends.count
    let base = strings.end
    var done = 0
    while done < levels.validCount {
      let part = min(HybridReader.step, levels.validCount - done)
      try reader.read(part, into: &indices)
      try Self.checkIndices(indices, part, dictionary.ends.count - 1)
      try strings.append(from: dictionary, indices, part)
      done += part
    }
    strings.spread(from: start, base: base, levels)
  }

  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatError) {
    try leaveDictionary()
    reserve()
    let count = levels.validCount
    let page: StringArena
    switch (encoding, fixedLength) {
    case (.deltaLengthByteArray, nil): page = try DeltaStringReader.lengths(bytes, count: count)
    case (.deltaByteArray, _):
      page = try DeltaStringReader.prefixed(bytes, count: count)
    case (.byteStreamSplit, let length?):
      let plain = try StreamSplitReader.plain(bytes, count: count, width: length)
      return try strings.append(plain.span.bytes, length, levels)
    default: throw .malformed("a page has an encoding that its type cannot have")
    }
    guard fixedLength.map({ page.haveLength($0) }) ?? true else {
      throw .malformed("values of a fixed length have another one")
    }
    try strings.append(page, levels)
  }

  mutating func keep(_ part: Range<Int>, ofLast count: Int) {
    // What refers to a dictionary is read in parts.
    strings.keep(part, ofLast: count)
  }

  var byteCount: Int {
    let before = segments.reduce(0) { total, values in
      if case .bytes(let strings) = values { total + strings.bytes.count } else { total + 4 * values.count }
    }
    return before + strings.bytes.count + 4 * (strings.ends.count + kept.count)
  }

  mutating func endDictionary() {
    dictionary = StringArena()
    entries = nil
  }

  mutating func take(_ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    guard segments.isEmpty else { return try takeSegments(leaf) }
    return try takeLast(leaf)
  }

  /// Puts what is in dictionaries and what is not behind one another.
  private mutating func takeSegments(_ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    let parts = segments + [try takeLast(leaf)]
    segments = []
    var builder = ColumnBuilder(leaf.type)
    do throws(ColumnError) {
      for values in parts {
        try builder.append(try Column(type: leaf.type, values: values), 0..<values.count)
      }
    } catch { throw .outOfRange(error.description) }
    return builder.finish().values
  }

  private mutating func takeLast(_ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    if !kept.isEmpty { return try takeKept() }
    let taken = strings
    strings = StringArena()
    // The next batch will be much like this one.
    expected = taken.ends.count
    expectedBytes = taken.bytes.count + taken.bytes.count / 8
    return try Conversions.values(taken, leaf)
  }
}

extension BytesSink {
  /// What kept positions refer to; the last entry is empty, and stands for nulls.
  private mutating func shared() throws(FormatError) -> DictionaryStrings.Entries {
    if let entries { return entries }
    let bytes = dictionary.bytes.dropLast(StringArena.slack)
    do {
      var strings = try ByteStrings(offsets: dictionary.ends, bytes: Array(bytes))
      strings.appendEmpty()
      let made = DictionaryStrings.Entries(strings)
      entries = made
      return made
    } catch { throw .malformed("the entries of a dictionary do not span their bytes") }
  }

  /// Appends positions in the dictionary as they are.
  private mutating func keep(
    _ reader: inout HybridReader, _ levels: PageLevels, _ indices: inout [UInt32]
  ) throws(FormatError) {
    let start = kept.count
    let count = dictionary.ends.count - 1
    var done = 0
    while done < levels.validCount {
      let part = min(HybridReader.step, levels.validCount - done)
      try reader.read(part, into: &indices)
      try Self.checkIndices(indices, part, count)
      kept.append(contentsOf: indices[..<part])
      done += part
    }
    guard levels.validity != nil else { return }
    let null = UInt32(truncatingIfNeeded: count)
    kept.append(contentsOf: repeatElement(null, count: levels.count - levels.validCount))
    kept.withUnsafeMutableBufferPointer { all in
      levels.spread(UnsafeMutableBufferPointer(rebasing: all[start...])) { _ in null }
    }
  }

  /// Puts kept strings end to end where they are few, since a page of others follows.
  private mutating func leaveDictionary() throws(FormatError) {
    guard !kept.isEmpty else { return }
    guard case .dictionary(let taken) = try takeKept() else { return }
    let most = max(Self.mostWrittenOut, taken.entries.strings.bytes.count)
    guard taken.isAtMost(most, 0..<taken.count) else {
      segments.append(.dictionary(taken))
      return
    }
    do {
      let plain = try taken.plain()
      strings = StringArena(ends: plain.offsets, bytes: plain.bytes)
    } catch { throw .outOfRange(error.description) }
  }

  /// Whether the strings of a page that refers to the dictionary stay positions in it: all do as long as no others
  /// came, and later those that may be many bytes.
  private mutating func keepsNext(_ count: Int) throws(FormatError) -> Bool {
    guard strings.ends.count > 1 else { return true }
    let (most, overflow) = count.multipliedReportingOverflow(by: try shared().greatestLength)
    guard overflow || most > Self.mostWrittenOut else { return false }
    let taken = strings
    strings = StringArena()
    do {
      segments.append(.bytes(try ByteStrings(offsets: taken.ends, bytes: taken.bytes)))
    } catch { throw .malformed("the strings of a page do not span their bytes") }
    return true
  }

  private mutating func takeKept() throws(FormatError) -> Column.Values {
    let taken = kept
    kept = []
    do {
      return .dictionary(try DictionaryStrings(indices: taken, entries: try shared()))
    } catch { throw .malformed("a page refers to a dictionary entry that is not there") }
  }
}
