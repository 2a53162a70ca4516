import CZlib
import CZstd
import TarnBytes

/// Decodes a compressed file piece by piece, such as a file of change records.
///
/// Several gzip members or zstd frames may follow one another; zeros may fill a gzip file up, as tapes had it.
package struct StreamDecoder: ~Copyable, @unchecked Sendable {
  // Unchecked, since the state behind the pointer is owned by this value alone.

  /// How a file is compressed.
  package enum Format: Sendable, Hashable {
    case none, gzip, zstd

    /// The format that a path's ending tells: `.gz`, `.zst`, `.zstd`, or else none.
    package init(path: String) {
      if path.hasSuffix(".gz") {
        self = .gzip
      } else if path.hasSuffix(".zst") || path.hasSuffix(".zstd") {
        self = .zstd
      } else {
        self = .none
      }
    }
  }

  /// How the file is compressed.
  package let format: Format
  private var zstd: OpaquePointer?
  private var inflate: DeflateContext?
  /// Whether the input so far ends where a member or frame ends.
  private var isBetweenParts = true
  private var sawAnything = false
  /// Bytes of the present gzip member so far, and members that are complete.
  private var memberBytes = 0
  private var members = 0
  /// Whether zeros have begun that fill the file up.
  private var isPadding = false

  /// Makes a decoder of one file.
  package init(_ format: Format) { self.format = format }

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
