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

  mutating func setDictionary(_ bytes: RawSpan, count: Int) throws(FormatProblem) {
    dictionary = StringArena()
    try dictionary.append(bytes, fixedLength, PageLevels(allValid: count))
    // Short entries are copied sixteen bytes at a time.
    dictionary.bytes.append(contentsOf: repeatElement(0, count: StringArena.slack))
  }

  mutating func appendPlain(_ bytes: RawSpan, _ levels: PageLevels) throws(FormatProblem) {
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
  ) throws(FormatProblem) {
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
  ) throws(FormatProblem) {
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

  mutating func take(_ leaf: LeafColumn) throws(FormatProblem) -> Column.Values {
    guard segments.isEmpty else { return try takeSegments(leaf) }
    return try takeLast(leaf)
  }

  /// Puts what is in dictionaries and what is not behind one another.
  private mutating func takeSegments(_ leaf: LeafColumn) throws(FormatProblem) -> Column.Values {
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

  private mutating func takeLast(_ leaf: LeafColumn) throws(FormatProblem) -> Column.Values {
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
  private mutating func shared() throws(FormatProblem) -> DictionaryStrings.Entries {
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
  ) throws(FormatProblem) {
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
  private mutating func leaveDictionary() throws(FormatProblem) {
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
  private mutating func keepsNext(_ count: Int) throws(FormatProblem) -> Bool {
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

  private mutating func takeKept() throws(FormatProblem) -> Column.Values {
    let taken = kept
    kept = []
    do {
      return .dictionary(try DictionaryStrings(indices: taken, entries: try shared()))
    } catch { throw .malformed("a page refers to a dictionary entry that is not there") }
  }
}

/// Strings in one arena: where each ends, after a leading zero, and all bytes.
struct StringArena: Sendable {
  var ends: [Int32] = [0]
  var bytes: [UInt8] = []

  /// Bytes that must be readable behind a dictionary's last entry.
  static let slack = 16

  /// Where the last string ends.
  var end: Int32 { ends[ends.count - 1] }

  private static let tooLarge = FormatProblem.outOfRange(
    "the strings of one row group pass 2 GiB, which is more than is held at once")
  private static let tooShort = FormatProblem.malformed("a page holds fewer values than it declares")

  /// Whether all strings have so many bytes.
  func haveLength(_ length: Int) -> Bool {
    for index in 1..<ends.count where Int(ends[index] &- ends[index - 1]) != length { return false }
    return true
  }

  /// Appends all strings of another arena.
  mutating func append(_ page: StringArena, _ levels: PageLevels) throws(FormatProblem) {
    guard bytes.count + page.bytes.count <= Int(Int32.max) else { throw Self.tooLarge }
    let start = ends.count
    let base = end
    bytes.append(contentsOf: page.bytes)
    ends.reserveCapacity(ends.count + levels.count)
    for index in 1..<page.ends.count { ends.append(base &+ page.ends[index]) }
    spread(from: start, base: base, levels)
  }

  /// Appends a page of PLAIN strings.
  mutating func append(_ page: RawSpan, _ fixedLength: Int?, _ levels: PageLevels) throws(FormatProblem) {
    guard bytes.count + page.byteCount <= Int(Int32.max) else { throw Self.tooLarge }
    let start = ends.count
    let base = end
    if let fixedLength {
      guard levels.validCount <= page.byteCount / fixedLength else { throw Self.tooShort }
      bytes.append(page.extracting(first: levels.validCount * fixedLength))
      let step = Int32(truncatingIfNeeded: fixedLength)
      var last = base
      for _ in 0..<levels.validCount {
        last &+= step
        ends.append(last)
      }
    } else {
      // Each value takes the four bytes of its length at least.
      guard levels.validCount <= page.byteCount / 4 else { throw Self.tooShort }
      try appendPrefixed(page, levels.validCount)
    }
    spread(from: start, base: base, levels)
  }

  private mutating func appendPrefixed(_ page: RawSpan, _ count: Int) throws(FormatProblem) {
    var last = Int(end)
    var offset = 0
    try ends.append(addingCapacity: count) { (endSpan) throws(FormatProblem) in
      try bytes.append(addingCapacity: page.byteCount) { (byteSpan) throws(FormatProblem) in
        try endSpan.withUnsafeMutableBufferPointer { (newEnds, endCount) throws(FormatProblem) in
          try byteSpan.withUnsafeMutableBufferPointer { (target, byteCount) throws(FormatProblem) in
            let base = last
            for index in 0..<count {
              guard page.byteCount &- offset >= 4 else { throw Self.tooShort }
              let length = Int(
                UInt32(
                  littleEndian: page.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)))
              offset &+= 4
              guard length <= page.byteCount &- offset else { throw Self.tooShort }
              CopyBytes.copy(page, offset, length, UnsafeMutableRawBufferPointer(target), last &- base)
              offset &+= length
              last &+= length
              // At most the page's size beyond what was held, which was checked.
              newEnds[index] = Int32(truncatingIfNeeded: last)
            }
            endCount = count
            byteCount = last - base
          }
        }
      }
    }
  }

  /// Appends entries of a dictionary; the indices were checked.
  mutating func append(from dictionary: StringArena, _ indices: [UInt32], _ count: Int) throws(FormatProblem)
  {
    let entries = dictionary.ends.span
    var total = 0
    for index in 0..<count {
      let entry = Int(indices[index])
      total &+= Int(entries[unchecked: entry &+ 1] &- entries[unchecked: entry])
    }
    guard bytes.count + total <= Int(Int32.max) else { throw Self.tooLarge }
    var last = end
    let base = Int(last)
    let source = dictionary.bytes.span.bytes
    ends.append(addingCapacity: count) { endSpan in
      bytes.append(addingCapacity: total + Self.slack) { byteSpan in
        endSpan.withUnsafeMutableBufferPointer { newEnds, endCount in
          byteSpan.withUnsafeMutableBufferPointer { target, byteCount in
            for index in 0..<count {
              let entry = Int(indices[index])
              let from = entries[unchecked: entry]
              let length = entries[unchecked: entry &+ 1] &- from
              CopyBytes.copy(
                source, Int(from), Int(length), UnsafeMutableRawBufferPointer(target), Int(last) &- base)
              last &+= length
              newEnds[index] = last
            }
            endCount = count
            byteCount = total
          }
        }
      }
    }
  }

  /// Leaves some of the last `count` strings.
  mutating func keep(_ part: Range<Int>, ofLast count: Int) {
    let first = ends.count - 1 - count
    let (base, start) = (ends[first], ends[first + part.lowerBound])
    let last = ends[first + part.upperBound]
    var left = StringArena(ends: Array(ends[...first]), bytes: Array(bytes[..<Int(base)]))
    for end in ends[(first + part.lowerBound + 1)..<(first + part.upperBound + 1)] {
      left.ends.append(base &+ end &- start)
    }
    left.bytes += bytes[Int(start)..<Int(last)]
    self = left
  }

  /// Gives nulls an empty string each, behind the strings that were appended from `start` on.
  mutating func spread(from start: Int, base: Int32, _ levels: PageLevels) {
    guard levels.validity != nil else { return }
    ends.append(contentsOf: repeatElement(0, count: levels.count - levels.validCount))
    ends.withUnsafeMutableBufferPointer { all in
      let page = UnsafeMutableBufferPointer(rebasing: all[start...])
      levels.spread(page) { source in source < 0 ? base : page[source] }
    }
  }
}
