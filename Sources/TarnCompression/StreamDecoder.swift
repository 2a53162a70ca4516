import CZlib
import CZstd
import TarnBytes

/// Decodes a compressed file piece by piece, such as a file of change records.
///
/// Several gzip members, zstd frames or Snappy streams may follow one another; zeros may fill a gzip file up, as tapes had
/// it. Of a ZIP file all entries are decoded, one after the other.
package struct StreamDecoder: ~Copyable, @unchecked Sendable {
  // Unchecked, since the state behind the pointer is owned by this value alone.

  /// How a file is compressed.
  package enum Format: Sendable, Hashable {
    case none, gzip, zstd, zip
    /// Snappy in its own framing.
    case snappy
    /// Snappy in Hadoop's framing, which no first bytes tell for sure.
    case hadoopSnappy

    /// The format that a path's ending tells: `.gz`, `.zst`, `.zstd`, `.zip`, and `.snappy` and `.hsnappy` as delivery
    /// streams have them; or else none.
    package init(path: String) {
      if path.hasSuffix(".gz") {
        self = .gzip
      } else if path.hasSuffix(".zst") || path.hasSuffix(".zstd") {
        self = .zstd
      } else if path.hasSuffix(".zip") {
        self = .zip
      } else if path.hasSuffix(".snappy") {
        self = .snappy
      } else if path.hasSuffix(".hsnappy") {
        self = .hadoopSnappy
      } else {
        self = .none
      }
    }

    /// The format that a file's first bytes tell, of which ``headBytes`` are enough; nil where they tell none.
    package init?(head: RawSpan) {
      let found: StreamDecoder.Format? = head.withUnsafeBytes { bytes in
        if bytes.starts(with: [0x1f, 0x8b]) { return .gzip }
        if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
        // The mark of an entry, or that of the end where there is none.
        if bytes.starts(with: [0x50, 0x4b, 3, 4]) || bytes.starts(with: [0x50, 0x4b, 5, 6]) { return .zip }
        if SnappyStream.isFramed(bytes) { return .snappy }
        return SnappyStream.isHadoop(bytes) ? .hadoopSnappy : nil
      }
      guard let found else { return nil }
      self = found
    }

    /// How many first bytes tell a format.
    package static let headBytes = 16
  }

  /// How the file is compressed.
  package let format: Format
  private var zstd: OpaquePointer?
  private var inflate: DeflateContext?
  private var snappy: SnappyStream?
  private var zip: ZipStream?
  /// Whether the input so far ends where a member or frame ends.
  private var isBetweenParts = true
  private var sawAnything = false
  /// Bytes of the present gzip member so far, and members that are complete.
  private var memberBytes = 0
  private var members = 0
  /// Whether zeros have begun that fill the file up.
  private var isPadding = false

  /// Makes a decoder of one file.
  package init(_ format: Format) {
    self.format = format
    switch format {
    case .snappy: snappy = SnappyStream(.snappy)
    case .hadoopSnappy: snappy = SnappyStream(.hadoop)
    case .zip: zip = ZipStream()
    case .none, .gzip, .zstd: break
    }
  }

  deinit { ZSTD_freeDCtx(zstd) }

  /// Decodes all of `input` and appends what it holds to `output`.
  ///
  /// What a piece expands to is not bounded; use ``decode(_:into:limit:)`` to bound it.
  ///
  /// - Throws: ``CompressionError`` where the input is malformed.
  package mutating func decode(
    _ input: RawSpan, into output: inout ByteBuffer
  ) throws(CompressionError) {
    var consumed = 0
    while true {
      let before = output.count
      consumed += try decode(input.extracting(consumed...), into: &output, limit: 1 << 20)
      if consumed == input.byteCount, output.count - before < 1 << 20 { return }
    }
  }

  /// Decodes `input` and appends at most `limit` bytes to `output`.
  ///
  /// Call it again with the rest of the input until all is consumed *and* fewer than `limit` bytes came:
  /// the libraries may hold some back.
  ///
  /// - Returns: How many bytes of the input were consumed.
  /// - Throws: ``CompressionError`` where the input is malformed.
  package mutating func decode(
    _ input: RawSpan, into output: inout ByteBuffer, limit: Int
  ) throws(CompressionError) -> Int {
    if input.byteCount > 0 { sawAnything = true }
    switch format {
    case .none:
      let count = min(limit, input.byteCount)
      output.append(input.extracting(first: count))
      return count
    case .gzip: return try decodeGzip(input, into: &output, limit: limit)
    case .zstd: return try decodeZstd(input, into: &output, limit: limit)
    case .snappy, .hadoopSnappy:
      let consumed = try snappy?.decode(input, into: &output, limit: limit)
      isBetweenParts = snappy?.isBetweenParts ?? true
      return consumed ?? input.byteCount
    case .zip:
      let consumed = try zip?.decode(input, into: &output, limit: limit)
      isBetweenParts = zip?.isAtEnd ?? true
      return consumed ?? input.byteCount
    }
  }

  /// Checks that the file did not end in the middle; call it after the last piece.
  ///
  /// - Throws: ``CompressionError`` with code `truncated` where it did.
  package mutating func finish() throws(CompressionError) {
    guard isBetweenParts, sawAnything || format == .none else {
      throw CompressionError(.truncated, "the \(format) data ends in the middle: the file is truncated")
    }
  }

  private mutating func decodeGzip(
    _ input: RawSpan, into output: inout ByteBuffer, limit: Int
  ) throws(CompressionError) -> Int {
    if inflate == nil { inflate = try DeflateContext.inflating() }
    var consumed = 0
    var produced = 0
    while produced < limit {
      if isBetweenParts {
        if members > 0 { consumed = try passPadding(input, from: consumed) }
        guard let first = input.extracting(consumed...).withUnsafeBytes({ $0.first }) else { break }
        guard first == 0x1f else { throw notGzip }
        inflate?.reset()
        isBetweenParts = false
        memberBytes = 0
      }
      var stepped: DeflateContext.Step?
      output.append(count: min(limit - produced, 1 << 18)) { target in
        stepped = input.withUnsafeBytes { source in
          inflate?.step(UnsafeRawBufferPointer(rebasing: source[consumed...]), target)
        }
        return stepped?.produced ?? 0
      }
      guard let step = stepped else { break }
      consumed += step.consumed
      produced += step.produced
      memberBytes += step.consumed
      switch step.status {
      case Z_STREAM_END:
        isBetweenParts = true
        members += 1
      case Z_OK, Z_BUF_ERROR: if step.consumed + step.produced == 0 { return consumed }
      case Z_MEM_ERROR: throw CompressionError(.failed, "zlib cannot go on: out of memory?")
      // Two bytes tell what is no gzip data at all.
      case _ where memberBytes <= 2: throw notGzip
      default: throw CompressionError(.malformed, "the gzip data is damaged; fetch or make the file again")
      }
    }
    return consumed
  }

  /// The offset behind zeros that follow a member.
  private mutating func passPadding(_ input: RawSpan, from start: Int) throws(CompressionError) -> Int {
    let zeros = input.extracting(start...).withUnsafeBytes { $0.prefix { $0 == 0 }.count }
    if zeros > 0 { isPadding = true }
    if isPadding, start + zeros < input.byteCount { throw notGzip }
    return start + zeros
  }

  private var notGzip: CompressionError {
    CompressionError(
      .malformed,
      members == 0
        ? "this is no gzip data, whose first bytes are 1f 8b: does the file's name end in .gz by mistake?"
        : "behind the gzip data there are bytes that are none: cut them off, or fetch or make the file again")
  }

  private mutating func decodeZstd(
    _ input: RawSpan, into output: inout ByteBuffer, limit: Int
  ) throws(CompressionError) -> Int {
    if zstd == nil { zstd = ZSTD_createDCtx() }
    guard let context = zstd else { throw CompressionError(.failed, "zstd cannot begin: out of memory?") }
    var consumed = 0
    var produced = 0
    while produced < limit {
      if isBetweenParts, consumed == input.byteCount { break }
      var taken = 0
      var status = 0
      let before = output.count
      output.append(count: min(limit - produced, 1 << 18)) { target in
        input.withUnsafeBytes { source in
          let rest = UnsafeRawBufferPointer(rebasing: source[consumed...])
          var from = ZSTD_inBuffer(src: rest.baseAddress, size: rest.count, pos: 0)
          var into = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
          status = ZSTD_decompressStream(context, &into, &from)
          taken = from.pos
          return into.pos
        }
      }
      guard ZSTD_isError(status) == 0 else {
        throw CompressionError(
          .malformed, "the zstd data is damaged: \(String(cString: ZSTD_getErrorName(status)))")
      }
      consumed += taken
      produced += output.count - before
      isBetweenParts = status == 0
      if !isBetweenParts, taken + output.count - before == 0 { break }
    }
    return consumed
  }
}
