/// Makes a chunk's page index and statistics of its pages.
struct ChunkIndexBuilder {
  let pages: [WrittenPage]
  let order: BoundComparison

  /// Where the pages lie, the first of them at `start` of the file.
  func offsetIndex(from start: Int) -> OffsetIndex {
    var index = OffsetIndex()
    index.pages.reserveCapacity(pages.count)
    var offset = start
    var row = 0
    for page in pages {
      index.pages.append(PageLocation(offset: offset, compressedSize: page.size, firstRow: row))
      offset += page.size
      row += page.rowCount
    }
    return index
  }

  /// Bounds of each page.
  func columnIndex() -> ColumnIndex {
    var index = ColumnIndex()
    var rises = true
    var falls = true
    var before: EncodedBounds?
    for page in pages {
      index.nullPages.append(page.bounds == nil)
      index.minimums.append(page.bounds?.minimum ?? [])
      index.maximums.append(page.bounds?.maximum ?? [])
      guard let bounds = page.bounds else { continue }
      if let before {
        if order.isLess(bounds.minimum, before.minimum) || order.isLess(bounds.maximum, before.maximum) {
          rises = false
        }
        if order.isLess(before.minimum, bounds.minimum) || order.isLess(before.maximum, bounds.maximum) {
          falls = false
        }
      }
      before = bounds
    }
    index.order = rises ? .ascending : falls ? .descending : .unordered
    index.nullCounts = pages.map(\.nullCount)
    return index
  }

  /// Bounds and null count of the chunk; no bounds where those of a page say nothing.
  func statistics() -> ChunkStatistics {
    var statistics = ChunkStatistics(nullCount: pages.reduce(0) { $0 + $1.nullCount })
    guard !pages.contains(where: \.isUnordered) else { return statistics }
    var all: EncodedBounds?
    for page in pages {
      guard let bounds = page.bounds else { continue }
      all = all.map { order.join($0, bounds) } ?? bounds
    }
    guard let all else { return statistics }
    statistics.minimum = all.minimum
    statistics.isMinimumExact = all.isMinimumExact
    // One that could not be cut would swell the footer.
    if all.maximum.count <= BoundCut.greatestLength {
      statistics.maximum = all.maximum
      statistics.isMaximumExact = all.isMaximumExact
    }
    return statistics
  }
}
