import TarnBytes
import TarnColumns

/// Values of a leaf with the levels that say where in the rows they stand.
struct LeafValues: Sendable {
  /// A value a cell: where the innermost list has an element, or a row where there is no list.
  var values: Column
  /// A level an entry; empty for a flat leaf.
  var definitions: [UInt8] = []
  /// A level an entry; empty for a leaf that is in no list.
  var repetitions: [UInt8] = []
  /// Number of rows that begin here.
  var rows: Int
}

/// Decodes the pages of one column chunk in their order.
protocol PageDecoder: Sendable {
  /// Entries decoded since the chunk's begin: one for each value, and each null or empty list.
  var entriesRead: Int { get }
  /// Rows begun since the chunk's begin.
  var rowsRead: Int { get }
  /// About how many bytes take what was decoded since it was last given.
  var byteCount: Int { get }
  /// Decodes a page, or some rows of it, where the leaf is flat.
  ///
  /// - Parameter rows: Rows of the page, those before which were decoded before; nil for all.
  mutating func read(
    _ header: PageHeader, _ body: RawSpan, rows: Range<Int>?, _ scratch: inout PageScratch
  ) throws(FormatError)
  /// Gives what was decoded since the last time.
  mutating func take() throws(FormatError) -> LeafValues
}

extension PageDecoder {
  /// Decodes a page.
  mutating func read(
    _ header: PageHeader, _ body: RawSpan, _ scratch: inout PageScratch
  ) throws(FormatError) {
    try read(header, body, rows: nil, &scratch)
  }

  /// Decodes the one page, or the dictionary page, that `bytes` hold with its header.
  ///
  /// - Parameter isDictionary: Whether it must be a dictionary page, and nothing else may stand there.
  mutating func readPage(
    _ bytes: RawSpan, isDictionary: Bool = false, _ scratch: inout PageScratch
  ) throws(FormatError) {
    var thrift = ThriftReader(bytes)
    let header = try thrift.pageHeader()
    let start = thrift.reader.offset
    guard !isDictionary || header.type == .dictionary && start + header.compressedSize == bytes.byteCount
    else {
      throw .malformed("more than a dictionary page stands before the pages that the page index knows")
    }
    guard header.compressedSize <= bytes.byteCount - start else {
      throw .malformed("a page ends behind the place that the page index gives it")
    }
    try read(header, bytes.extracting(start..<start + header.compressedSize), &scratch)
  }
}

extension LeafColumn {
  /// A decoder of one chunk.
  ///
  /// - Parameters:
  ///   - entries: The most entries that the pages may hold.
  ///   - expected: Number of values for which memory is taken at once.
  ///   - bytes: Bytes of strings for which memory is taken at once.
  ///   - declared: Bytes that they take in all by the file's word, which is believed once some of them are there.
  ///   - cutsNanoseconds: Whether digits of times that are finer than microseconds are cut.
  /// - Returns: A decoder that leaves strings positions in the dictionary where pages have them so, since what they
  ///   take end to end has no bound.
  func decoder(
    _ codec: Codec, entries: Int, expected: Int, bytes: Int = 0, declared: Int = 0,
    cutsNanoseconds: Bool = false
  ) -> any PageDecoder {
    var leaf = self
    leaf.cutsNanoseconds = cutsNanoseconds
    func strings(_ length: Int?) -> BytesSink {
      BytesSink(
        fixedLength: length, expected: expected, bytes: bytes, declared: declared,
        keepsDictionary: conversion == .none)
    }
    func make<Sink: ValueSink>(_ sink: Sink) -> any PageDecoder {
      PageReader(leaf: leaf, codec: codec, entryLimit: entries, sink: sink)
    }
    switch physical {
    case .boolean: return make(BooleanSink())
    case .int32: return make(FixedSink(NumberLoader<Int32>(), expected: expected))
    case .int64: return make(FixedSink(NumberLoader<Int64>(), expected: expected))
    case .int96: return make(FixedSink(Int96Loader(cutsNanoseconds: cutsNanoseconds), expected: expected))
    case .float: return make(FixedSink(NumberLoader<Float>(), expected: expected))
    case .double: return make(FixedSink(NumberLoader<Double>(), expected: expected))
    case .fixedByteArray where conversion == .decimal && byteLength <= 16:
      return make(FixedSink(DecimalLoader(width: byteLength), expected: expected))
    case .fixedByteArray where conversion == .float16:
      return make(FixedSink(HalfLoader(), expected: expected))
    case .byteArray: return make(strings(nil))
    case .fixedByteArray: return make(strings(byteLength))
    }
  }
}

/// Reads the pages of one column chunk into a sink.
struct PageReader<Sink: ValueSink>: PageDecoder {
  let leaf: LeafColumn
  let codec: Codec
  let entryLimit: Int
  private var sink: Sink
  /// A bit a cell since the last time; nil while none is null.
  private var validity: BitBuffer?
  private var cells = 0
  private var definitions: [UInt8] = []
  private var repetitions: [UInt8] = []
  private var rowsTaken = 0
  /// The rows that are wanted of the page at hand, of which those before were decoded before; nil for all.
  private var wanted: Range<Int>?
  private var hasDictionary = false
  private(set) var entriesRead = 0
  private(set) var rowsRead = 0

  init(leaf: LeafColumn, codec: Codec, entryLimit: Int, sink: Sink) {
    self.leaf = leaf
    self.codec = codec
    self.entryLimit = entryLimit
    self.sink = sink
  }

  var byteCount: Int { sink.byteCount + definitions.count + repetitions.count }

  mutating func take() throws(FormatError) -> LeafValues {
    let values = try sink.take(leaf)
    // What is held of many columns that are read to their ends should be their values alone.
    if entriesRead == entryLimit { sink.endDictionary() }
    let bits = validity
    validity = nil
    let column: Column
    do {
      column = try Column(type: leaf.type, values: values, validity: bits?.bitmap())
    } catch {
      throw .malformed("the values do not fit the column's type")
    }
    let piece = LeafValues(
      values: column, definitions: definitions, repetitions: repetitions, rows: rowsRead - rowsTaken)
    definitions = []
    repetitions = []
    cells = 0
    rowsTaken = rowsRead
    return piece
  }

  mutating func read(
    _ header: PageHeader, _ body: RawSpan, rows: Range<Int>?, _ scratch: inout PageScratch
  ) throws(FormatError) {
    try header.check(body)
    wanted = rows
    var indices: [UInt32] = []
    swap(&indices, &scratch.indices)
    defer { swap(&indices, &scratch.indices) }
    switch header.type {
    case .index: break
    case .dictionary:
      guard !hasDictionary, entriesRead == 0 else {
        throw .malformed("a dictionary page is not the first of its chunk")
      }
      guard header.encoding == .plain || header.encoding == .plainDictionary else {
        throw .unsupported("a dictionary in encoding \(header.encoding.name) is not supported")
      }
      hasDictionary = true
      if codec == .uncompressed {
        try sink.setDictionary(body, count: header.valueCount)
      } else {
        try scratch.decompress(body, header.uncompressedSize, codec)
        try sink.setDictionary(scratch.buffer.bytes, count: header.valueCount)
      }
    case .data:
      try checkCount(header)
      if codec == .uncompressed {
        try readData(header, body, &indices)
      } else {
        try scratch.decompress(body, header.uncompressedSize, codec)
        try readData(header, scratch.buffer.bytes, &indices)
      }
    case .dataV2:
      try checkCount(header)
      try readDataV2(header, body, &scratch, &indices)
    }
  }

  private func checkCount(_ header: PageHeader) throws(FormatError) {
    guard header.valueCount <= entryLimit - entriesRead + (wanted?.lowerBound ?? 0) else {
      throw .malformed("the chunk holds more values than it declares")
    }
    guard header.valueCount <= PageLimit.values else {
      throw .unsupported("a page has \(header.valueCount) values, more than are held at once")
    }
  }

  /// Reads a data page of version 1: levels and values are compressed together.
  private mutating func readData(
    _ header: PageHeader, _ page: RawSpan, _ indices: inout [UInt32]
  ) throws(FormatError) {
    let count = header.valueCount
    guard count > 0 else { return }
    var rest = page
    if leaf.isFlat, leaf.greatestDefinition == 0 {
      return try append(header, page, PageLevels(allValid: count), &indices)
    }
    if leaf.isFlat, header.definitionEncoding == .rle {
      var reader = ByteReader(page)
      guard let length = try? reader.readLittleEndian(UInt32.self), Int(length) <= reader.remaining else {
        throw .malformed("a page's levels end behind it")
      }
      let end = 4 + Int(length)
      let levels = try PageLevels(page.extracting(4..<end), count: count)
      return try append(header, page.extracting(end...), levels, &indices)
    }
    let before = (repetitions.count, definitions.count)
    if leaf.greatestRepetition > 0 {
      try LevelReader(greatest: leaf.greatestRepetition).append(
        count, header.repetitionEncoding, from: &rest, to: &repetitions)
    }
    if leaf.greatestDefinition > 0 {
      try LevelReader(greatest: leaf.greatestDefinition).append(
        count, header.definitionEncoding, from: &rest, to: &definitions)
    }
    try appendNested(header, rest, before, &indices)
  }

  /// Reads a data page of version 2: levels stand before the values and are not compressed.
  private mutating func readDataV2(
    _ header: PageHeader, _ body: RawSpan, _ scratch: inout PageScratch, _ indices: inout [UInt32]
  ) throws(FormatError) {
    let (levelBytes, overflow) = header.repetitionByteCount.addingReportingOverflow(
      header.definitionByteCount)
    guard !overflow, levelBytes <= body.byteCount, levelBytes <= header.uncompressedSize else {
      throw .malformed("a page's levels end behind it")
    }
    let count = header.valueCount
    guard count > 0 else { return }
    let definitionBytes = body.extracting(header.repetitionByteCount..<levelBytes)
    let before = (repetitions.count, definitions.count)
    var flat: PageLevels?
    if leaf.isFlat {
      // What the header says of nulls is not asked: writers are about that say zero whatever the page holds. Levels
      // that are not there at all are those of a page without nulls, as some writers leave it.
      flat =
        leaf.greatestDefinition > 0 && definitionBytes.byteCount > 0
        ? try PageLevels(definitionBytes, count: count) : PageLevels(allValid: count)
    } else {
      let repetitionBytes = body.extracting(0..<header.repetitionByteCount)
      if leaf.greatestRepetition > 0 {
        try LevelReader(greatest: leaf.greatestRepetition).append(count, repetitionBytes, to: &repetitions)
      }
      try LevelReader(greatest: leaf.greatestDefinition).append(count, definitionBytes, to: &definitions)
    }
    let values = body.extracting(levelBytes...)
    if codec == .uncompressed || !header.isCompressed || values.byteCount == 0 {
      try append(header, values, flat, before, &indices)
    } else {
      try scratch.decompress(values, header.uncompressedSize - levelBytes, codec)
      try append(header, scratch.buffer.bytes, flat, before, &indices)
    }
  }

  /// Appends a page with the levels of a flat leaf, or of another one those behind the ones counted in `before`.
  private mutating func append(
    _ header: PageHeader, _ values: RawSpan, _ flat: PageLevels?,
    _ before: (repetitions: Int, definitions: Int), _ indices: inout [UInt32]
  ) throws(FormatError) {
    if let flat {
      try append(header, values, flat, &indices)
    } else {
      try appendNested(header, values, before, &indices)
    }
  }

  /// Appends a page whose levels stand behind those counted in `before`.
  private mutating func appendNested(
    _ header: PageHeader, _ values: RawSpan, _ before: (repetitions: Int, definitions: Int),
    _ indices: inout [UInt32]
  ) throws(FormatError) {
    var rows = header.valueCount
    if leaf.greatestRepetition > 0 {
      guard entriesRead > 0 || repetitions.first == 0 else {
        throw .malformed("the chunk begins within a row")
      }
      rows = repetitions[before.repetitions...].count { $0 == 0 }
    }
    let levels = PageLevels(definitions.span.extracting(before.definitions...), leaf)
    try append(header, values, levels, &indices, rows: rows)
    if leaf.isFlat { definitions = [] }
  }

  private mutating func append(
    _ header: PageHeader, _ values: RawSpan, _ levels: PageLevels, _ indices: inout [UInt32],
    rows: Int? = nil
  ) throws(FormatError) {
    if leaf.isFlat, let part = wanted?.clamped(to: 0..<levels.count), part.count < levels.count {
      return try append(part, header.encoding, values, levels, &indices)
    }
    try append(header.encoding, values, levels, &indices)
    note(levels, rows: rows ?? header.valueCount, entries: header.valueCount)
  }

  /// Appends some values of a page, those before which were appended before.
  private mutating func append(
    _ part: Range<Int>, _ encoding: Encoding, _ values: RawSpan, _ levels: PageLevels,
    _ indices: inout [UInt32]
  ) throws(FormatError) {
    let (kept, before) = levels.part(part)
    switch (encoding, sink.plainWidth) {
    case (.plain, let width?):
      guard levels.validCount <= values.byteCount / max(width, 1) else {
        throw .malformed("a page holds fewer values than it declares")
      }
      try sink.appendPlain(values.extracting((before * width)...), kept)
    case (.rleDictionary, _), (.plainDictionary, _):
      try appendIndices(values, kept, skipping: before, &indices)
    default:
      try append(encoding, values, levels, &indices)
      sink.keep(part, ofLast: levels.count)
    }
    note(kept, rows: part.count, entries: part.count)
  }

  /// Appends the values of a page.
  private mutating func append(
    _ encoding: Encoding, _ values: RawSpan, _ levels: PageLevels, _ indices: inout [UInt32]
  ) throws(FormatError) {
    switch encoding {
    case .plain: try sink.appendPlain(values, levels)
    case .rleDictionary, .plainDictionary: try appendIndices(values, levels, skipping: 0, &indices)
    case .deltaBinaryPacked where levels.validCount == 0, .byteStreamSplit where levels.validCount == 0,
      .deltaByteArray where levels.validCount == 0, .deltaLengthByteArray where levels.validCount == 0,
      .rle where levels.validCount == 0:
      // Some writers leave out even the header of no values.
      try sink.appendPlain(values, levels)
    case .rle, .deltaBinaryPacked, .deltaLengthByteArray, .deltaByteArray, .byteStreamSplit:
      try sink.appendOther(encoding, values, levels)
    default: throw .unsupported("encoding \(encoding.name) is not supported")
    }
  }

  private mutating func appendIndices(
    _ values: RawSpan, _ levels: PageLevels, skipping before: Int, _ indices: inout [UInt32]
  ) throws(FormatError) {
    guard hasDictionary || levels.validCount == 0 else {
      throw .malformed("the chunk lacks its dictionary page")
    }
    guard values.byteCount > 0 || levels.validCount == 0 else {
      throw .malformed("a page ends too early")
    }
    // Before the indices stands their width in bits.
    let width = values.byteCount > 0 ? Int(values.unsafeLoad(fromByteOffset: 0, as: UInt8.self)) : 0
    var reader = try HybridReader(values.extracting(min(1, values.byteCount)...), width: width)
    if levels.validCount > 0 { try reader.skip(before) }
    if indices.isEmpty { indices = [UInt32](repeating: 0, count: HybridReader.step) }
    try sink.appendIndices(&reader, levels, &indices)
  }

  private mutating func note(_ levels: PageLevels, rows: Int, entries: Int) {
    noteValidity(levels)
    entriesRead += entries
    rowsRead += rows
    if entriesRead == entryLimit { sink.endPages() }
  }

  private mutating func noteValidity(_ levels: PageLevels) {
    if let page = levels.validity {
      if validity == nil {
        validity = BitBuffer()
        validity?.append(repeating: true, cells)
      }
      validity?.append(page)
    } else {
      validity?.append(repeating: true, levels.count)
    }
    cells += levels.count
  }
}
