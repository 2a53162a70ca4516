import Foundation
import GzipLibrary

extension CryptoStream.Batch {
  /// The text of an object: change records one after the other, with nothing between them.
  public func text(of object: DeliveredObject) -> [UInt8] {
    var text: [UInt8] = []
    for delivery in deliveries[object.deliveries] { delivery.change.append(to: &text) }
    return text
  }

  /// Writes the batch's objects under a folder.
  ///
  /// - Throws: What the file system throws, or ``GzipError``.
  public func write(to folder: String) throws {
    for object in objects {
      let url = URL(fileURLWithPath: folder).appendingPathComponent(object.path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(Gzip.compress(text(of: object))).write(to: url)
    }
  }
}

/// Why text could not be compressed.
public struct GzipError: Error, CustomStringConvertible {
  /// zlib's status.
  public let status: Int32
  /// A line for people.
  public var description: String { "zlib could not compress (status \(status)): out of memory?" }
}

package enum Gzip {
  /// Compresses bytes as one gzip member, which bears no time and so is always the same.
  package static func compress(_ text: [UInt8]) throws(GzipError) -> [UInt8] {
    var stream = z_stream()
    // 16 asks for gzip's header instead of zlib's.
    let begun = deflateInit2_(
      &stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard begun == Z_OK else { throw GzipError(status: begun) }
    defer { deflateEnd(&stream) }
    var input = text
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, uLong(text.count))))
    let room = output.count
    let status = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = uInt(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = uInt(room)
        return deflate(&stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END else { throw GzipError(status: status) }
    output.removeLast(Int(stream.avail_out))
    return output
  }
}
