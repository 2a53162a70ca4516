import TarnBytes
import TarnColumns

/// A data page that stands in a chunk.
struct WrittenPage: Sendable {
  var type = PageType.data
  var encoding: Encoding
  /// Bytes of the header and the page as stored.
  var size: Int
  var rowCount: Int
  var valueCount: Int
  var nullCount: Int
  var bounds: EncodedBounds?
  /// Whether one of its values may have no place in the order, as NaN has none; bounds say nothing then.
  var isUnordered = false
}

/// Builds one column chunk: its data pages stand in memory until the dictionary, which goes first, is complete.
struct ChunkWriter: Sendable {
  let leaf: WrittenLeaf
  let codec: Codec
  private let writesChecksums: Bool
  private let falsePositiveRate: Double?
  let order: BoundComparison
  var encoder: any PageEncoder
  /// Entries of the dictionary that stand in a file already; nil where it is all new.
  var adoptedEntries: Int?
  /// The data pages with their headers.
  private var pages: [UInt8] = []
  private(set) var written: [WrittenPage] = []
  private var uncompressedSize = 0
  /// Pages of nothing but nulls that came before it was settled how values are encoded: their levels.
  private var waiting: [(levels: [UInt8], cells: Int, rows: Int)] = []
  private var page: [UInt8] = []
  private var compressed: [UInt8] = []
  private var hasBuffers = false

  init(_ leaf: WrittenLeaf, _ options: ParquetWriteOptions) {
    self.leaf = leaf
    codec = options.codec
    writesChecksums = options.writesChecksums
    order = BoundComparison(leaf.type)
    encoder = Self.encoder(leaf, options.encodings[leaf.name] ?? .automatic)
    falsePositiveRate =
      options.bloomFilterColumns.contains(leaf.name) ? options.bloomFilterFalsePositiveRate : nil
    if falsePositiveRate != nil { encoder.collectHashes() }
  }

  private static func encoder(
    _ leaf: WrittenLeaf, _ choice: ParquetWriteOptions.EncodingChoice
  ) -> any PageEncoder {
    switch leaf.type {
    case .int8: return FixedEncoder<Int8>(width: 4, choice)
    case .int16: return FixedEncoder<Int16>(width: 4, choice)
    case .int32, .date: return FixedEncoder<Int32>(width: 4, choice)
    case .int64, .timestamp, .time: return FixedEncoder<Int64>(width: 8, choice)
    case .float: return FixedEncoder<Float>(width: 4, choice)
    case .double: return FixedEncoder<Double>(width: 8, choice)
    case .decimal(let precision, _):
      let bound = SchemaElement.powerOfTen(precision)
      return FixedEncoder<Int128>(width: leaf.element.byteLength ?? 16, choice) { $0 > -bound && $1 < bound }
    case .string: return BytesEncoder(isText: true, choice)
    case .binary: return BytesEncoder(isText: false, choice)
    // A leaf has no children.
    case .boolean, .list, .structure, .map: return BooleanEncoder()
    }
  }

  /// About how many bytes the chunk will take.
  var byteCount: Int { pages.count + encoder.dictionaryByteCount }
  /// About how many bytes are held besides: the table by which entries are found, and notes of pages with their bounds.
  var workingBytes: Int { 16 * encoder.dictionaryCount + 256 * written.count }
  var isEmpty: Bool { written.isEmpty && waiting.isEmpty }
  var rowCount: Int { written.reduce(0) { $0 + $1.rowCount } + waiting.reduce(0) { $0 + $1.rows } }

  /// Takes the compressor's buffers for the page at hand, since those of all columns together would be many bytes.
  private mutating func borrowBuffers(_ compressor: inout PageCompressor) {
    guard !hasBuffers else { return }
    hasBuffers = true
    swap(&page, &compressor.page)
    swap(&compressed, &compressor.compressed)
  }

  private mutating func giveBuffersBack(_ compressor: inout PageCompressor) {
    hasBuffers = false
    swap(&page, &compressor.page)
    swap(&compressed, &compressor.compressed)
    page = []
    compressed = []
  }

  /// Appends a page.
  mutating func append(
    _ column: Column, _ cells: PageCells, _ compressor: inout PageCompressor
  ) throws(FormatError) {
    borrowBuffers(&compressor)
    defer { giveBuffersBack(&compressor) }
    page.removeAll(keepingCapacity: true)
    if leaf.greatestRepetition > 0 {
      page.appendLevels(.each(cells.repetition), cells.count, greatest: leaf.greatestRepetition)
    }
    if leaf.greatestDefinition > 0 {
      page.appendLevels(cells.definition, cells.count, greatest: leaf.greatestDefinition)
    }
    if cells.values.count == 0, !encoder.isDecided {
      waiting.append((page, cells.count, cells.rowCount))
      return
    }
    let encoded = try encoder.encode(
      column, cells.values, cells: cells.count, &compressor, into: &page)
    if !waiting.isEmpty {
      let ready = page
      try writeWaitingPages(encoded.encoding, &compressor)
      page = ready
    }
    try writePage(
      cells.count, rows: cells.rowCount, nulls: cells.count - cells.values.count, encoded, &compressor)
  }

  /// Writes the pages of nulls before the first page that is not, as pages of its encoding.
  mutating func writeWaitingPages(
    _ encoding: Encoding, _ compressor: inout PageCompressor
  ) throws(FormatError) {
    let pages = waiting
    guard !pages.isEmpty else { return }
    waiting = []
    for (levels, cells, rows) in pages {
      page = levels
      if encoding == .rleDictionary {
        let none: [UInt32] = []
        page.appendIndices(none.span, entries: 1)
      }
      let encoded = EncodedValues(encoding: encoding == .rleDictionary ? encoding : .plain)
      try writePage(cells, rows: rows, nulls: cells, encoded, &compressor)
    }
  }

  /// Compresses the page at hand and puts it behind the others.
  private mutating func writePage(
    _ count: Int, rows: Int, nulls: Int, _ encoded: EncodedValues, _ compressor: inout PageCompressor
  ) throws(FormatError) {
    compressed.removeAll(keepingCapacity: true)
    try compressor.append(page, to: &compressed)
    let header = try header(.data, count, encoded.encoding)
    let isUnordered = encoded.bounds == nil && nulls < count
    note(
      WrittenPage(
        encoding: encoded.encoding, size: header.count + compressed.count, rowCount: rows, valueCount: count,
        nullCount: nulls, bounds: isUnordered ? order.everything : encoded.bounds, isUnordered: isUnordered),
      uncompressedSize: header.count + page.count)
    let needed = pages.count + header.count + compressed.count
    // An array that doubles would leave as much unused, of each of many columns.
    if pages.capacity < needed { pages.reserveCapacity(needed + needed / 4) }
    pages.append(contentsOf: header)
    pages.append(contentsOf: compressed)
  }

  /// Appends a page of so many values, none of them null, that is encoded already, levels and all.
  mutating func append(
    encoded page: [UInt8], count: Int, _ encoded: EncodedValues, _ compressor: inout PageCompressor
  ) throws(FormatError) {
    borrowBuffers(&compressor)
    defer { giveBuffersBack(&compressor) }
    self.page = page
    try writePage(count, rows: count, nulls: 0, encoded, &compressor)
  }

  /// Takes a data page into account, whose bytes are appended besides.
  private mutating func note(_ page: WrittenPage, uncompressedSize size: Int) {
    uncompressedSize += size
    written.append(page)
  }

  /// The header of the page at hand and its compressed form.
  private func header(
    _ type: PageType, _ count: Int, _ encoding: Encoding
  ) throws(FormatError) -> [UInt8] {
    guard max(page.count, compressed.count) <= Int(Int32.max) else {
      throw .outOfRange("a value is too long: a page holds at most 2 GiB")
    }
    var header = PageHeader()
    header.type = type
    header.uncompressedSize = page.count
    header.compressedSize = compressed.count
    header.valueCount = count
    header.encoding = encoding
    if writesChecksums { header.checksum = CRC32.checksum(compressed.span.bytes) }
    return header.encoded()
  }

  /// A chunk that is ready to be written at a place in the file.
  struct Finished {
    var metadata: ChunkMetadata
    var dictionary: [UInt8]
    var pages: [UInt8]
    var offsetIndex: OffsetIndex
    var columnIndex: ColumnIndex
    var bloomFilter: [UInt8]?
  }

  /// Ends the chunk, which begins at `offset` of the file; ``reset()`` begins another.
  mutating func finish(
    at offset: Int, _ compressor: inout PageCompressor
  ) throws(FormatError) -> Finished {
    try writeWaitingPages(.plain, &compressor)
    let dictionary = try dictionaryPage(&compressor)
    let builder = ChunkIndexBuilder(pages: written, order: order)
    var result = Finished(
      metadata: ChunkMetadata(
        leaf, codec, written, at: offset, dictionarySize: dictionary.count, uncompressedSize: uncompressedSize
      ),
      dictionary: dictionary, pages: pages,
      offsetIndex: builder.offsetIndex(from: offset + dictionary.count), columnIndex: builder.columnIndex())
    result.metadata.statistics = builder.statistics()
    if let falsePositiveRate { result.bloomFilter = bloomFilter(falsePositiveRate) }
    return result
  }

  /// Pages that were encoded, and the bytes they take before compression.
  struct Encoded {
    var bytes: [UInt8]
    var pages: [WrittenPage]
    var uncompressedSize: Int
  }

  /// Gives the pages that were encoded since the last time.
  mutating func takePages() -> Encoded {
    defer {
      pages = []
      written = []
      uncompressedSize = 0
    }
    return Encoded(bytes: pages, pages: written, uncompressedSize: uncompressedSize)
  }

  /// Whether the dictionary has entries that stand in no file yet.
  var hasNewEntries: Bool { encoder.dictionaryCount > adoptedEntries ?? 0 }

  private mutating func dictionaryPage(
    _ compressor: inout PageCompressor
  ) throws(FormatError) -> [UInt8] {
    guard written.contains(where: { $0.encoding == .rleDictionary || $0.encoding == .plainDictionary }) else {
      return []
    }
    let (bytes, size) = try encodedDictionary(&compressor)
    uncompressedSize += size
    return bytes
  }

  /// The dictionary page with its header, and the bytes it takes before compression.
  mutating func encodedDictionary(
    _ compressor: inout PageCompressor
  ) throws(FormatError) -> (bytes: [UInt8], uncompressedSize: Int) {
    borrowBuffers(&compressor)
    defer { giveBuffersBack(&compressor) }
    page = encoder.dictionaryPage()
    compressed.removeAll(keepingCapacity: true)
    try compressor.append(page, to: &compressed)
    let header = try header(.dictionary, encoder.dictionaryCount, .plain)
    return (header + compressed, header.count + page.count)
  }

  private func bloomFilter(_ rate: Double) -> [UInt8]? {
    guard leaf.type != .boolean else { return nil }
    let hashes = encoder.hashes()
    var filter = SplitBlockBloomFilter(distinctValues: Set(hashes).count, falsePositiveRate: rate)
    for hash in hashes { filter.insert(hash: hash) }
    return filter.stored()
  }

  /// Bytes of pages whose memory is worth being kept for the next chunk.
  private static let keptCapacity = 64 << 10

  /// Begins another chunk, and keeps the memory where that is much.
  mutating func reset() {
    encoder.reset()
    adoptedEntries = nil
    // What many columns keep would be many bytes.
    pages.removeAll(keepingCapacity: pages.capacity >= Self.keptCapacity)
    written.removeAll(keepingCapacity: true)
    uncompressedSize = 0
  }
}

extension ChunkMetadata {
  /// What a footer says of a chunk that begins at `offset` of the file.
  init(
    _ leaf: WrittenLeaf, _ codec: Codec, _ pages: [WrittenPage], at offset: Int, dictionarySize: Int,
    uncompressedSize: Int
  ) {
    physical = leaf.element.physical ?? .byteArray
    path = leaf.path
    self.codec = codec
    valueCount = pages.reduce(0) { $0 + $1.valueCount }
    self.uncompressedSize = uncompressedSize
    compressedSize = pages.reduce(dictionarySize) { $0 + $1.size }
    dataPageOffset = offset + dictionarySize
    dictionaryPageOffset = dictionarySize > 0 ? offset : nil
    if dictionarySize > 0 {
      encodingStatistics.append(PageEncodingCount(page: .dictionary, encoding: .plain, count: 1))
    }
    for page in pages {
      let same = encodingStatistics.firstIndex { $0.page == page.type && $0.encoding == page.encoding }
      if let same {
        encodingStatistics[same].count += 1
      } else {
        encodingStatistics.append(PageEncodingCount(page: page.type, encoding: page.encoding, count: 1))
      }
    }
    // Levels are in RLE.
    encodings = Set(encodingStatistics.map(\.encoding)).union([.rle]).sorted { $0.rawValue < $1.rawValue }
  }
}

extension [UInt8] {
  /// Appends levels as a page of version 1 has them: their length, then runs and groups.
  mutating func appendLevels(_ levels: PageCells.Levels, _ count: Int, greatest: Int) {
    let width = Int.bitWidth - greatest.leadingZeroBitCount
    appendLengthPrefixed { out in
      switch levels {
      case .constant(let level): out.appendRun(level, count, width)
      case .each(let levels): out.appendHybrid(levels.span, width: width)
      }
    }
  }
}
