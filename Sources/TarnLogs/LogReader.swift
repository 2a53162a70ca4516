import TarnBytes
import TarnStorage

/// Reads a log file block by block, and the records of a block one by one.
///
/// In memory is a window of the file, and never more than one record or one block's header beyond it.
/// Source: part B of the format, sections 1.3 to 1.6; `HoodieLogFileReader`, which judges in the same way what is
/// no block.
package struct LogReader: ~Copyable, Sendable {
  private var window: FileWindow
  /// Where the next block begins.
  private var next = 0
  /// What is left of the records of the last block.
  private var records: Records?
  /// Where the last record lies.
  private var current = 0..<0

  /// Bytes that are read at once.
  static let step = 256 << 10
  /// Bytes beyond which a header is taken for damage: it holds a schema.
  static let headerLimit = 16 << 20

  private struct Records {
    var left: Int
    var offset: Int
    let end: Int
  }

  /// Makes a reader of a file whose size is known, as from a listing.
  package init(_ storage: any Storage, path: String, size: Int) {
    window = FileWindow(storage, path: path, size: size, step: Self.step)
  }

  /// Makes a reader of a file.
  ///
  /// - Throws: ``LogError`` with code `storage`.
  package static func open(_ storage: any Storage, path: String) async throws(LogError) -> LogReader {
    do { return LogReader(storage, path: path, size: try await storage.info(of: path).size) } catch {
      throw LogError(error)
    }
  }

  /// The file's path.
  package var path: String { window.path }

  /// The next block, or the next part of the file that is none; nil at its end.
  ///
  /// - Throws: ``LogError``: `damaged` where the file is no log, or a block is whole and contradicts itself;
  ///   `unsupported` for what later versions may write.
  package mutating func nextBlock() async throws(LogError) -> LogBlock? {
    records = nil
    let start = next
    guard start < window.size else { return nil }
    guard let end = try await frame(at: start) else {
      next = try await nextMagic(from: start + LogBlock.magic.count)
      return .corrupt(start..<next)
    }
    let block = try await block(start..<end)
    next = end
    return block
  }

  /// The end of the block that begins at an offset; nil where there is no whole one.
  private mutating func frame(at start: Int) async throws(LogError) -> Int? {
    // What is shorter than a block's first bytes, a writer left that died.
    guard window.size - start >= LogBlock.magic.count else { return nil }
    try await window.load(start..<min(start + LogBlock.prefix, window.size))
    guard isMagic(start..<start + LogBlock.magic.count) else {
      throw LogError(.damaged, path: path, at: start, "no block begins here: it is no log, or was cut")
    }
    var reader = ByteReader(window.bytes(from: start, upTo: window.size), at: LogBlock.magic.count)
    guard let size: Int64 = try? reader.readBigEndian(), size >= Int64(LogBlock.leastSize),
      size <= Int64(window.size - start - LogBlock.prefix)
    else { return nil }
    let end = start + LogBlock.prefix + Int(size)
    // At its end the block says how long it is once more, without that number.
    let following = min(end + LogBlock.magic.count, window.size)
    try await window.load(end - 8..<following)
    var trailer = ByteReader(window.bytes(end - 8..<following))
    guard let total: Int64 = try? trailer.readBigEndian(), total == size + 6 else { return nil }
    guard trailer.remaining == LogBlock.magic.count else { return end }
    return isMagic(end..<following) ? end : nil
  }

  private func isMagic(_ range: Range<Int>) -> Bool {
    window.bytes(range).withUnsafeBytes { $0.elementsEqual(LogBlock.magic) }
  }

  /// The offset of the next magic at or behind an offset; the file's end where there is none.
  private mutating func nextMagic(from start: Int) async throws(LogError) -> Int {
    let length = LogBlock.magic.count
    var offset = min(start, window.size)
    while window.size - offset >= length {
      let end = offset + min(Self.step, window.size - offset)
      try await window.load(offset..<end)
      let bytes = window.bytes(offset..<end)
      let found = bytes.withUnsafeBytes { bytes in
        (0...bytes.count - length).first { at in
          bytes[at] == LogBlock.magic[0] && bytes[at..<at + length].elementsEqual(LogBlock.magic)
        }
      }
      if let found { return offset + found }
      // One may lie across the border.
      offset = end - length + 1
    }
    return window.size
  }

  /// Reads what a whole block says of itself.
  private mutating func block(_ range: Range<Int>) async throws(LogError) -> LogBlock {
    let start = range.lowerBound + LogBlock.prefix
    let end = range.upperBound - 8
    let head = try await head(start, end, block: range.lowerBound)
    guard head.version == 1 else {
      throw LogError(.unsupported, path: path, at: range.lowerBound, "a block of version \(head.version)")
    }
    guard let kind = LogBlock.Kind(rawValue: head.kind), kind != .corrupt else {
      throw LogError(.unsupported, path: path, at: range.lowerBound, "a block of kind \(head.kind)")
    }
    var header: [LogBlock.Key: String] = [:]
    for (number, text) in head.header {
      // It may change what the content means.
      guard let key = LogBlock.Key(rawValue: number) else {
        throw LogError(.unsupported, path: path, at: range.lowerBound, "a header with the entry \(number)")
      }
      guard let text else {
        throw LogError(.damaged, path: path, at: range.lowerBound, "a header's text is no UTF-8")
      }
      header[key] = text
    }
    let content = start + head.length
    guard head.contentLength >= 0, head.contentLength <= Int64(end - content - 4) else {
      throw LogError(
        .damaged, path: path, at: range.lowerBound,
        "a content of \(head.contentLength) bytes, for which \(end - content - 4) are left")
    }
    let block = LogBlock(
      kind: kind, range: range, header: header, content: content..<content + Int(head.contentLength))
    try await checkFooter(block.content.upperBound..<end, of: block)
    return block
  }

  /// Reads what stands before a content, of which no more comes into memory than must.
  private mutating func head(_ start: Int, _ end: Int, block: Int) async throws(LogError) -> LogBlockHead {
    var wanted = min(Self.step, end - start)
    while true {
      try await window.load(start..<start + wanted)
      do { return try LogBlockHead(window.bytes(from: start, upTo: end)) } catch {
        guard wanted < min(end - start, Self.headerLimit) else {
          throw LogError(.damaged, path: path, at: block, "the block's header goes beyond it")
        }
        wanted = min(wanted * 2, end - start, Self.headerLimit)
      }
    }
  }

  /// Footers are empty in all that is known; what stands in one is not looked at.
  private mutating func checkFooter(_ range: Range<Int>, of block: LogBlock) async throws(LogError) {
    if range.count <= Self.headerLimit {
      try await window.load(range)
      var reader = ByteReader(window.bytes(range))
      if (try? LogBlockHead.map(&reader)) != nil, reader.isAtEnd { return }
    }
    throw LogError(
      .damaged, path: path, at: block.range.lowerBound, "the block's content and footer do not fill it")
  }

  /// The whole content of a block of this file.
  ///
  /// - Throws: ``LogError``: `damaged` beyond `limit` bytes.
  package mutating func content(of block: LogBlock, limit: Int = 256 << 20) async throws(LogError) -> [UInt8]
  {
    guard block.content.count <= limit else {
      throw LogError(
        .damaged, path: path, at: block.range.lowerBound, "a content of \(block.content.count) bytes")
    }
    try await window.load(block.content)
    return window.bytes(block.content).copied()
  }
}

// The records of a block of Avro: a version, a count, and each record behind its length.
extension LogReader {
  /// Goes to the first record of a block of this file, as ``nextBlock()`` gave it.
  ///
  /// - Throws: ``LogError``: `unsupported` for blocks without such records.
  package mutating func beginRecords(of block: LogBlock) async throws(LogError) {
    records = nil
    guard block.kind == .avro || block.kind == .changes else {
      throw LogError(.unsupported, path: path, at: block.range.lowerBound, "a block of no records of Avro")
    }
    let content = block.content
    try await window.load(content.lowerBound..<min(content.lowerBound + 8, content.upperBound))
    var reader = ByteReader(
      window.bytes(content.lowerBound..<min(content.lowerBound + 8, content.upperBound)))
    guard let version: Int32 = try? reader.readBigEndian(), let count: Int32 = try? reader.readBigEndian(),
      count >= 0
    else {
      throw LogError(
        .damaged, path: path, at: content.lowerBound, "a content that does not tell how many records it has")
    }
    guard (1...3).contains(version) else {
      throw LogError(.unsupported, path: path, at: content.lowerBound, "records of version \(version)")
    }
    records = Records(left: Int(count), offset: content.lowerBound + 8, end: content.upperBound)
  }

  /// Goes to the next record.
  ///
  /// - Returns: Whether there is one.
  /// - Throws: ``LogError``.
  package mutating func nextRecord() async throws(LogError) -> Bool {
    guard var state = records else { return false }
    guard state.left > 0 else {
      records = nil
      guard state.offset == state.end else {
        throw LogError(
          .damaged, path: path, at: state.offset, "\(state.end - state.offset) bytes follow the last record")
      }
      return false
    }
    let start = state.offset
    if state.end - start >= 4 {
      try await window.load(start..<start + 4)
      var reader = ByteReader(window.bytes(start..<start + 4))
      if let length: Int32 = try? reader.readBigEndian(), length >= 0, Int(length) <= state.end - start - 4 {
        current = start + 4..<start + 4 + Int(length)
        try await window.load(current)
        state.left -= 1
        state.offset = current.upperBound
        records = state
        return true
      }
    }
    records = nil
    throw LogError(.damaged, path: path, at: start, "a record does not fit into its block")
  }

  /// The bytes of the record that ``nextRecord()`` went to; none once the next block was asked for.
  package var record: RawSpan {
    @_lifetime(borrow self)
    get { window.bytes(records == nil ? 0..<0 : current) }
  }

  /// Where that record lies in the file.
  package var recordRange: Range<Int> { current }
}
