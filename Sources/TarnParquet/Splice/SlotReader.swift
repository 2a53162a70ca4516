import TarnBytes
import TarnColumns

/// Reads the slots of a chunk in their order.
struct SlotReader: ~Copyable {
  let file: ParquetFile
  let layout: ChunkLayout
  private let requests: [Range<Int>]
  private var next = 0
  private var buffer = ByteBuffer()
  private var bufferStart = 0
  private var decoder: any PageDecoder
  /// Whether a page that was decoded last has bounds in its header.
  private(set) var haveHeadersBounds = false

  /// Ranges are given in their order.
  init(file: ParquetFile, layout: ChunkLayout, ranges: [Range<Int>]) {
    self.file = file
    self.layout = layout
    requests = RangeRequest.joined(
      ranges.map { RangeRequest(range: $0, parts: [()]) }, gap: file.widestGap,
      most: ParquetFile.greatestRequest
    ).map(\.range)
    decoder = layout.leaf.decoder(
      layout.codec, entries: layout.pages.reduce(0) { $0 + $1.valueCount },
      expected: min(layout.pages.first?.valueCount ?? 0, 1 << 20))
  }

  /// Bytes that are read in all.
  var byteCount: Int { requests.reduce(0) { $0 + $1.count } }

  /// Makes the buffer hold a range, which lies in one of the requests.
  mutating func load(_ range: Range<Int>) async throws(ParquetError) {
    while range.upperBound > bufferStart + buffer.count || range.lowerBound < bufferStart {
      guard next < requests.count else {
        throw file.failure(.malformed("the pages of a chunk are not in their order"), layout.leaf)
      }
      try await file.fetch(requests[next], into: &buffer)
      bufferStart = requests[next].lowerBound
      next += 1
    }
  }

  /// A range as it is stored.
  mutating func bytes(_ range: Range<Int>) async throws(ParquetError) -> [UInt8] {
    try await load(range)
    return buffer.bytes.extracting(range.lowerBound - bufferStart..<range.upperBound - bufferStart).copied()
  }

  mutating func readDictionary(_ page: [UInt8], _ scratch: inout PageScratch) throws(FormatError) {
    let (header, start) = try Self.header(page.span.bytes)
    try decoder.read(header, page.span.bytes.extracting(start..<page.count), &scratch)
  }

  /// Puts into the scratch buffer what a page holds, and gives its header and the bytes that both take.
  mutating func plain(
    ofPage page: Int, _ scratch: inout PageScratch
  ) async throws(ParquetError) -> (header: PageHeader, uncompressedSize: Int) {
    let range = layout.offsets[page]..<layout.offsets[page + 1]
    try await load(range)
    let start = range.lowerBound - bufferStart
    let bytes = buffer.bytes.extracting(start..<start + range.count)
    do throws(FormatError) {
      let (header, length) = try Self.header(bytes)
      try scratch.load(header, bytes.extracting(length...), layout.codec)
      return (header, length + header.uncompressedSize)
    } catch {
      throw file.failure(error, layout.leaf, at: range.lowerBound)
    }
  }

  /// Decodes the rows of pages, and adds the bytes that these take before compression.
  mutating func column(
    ofPages pages: Range<Int>, _ scratch: inout PageScratch, _ uncompressedSize: inout Int
  ) async throws(ParquetError) -> Column {
    // Nothing is held in between but the dictionary, so that this copies nothing.
    var decoder = self.decoder
    defer { self.decoder = decoder }
    haveHeadersBounds = false
    for page in pages {
      let range = layout.offsets[page]..<layout.offsets[page + 1]
      try await load(range)
      let start = range.lowerBound - bufferStart
      do throws(FormatError) {
        let (header, length) = try Self.header(buffer.bytes.extracting(start..<start + range.count))
        if header.statistics != nil { haveHeadersBounds = true }
        try decoder.read(header, buffer.bytes.extracting(start + length..<start + range.count), &scratch)
        uncompressedSize += length + header.uncompressedSize
      } catch {
        throw file.failure(error, layout.leaf, at: range.lowerBound)
      }
    }
    do throws(FormatError) {
      let piece = try decoder.take()
      guard piece.rows == layout.pages[pages].reduce(0, { $0 + $1.rowCount }) else {
        throw .malformed("a page holds other rows than the page index says")
      }
      return piece.values
    } catch {
      throw file.failure(error, layout.leaf, at: layout.offsets[pages.lowerBound])
    }
  }

  /// A page's header, and where its body begins.
  static func header(_ page: RawSpan) throws(FormatError) -> (PageHeader, Int) {
    var thrift = ThriftReader(page)
    let header = try thrift.pageHeader()
    guard header.compressedSize == page.byteCount - thrift.reader.offset else {
      throw .malformed("a page has another size than the page index says")
    }
    return (header, thrift.reader.offset)
  }
}
