import TarnBytes

extension ChunkWriter {
  /// Goes on with the dictionary of a file, given as its page with the header, so that pages which refer to it can be
  /// copied.
  mutating func adopt(dictionary page: [UInt8], _ scratch: inout PageScratch) throws(FormatError) {
    guard isEmpty else { throw .malformed("a dictionary is not the first of its chunk") }
    var reader = ThriftReader(page.span.bytes)
    let header = try reader.pageHeader()
    let body = page.span.bytes.extracting(reader.reader.offset...)
    guard header.compressedSize == body.byteCount else {
      throw .malformed("a dictionary page has another size than it declares")
    }
    guard header.type == .dictionary, header.encoding == .plain || header.encoding == .plainDictionary else {
      throw .malformed("a dictionary page is of another kind")
    }
    if codec == .uncompressed {
      try encoder.adopt(dictionary: body, count: header.valueCount)
    } else {
      try scratch.decompress(body, header.uncompressedSize, codec)
      try encoder.adopt(dictionary: scratch.buffer.bytes, count: header.valueCount)
    }
    adoptedEntries = header.valueCount
  }
}
