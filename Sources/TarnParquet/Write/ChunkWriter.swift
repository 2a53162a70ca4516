import TarnColumns
import TarnCompression

/// Compresses pages.
struct PageCompressor: ~Copyable {
  let compression: ParquetWriteOptions.Compression
  private var compressor = Compressor()

  init(_ compression: ParquetWriteOptions.Compression) { self.compression = compression }

  mutating func append(_ page: [UInt8], to out: inout [UInt8]) throws(FormatProblem) {
    do {
      switch compression {
      case .uncompressed: out.append(contentsOf: page)
      case .gzip(let level): try compressor.gzip(page.span.bytes, level: level, into: &out)
      case .zstd(let level): try compressor.zstd(page.span.bytes, level: level, into: &out)
      }
    } catch {
      throw .compression(error)
    }
  }
}

/// Builds one column chunk: its data pages stand in memory until the dictionary, which goes first, is complete.
struct ChunkWriter: Sendable {
  let element: SchemaElement
  private let isNullable: Bool
  private var encoder: any PageEncoder
  /// The data pages with their headers.
  private var pages: [UInt8] = []
  private var uncompressedSize = 0
  private var valueCount = 0
  private var nullCount = 0
  private var plainPages = 0
  private var dictionaryPages = 0
  /// Rows of pages of nothing but nulls that came before it was settled how values are encoded.
  private var waitingNullPages: [Int] = []
  private var page: [UInt8] = []
  private var compressed: [UInt8] = []
  private var levels: [UInt32] = []

  /// Strings beyond this do not fit into one page.
  private static let pageBytes = 1 << 20

  init?(_ field: Field) {
    guard let element = SchemaElement(writing: field), let encoder = Self.encoder(field.type, element) else {
      return nil
    }
    self.element = element
    self.encoder = encoder
    isNullable = field.isNullable
  }

  private static func encoder(_ type: DataType, _ element: SchemaElement) -> (any PageEncoder)? {
    switch type {
    case .boolean: return BooleanEncoder()
    case .int8: return FixedEncoder<Int8>(width: 4)
    case .int16: return FixedEncoder<Int16>(width: 4)
    case .int32, .date: return FixedEncoder<Int32>(width: 4)
    case .int64, .timestamp, .time: return FixedEncoder<Int64>(width: 8)
    case .float: return FixedEncoder<Float>(width: 4)
    case .double: return FixedEncoder<Double>(width: 8)
    case .decimal(let precision, _):
      let bound = SchemaElement.powerOfTen(precision)
      return FixedEncoder<Int128>(width: element.byteLength ?? 16) { $0 > -bound && $1 < bound }
    case .string: return BytesEncoder(isText: true)
    case .binary: return BytesEncoder(isText: false)
    case .list, .structure, .map: return nil
    }
  }

  /// About how many bytes the chunk will take.
  var byteCount: Int { pages.count + encoder.dictionaryByteCount }

  /// Appends rows as one page, or several where strings are long.
  mutating func append(
    _ column: Column, _ rows: Range<Int>, _ compressor: inout PageCompressor
  ) throws(FormatProblem) {
    guard let strings = column.strings else {
      try appendPage(column, rows, &compressor)
      return
    }
    var start = rows.lowerBound
    while start < rows.upperBound {
      var end = start + 1
      var bytes = strings.length(start)
      while end < rows.upperBound, bytes + strings.length(end) <= Self.pageBytes {
        bytes += strings.length(end)
        end += 1
      }
      try appendPage(column, start..<end, &compressor)
      start = end
    }
  }

  private mutating func appendPage(
    _ column: Column, _ rows: Range<Int>, _ compressor: inout PageCompressor
  ) throws(FormatProblem) {
    let valid = noteLevels(column, rows)
    guard isNullable || valid == rows.count else {
      throw .outOfRange("a null in a column that was declared without nulls")
    }
    if valid == 0, !encoder.isDecided {
      waitingNullPages.append(rows.count)
      return
    }
    page.removeAll(keepingCapacity: true)
    if isNullable { appendLevels(rows.count, valid) }
    let encoding = try encoder.encode(column, rows, valid: valid, into: &page)
    if !waitingNullPages.isEmpty {
      let ready = page
      try writeWaitingNullPages(encoding, &compressor)
      page = ready
    }
    try writePage(rows.count, nulls: rows.count - valid, encoding, &compressor)
  }

  /// Notes which rows are null, where any is; tells how many are not.
  private mutating func noteLevels(_ column: Column, _ rows: Range<Int>) -> Int {
    guard column.validity != nil else { return rows.count }
    levels.removeAll(keepingCapacity: true)
    var valid = 0
    for row in rows {
      let level: UInt32 = column.isNull(row) ? 0 : 1
      valid += Int(level)
      levels.append(level)
    }
    return valid
  }

  private mutating func appendLevels(_ count: Int, _ valid: Int) {
    let levels = levels
    page.appendLengthPrefixed { out in
      if valid == 0 || valid == count {
        out.appendRun(valid == 0 ? 0 : 1, count, 1)
      } else {
        out.appendHybrid(levels.span, width: 1)
      }
    }
  }

  private mutating func writeWaitingNullPages(
    _ encoding: Encoding, _ compressor: inout PageCompressor
  ) throws(FormatProblem) {
    for count in waitingNullPages {
      page.removeAll(keepingCapacity: true)
      appendLevels(count, 0)
      if encoding == .rleDictionary {
        let none: [UInt32] = []
        page.appendIndices(none.span, entries: 1)
      }
      try writePage(count, nulls: count, encoding, &compressor)
    }
    waitingNullPages = []
  }

  /// Compresses the page at hand and puts it behind the others.
  private mutating func writePage(
    _ count: Int, nulls: Int, _ encoding: Encoding, _ compressor: inout PageCompressor
  ) throws(FormatProblem) {
    compressed.removeAll(keepingCapacity: true)
    try compressor.append(page, to: &compressed)
    let header = try Self.header(.data, page, compressed, count, encoding)
    pages.append(contentsOf: header)
    pages.append(contentsOf: compressed)
    uncompressedSize += header.count + page.count
    valueCount += count
    nullCount += nulls
    if encoding == .rleDictionary { dictionaryPages += 1 } else { plainPages += 1 }
  }

  private static func header(
    _ type: PageType, _ page: [UInt8], _ compressed: [UInt8], _ count: Int, _ encoding: Encoding
  ) throws(FormatProblem) -> [UInt8] {
    guard max(page.count, compressed.count) <= Int(Int32.max) else {
      throw .outOfRange("a value is too long: a page holds at most 2 GiB")
    }
    var header = PageHeader()
    header.type = type
    header.uncompressedSize = page.count
    header.compressedSize = compressed.count
    header.valueCount = count
    header.encoding = encoding
    return header.encoded()
  }

  /// A chunk that is ready to be written at a place in the file.
  struct Finished {
    var metadata: ChunkMetadata
    var dictionary: [UInt8]
    var pages: [UInt8]
  }

  /// Ends the chunk, which begins at `offset` of the file, and begins another.
  mutating func finish(
    at offset: Int, codec: Codec, _ compressor: inout PageCompressor
  ) throws(FormatProblem) -> Finished {
    try writeWaitingNullPages(.plain, &compressor)
    var dictionary: [UInt8] = []
    if dictionaryPages > 0 {
      let page = encoder.dictionaryPage()
      compressed.removeAll(keepingCapacity: true)
      try compressor.append(page, to: &compressed)
      dictionary = try Self.header(.dictionary, page, compressed, encoder.dictionaryCount, .plain)
      uncompressedSize += dictionary.count + page.count
      dictionary += compressed
    }
    let metadata = metadata(offset, codec, dictionary.count)
    let finished = Finished(metadata: metadata, dictionary: dictionary, pages: pages)
    encoder.reset()
    let room = pages.count
    pages = []
    pages.reserveCapacity(room)
    uncompressedSize = 0
    valueCount = 0
    nullCount = 0
    plainPages = 0
    dictionaryPages = 0
    return finished
  }

  private func metadata(_ offset: Int, _ codec: Codec, _ dictionarySize: Int) -> ChunkMetadata {
    var result = ChunkMetadata()
    result.physical = element.physical ?? .byteArray
    result.path = [element.name]
    result.codec = codec
    result.valueCount = valueCount
    result.uncompressedSize = uncompressedSize
    result.compressedSize = dictionarySize + pages.count
    result.dataPageOffset = offset + dictionarySize
    result.dictionaryPageOffset = dictionarySize > 0 ? offset : nil
    if plainPages > 0 || dictionaryPages > 0 { result.encodings.append(.plain) }
    result.encodings.append(.rle)
    if dictionaryPages > 0 {
      result.encodings.append(.rleDictionary)
      result.encodingStatistics.append(PageEncodingCount(page: .dictionary, encoding: .plain, count: 1))
      result.encodingStatistics.append(
        PageEncodingCount(page: .data, encoding: .rleDictionary, count: dictionaryPages))
    }
    if plainPages > 0 {
      result.encodingStatistics.append(PageEncodingCount(page: .data, encoding: .plain, count: plainPages))
    }
    var statistics = ChunkStatistics(nullCount: nullCount)
    if let bounds = encoder.bounds() {
      statistics.minimum = bounds.minimum
      statistics.maximum = bounds.maximum
      statistics.isMinimumExact = bounds.isMinimumExact
      statistics.isMaximumExact = bounds.isMaximumExact
    }
    result.statistics = statistics
    return result
  }
}
