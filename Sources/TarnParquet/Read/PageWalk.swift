import TarnBytes

/// A page of a chunk, and where it lies in the file.
struct PlacedPage {
  var header: PageHeader
  var offset: Int
  var headerSize: Int

  /// Bytes of the header and the page as stored.
  var size: Int { headerSize + header.compressedSize }
}

/// Goes through the pages of one chunk, holding one of them and a window of bytes, while the next window is read.
struct PageWalk: ~Copyable {
  private let file: ParquetFile
  private let leaf: LeafColumn
  private let range: Range<Int>
  /// Where the last page ends.
  private var end: Int
  private let window: Int
  private let readsAhead: Bool
  private var buffer = ByteBuffer()
  /// Where in the file the buffer begins.
  private var bufferStart: Int
  /// The bytes behind the buffer, which are under way.
  private var ahead: (range: Range<Int>, bytes: ReadAhead<FetchedBytes>)?
  /// Where the next page begins.
  private(set) var position: Int

  /// The most bytes that a page's header may take; its bounds may be long strings.
  private static let greatestHeader = 16 << 20

  /// Begins with the chunk's first page.
  ///
  /// - Parameters:
  ///   - range: Where the chunk lies, and bytes that may belong to it.
  ///   - slack: How many of them may: as many do as the header of a dictionary page takes.
  ///   - window: How many bytes are read at once.
  ///   - readsAhead: Whether the next window is read while the pages of this one are looked at.
  init(
    _ file: ParquetFile, _ leaf: LeafColumn, _ range: Range<Int>, slack: Int = 0, window: Int = 1 << 20,
    readsAhead: Bool = false
  ) {
    end = max(range.lowerBound, range.upperBound - slack)
    self.file = file
    self.leaf = leaf
    self.range = range
    self.window = window
    self.readsAhead = readsAhead
    bufferStart = range.lowerBound
    position = range.lowerBound
    fetchAhead()
  }

  /// The next page; nil at the chunk's end.
  mutating func next() async throws(ParquetError) -> PlacedPage? {
    guard position < end else { return nil }
    let page = try await header()
    if position == range.lowerBound, page.header.type == .dictionary {
      // Without slack, this changes nothing.
      end = min(range.upperBound, end + page.headerSize)
    }
    guard page.header.compressedSize <= end - position - page.headerSize else {
      throw file.failure(.malformed("a page ends behind its chunk"), leaf, at: position)
    }
    position += page.size
    return page
  }

  /// Decodes the page that ``next()`` gave last, or some rows of it.
  mutating func read(
    _ page: PlacedPage, rows: Range<Int>? = nil, with decoder: inout any PageDecoder,
    _ scratch: inout PageScratch
  ) async throws(ParquetError) {
    try await hold(page.offset, page.size)
    let start = page.offset - bufferStart + page.headerSize
    do throws(FormatError) {
      try decoder.read(
        page.header, buffer.bytes.extracting(start..<start + page.header.compressedSize), rows: rows,
        &scratch)
    } catch {
      throw file.failure(error, leaf, at: page.offset)
    }
    // Of many columns the room of pages before the one at hand would be many bytes.
    if rows?.lowerBound == 0, (bufferEnd - page.offset) * 2 < buffer.capacity { shrink(to: page.offset) }
    // What is left of a chunk that was read to its end serves nobody.
    if page.offset + page.size >= range.upperBound, rows?.upperBound ?? Int.max >= page.header.valueCount {
      bufferStart = range.upperBound
      buffer = ByteBuffer()
    }
  }

  /// Leaves the buffer's bytes from an offset of the file on.
  private mutating func shrink(to start: Int) {
    var rest = ByteBuffer(capacity: bufferEnd - start)
    rest.append(buffer.bytes.extracting((start - bufferStart)...))
    buffer = rest
    bufferStart = start
  }

  /// Parses the header at the position, reading more where it is cut short.
  private mutating func header() async throws(ParquetError) -> PlacedPage {
    var wanted = 1 << 10
    while true {
      try await hold(position, wanted)
      do throws(FormatError) {
        let start = position - bufferStart
        var thrift = ThriftReader(buffer.bytes, at: start)
        let header = try thrift.pageHeader()
        return PlacedPage(header: header, offset: position, headerSize: thrift.reader.offset - start)
      } catch {
        let isWhole = bufferEnd >= range.upperBound
        guard !isWhole, wanted < Self.greatestHeader else { throw file.failure(error, leaf, at: position) }
        wanted *= 4
      }
    }
  }

  private var bufferEnd: Int { bufferStart + buffer.count }

  /// Makes the buffer hold so many bytes from an offset on, as far as the chunk goes.
  private mutating func hold(_ start: Int, _ count: Int) async throws(ParquetError) {
    let end = start + min(count, range.upperBound - start)
    guard end > bufferEnd || start < bufferStart else { return }
    if start >= bufferStart, start <= bufferEnd, bufferEnd > bufferStart || ahead != nil {
      let more = try await following(from: start, to: end)
      var joined = ByteBuffer(capacity: bufferEnd - start + more.count)
      joined.append(buffer.bytes.extracting((start - bufferStart)...))
      joined.append(more.bytes)
      buffer = joined
      bufferStart = start
      // Headers are asked for with bytes to spare.
      if end > bufferEnd, bufferEnd < range.upperBound {
        var rest = ByteBuffer()
        try await file.fetch(bufferEnd..<end, into: &rest)
        buffer.append(rest.bytes)
      }
    } else {
      ahead = nil
      try await file.fetch(start..<max(end, start + min(window, range.upperBound - start)), into: &buffer)
      bufferStart = start
    }
    fetchAhead()
  }

  /// The bytes behind the buffer: those under way, or to the end of what is wanted or of a window.
  private mutating func following(from start: Int, to end: Int) async throws(ParquetError) -> ByteBuffer {
    if let ahead {
      self.ahead = nil
      return try await ahead.bytes.value().take()
    }
    var more = ByteBuffer()
    try await file.fetch(
      bufferEnd..<max(end, start + min(window, range.upperBound - start)), into: &more)
    return more
  }

  private mutating func fetchAhead() {
    guard readsAhead, bufferEnd < range.upperBound else { return }
    let next = bufferEnd..<bufferEnd + min(window, range.upperBound - bufferEnd)
    ahead = (next, file.fetchAhead(next))
  }
}
