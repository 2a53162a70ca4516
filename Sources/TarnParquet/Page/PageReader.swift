import TarnBytes
import TarnColumns
import TarnCompression

/// What reading pages needs again and again.
struct PageScratch: ~Copyable {
  var decompressor = Decompressor()
  var buffer = ByteBuffer()
}

/// Reads the pages of one column chunk into a sink.
struct PageReader<Sink: ValueSink> {
  let leaf: LeafColumn
  let codec: Codec
  /// Number of values that the chunk must hold.
  let rows: Int
  var sink: Sink
  /// A bit a row so far; nil while none is null.
  private(set) var validity: BitBuffer?
  private(set) var rowsRead = 0
  /// Where the page at hand begins in the chunk, for errors.
  private(set) var pageStart = 0
  private var hasDictionary = false

  init(leaf: LeafColumn, codec: Codec, rows: Int, sink: Sink) {
    self.leaf = leaf
    self.codec = codec
    self.rows = rows
    self.sink = sink
  }

  /// Reads all pages.
  mutating func read(_ chunk: RawSpan, _ scratch: inout PageScratch) throws(FormatProblem) {
    var offset = 0
    while rowsRead < rows {
      pageStart = offset
      guard offset < chunk.byteCount else {
        throw .malformed("the chunk holds fewer rows than the row group")
      }
      var thrift = ThriftReader(chunk, at: offset)
      let header = try thrift.pageHeader()
      offset = thrift.reader.offset
      guard header.compressedSize <= chunk.byteCount - offset else {
        throw .malformed("a page ends behind its chunk")
      }
      let body = chunk.extracting(offset..<offset + header.compressedSize)
      offset += header.compressedSize
      if let checksum = header.checksum, checksum != CRC32.checksum(body) {
        throw .malformed("a page's checksum does not fit its bytes")
      }
      try readPage(header, body, &scratch)
    }
  }

  private mutating func readPage(
    _ header: PageHeader, _ body: RawSpan, _ scratch: inout PageScratch
  ) throws(FormatProblem) {
    switch header.type {
    case .index: break
    case .dictionary:
      guard !hasDictionary, rowsRead == 0 else {
        throw .malformed("a dictionary page is not the first of its chunk")
      }
      guard header.encoding == .plain || header.encoding == .plainDictionary else {
        throw .unsupported("a dictionary in encoding \(header.encoding.name) is not supported")
      }
      hasDictionary = true
      if codec == .uncompressed {
        try sink.setDictionary(body, count: header.valueCount)
      } else {
        try decompress(body, header.uncompressedSize, &scratch)
        try sink.setDictionary(scratch.buffer.bytes, count: header.valueCount)
      }
    case .data:
      try checkCount(header)
      if codec == .uncompressed {
        try readData(header, body)
      } else {
        try decompress(body, header.uncompressedSize, &scratch)
        try readData(header, scratch.buffer.bytes)
      }
    case .dataV2:
      try checkCount(header)
      try readDataV2(header, body, &scratch)
    }
  }

  private func checkCount(_ header: PageHeader) throws(FormatProblem) {
    guard header.valueCount <= rows - rowsRead else {
      throw .malformed("the chunk holds more rows than the row group")
    }
  }

  private func decompress(
    _ body: RawSpan, _ size: Int, _ scratch: inout PageScratch
  ) throws(FormatProblem) {
    do {
      switch codec {
      case .zstd: try scratch.decompressor.zstd(body, size: size, into: &scratch.buffer)
      case .gzip: try scratch.decompressor.gzip(body, size: size, into: &scratch.buffer)
      case .snappy: try scratch.decompressor.snappy(body, size: size, into: &scratch.buffer)
      default: throw FormatProblem.unsupported("codec \(codec.name) is not supported")
      }
    } catch let error as CompressionError {
      throw .compression(error)
    } catch let error as FormatProblem {
      throw error
    } catch {
      throw .malformed("a page cannot be decompressed")
    }
  }

  /// Reads a data page of version 1: levels and values are compressed together.
  private mutating func readData(_ header: PageHeader, _ page: RawSpan) throws(FormatProblem) {
    guard leaf.field.isNullable else {
      try append(header, page, PageLevels(allValid: header.valueCount))
      return
    }
    guard header.definitionEncoding == .rle else {
      throw .unsupported("levels in encoding \(header.definitionEncoding.name) are not supported yet")
    }
    var reader = ByteReader(page)
    do {
      let length = Int(try reader.readLittleEndian(UInt32.self))
      let levels = try PageLevels(try reader.readBytes(length), count: header.valueCount)
      try append(header, page.extracting(reader.offset...), levels)
    } catch let error as FormatProblem {
      throw error
    } catch {
      throw .malformed("a page's levels end behind it")
    }
  }

  /// Reads a data page of version 2: levels stand before the values and are not compressed.
  private mutating func readDataV2(
    _ header: PageHeader, _ body: RawSpan, _ scratch: inout PageScratch
  ) throws(FormatProblem) {
    let (levelBytes, overflow) = header.repetitionByteCount.addingReportingOverflow(
      header.definitionByteCount)
    guard !overflow, levelBytes <= body.byteCount, levelBytes <= header.uncompressedSize else {
      throw .malformed("a page's levels end behind it")
    }
    let definitions = body.extracting(header.repetitionByteCount..<levelBytes)
    let levels =
      leaf.field.isNullable && header.nullCount > 0
      ? try PageLevels(definitions, count: header.valueCount) : PageLevels(allValid: header.valueCount)
    guard levels.count - levels.validCount == header.nullCount else {
      throw .malformed("a page declares another number of nulls than it has")
    }
    let values = body.extracting(levelBytes...)
    if codec == .uncompressed || !header.isCompressed || values.byteCount == 0 {
      try append(header, values, levels)
    } else {
      try decompress(values, header.uncompressedSize - levelBytes, &scratch)
      try append(header, scratch.buffer.bytes, levels)
    }
  }

  private mutating func append(
    _ header: PageHeader, _ values: RawSpan, _ levels: PageLevels
  ) throws(FormatProblem) {
    switch header.encoding {
    case .plain: try sink.appendPlain(values, levels)
    case .rleDictionary, .plainDictionary:
      guard hasDictionary || levels.validCount == 0 else {
        throw .malformed("the chunk lacks its dictionary page")
      }
      guard values.byteCount > 0 || levels.validCount == 0 else {
        throw .malformed("a page ends too early")
      }
      // Before the indices stands their width in bits.
      let width = values.byteCount > 0 ? Int(values.unsafeLoad(fromByteOffset: 0, as: UInt8.self)) : 0
      var reader = try HybridReader(values.extracting(min(1, values.byteCount)...), width: width)
      try sink.appendIndices(&reader, levels)
    default: try sink.appendOther(header.encoding, values, levels)
    }
    noteRows(levels)
  }

  private mutating func noteRows(_ levels: PageLevels) {
    if let page = levels.validity {
      if validity == nil {
        validity = BitBuffer()
        validity?.append(repeating: true, rowsRead)
      }
      validity?.append(page)
    } else {
      validity?.append(repeating: true, levels.count)
    }
    rowsRead += levels.count
  }
}
