/// Where a data page of a chunk lies.
struct PageLocation: Sendable, Hashable {
  /// Where its header begins in the file.
  var offset: Int
  /// Bytes of the header and the page as stored.
  var compressedSize: Int
  /// The page's first row, counted from the begin of the row group.
  var firstRow: Int
}

/// Where all data pages of a chunk lie: `OffsetIndex` of `parquet.thrift`.
struct OffsetIndex: Sendable, Hashable {
  var pages: [PageLocation] = []
}

/// Bounds of each data page of a chunk: `ColumnIndex` of `parquet.thrift`.
struct ColumnIndex: Sendable, Hashable {
  /// Whether bounds rise or fall from page to page.
  enum Order: Int, Sendable {
    case unordered = 0
    case ascending, descending
  }

  /// Whether a page holds nulls only, and so has no bounds.
  var nullPages: [Bool] = []
  /// Bounds as in ``ChunkStatistics``; empty for pages of nulls.
  var minimums: [[UInt8]] = []
  var maximums: [[UInt8]] = []
  var order = Order.unordered
  /// Number of nulls in each page; nil where the writer did not count them.
  var nullCounts: [Int]?
}

extension OffsetIndex {
  /// The rows between boundaries that all columns share; nil where a page does not begin behind the one before,
  /// within the row group.
  static func commonSlots(_ indexes: [OffsetIndex], rows: Int) -> [Range<Int>]? {
    guard let first = indexes.first, rows > 0 else { return [] }
    for index in indexes {
      var end = -1
      for page in index.pages {
        guard page.firstRow > end, page.firstRow < rows else { return nil }
        end = page.firstRow
      }
      guard index.pages.first?.firstRow == 0 else { return nil }
    }
    var starts = first.pages.map(\.firstRow)
    for index in indexes.dropFirst() {
      let own = index.pages.map(\.firstRow)
      guard own != starts else { continue }
      let known = Set(own)
      starts.removeAll { !known.contains($0) }
    }
    return starts.indices.map { starts[$0]..<($0 + 1 < starts.count ? starts[$0 + 1] : rows) }
  }
}

extension OffsetIndex {
  /// The Thrift bytes.
  func encoded() -> [UInt8] {
    var out = ThriftWriter()
    out.list(1, .structure, count: pages.count)
    for page in pages {
      out.element {
        $0.int64(1, page.offset)
        $0.int32(2, page.compressedSize)
        $0.int64(3, page.firstRow)
      }
    }
    out.end()
    return out.bytes
  }
}

extension ColumnIndex {
  /// The Thrift bytes.
  func encoded() -> [UInt8] {
    var out = ThriftWriter()
    out.list(1, .yes, count: nullPages.count)
    for isNull in nullPages { out.element(isNull) }
    out.list(2, .binary, count: minimums.count)
    for bound in minimums { out.element(bound) }
    out.list(3, .binary, count: maximums.count)
    for bound in maximums { out.element(bound) }
    out.int32(4, order.rawValue)
    if let nullCounts {
      out.list(5, .int64, count: nullCounts.count)
      for count in nullCounts { out.element(count) }
    }
    out.end()
    return out.bytes
  }
}

extension ThriftReader {
  /// Reads an offset index.
  @_lifetime(self: copy self)
  mutating func offsetIndex() throws(FormatError) -> OffsetIndex {
    var result = OffsetIndex()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: for _ in 0..<(try elements(field, of: .structure)) { result.pages.append(try pageLocation()) }
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func pageLocation() throws(FormatError) -> PageLocation {
    var result = PageLocation(offset: 0, compressedSize: 0, firstRow: 0)
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.offset = try size(field) ?? result.offset
      case 2: result.compressedSize = try size(field) ?? result.compressedSize
      case 3: result.firstRow = try size(field) ?? result.firstRow
      default: try skip(field)
      }
    }
    return result
  }

  /// Reads a column index, whose lists must be of one length.
  @_lifetime(self: copy self)
  mutating func columnIndex() throws(FormatError) -> ColumnIndex {
    var result = ColumnIndex()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: for _ in 0..<(try elements(field, of: .yes)) { result.nullPages.append(try boolElement()) }
      case 2: for _ in 0..<(try elements(field, of: .binary)) { result.minimums.append(try bytes()) }
      case 3: for _ in 0..<(try elements(field, of: .binary)) { result.maximums.append(try bytes()) }
      case 4: result.order = try int(field).flatMap(ColumnIndex.Order.init) ?? .unordered
      case 5:
        var counts: [Int] = []
        for _ in 0..<(try elements(field, of: .int64)) { counts.append(try element()) }
        result.nullCounts = counts
      default: try skip(field)
      }
    }
    let count = result.nullPages.count
    guard result.minimums.count == count, result.maximums.count == count,
      result.nullCounts.map({ $0.count == count }) ?? true
    else { throw .malformed("the lists of a column index differ in length") }
    return result
  }
}
