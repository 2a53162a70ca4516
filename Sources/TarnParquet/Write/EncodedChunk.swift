import TarnBytes
import TarnColumns

/// A data page as a file holds it, with what the page index says of it.
public struct EncodedPage: Sendable {
  /// The page's header and its bytes, compressed as they are.
  public var bytes: [UInt8]
  /// Number of rows.
  public var rowCount: Int
  /// Number of nulls and empty lists.
  public var nullCount: Int
  /// A value that none is below, in PLAIN, strings without their length; nil where none is known.
  ///
  /// Bounds of floating-point numbers are taken over from files only that are known to leave no NaN out.
  public var minimum: [UInt8]?
  /// A value that none is above, likewise.
  public var maximum: [UInt8]?
  /// Whether the bounds are those of a file that is known to leave no NaN out.
  var boundsMindNaN = false

  /// Makes a page of its parts.
  public init(
    bytes: [UInt8], rowCount: Int, nullCount: Int, minimum: [UInt8]? = nil, maximum: [UInt8]? = nil
  ) {
    self.bytes = bytes
    self.rowCount = rowCount
    self.nullCount = nullCount
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// A column's part of a row group, made of pages of another file and of rows to encode.
///
/// Pages must be of a column of the same physical type, levels and codec. What may stand side by side: pages
/// that refer to the dictionary come first, then pages that do not. New entries go behind those of the
/// dictionary, so that pages that are kept stay true.
public struct EncodedChunk: Sendable {
  /// What follows in the chunk.
  public enum Part: Sendable {
    /// A page as another file holds it.
    case page(EncodedPage)
    /// Rows of the column of the file's schema, of which a nested one has several chunks.
    case rows(Column)
  }

  /// The dictionary page that pages refer to, with its header; nil where they refer to none.
  public var dictionary: [UInt8]?
  /// Pages and rows in their order.
  public var parts: [Part]
  /// The kind of column that the pages are from, where that is known.
  var origin: Origin?

  /// Makes a chunk of its parts.
  public init(dictionary: [UInt8]? = nil, parts: [Part]) {
    self.dictionary = dictionary
    self.parts = parts
  }
}

extension ChunkWriter {
  /// Checks that pages which come from another file can stand in this chunk.
  func check(_ origin: EncodedChunk.Origin?) throws(FormatProblem) {
    guard let origin, origin != EncodedChunk.Origin(leaf, codec) else { return }
    throw .unsupported(
      "pages of another physical type, nesting or codec cannot be taken over: encode their rows anew")
  }

  /// A page's header, and where its body begins.
  private static func header(_ page: [UInt8]) throws(FormatProblem) -> (PageHeader, Int) {
    var reader = ThriftReader(page.span.bytes)
    let header = try reader.pageHeader()
    let start = reader.reader.offset
    guard header.compressedSize == page.count - start else {
      throw .malformed("an encoded page has another size than it declares")
    }
    return (header, start)
  }

  /// Begins with the dictionary of another file.
  mutating func adopt(dictionary page: [UInt8], _ scratch: inout PageScratch) throws(FormatProblem) {
    guard isEmpty else { throw .malformed("a dictionary is not the first of its chunk") }
    let (header, start) = try Self.header(page)
    guard header.type == .dictionary, header.encoding == .plain || header.encoding == .plainDictionary else {
      throw .malformed("an encoded dictionary page is of another kind")
    }
    let body = page.span.bytes.extracting(start...)
    if codec == .uncompressed {
      try encoder.adopt(dictionary: body, count: header.valueCount)
    } else {
      try scratch.decompress(body, header.uncompressedSize, codec)
      try encoder.adopt(dictionary: scratch.buffer.bytes, count: header.valueCount)
    }
    adopted = AdoptedDictionary(
      page: page, count: header.valueCount, uncompressedSize: start + header.uncompressedSize)
  }

  /// Appends a page of another file as it is.
  mutating func append(
    _ page: EncodedPage, _ compressor: inout PageCompressor
  ) throws(FormatProblem) {
    let (header, start) = try Self.header(page.bytes)
    guard header.type == .data || header.type == .dataV2, header.valueCount > 0 else {
      throw .malformed("an encoded page is no data page, or empty, which some readers refuse")
    }
    guard page.rowCount > 0, page.rowCount <= header.valueCount, page.nullCount >= 0,
      page.nullCount <= header.valueCount,
      leaf.greatestRepetition > 0 || page.rowCount == header.valueCount
    else { throw .malformed("an encoded page has other numbers of rows or nulls than are given") }
    let refers = header.encoding == .rleDictionary || header.encoding == .plainDictionary
    if refers {
      guard adopted != nil else {
        throw .malformed("an encoded page refers to a dictionary that is not there")
      }
      guard !hasDirectPages else {
        throw .unsupported(
          "a page that refers to the dictionary would follow one that does not, which Spark reads wrongly: "
            + "encode its rows anew, or end the row group before it")
      }
    } else {
      try writeWaitingPages(header.encoding, &compressor)
      encoder.endDictionary()
    }
    var written = WrittenPage(
      type: header.type, encoding: header.encoding, size: page.bytes.count, rowCount: page.rowCount,
      valueCount: header.valueCount, nullCount: page.nullCount)
    setBounds(of: page, &written)
    guard header.statistics != nil, order.everything != nil, !page.boundsMindNaN else {
      note(written, uncompressedSize: start + header.uncompressedSize)
      pages.append(contentsOf: page.bytes)
      return
    }
    // Bounds in the header may leave a NaN out too.
    let plain = header.encoded()
    written.size += plain.count - start
    note(written, uncompressedSize: plain.count + header.uncompressedSize)
    pages.append(contentsOf: plain)
    pages.append(contentsOf: page.bytes[start...])
  }

  /// Takes over the bounds of a page of another file, as far as they can be trusted.
  private func setBounds(of page: EncodedPage, _ written: inout WrittenPage) {
    guard written.nullCount < written.valueCount else { return }
    if let minimum = page.minimum, let maximum = page.maximum {
      written.bounds = EncodedBounds(
        minimum: minimum, maximum: maximum, isMinimumExact: false, isMaximumExact: false)
    }
    if let everything = order.everything {
      written.isUnordered =
        !page.boundsMindNaN || written.bounds == nil || order.isEverything(written.bounds)
      if written.isUnordered { written.bounds = everything }
    }
    written.isUnbounded = written.bounds == nil
  }
}
