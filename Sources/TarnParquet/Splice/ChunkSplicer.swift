import TarnBytes
import TarnColumns

/// A chunk made of pages of an older file and of new ones.
struct SplicedChunk: Sendable {
  /// Bytes that follow in the chunk.
  enum Part: Sendable {
    /// A range of the older file.
    case copy(Range<Int>)
    case bytes([UInt8])

    var count: Int {
      switch self {
      case .copy(let range): range.count
      case .bytes(let bytes): bytes.count
      }
    }
  }

  let leaf: WrittenLeaf
  var dictionary: Part?
  var parts: [Part] = []
  var pages: [WrittenPage] = []
  var uncompressedSize: Int
  var counts = SpliceCounts()

  /// Adds pages of the older file, in one piece with those before where they follow them.
  mutating func copy(_ range: Range<Int>, _ copied: ArraySlice<WrittenPage>) {
    pages += copied
    counts.pagesCopied += copied.count
    counts.bytesCopied += range.count
    if case .copy(let last) = parts.last, last.upperBound == range.lowerBound {
      parts[parts.count - 1] = .copy(last.lowerBound..<range.upperBound)
    } else {
      parts.append(.copy(range))
    }
  }

  mutating func append(_ encoded: ChunkWriter.Encoded) {
    guard !encoded.pages.isEmpty else { return }
    parts.append(.bytes(encoded.bytes))
    pages += encoded.pages
    uncompressedSize += encoded.uncompressedSize
    counts.pagesEncoded += encoded.pages.count
    counts.bytesEncoded += encoded.bytes.count
  }

  var refersToDictionary: Bool { pages.contains { $0.encoding == .rleDictionary } }

  /// Whether a page that refers to the dictionary follows one that does not, which Spark reads wrongly.
  var isOutOfOrder: Bool {
    guard let direct = pages.firstIndex(where: { $0.encoding != .rleDictionary }) else { return false }
    return pages[direct...].contains { $0.encoding == .rleDictionary }
  }
}

/// What a task that splices needs for itself.
final class SpliceWorker: @unchecked Sendable {
  // Unchecked, since each task has its own, and the splicer waits for them.
  var compressor: PageCompressor
  var scratch = PageScratch()

  init(_ compression: ParquetWriteOptions.Compression) { compressor = PageCompressor(compression) }
}

/// Makes a new version of one column chunk: pages of untouched slots stay as they are, others are decoded,
/// changed and encoded, save where their values turn out to be the same.
///
/// Pages that refer to the dictionary go on doing so: new values are entries behind the old ones. Where the
/// dictionary has grown too large, the whole chunk is encoded anew. Source: format-tables 13.
///
/// It is an object, since a value of so many parts would be copied at each of many calls that wait.
final class ChunkSplicer: Sendable {
  let file: ParquetFile
  let layout: ChunkLayout
  let field: Field
  let kind: SpliceColumn
  let options: ParquetWriteOptions
  /// In ascending order of their slots; those behind the last slot make new ones.
  let edits: [SlotEdit]
  /// The column of the fresh rows.
  let fresh: Column
  let worker: SpliceWorker

  init(
    file: ParquetFile, layout: ChunkLayout, field: Field, kind: SpliceColumn, options: ParquetWriteOptions,
    edits: [SlotEdit], fresh: Column, worker: SpliceWorker
  ) {
    self.file = file
    self.layout = layout
    self.field = field
    self.kind = kind
    self.options = options
    self.edits = edits
    self.fresh = fresh
    self.worker = worker
  }

  /// That a chunk cannot be gone on with, and is encoded anew.
  private struct MustEncodeAllError: Error {}

  func splice() async throws(ParquetError) -> SplicedChunk {
    do {
      return try await splice(encodingAll: false)
    } catch is MustEncodeAllError {
      do { return try await splice(encodingAll: true) } catch { throw wrapped(error) }
    } catch {
      throw wrapped(error)
    }
  }

  private func wrapped(_ error: any Error) -> ParquetError {
    switch error {
    case let error as ParquetError: error
    case let error as FormatError: file.failure(error, layout.leaf, at: layout.range.lowerBound)
    default: file.failure(.malformed("a chunk cannot be spliced"), layout.leaf)
    }
  }

  private func splice(encodingAll: Bool) async throws -> SplicedChunk {
    guard let column = ColumnWriter(field, options) else {
      throw FormatError.unsupported("type \(field.type.name) cannot be written")
    }
    var result = SplicedChunk(leaf: column.stored.leaves[0], uncompressedSize: layout.uncompressedSize)
    let pieces = pieces(encodingAll)
    var pages = SlotReader(file: file, layout: layout, ranges: ranges(pieces, encodingAll))
    result.counts.bytesRead = pages.byteCount
    if encodingAll { result.uncompressedSize = 0 }
    let dictionary = try await readDictionary(&pages, encodingAll)
    if case .constant(let text) = kind, !encodingAll {
      try adoptConstant(text, dictionary, column, &result)
    }
    for piece in pieces {
      let range = piece.pages
      guard encodingAll || !layout.mindsNaN || piece.edit.map(mustLook) ?? false else {
        result.copy(layout.bytes(ofPages: range), layout.pages[range])
        continue
      }
      if !encodingAll, let edit = piece.edit,
        try await patch(edit, range, &pages, column, dictionary, &result)
      {
        continue
      }
      var uncompressed = 0
      let stored = try await pages.column(ofPages: range, &worker.scratch, &uncompressed)
      let applied = piece.edit ?? SlotEdit(slot: 0)
      if !encodingAll, applied.keepsPlaces, kind == .kept || applied.isSame(stored, fresh),
        layout.mindsNaN || !pages.haveHeadersBounds
      {
        result.copy(layout.bytes(ofPages: range), seen(layout.pages[range], stored))
        continue
      }
      if !encodingAll {
        result.uncompressedSize -= uncompressed
        try settle(column, layout.pages[range.lowerBound].encoding, dictionary)
      }
      try encode(
        try self.column(after: applied, stored), column, encodingAll ? nil : range.upperBound, &result)
    }
    for edit in edits where edit.slot >= layout.slots.count {
      if !encodingAll, let last = result.pages.last { try settle(column, last.encoding, dictionary) }
      let empty = Column(nulls: 0, of: field.type)
      try encode(try self.column(after: edit, empty), column, encodingAll ? nil : layout.pages.count, &result)
    }
    try finish(column, dictionary, encodingAll, &result)
    return result
  }

  // MARK: - What is read

  /// Whether a slot's pages must be decoded for an edit.
  private func mustLook(_ edit: SlotEdit) -> Bool { kind == .compared || !edit.keepsPlaces }

  /// Pages that are copied together, or decoded and changed together.
  private struct Piece {
    var pages: Range<Int>
    var edit: SlotEdit?
  }

  /// The slots, of which those that must be decoded are cut into their pages, so that few long values are held.
  private func pieces(_ encodingAll: Bool) -> [Piece] {
    var pieces: [Piece] = []
    var next = 0
    for slot in layout.slots.indices {
      let edit = next < edits.count && edits[next].slot == slot ? edits[next] : nil
      if edit != nil { next += 1 }
      let range = layout.slots[slot]
      guard range.count > 1, encodingAll || edit != nil else {
        pieces.append(Piece(pages: range, edit: edit))
        continue
      }
      let parts = edit?.parts(range.map { layout.pages[$0].rowCount })
      for (number, page) in range.enumerated() {
        let part = parts.flatMap { $0[number].isEmpty ? nil : $0[number] }
        pieces.append(Piece(pages: page..<page + 1, edit: part))
      }
    }
    return pieces
  }

  /// The parts of the chunk that are read: the dictionary, and pages that are decoded.
  private func ranges(_ pieces: [Piece], _ encodingAll: Bool) -> [Range<Int>] {
    if encodingAll { return [layout.range] }
    if !layout.mindsNaN {
      return (layout.dictionary.map { [$0] } ?? []) + pieces.map { layout.bytes(ofPages: $0.pages) }
    }
    var ranges: [Range<Int>] = []
    for piece in pieces where piece.edit.map(mustLook) ?? false {
      ranges.append(layout.bytes(ofPages: piece.pages))
    }
    let appends = edits.contains { $0.slot >= layout.slots.count }
    if let dictionary = layout.dictionary, !ranges.isEmpty || appends || isConstant {
      ranges.insert(dictionary, at: 0)
    }
    return ranges
  }

  /// Pages that are copied once their values were looked at, with bounds that leave no NaN out.
  private func seen(_ pages: ArraySlice<WrittenPage>, _ values: Column) -> ArraySlice<WrittenPage> {
    guard !layout.mindsNaN else { return pages }
    let bounds = EncodedBounds(ofNumbers: values)
    var pages = pages
    for page in pages.indices where pages[page].nullCount < pages[page].valueCount {
      pages[page].bounds = bounds ?? BoundComparison(field.type).everything
      pages[page].isUnordered = bounds == nil
    }
    return pages
  }

  private var isConstant: Bool { if case .constant = kind { true } else { false } }

  private func readDictionary(
    _ pages: inout SlotReader, _ encodingAll: Bool
  ) async throws -> [UInt8]? {
    guard let range = layout.dictionary, pages.byteCount > 0 else { return nil }
    let page = try await pages.bytes(range)
    try pages.readDictionary(page, &worker.scratch)
    return page
  }

  // MARK: - What is written

  private func column(after edit: SlotEdit, _ stored: Column) throws -> Column {
    if case .constant(let text) = kind {
      return try Column(repeating: text, count: edit.rowCount(before: stored.count))
    }
    return try edit.applied(to: stored, fresh: fresh)
  }

  /// Makes the encoder go on as the pages of the chunk do at this place.
  func settle(_ column: ColumnWriter, _ encoding: Encoding, _ dictionary: [UInt8]?) throws {
    guard encoding == .rleDictionary else {
      column.chunks[0].encoder.settle(encoding)
      return
    }
    guard column.chunks[0].adoptedEntries == nil else { return }
    guard let dictionary else { throw FormatError.malformed("the chunk lacks its dictionary page") }
    try column.chunks[0].adopt(dictionary: dictionary, &worker.scratch)
  }

  /// Encodes a slot's rows; `rest` is the first page behind it, from which on pages may be copied.
  private func encode(
    _ values: Column, _ column: ColumnWriter, _ rest: Int?, _ result: inout SplicedChunk
  ) throws {
    guard values.count > 0 else { return }
    try column.append(values, 0..<values.count, &worker.compressor)
    guard let rest else { return }
    let encoded = column.chunks[0].takePages()
    // Behind a page without dictionary none may follow that refers to it.
    if encoded.pages.contains(where: { $0.encoding != .rleDictionary }),
      layout.pages[rest...].contains(where: { $0.encoding == .rleDictionary })
    {
      throw MustEncodeAllError()
    }
    result.append(encoded)
  }

  private func finish(
    _ column: ColumnWriter, _ dictionary: [UInt8]?, _ encodingAll: Bool, _ result: inout SplicedChunk
  ) throws {
    if encodingAll {
      try column.chunks[0].writeWaitingPages(.plain, &worker.compressor)
      result.append(column.chunks[0].takePages())
    }
    guard !result.isOutOfOrder else { throw MustEncodeAllError() }
    let hasNew = encodingAll || column.chunks[0].hasNewEntries || isConstant
    guard result.refersToDictionary else {
      // A dictionary that no page refers to any more goes.
      if let dictionary, !encodingAll { result.uncompressedSize -= try Self.uncompressedSize(dictionary) }
      if dictionary == nil, layout.dictionary != nil, !encodingAll { throw MustEncodeAllError() }
      return
    }
    guard hasNew else {
      if let range = layout.dictionary { result.dictionary = .copy(range) }
      return
    }
    let (page, size) = try column.chunks[0].encodedDictionary(&worker.compressor)
    if let dictionary, !encodingAll { result.uncompressedSize -= try Self.uncompressedSize(dictionary) }
    result.uncompressedSize += size
    result.dictionary = .bytes(page)
    result.counts.bytesEncoded += page.count
  }

  /// Bytes of a page with its header, before compression.
  private static func uncompressedSize(_ page: [UInt8]) throws(FormatError) -> Int {
    var reader = ThriftReader(page.span.bytes)
    let header = try reader.pageHeader()
    return reader.reader.offset + header.uncompressedSize
  }

  // MARK: - One value for the whole file

  /// Begins with a dictionary of the one new value, so that the old pages mean it from now on.
  private func adoptConstant(
    _ text: String, _ dictionary: [UInt8]?, _ column: ColumnWriter, _ result: inout SplicedChunk
  ) throws {
    guard let dictionary, layout.pages.allSatisfy({ $0.encoding == .rleDictionary && $0.nullCount == 0 })
    else { throw MustEncodeAllError() }
    var reader = ThriftReader(dictionary.span.bytes)
    guard try reader.pageHeader().valueCount == 1 else { throw MustEncodeAllError() }
    var plain: [UInt8] = []
    plain.appendLittleEndian(UInt32(truncatingIfNeeded: text.utf8.count))
    plain += text.utf8
    try column.chunks[0].encoder.adopt(dictionary: plain.span.bytes, count: 1)
    column.chunks[0].adoptedEntries = 1
  }
}

extension ChunkSplicer {
  /// The pages of a chunk as they are once its one value is another.
  static func renamed(_ pages: [WrittenPage], _ text: String) -> [WrittenPage] {
    var strings = ByteStrings()
    guard (try? strings.append(Array(text.utf8).span.bytes)) != nil else { return pages }
    var bounds = ByteBounds(strings)
    bounds.note(0)
    let encoded = bounds.encoded(isText: true)
    return pages.map {
      var page = $0
      page.bounds = encoded
      return page
    }
  }
}
