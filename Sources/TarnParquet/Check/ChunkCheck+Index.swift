extension ChunkCheck {
  /// Checks where the offset index says that the pages lie.
  mutating func checkOffsetIndex() async throws(ParquetError) {
    guard let place = chunk.offsetIndex else { return }
    let index: OffsetIndex
    do throws(ParquetError) {
      index = try await file.index(place, leaf) { (reader) throws(FormatError) in
        try reader.offsetIndex()
      }
    } catch {
      return try find(error)
    }
    guard index.pages.count == pages.count else {
      return find(
        "the offset index has \(index.pages.count) pages, the chunk \(pages.count)", at: place.lowerBound)
    }
    for (number, (declared, page)) in zip(index.pages, pages).enumerated() {
      func compare(_ name: String, _ declared: Int, _ found: Int) {
        guard declared != found else { return }
        find("offset index: \(name) is \(declared), not \(found)", page: number, at: page.offset)
      }
      compare("offset", declared.offset, page.offset)
      compare("compressed_page_size", declared.compressedSize, page.size)
      compare("first_row_index", declared.firstRow, page.firstRow)
    }
  }

  /// Checks what the column index says of each page's values.
  mutating func checkColumnIndex() async throws(ParquetError) {
    guard let place = chunk.columnIndex else { return }
    let index: ColumnIndex
    do throws(ParquetError) {
      index = try await file.index(place, leaf) { (reader) throws(FormatError) in
        try reader.columnIndex()
      }
    } catch {
      return try find(error)
    }
    guard index.nullPages.count == pages.count else {
      return find(
        "the column index has \(index.nullPages.count) pages, the chunk \(pages.count)",
        at: place.lowerBound)
    }
    for (number, page) in pages.enumerated() {
      let isNull = page.emptyCount == page.valueCount
      if index.nullPages[number] != isNull {
        find(
          "column index: the page is said to hold \(isNull ? "values" : "nulls only")", page: number,
          at: page.offset)
      }
      if let declared = index.nullCounts?[number], !isNullCount(declared, page.emptyCount, page.nullCount) {
        find(
          "column index: null_count is \(declared), there are \(page.emptyCount)", page: number,
          at: page.offset)
      }
      guard !isNull, !index.nullPages[number] else { continue }
      check(
        index.minimums[number], isMaximum: false, page.bounds, "column index", page: number, at: page.offset)
      check(
        index.maximums[number], isMaximum: true, page.bounds, "column index", page: number, at: page.offset)
    }
    checkOrder(index, at: place.lowerBound)
  }

  /// Checks that the bounds rise or fall as the column index says.
  private mutating func checkOrder(_ index: ColumnIndex, at offset: Int) {
    guard let page = index.outOfOrder(leaf) else { return }
    let falls = index.order == .descending
    find(
      "column index: the bounds are said to \(falls ? "fall" : "rise"), and do not", page: page, at: offset)
  }
}
