import CZlib
import CZstd
import TarnBytes

/// Compresses blocks, keeping the libraries' states from one block to the next.
///
/// A state costs more to make than a small block costs to compress, so keep one compressor and use it
/// again; it cannot be shared, since it cannot be copied.
package struct Compressor: ~Copyable, @unchecked Sendable {
  // Unchecked, since the state behind the pointer is owned by this value alone.
  private var zstd: OpaquePointer?
  private var deflate: DeflateContext?
  private var deflateKind = (DeflateContext.Framing.gzip, level: 0)
  private var snappyTable: [UInt16] = []

  /// Makes a compressor; states are made when first needed.
  package init() {}

  deinit { ZSTD_freeCCtx(zstd) }

  /// Appends `input` as one zstd frame which tells its size.
  ///
  /// - Throws: ``CompressionError`` where the library is out of memory.
  package mutating func zstd(
    _ input: RawSpan, level: Int, into output: inout [UInt8]
  ) throws(CompressionError) {
    if zstd == nil { zstd = ZSTD_createCCtx() }
    guard let context = zstd else { throw CompressionError(.failed, "zstd cannot begin: out of memory?") }
    let level = Int32(min(max(level, Int(ZSTD_minCLevel())), Int(ZSTD_maxCLevel())))
    let bound = ZSTD_compressBound(input.byteCount)
    try output.appendRaw(bound) { (target) throws(CompressionError) in
      let written = input.withUnsafeBytes {
        ZSTD_compressCCtx(context, target.baseAddress, target.count, $0.baseAddress, $0.count, level)
      }
      guard ZSTD_isError(written) == 0 else {
        throw CompressionError(.failed, "zstd: \(String(cString: ZSTD_getErrorName(written)))")
      }
      return written
    }
  }

  /// Appends `input` as one raw snappy block.
  ///
  /// - Throws: ``CompressionError`` where it is longer than the format can say, 4 GiB.
  package mutating func snappy(_ input: RawSpan, into output: inout [UInt8]) throws(CompressionError) {
    guard input.byteCount <= Int(UInt32.max) else {
      throw CompressionError(.failed, "a snappy block holds at most 4 GiB")
    }
    var table = snappyTable
    snappyTable = []
    defer { snappyTable = table }
    try output.appendRaw(Snappy.bound(input.byteCount)) { (target) throws(CompressionError) in
      input.withUnsafeBytes { Snappy.compress($0, into: target, &table) }
    }
  }

  /// Appends `input` as one gzip member.
  ///
  /// - Throws: ``CompressionError`` where the library is out of memory.
  package mutating func gzip(
    _ input: RawSpan, level: Int = 6, into output: inout [UInt8]
  ) throws(CompressionError) {
    try deflate(input, level: level, .gzip, into: &output)
  }

  /// Appends `input` as deflated data without any framing.
  ///
  /// - Throws: ``CompressionError`` where the library is out of memory.
  package mutating func deflate(
    _ input: RawSpan, level: Int = 6, into output: inout [UInt8]
  ) throws(CompressionError) {
    try deflate(input, level: level, .raw, into: &output)
  }

  private mutating func deflate(
    _ input: RawSpan, level: Int, _ framing: DeflateContext.Framing, into output: inout [UInt8]
  ) throws(CompressionError) {
    if deflate == nil || deflateKind != (framing, level) {
      deflate = try DeflateContext.deflating(level: level, framing)
      deflateKind = (framing, level)
    }
    deflate?.reset()
    // Deflate stores what it cannot compress in blocks of 16 KiB and more, five bytes each.
    let bound = input.byteCount + input.byteCount / 1_000 + 128
    try output.appendRaw(bound) { (target) throws(CompressionError) in
      var consumed = 0
      var produced = 0
      while true {
        let step = input.withUnsafeBytes { source in
          deflate?.step(
            UnsafeRawBufferPointer(rebasing: source[consumed...]),
            UnsafeMutableRawBufferPointer(rebasing: target[produced...]), flush: Z_FINISH)
        }
        guard let step else { throw CompressionError(.failed, "zlib has no state") }
        consumed += step.consumed
        produced += step.produced
        if step.status == Z_STREAM_END { return produced }
        guard step.status == Z_OK, step.consumed + step.produced > 0 else {
          throw CompressionError(.failed, "zlib cannot compress (\(step.status))")
        }
      }
    }
  }
}

extension [UInt8] {
  /// Appends what `fill` writes behind, into `capacity` bytes at most; it returns how many it wrote.
  mutating func appendRaw(
    _ capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(CompressionError) -> Int
  ) throws(CompressionError) {
    try append(addingCapacity: capacity) { (span: inout OutputSpan<UInt8>) throws(CompressionError) in
      try span.withUnsafeMutableBufferPointer { (target, count) throws(CompressionError) in
        count = try fill(UnsafeMutableRawBufferPointer(target))
      }
    }
  }
}
