import TarnColumns

/// What was found in a data page.
struct CheckedPage {
  var offset: Int
  var size: Int
  var firstRow: Int
  var valueCount: Int
  /// Nulls, empty lists and all that makes an entry without a value.
  var emptyCount: Int
  /// Nulls in the innermost list alone, as some writers count them.
  var nullCount: Int
  var bounds: ValueBounds?
}

/// Reads the pages of one chunk, and compares them with what is said of them elsewhere.
struct ChunkCheck {
  let file: ParquetFile
  let group: Int
  let leaf: LeafColumn
  let chunk: ChunkMetadata
  private(set) var findings: [ParquetFinding] = []
  private(set) var pageCount = 0
  /// The data pages.
  private(set) var pages: [CheckedPage] = []
  private var kinds: [PageKind: Int] = [:]
  private var dictionaryOffset: Int?
  private var hasDirectPages = false
  private var usesDictionary = false
  private var uncompressedSize = 0
  /// The chunk's Bloom filter, where it has one that can be read.
  var bloom: BloomCheck?

  /// What `PageEncodingStats` counts pages by.
  private struct PageKind: Hashable {
    let type: PageType
    let encoding: Encoding

    /// Data pages are of one kind: some writers count those of version 2 among those of version 1.
    init(_ type: PageType, _ encoding: Encoding) {
      self.type = type == .dataV2 ? .data : type
      self.encoding = encoding
    }
  }

  init(_ file: ParquetFile, _ group: Int, _ leaf: LeafColumn) {
    self.file = file
    self.group = group
    self.leaf = leaf
    chunk = file.metadata.groups[group].columns[leaf.chunk]
  }

  var rowCount: Int { file.metadata.groups[group].rowCount }

  mutating func find(_ message: String, page: Int? = nil, at offset: Int? = nil) {
    findings.append(
      ParquetFinding(rowGroup: group, column: leaf.name, page: page, offset: offset, message: message))
  }

  /// Makes a finding of an error, unless the storage failed or the task was cancelled.
  mutating func find(_ error: ParquetError, page: Int? = nil) throws(ParquetError) {
    guard error.isOfTheFile else { throw error }
    // The finding tells the row group itself.
    let prefix = "row group \(group): "
    let message =
      error.message.hasPrefix(prefix) ? String(error.message.dropFirst(prefix.count)) : error.message
    find(message, page: page, at: error.offset)
  }

  /// Checks everything.
  ///
  /// - Throws: ``ParquetError`` where the storage fails.
  mutating func run() async throws(ParquetError) {
    do {
      let range = try file.chunkRange(group, leaf)
      try await readBloomFilter()
      // What is said of pages means nothing where they cannot all be read.
      guard try await readPages(range) else { return }
    } catch {
      return try find(error)
    }
    checkOffsets()
    checkSizes()
    checkEncodings()
    checkStatistics()
    try await checkOffsetIndex()
    try await checkColumnIndex()
    checkBloomFilter()
  }

  /// Decodes all pages; false where one cannot be.
  private mutating func readPages(_ range: Range<Int>) async throws(ParquetError) -> Bool {
    var walk = PageWalk(file, leaf, range, slack: chunk.slack)
    var scratch = PageScratch()
    // That times have nanoseconds is no fault of the file.
    var decoder = leaf.decoder(
      chunk.codec, entries: chunk.valueCount, expected: min(rowCount, 1 << 14), cutsNanoseconds: true)
    do {
      while let page = try await walk.next() {
        let firstRow = decoder.rowsRead
        try await walk.read(page, with: &decoder, &scratch)
        note(page, try taken(&decoder, page), firstRow)
      }
    } catch {
      try find(error, page: pages.count)
      return false
    }
    if decoder.entriesRead != chunk.valueCount {
      find("the pages hold \(decoder.entriesRead) values, the chunk declares \(chunk.valueCount)")
    }
    if decoder.rowsRead != rowCount {
      find("the pages hold \(decoder.rowsRead) rows, the row group declares \(rowCount)")
    }
    return true
  }

  private func taken(_ decoder: inout any PageDecoder, _ page: PlacedPage) throws(ParquetError) -> LeafValues
  {
    do { return try decoder.take() } catch { throw file.failure(error, leaf, at: page.offset) }
  }

  /// Takes a page into account.
  private mutating func note(_ page: PlacedPage, _ piece: LeafValues, _ firstRow: Int) {
    let header = page.header
    uncompressedSize += page.headerSize + header.uncompressedSize
    pageCount += 1
    if header.type != .index {
      kinds[PageKind(header.type, header.encoding), default: 0] += 1
    }
    if chunk.codec == .uncompressed, header.uncompressedSize != header.compressedSize {
      find(
        "the page declares \(header.uncompressedSize) bytes and takes \(header.compressedSize), uncompressed",
        page: header.type == .dictionary ? nil : pages.count, at: page.offset)
    }
    switch header.type {
    case .dictionary: dictionaryOffset = page.offset
    case .index: break
    case .data, .dataV2: noteData(page, piece, firstRow)
    }
  }

  private mutating func noteData(_ page: PlacedPage, _ piece: LeafValues, _ firstRow: Int) {
    let header = page.header
    let number = pages.count
    if header.valueCount == 0 {
      find("the page is empty, which some readers refuse", page: number, at: page.offset)
    }
    if header.encoding == .rleDictionary || header.encoding == .plainDictionary {
      usesDictionary = true
      if hasDirectPages {
        find(
          "the page refers to the dictionary and follows one that does not: Spark reads it wrongly",
          page: number, at: page.offset)
      }
    } else {
      hasDirectPages = true
    }
    if let rows = header.rowCount, rows != piece.rows {
      find("the page declares \(rows) rows and holds \(piece.rows)", page: number, at: page.offset)
    }
    let begins = piece.repetitions.first ?? 0 == 0
    if !begins, chunk.offsetIndex != nil || header.type == .dataV2 {
      find("the page does not begin with a row", page: number, at: page.offset)
    }
    let nulls = piece.values.nullCount
    let present = piece.values.count - nulls
    let checked = CheckedPage(
      offset: page.offset, size: page.size, firstRow: firstRow, valueCount: header.valueCount,
      emptyCount: header.valueCount - present, nullCount: nulls, bounds: ValueBounds(piece.values))
    checkNullCount(header, checked)
    if let statistics = header.statistics {
      check(
        statistics, empty: checked.emptyCount, nulls: nulls, checked.bounds, "page header", page: number,
        at: page.offset)
    }
    if let value = piece.values.rowsNotUTF8.first {
      find("value \(value) is not UTF-8, which some engines refuse", page: number, at: page.offset)
    }
    bloom?.note(piece.values, page: number)
    pages.append(checked)
  }

  /// Checks what a page of version 2 says of its nulls, by which some readers place its values.
  private mutating func checkNullCount(_ header: PageHeader, _ page: CheckedPage) {
    guard header.type == .dataV2 else { return }
    guard let declared = header.nullCount else {
      return find("the page does not declare its number of nulls", page: pages.count, at: page.offset)
    }
    guard declared != page.emptyCount, declared != page.nullCount else { return }
    find(
      "the page declares \(declared) nulls and holds \(page.emptyCount)", page: pages.count, at: page.offset)
  }

  /// Whether a count is one of both ways to count nulls.
  ///
  /// A negative one stands for none in files of some writers.
  func isNullCount(_ declared: Int, _ empty: Int, _ nulls: Int) -> Bool {
    declared < 0 || declared == empty || declared == nulls
  }

  /// Checks where the footer says that the pages begin.
  private mutating func checkOffsets() {
    // Where no offset of a dictionary is told, that of the data pages is by custom where the chunk begins.
    if chunk.dictionaryPageOffset ?? 0 <= 0, dictionaryOffset == chunk.dataPageOffset { return }
    if let first = pages.first, first.offset != chunk.dataPageOffset {
      find(
        "data_page_offset is \(chunk.dataPageOffset), the first data page lies elsewhere", at: first.offset)
    }
    let declared = chunk.dictionaryPageOffset.flatMap { $0 > 0 ? $0 : nil }
    switch (declared, dictionaryOffset) {
    case (nil, let found?): find("the footer does not tell of the dictionary page", at: found)
    case (let declared?, nil): find("there is no dictionary page where the footer says", at: declared)
    case (let declared?, let found?) where declared != found:
      find("dictionary_page_offset is \(declared), the dictionary lies elsewhere", at: found)
    default: break
    }
  }

  /// Checks sizes; that the pages fill the chunk, the reading showed.
  private mutating func checkSizes() {
    if uncompressedSize != chunk.uncompressedSize {
      find(
        "total_uncompressed_size is \(chunk.uncompressedSize), the pages have \(uncompressedSize)",
        at: chunk.start)
    }
  }

  /// Checks the lists of encodings.
  private mutating func checkEncodings() {
    let listed = Set(chunk.encodings)
    let used = Set(kinds.keys.map(\.encoding))
    for encoding in used.subtracting(listed).sorted(by: { $0.rawValue < $1.rawValue }) {
      // Either name stands for PLAIN in a dictionary page.
      let isDictionaryOnly = kinds.keys.allSatisfy { $0.encoding != encoding || $0.type == .dictionary }
      guard !isDictionaryOnly || listed.isDisjoint(with: [.plain, .plainDictionary]) else { continue }
      find("encodings lacks \(encoding.name)")
    }
    // Levels are in RLE or BIT_PACKED; PLAIN is listed for dictionaries under either name.
    var known = used.union([.rle, .bitPacked])
    if dictionaryOffset != nil { known.formUnion([.plain, .plainDictionary]) }
    for encoding in listed.subtracting(known).sorted(by: { $0.rawValue < $1.rawValue }) {
      find("encodings lists \(encoding.name), which no page has")
    }
    guard !chunk.encodingStatistics.isEmpty else { return }
    var counts: [PageKind: Int] = [:]
    for entry in chunk.encodingStatistics {
      counts[PageKind(entry.page, entry.encoding), default: 0] &+= entry.count
    }
    for kind in Set(counts.keys).union(kinds.keys).sorted(by: {
      ($0.type.rawValue, $0.encoding.rawValue) < ($1.type.rawValue, $1.encoding.rawValue)
    })
    where counts[kind] ?? 0 != kinds[kind] ?? 0 {
      find(
        "encoding_stats counts \(counts[kind] ?? 0) \(kind.type.name) pages in \(kind.encoding.name), "
          + "there are \(kinds[kind] ?? 0)"
      )
    }
  }
}

extension PageType {
  /// What messages call it.
  var name: String {
    switch self {
    case .data, .dataV2: "data"
    case .index: "index"
    case .dictionary: "dictionary"
    }
  }
}
