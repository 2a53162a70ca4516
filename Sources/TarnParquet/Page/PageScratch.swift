import TarnBytes
import TarnCompression

/// What reading pages needs again and again.
struct PageScratch: ~Copyable {
  var decompressor = Decompressor()
  var buffer = ByteBuffer()
  /// Room for some of a page's indices into its dictionary; each column's own would be many bytes where columns are
  /// many.
  var indices: [UInt32] = []

  /// Fills the buffer with what a page's body holds, `size` bytes.
  mutating func decompress(_ body: RawSpan, _ size: Int, _ codec: Codec) throws(FormatError) {
    guard PageLimit.allows(size, of: body) else {
      throw .unsupported(
        "a page of \(body.byteCount) bytes declares \(size) bytes uncompressed, more than is held at once")
    }
    do {
      switch codec {
      case .zstd: try decompressor.zstd(body, size: size, into: &buffer)
      case .gzip: try decompressor.gzip(body, size: size, into: &buffer)
      case .snappy: try decompressor.snappy(body, size: size, into: &buffer)
      case .lz4Raw: try decompressor.lz4(body, size: size, into: &buffer)
      case .lz4: try decompressor.hadoopLZ4(body, size: size, into: &buffer)
      default: throw FormatError.unsupported("codec \(codec.name) is not supported")
      }
    } catch let error as CompressionError {
      throw .compression(error)
    } catch let error as FormatError {
      throw error
    } catch {
      throw .malformed("a page cannot be decompressed")
    }
  }

  /// Fills the buffer with what a page of version 1 holds, once its checksum is known to fit.
  mutating func load(_ header: PageHeader, _ body: RawSpan, _ codec: Codec) throws(FormatError) {
    try header.check(body)
    guard codec == .uncompressed else { return try decompress(body, header.uncompressedSize, codec) }
    buffer.removeAll()
    buffer.append(body)
  }
}

extension PageHeader {
  /// Checks a page's checksum, where it has one.
  func check(_ body: RawSpan) throws(FormatError) {
    if let checksum, checksum != CRC32.checksum(body) {
      throw .malformed("a page's checksum does not fit its bytes")
    }
  }
}
