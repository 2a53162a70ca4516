import Synchronization
import TarnBytes

/// Tells, once for each column of a file, that its page index is not used.
final class PageIndexNotices: Sendable {
  private let said = Mutex<Set<String>>([])
  private let tell: @Sendable (String) -> Void

  init(_ tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

  func say(_ text: String, of column: String) {
    if said.withLock({ $0.insert(column).inserted }) { tell(text) }
  }
}

// A page index is a shortcut and no more. What is wrong with it, or with where it leads, is told, and the pages are
// read in their order, which gives the rows or tells what is wrong with the file.
extension ParquetFile {
  /// Notes that a column's page index is not used.
  func distrust(_ leaf: LeafColumn, _ reason: String) {
    notices?.say(
      "\(path), column \(leaf.name): the page index is not used, and all pages are read: \(reason)",
      of: leaf.name)
  }

  /// The offset index of each leaf, checked against its chunk; nil for one that has none, or none to rely on.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, or a chunk cannot be read.
  func offsetIndexes(
    _ group: Int, _ leaves: [LeafColumn]
  ) async throws(ParquetError) -> [(leaf: LeafColumn, index: OffsetIndex?)] {
    var result: [(leaf: LeafColumn, index: OffsetIndex?)] = []
    var requests: [RangeRequest<LeafColumn>] = []
    for leaf in leaves {
      guard let place = metadata.groups[group].columns[leaf.chunk].offsetIndex else {
        result.append((leaf, nil))
        continue
      }
      if place.upperBound <= size {
        requests.append(RangeRequest(range: place, parts: [leaf]))
      } else {
        distrust(leaf, "it ends behind the file")
        result.append((leaf, nil))
      }
    }
    var buffer = ByteBuffer()
    for request in RangeRequest.joined(requests, gap: widestGap, most: Self.greatestRequest) {
      try await fetch(request.range, into: &buffer)
      for leaf in request.parts {
        guard let place = metadata.groups[group].columns[leaf.chunk].offsetIndex else { continue }
        let start = place.lowerBound - request.range.lowerBound
        let chunk = try chunkRange(group, leaf)
        do throws(FormatError) {
          var reader = ThriftReader(buffer.bytes.extracting(start..<start + place.count))
          let index = try reader.offsetIndex()
          try index.check(chunk, rows: metadata.groups[group].rowCount)
          result.append((leaf, index))
        } catch {
          distrust(leaf, error.message)
          result.append((leaf, nil))
        }
      }
    }
    return result
  }

  /// The column index of a leaf whose pages hold so many rows each; nil where it has none, or none to rely on.
  ///
  /// - Throws: ``ParquetError`` where the storage fails.
  func columnIndex(
    _ group: Int, _ leaf: LeafColumn, pageRows: [Int]
  ) async throws(ParquetError) -> ColumnIndex? {
    let chunk = metadata.groups[group].columns[leaf.chunk]
    guard let place = chunk.columnIndex else { return nil }
    do {
      let index = try await index(place, leaf) { (reader) throws(FormatError) in try reader.columnIndex() }
      if let reason = index.contradiction(
        pageRows, leaf, chunk.statistics.map { Self.statistics($0, leaf, values: chunk.valueCount) })
      {
        distrust(leaf, reason)
        return nil
      }
      return index
    } catch {
      guard error.isOfTheFile else { throw error }
      distrust(leaf, error.message)
      return nil
    }
  }

  /// Reads a part of a page index.
  func index<T>(
    _ place: Range<Int>, _ leaf: LeafColumn, _ parse: (inout ThriftReader) throws(FormatError) -> T
  ) async throws(ParquetError) -> T {
    guard place.upperBound <= size else {
      throw failure(.malformed("the page index ends behind the file"), leaf, at: place.lowerBound)
    }
    var buffer = ByteBuffer()
    try await fetch(place, into: &buffer)
    do throws(FormatError) {
      var reader = ThriftReader(buffer.bytes)
      return try parse(&reader)
    } catch {
      throw failure(error, leaf, at: place.lowerBound)
    }
  }
}

extension OffsetIndex {
  /// Checks that pages follow one another within the chunk, and begin with the row group's first row; each has a row
  /// at least, since one that is said to have none would never be looked at.
  fileprivate func check(_ chunk: Range<Int>, rows: Int) throws(FormatError) {
    var offset = chunk.lowerBound
    var row = -1
    for page in pages {
      guard page.offset >= offset, page.offset <= chunk.upperBound,
        page.compressedSize <= chunk.upperBound - page.offset, page.firstRow > row,
        page.firstRow < max(rows, 1)
      else { throw .malformed("the page index does not fit its chunk") }
      offset = page.offset + page.compressedSize
      row = page.firstRow
    }
    guard pages.first?.firstRow ?? 0 == 0, !pages.isEmpty || rows == 0 else {
      throw .malformed("the page index does not begin with the first row")
    }
  }

  /// The rows of each page, of a row group with so many.
  func pageRows(of rows: Int) -> [Int] {
    pages.indices.map { ($0 + 1 < pages.count ? pages[$0 + 1].firstRow : rows) - pages[$0].firstRow }
  }
}

extension ColumnIndex {
  /// The number of nulls in a page; nil where it is not told, for which some writers give a negative one.
  func nullCount(ofPage number: Int) -> Int? { nullCounts.flatMap { $0[number] >= 0 ? $0[number] : nil } }

  /// In what the index contradicts itself or the rest of the file; nil where it does not.
  ///
  /// - Parameters:
  ///   - rows: Those of each page, by the offset index.
  ///   - chunk: What the footer says of the whole chunk.
  func contradiction(_ rows: [Int], _ leaf: LeafColumn, _ chunk: ColumnStatistics?) -> String? {
    guard nullPages.count == rows.count else {
      return "the column index has \(nullPages.count) pages, the offset index \(rows.count)"
    }
    // In lists, what is counted is not rows.
    guard leaf.isFlat else { return nil }
    var nulls = 0
    var counts = true
    for number in rows.indices where rows[number] > 0 {
      if let what = contradiction(ofPage: number, rows[number], leaf, chunk) {
        return "what the column index says of page \(number) contradicts \(what)"
      }
      let count = nullPages[number] ? rows[number] : nullCount(ofPage: number)
      counts = counts && count != nil
      nulls += count ?? 0
    }
    if let total = chunk?.nullCount, counts ? nulls != total : nulls > total {
      return "the column index counts \(nulls) nulls, the footer \(total)"
    }
    // Bounds of strings may be cut, and lose the order that the values have.
    guard leaf.physical != .byteArray, leaf.physical != .fixedByteArray, let page = outOfOrder(leaf) else {
      return nil
    }
    return "the bounds of page \(page) are not in the order that is told"
  }

  private func contradiction(
    ofPage number: Int, _ rows: Int, _ leaf: LeafColumn, _ chunk: ColumnStatistics?
  ) -> String? {
    let nulls = nullCount(ofPage: number)
    let isNull = nullPages[number]
    if leaf.greatestDefinition == 0, isNull || nulls ?? 0 != 0 { return "the schema, which has no nulls" }
    if let nulls, nulls > rows || (nulls == rows) != isNull { return "its number of nulls" }
    let (least, greatest) = (minimums[number], maximums[number])
    if isNull { return nulls == nil && !(least.isEmpty && greatest.isEmpty) ? "its bounds" : nil }
    let low = ParquetFile.bound(least, leaf, isMaximum: false)
    let high = ParquetFile.bound(greatest, leaf, isMaximum: true)
    guard leaf.order != .undefined, let low, let high else { return nil }
    if high.isLess(low) { return "itself: its minimum is above its maximum" }
    // A page has a value at least, which lies within both.
    if let all = chunk?.maximum, all.isLess(low) { return "the footer's maximum" }
    if let all = chunk?.minimum, high.isLess(all) { return "the footer's minimum" }
    return nil
  }

  /// The first page whose bounds do not rise or fall as the index says; nil where there is none.
  func outOfOrder(_ leaf: LeafColumn) -> Int? {
    guard order != .unordered, leaf.order != .undefined else { return nil }
    let numbers = nullPages.indices.filter { !nullPages[$0] }
    for (number, next) in zip(numbers, numbers.dropFirst()) {
      for (isMaximum, bounds) in [(false, minimums), (true, maximums)] {
        let pair = order == .descending ? (bounds[number], bounds[next]) : (bounds[next], bounds[number])
        guard let low = ParquetFile.bound(pair.0, leaf, isMaximum: isMaximum),
          let high = ParquetFile.bound(pair.1, leaf, isMaximum: isMaximum), low.isLess(high)
        else { continue }
        return next
      }
    }
    return nil
  }
}
