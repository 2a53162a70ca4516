/// Joins what BYTE_STREAM_SPLIT has taken apart: first all values' first bytes, then all their second bytes.
enum StreamSplitReader {
  /// The values as PLAIN stores them.
  static func plain(_ page: RawSpan, count: Int, width: Int) throws(FormatError) -> [UInt8] {
    guard width > 0, count <= page.byteCount / width else {
      throw .malformed("a page holds fewer values than it declares")
    }
    // The streams are as long as the page makes them, even where it has values to spare.
    let stride = page.byteCount / width
    return [UInt8](unsafeUninitializedCapacity: count * width) { target, initialized in
      page.withUnsafeBytes { source in
        for byte in 0..<width {
          var to = byte
          for index in byte &* stride..<byte &* stride &+ count {
            target[to] = source[index]
            to &+= width
          }
        }
      }
      initialized = count * width
    }
  }
}
