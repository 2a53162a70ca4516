import TarnBytes
import TarnCompression
import TarnStorage

/// The decompressed text of one file, of which a part is in memory; of a Parquet file its rows as lines of JSON.
struct TextWindow: ~Copyable {
  /// Where the file lies; nil where all of its bytes are in memory.
  private let storage: (any Storage)?
  let path: String
  let size: Int
  let chunk: Int
  /// The MD5 that the file's bytes are to have; nil where nothing is known of it.
  private let expectedMD5: [UInt8]?
  /// That of the bytes that were read.
  private var md5 = MD5()
  /// The version of the file whose size is known; nil without storage.
  private let tag: ObjectTag?

  /// The part in memory.
  var text = ByteBuffer()
  /// Offset in ``text`` of what has not been consumed.
  var consumed = 0
  /// Offset in the file's text of the part in memory.
  private(set) var base = 0
  /// Whether the file has no more text.
  private(set) var isLast = false

  private var decoder: StreamDecoder
  /// Compressed bytes, and how many of them have gone through the decoder.
  private var input = ByteBuffer()
  private var inputConsumed = 0
  private var readOffset = 0
  /// The rows of a Parquet file; nil for other files.
  private var parquet: ParquetRows?

  /// Offset in ``text`` up to which line ends have been counted, and how many there were in the file so far.
  private var countedTo = 0
  /// How many objects were taken or rejected so far.
  var objects = 0
  /// Whether some of the text was no object, so that nobody knows how many there are.
  var isBroken = false
  private var lineEnds = 0

  /// Whether the text's first bytes have been looked at.
  private var hasBegun = false

  /// What the decoder may hand out at a time.
  private static let piece = 1 << 18

  /// - Parameter md5: The MD5 that the file's bytes are to have; nil for any.
  init(storage: any Storage, path: String, md5: [UInt8]? = nil, chunk: Int) async throws(ChangeError) {
    self.storage = storage
    expectedMD5 = md5
    self.path = path
    self.chunk = max(chunk, 1)
    decoder = StreamDecoder(StreamDecoder.Format(path: path))
    do {
      let info = try await storage.info(of: path)
      size = info.size
      tag = info.tag
    } catch { throw .storage(error) }
  }

  /// The text of bytes in memory, which may be compressed.
  ///
  /// - Parameter name: What they are called where something is wrong with them; its ending may tell the compression.
  init(_ bytes: [UInt8], name: String, chunk: Int) {
    let format = StreamDecoder.Format(bytes.span.bytes) ?? StreamDecoder.Format(path: name)
    storage = nil
    tag = nil
    expectedMD5 = nil
    path = name
    size = bytes.count
    self.chunk = max(chunk, 1)
    input.append(bytes.span.bytes)
    readOffset = size
    decoder = StreamDecoder(format)
  }

  /// Drops what was consumed and brings more text: at least as much as there is, so that a long record is not
  /// scanned again and again.
  mutating func more() async throws(ChangeError) {
    let wanted = begin()
    while text.count < wanted, !isLast {
      if inputConsumed == input.count, readOffset < size { try await readInput() }
      if parquet == nil { try decode(wanted) } else { try await readRows() }
      if isLast { try await checkIsUnchanged() }
    }
    try end()
  }

  private mutating func readRows() async throws(ChangeError) {
    var lines: [UInt8] = []
    guard var rows = parquet else { return }
    isLast = try await !rows.append(to: &lines)
    parquet = rows
    text.append(lines.span.bytes)
  }

  /// As ``more()``, for bytes in memory.
  mutating func moreInMemory() throws(ChangeError) {
    let wanted = begin()
    while text.count < wanted, !isLast { try decode(wanted) }
    try end()
  }

  /// Drops what was consumed, and tells how much text is wanted.
  private mutating func begin() -> Int {
    drop()
    return text.count + max(chunk, text.count)
  }

  private mutating func end() throws(ChangeError) {
    guard !hasBegun, text.count >= Self.beginning || isLast else { return }
    hasBegun = true
    let isIon = text.withUnsafeBytes { bytes in
      // The mark of its text, and that of its binary form.
      bytes.starts(with: "$ion_1_0".utf8) || bytes.starts(with: [0xe0, 0x01, 0x00, 0xea])
    }
    if isIon { throw .ion(path: path) }
    if storage == nil, ParquetRows.isOne(text.bytes) { throw .parquetInMemory(path: path) }
    // Some programs put a mark before UTF-8 text.
    if text.withUnsafeBytes({ $0.starts(with: [0xef, 0xbb, 0xbf]) }) { consumed = 3 }
  }

  /// How many bytes of the text tell what it is.
  private static let beginning = 8

  /// Fails where the file was replaced or written to meanwhile: then its parts are not of one version, or it is cut.
  private mutating func checkIsUnchanged() async throws(ChangeError) {
    guard let storage else { return }
    if parquet == nil, let expectedMD5, md5.finish() != expectedMD5 {
      throw .checksum(path: path, "its MD5 is not the one in the manifest")
    }
    do throws(StorageError) {
      guard try await storage.info(of: path).tag != tag else { return }
      throw StorageError(.changed, path: path, "it changed while it was read; read it again when it is whole")
    } catch { throw .storage(error) }
  }

  /// Fails where the file has another number of objects than it is to have.
  ///
  /// - Parameter count: What it is to have; nil for any.
  borrowing func check(count: Int?) throws(ChangeError) {
    guard let count, !isBroken, objects != count else { return }
    throw .checksum(path: path, "it has \(objects) items, and the manifest says \(count)")
  }

  private mutating func drop() {
    guard consumed > 0 else { return }
    countLines(upTo: consumed)
    base += consumed
    countedTo -= consumed
    text.removeFirst(consumed)
    consumed = 0
  }

  private mutating func readInput() async throws(ChangeError) {
    guard let storage else { return }
    // The first read brings the bytes that tell a compressed file.
    let end = min(size, readOffset + (readOffset == 0 ? max(chunk, StreamDecoder.Format.headBytes) : chunk))
    do { try await storage.read(path, range: readOffset..<end, into: &input) } catch { throw .storage(error) }
    inputConsumed = 0
    if expectedMD5 != nil { Self.add(input, to: &md5) }
    if readOffset == 0, ParquetRows.isOne(input.bytes) {
      parquet = try await ParquetRows(storage, path, size: size, tag: tag)
      // What is wanted of the file is read by itself.
      readOffset = size
      return
    }
    if readOffset == 0 {
      // Where the first bytes are those of no known format, the file's name decides.
      decoder = StreamDecoder(StreamDecoder.Format(input.bytes) ?? StreamDecoder.Format(path: path))
    }
    readOffset = end
  }

  private static func add(_ input: borrowing ByteBuffer, to md5: inout MD5) { md5.update(input.bytes) }

  private mutating func decode(_ wanted: Int) throws(ChangeError) {
    do {
      while text.count < wanted {
        let before = text.count
        inputConsumed += try Self.decode(&decoder, input, from: inputConsumed, into: &text)
        guard inputConsumed == input.count, text.count - before < Self.piece else { continue }
        guard readOffset >= size else { return }
        try decoder.finish()
        isLast = true
        return
      }
    } catch {
      throw .compression(path: path, message: error.message)
    }
  }

  private static func decode(
    _ decoder: inout StreamDecoder, _ input: borrowing ByteBuffer, from offset: Int,
    into text: inout ByteBuffer
  ) throws(CompressionError) -> Int {
    try decoder.decode(input.bytes.extracting(offset...), into: &text, limit: piece)
  }

  /// Number of text bytes in the file so far.
  var textBytes: Int { base + text.count }

  private mutating func countLines(upTo end: Int) {
    guard end > countedTo else { return }
    lineEnds += Self.lineEnds(in: text.bytes.extracting(countedTo..<end))
    countedTo = end
  }

  /// How many line ends there are, eight bytes at a time: all of a file goes through here.
  private static func lineEnds(in text: RawSpan) -> Int {
    text.withUnsafeBytes { bytes in
      let (ones, high): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
      var count = 0
      var position = 0
      while position &+ 8 <= bytes.count {
        // A line end becomes zero, and only where there is a zero is it worth to look at each byte.
        let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) ^ (ones &* 0x0a)
        if (word &- ones) & ~word & high != 0 {
          count &+= bytes[position..<position &+ 8].reduce(0) { $0 &+ ($1 == 0x0a ? 1 : 0) }
        }
        position &+= 8
      }
      return count &+ bytes[position...].reduce(0) { $0 &+ ($1 == 0x0a ? 1 : 0) }
    }
  }

  /// The line, from 1, on which an offset of ``text`` lies; offsets must not fall from call to call.
  mutating func line(at offset: Int) -> Int {
    countLines(upTo: offset)
    return lineEnds + 1
  }
}

extension StreamDecoder.Format {
  /// What the first bytes of a file of records tell, whatever its name says; those of compressed files begin no JSON.
  ///
  /// Nil where they begin none of these.
  init?(_ head: RawSpan) {
    if let compressed = StreamDecoder.Format(head: head) {
      self = compressed
      return
    }
    let found: StreamDecoder.Format? = head.withUnsafeBytes { bytes in
      let first = bytes.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
      // A byte order mark may come first.
      return first == 0x7b || first == 0xef ? .some(.none) : nil
    }
    guard let found else { return nil }
    self = found
  }
}
