import TarnBytes

/// A page of a chunk, and where it lies in the file.
struct PlacedPage {
  var header: PageHeader
  var offset: Int
  var headerSize: Int

  /// Bytes of the header and the page as stored.
  var size: Int { headerSize + header.compressedSize }
}

/// Goes through the pages of one chunk, holding one of them and a window of bytes ahead.
struct PageWalk: ~Copyable {
  private let file: ParquetFile
  private let leaf: LeafColumn
  private let range: Range<Int>
  private let window: Int
  private var buffer = ByteBuffer()
  /// Where in the file the buffer begins.
  private var bufferStart: Int
  /// Where the next page begins.
  private(set) var position: Int

  /// The most bytes that a page's header may take; its bounds may be long strings.
  private static let greatestHeader = 16 << 20

  /// Begins with the chunk's first page; `window` is how many bytes are read at once.
  init(_ file: ParquetFile, _ leaf: LeafColumn, _ range: Range<Int>, window: Int = 1 << 20) {
    self.file = file
    self.leaf = leaf
    self.range = range
    self.window = window
    bufferStart = range.lowerBound
    position = range.lowerBound
  }

  /// The next page; nil at the chunk's end.
  mutating func next() async throws(ParquetError) -> PlacedPage? {
    guard position < range.upperBound else { return nil }
    let page = try await header()
    guard page.header.compressedSize <= range.upperBound - position - page.headerSize else {
      throw file.failure(.malformed("a page ends behind its chunk"), leaf, at: position)
    }
    position += page.size
    return page
  }

  /// Decodes the page that ``next()`` gave last.
  mutating func decode(
    _ page: PlacedPage, with decoder: inout any PageDecoder, _ scratch: inout PageScratch
  ) async throws(ParquetError) -> LeafPiece {
    try await hold(page.offset, page.size)
    let start = page.offset - bufferStart + page.headerSize
    do throws(FormatProblem) {
      try decoder.read(
        page.header, buffer.bytes.extracting(start..<start + page.header.compressedSize), &scratch)
      return try decoder.take()
    } catch {
      throw file.failure(error, leaf, at: page.offset)
    }
  }

  /// Parses the header at the position, reading more where it is cut short.
  private mutating func header() async throws(ParquetError) -> PlacedPage {
    var wanted = 1 << 10
    while true {
      try await hold(position, wanted)
      do throws(FormatProblem) {
        let start = position - bufferStart
        var thrift = ThriftReader(buffer.bytes, at: start)
        let header = try thrift.pageHeader()
        return PlacedPage(header: header, offset: position, headerSize: thrift.reader.offset - start)
      } catch {
        let isWhole = bufferStart + buffer.count >= range.upperBound
        guard !isWhole, wanted < Self.greatestHeader else { throw file.failure(error, leaf, at: position) }
        wanted *= 4
      }
    }
  }

  /// Makes the buffer hold so many bytes from an offset on, as far as the chunk goes.
  private mutating func hold(_ start: Int, _ count: Int) async throws(ParquetError) {
    let end = start + min(count, range.upperBound - start)
    guard end > bufferStart + buffer.count || start < bufferStart else { return }
    try await file.fetch(start..<max(end, min(start + window, range.upperBound)), into: &buffer)
    bufferStart = start
  }
}
