import TarnBytes
import TarnCompression

/// How blocks of a container file are compressed.
///
/// Source: Avro specification 1.11, "Required Codecs" and "Optional Codecs".
package enum AvroCodec: String, Sendable, Hashable {
  case null, deflate, snappy, zstandard

  /// Bytes beyond which a block is not decompressed.
  static let blockLimit = 256 << 20

  /// The data of the block at an offset, decompressed.
  func decompressed(
    _ input: RawSpan, at offset: Int, with decompressor: inout Decompressor
  ) throws(AvroError) -> ByteBuffer {
    var output = ByteBuffer()
    switch self {
    case .null: output.append(input)
    case .deflate:
      do { try decompressor.deflate(input, limit: Self.blockLimit, into: &output) } catch {
        throw Self.damaged(error, at: offset)
      }
    case .snappy: output = try Self.snappy(input, at: offset, with: &decompressor)
    case .zstandard: output = try Self.zstandard(input, at: offset)
    }
    return output
  }

  /// A block of Snappy, which begins with its size, then the data's checksum, greatest byte first.
  private static func snappy(
    _ input: RawSpan, at offset: Int, with decompressor: inout Decompressor
  ) throws(AvroError) -> ByteBuffer {
    let body = input.extracting(droppingLast: min(4, input.byteCount))
    var reader = ByteReader(body)
    guard let size = try? reader.readVarint(), size <= UInt64(blockLimit) else {
      throw AvroError(.malformed, at: offset, "Snappy data of no size, or of more than \(blockLimit) bytes")
    }
    var output = ByteBuffer()
    do { try decompressor.snappy(body, size: Int(size), into: &output) } catch {
      throw damaged(error, at: offset)
    }
    var trailer = ByteReader(input, at: body.byteCount)
    guard (try? trailer.readBigEndian(UInt32.self)) == CRC32.checksum(output.bytes) else {
      throw AvroError(.malformed, at: offset, "the checksum of the Snappy data is another")
    }
    return output
  }

  /// Frames of zstd, which need not tell their size.
  private static func zstandard(_ input: RawSpan, at offset: Int) throws(AvroError) -> ByteBuffer {
    var output = ByteBuffer()
    var decoder = StreamDecoder(.zstd)
    let step = 1 << 20
    var consumed = 0
    var came = step
    while came == step || consumed < input.byteCount {
      let before = (consumed, output.count)
      do { consumed += try decoder.decode(input.extracting(consumed...), into: &output, limit: step) } catch {
        throw damaged(error, at: offset)
      }
      came = output.count - before.1
      // Not met; it would be asked for ever.
      guard (consumed, output.count) != before else { break }
      guard output.count <= blockLimit else {
        throw AvroError(.malformed, at: offset, "the block holds more than \(blockLimit) bytes")
      }
    }
    do { try decoder.finish() } catch { throw damaged(error, at: offset) }
    return output
  }

  private static func damaged(_ error: CompressionError, at offset: Int) -> AvroError {
    AvroError(.malformed, at: offset, "the block cannot be decompressed: \(error.message)")
  }

  /// The block's data, compressed.
  func compressed(_ data: [UInt8]) throws(AvroError) -> [UInt8] {
    var output: [UInt8] = []
    var compressor = Compressor()
    do throws(CompressionError) {
      switch self {
      case .null: output = data
      case .deflate: try compressor.deflate(data.span.bytes, into: &output)
      case .snappy:
        try compressor.snappy(data.span.bytes, into: &output)
        output.appendBigEndian(CRC32.checksum(data.span.bytes))
      case .zstandard: try compressor.zstd(data.span.bytes, level: 1, into: &output)
      }
    } catch { throw AvroError(.unsupported, field: "", error.message) }
    return output
  }
}
