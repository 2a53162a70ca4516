import TarnCompression

/// Compresses pages.
struct PageCompressor: ~Copyable {
  let compression: ParquetWriteOptions.Compression
  private var compressor = Compressor()
  private var trial: [UInt8] = []
  /// Buffers for the page at hand and its compressed form, which columns use in turn.
  var page: [UInt8] = []
  var compressed: [UInt8] = []

  init(_ compression: ParquetWriteOptions.Compression) { self.compression = compression }

  mutating func append(_ page: [UInt8], to out: inout [UInt8]) throws(FormatError) {
    do {
      switch compression {
      case .uncompressed: out.append(contentsOf: page)
      case .snappy: try compressor.snappy(page.span.bytes, into: &out)
      case .gzip(let level): try compressor.gzip(page.span.bytes, level: level, into: &out)
      case .zstd(let level): try compressor.zstd(page.span.bytes, level: level, into: &out)
      }
    } catch {
      throw .compression(error)
    }
  }

  /// How many bytes a page would take.
  mutating func size(of page: [UInt8]) throws(FormatError) -> Int {
    var out = trial
    trial = []
    out.removeAll(keepingCapacity: true)
    try append(page, to: &out)
    trial = out
    return out.count
  }
}
