import CZlib
import CZstd
import TarnBytes

/// Decompresses blocks of known size, keeping the libraries' states from one block to the next.
///
/// A declared size is not trusted: memory beyond what the codec could make of the input is never taken,
/// and a block that holds more or less than was declared is an error.
package struct Decompressor: ~Copyable, @unchecked Sendable {
  // Unchecked, since the state behind the pointer is owned by this value alone.
  private var zstd: OpaquePointer?
  private var inflate: DeflateContext?
  private var inflateRaw: DeflateContext?

  /// Makes a decompressor; states are made when first needed.
  package init() {}

  deinit { ZSTD_freeDCtx(zstd) }

  /// Replaces what `output` holds by the content of one or more zstd frames.
  ///
  /// - Throws: ``CompressionError`` where the input is malformed or does not hold `size` bytes.
  package mutating func zstd(
    _ input: RawSpan, size: Int, into output: inout ByteBuffer
  ) throws(CompressionError) {
    // A block of zstd makes at most 128 KiB of four bytes.
    try Self.checkRatio("zstd", input, size, most: 1 << 15)
    if zstd == nil { zstd = ZSTD_createDCtx() }
    guard let context = zstd else { throw CompressionError(.failed, "zstd cannot begin: out of memory?") }
    try output.fill(count: size) { (target) throws(CompressionError) in
      let written = input.withUnsafeBytes {
        ZSTD_decompressDCtx(context, target.baseAddress, size, $0.baseAddress, $0.count)
      }
      guard ZSTD_isError(written) == 0 else {
        throw CompressionError(.malformed, "zstd: \(String(cString: ZSTD_getErrorName(written)))")
      }
      guard written == size else { throw .sizeMismatch("zstd", expected: size, found: written) }
      return written
    }
  }

  /// Replaces what `output` holds by the content of one or more gzip members.
  ///
  /// - Throws: ``CompressionError`` where the input is malformed or does not hold `size` bytes.
  package mutating func gzip(
    _ input: RawSpan, size: Int, into output: inout ByteBuffer
  ) throws(CompressionError) {
    // Deflate makes at most 258 bytes of two bits.
    try Self.checkRatio("gzip", input, size, most: 1_100)
    if inflate == nil { inflate = try DeflateContext.inflating() }
    try output.fill(count: size) { (target) throws(CompressionError) in
      var consumed = 0
      var produced = 0
      repeat {
        inflate?.reset()
        var status = Z_OK
        while status != Z_STREAM_END {
          let step = input.withUnsafeBytes { source in
            inflate?.step(
              UnsafeRawBufferPointer(rebasing: source[consumed...]),
              UnsafeMutableRawBufferPointer(rebasing: target[produced..<size]))
          }
          guard let step else { throw CompressionError(.failed, "zlib has no state") }
          consumed += step.consumed
          produced += step.produced
          status = step.status
          if status == Z_STREAM_END { break }
          guard status == Z_OK || status == Z_BUF_ERROR else {
            throw CompressionError(.malformed, "gzip data is damaged (\(status))")
          }
          if step.consumed + step.produced == 0 {
            if consumed == input.byteCount {
              throw CompressionError(.truncated, "gzip data ends in the middle")
            }
            throw .sizeMismatch("gzip", expected: size, found: produced + 1)
          }
        }
      } while consumed < input.byteCount
      guard produced == size else { throw .sizeMismatch("gzip", expected: size, found: produced) }
      return produced
    }
  }

  /// Replaces what `output` holds by the content of deflated data without framing, whose size nobody declared.
  ///
  /// Bytes that follow its end are not looked at: a common writer of Avro leaves a part of zlib's checksum there.
  ///
  /// - Parameter limit: Bytes beyond which it is refused.
  /// - Throws: ``CompressionError`` where the input is malformed or ends in the middle, or holds more.
  package mutating func deflate(
    _ input: RawSpan, limit: Int, into output: inout ByteBuffer
  ) throws(CompressionError) {
    if inflateRaw == nil { inflateRaw = try DeflateContext.inflating(.raw) }
    inflateRaw?.reset()
    output.removeAll()
    var consumed = 0
    while true {
      var stepped: DeflateContext.Step?
      // A byte more than may come, so that it is told where more does.
      let room = min(max(limit, 0) - output.count + 1, 1 << 16)
      output.append(count: room) { target in
        stepped = input.withUnsafeBytes { source in
          inflateRaw?.step(UnsafeRawBufferPointer(rebasing: source[consumed...]), target)
        }
        return stepped?.produced ?? 0
      }
      guard let step = stepped else { throw CompressionError(.failed, "zlib has no state") }
      guard output.count <= limit else {
        throw .sizeMismatch("deflate", expected: limit, found: output.count)
      }
      consumed += step.consumed
      if step.status == Z_STREAM_END { return }
      guard step.status == Z_OK || step.status == Z_BUF_ERROR else {
        throw CompressionError(.malformed, "deflated data is damaged (\(step.status))")
      }
      guard step.consumed + step.produced > 0 else {
        throw CompressionError(.truncated, "deflated data ends in the middle")
      }
    }
  }

  /// Replaces what `output` holds by the content of a raw snappy block.
  ///
  /// - Throws: ``CompressionError`` where the input is malformed or does not hold `size` bytes.
  package mutating func snappy(
    _ input: RawSpan, size: Int, into output: inout ByteBuffer
  ) throws(CompressionError) {
    // A copy of three bytes makes at most 64.
    try Self.checkRatio("snappy", input, size, most: 64)
    try output.fill(count: size) { (target) throws(CompressionError) in
      try input.withUnsafeBytes { (source) throws(CompressionError) in
        try Snappy.decompress(source, into: UnsafeMutableRawBufferPointer(rebasing: target[..<size]))
      }
      return size
    }
  }

  /// Replaces what `output` holds by the content of a raw LZ4 block.
  ///
  /// - Throws: ``CompressionError`` where the input is malformed or does not hold `size` bytes.
  package mutating func lz4(
    _ input: RawSpan, size: Int, into output: inout ByteBuffer
  ) throws(CompressionError) {
    try fill(input, size, &output, LZ4.decompress)
  }

  /// Replaces what `output` holds by the content of LZ4 blocks in the framing of Hadoop.
  ///
  /// Some writers left the framing out where they meant it, so a raw block is taken too.
  ///
  /// - Throws: ``CompressionError`` where the input is malformed or does not hold `size` bytes.
  package mutating func hadoopLZ4(
    _ input: RawSpan, size: Int, into output: inout ByteBuffer
  ) throws(CompressionError) {
    do {
      try fill(input, size, &output, LZ4.decompressHadoop)
    } catch {
      try fill(input, size, &output, LZ4.decompress)
    }
  }

  private func fill(
    _ input: RawSpan, _ size: Int, _ output: inout ByteBuffer,
    _ decode: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws(CompressionError) -> Int
  ) throws(CompressionError) {
    // A byte of a length makes at most 255.
    try Self.checkRatio("lz4", input, size, most: 255)
    try output.fill(count: size) { (target) throws(CompressionError) in
      let block = UnsafeMutableRawBufferPointer(rebasing: target[..<size])
      let written = try input.withUnsafeBytes { (source) throws(CompressionError) in
        try decode(source, block)
      }
      guard written == size else { throw .sizeMismatch("lz4", expected: size, found: written) }
      return written
    }
  }

  private static func checkRatio(
    _ codec: String, _ input: RawSpan, _ size: Int, most: Int
  ) throws(CompressionError) {
    let (limit, overflow) = input.byteCount.multipliedReportingOverflow(by: most)
    guard size >= 0, overflow || size <= limit else {
      throw CompressionError(
        .sizeMismatch, "\(input.byteCount) bytes of \(codec) data cannot hold the \(size) bytes declared")
    }
  }
}
