import TarnBytes
import TarnColumns

/// What a file's page index tells of one data page.
public struct PageStatistics: Sendable, Hashable {
  /// The page's rows, counted from the begin of the row group.
  public var rows: Range<Int>
  /// Bounds and number of nulls; a page of nulls has no bounds.
  public var values: ColumnStatistics
  /// Whether all values are null.
  public var isAllNull: Bool
}

extension ParquetFile {
  /// The bounds of each data page of a flat column, from the page index; nil where the file has none.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group or column, or the index is damaged.
  public func pageStatistics(group: Int, column: Int) async throws(ParquetError) -> [PageStatistics]? {
    try check(group, [column])
    guard let leaf = nodes[column].flatLeaf,
      let place = metadata.groups[group].columns[leaf.chunk].columnIndex,
      let pages = try await offsetIndexes(group, [leaf]).first?.index?.pages
    else { return nil }
    let index = try await index(place, leaf) { (reader) throws(FormatProblem) in try reader.columnIndex() }
    guard index.nullPages.count == pages.count else {
      throw failure(.malformed("column index and offset index have different numbers of pages"), leaf)
    }
    var result: [PageStatistics] = []
    for number in pages.indices {
      let end =
        number + 1 < pages.count ? pages[number + 1].firstRow : metadata.groups[group].rowCount
      let isAllNull = index.nullPages[number]
      let nulls = index.nullCounts?[number]
      let values = ColumnStatistics(
        nullCount: nulls,
        minimum: isAllNull ? nil : Self.bound(index.minimums[number], leaf, isMaximum: false),
        maximum: isAllNull ? nil : Self.bound(index.maximums[number], leaf, isMaximum: true))
      result.append(
        PageStatistics(rows: pages[number].firstRow..<end, values: values, isAllNull: isAllNull))
    }
    return result
  }

  /// The offset index of each leaf, checked against its chunk; nil for one that has none.
  func offsetIndexes(
    _ group: Int, _ leaves: [LeafColumn]
  ) async throws(ParquetError) -> [(leaf: LeafColumn, index: OffsetIndex?)] {
    var result: [(leaf: LeafColumn, index: OffsetIndex?)] = []
    var requests: [RangeRequest<LeafColumn>] = []
    for leaf in leaves {
      if let place = metadata.groups[group].columns[leaf.chunk].offsetIndex {
        try checkPlace(place, leaf)
        requests.append(RangeRequest(range: place, parts: [leaf]))
      } else {
        result.append((leaf, nil))
      }
    }
    var buffer = ByteBuffer()
    for request in RangeRequest.joined(requests, most: Self.greatestRequest) {
      try await fetch(request.range, into: &buffer)
      for leaf in request.parts {
        guard let place = metadata.groups[group].columns[leaf.chunk].offsetIndex else { continue }
        let start = place.lowerBound - request.range.lowerBound
        let chunk = try chunkRange(group, leaf)
        do throws(FormatProblem) {
          var reader = ThriftReader(buffer.bytes.extracting(start..<start + place.count))
          let index = try reader.offsetIndex()
          try check(index, group, chunk)
          result.append((leaf, index))
        } catch {
          throw failure(error, leaf, at: place.lowerBound)
        }
      }
    }
    return result
  }

  private func checkPlace(_ place: Range<Int>, _ leaf: LeafColumn) throws(ParquetError) {
    guard place.upperBound <= size else {
      throw failure(.malformed("the page index ends behind the file"), leaf, at: place.lowerBound)
    }
  }

  /// Reads a part of a page index.
  func index<T>(
    _ place: Range<Int>, _ leaf: LeafColumn, _ parse: (inout ThriftReader) throws(FormatProblem) -> T
  ) async throws(ParquetError) -> T {
    try checkPlace(place, leaf)
    var buffer = ByteBuffer()
    try await fetch(place, into: &buffer)
    do throws(FormatProblem) {
      var reader = ThriftReader(buffer.bytes)
      return try parse(&reader)
    } catch {
      throw failure(error, leaf, at: place.lowerBound)
    }
  }

  /// Checks that pages follow one another within the chunk, and begin with the row group's first row.
  private func check(
    _ index: OffsetIndex, _ group: Int, _ chunk: Range<Int>
  ) throws(FormatProblem) {
    let rows = metadata.groups[group].rowCount
    var offset = chunk.lowerBound
    var row = -1
    for page in index.pages {
      guard page.offset >= offset, page.offset <= chunk.upperBound,
        page.compressedSize <= chunk.upperBound - page.offset, page.firstRow >= row,
        page.firstRow <= rows
      else { throw .malformed("the page index does not fit its chunk") }
      offset = page.offset + page.compressedSize
      row = page.firstRow
    }
    guard index.pages.first?.firstRow ?? 0 == 0, !index.pages.isEmpty || rows == 0 else {
      throw .malformed("the page index does not begin with the first row")
    }
  }
}
