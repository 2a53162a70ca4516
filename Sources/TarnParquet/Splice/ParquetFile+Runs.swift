import TarnBytes
import TarnColumns

extension ParquetFile {
  /// Reads runs of rows of a flat column that begin and end with its pages, one after the other.
  ///
  /// - Parameters:
  ///   - runs: Rows counted from the begin of the row group, ascending and disjoint.
  ///   - group: The row group.
  ///   - column: Position in ``schema``.
  ///   - body: Gets the run's number and its values.
  /// - Returns: False, without a call of `body`, where there is no page index, or pages begin elsewhere.
  /// - Throws: ``ParquetError`` where the storage fails or a page is damaged.
  package func forEachRun(
    _ runs: [Range<Int>], inGroup group: Int, column: Int, _ body: (Int, Column) -> Void
  ) async throws(ParquetError) -> Bool {
    guard let leaf = nodes[column].flatLeaf,
      let pages = try await offsetIndexes(group, [leaf]).first?.index?.pages, let first = pages.first
    else { return false }
    let rows = metadata.groups[group].rowCount
    let range = try chunkRange(group, leaf)
    var layout = ChunkLayout(
      leaf: leaf, range: range,
      dictionary: first.offset > range.lowerBound ? range.lowerBound..<first.offset : nil,

      codec: metadata.groups[group].columns[leaf.chunk].codec, uncompressedSize: 0,
      pages: [], offsets: [first.offset], slots: [])
    for (number, page) in pages.enumerated() {
      guard page.offset == layout.offsets[number] else { return false }
      let end = number + 1 < pages.count ? pages[number + 1].firstRow : rows
      layout.offsets.append(page.offset + page.compressedSize)
      layout.pages.append(
        WrittenPage(
          encoding: .plain, size: page.compressedSize, rowCount: end - page.firstRow,
          valueCount: end - page.firstRow, nullCount: 0))
    }
    var page = 0
    for run in runs {
      while page < pages.count, pages[page].firstRow < run.lowerBound { page += 1 }
      let from = page
      while page < pages.count, pages[page].firstRow < run.upperBound { page += 1 }
      let end = page < pages.count ? pages[page].firstRow : rows
      guard from < page, pages[from].firstRow == run.lowerBound, end == run.upperBound else { return false }
      layout.slots.append(from..<page)
    }
    var reader = SlotReader(
      file: self, layout: layout,
      ranges: (layout.dictionary.map { [$0] } ?? []) + layout.slots.map { layout.bytes(ofPages: $0) })
    var scratch = PageScratch()
    if let dictionary = layout.dictionary {
      let page = try await reader.bytes(dictionary)
      do throws(FormatProblem) {
        try reader.readDictionary(page, &scratch)
      } catch {
        throw failure(error, leaf, at: dictionary.lowerBound)
      }
    }
    for run in runs.indices {
      var size = 0
      body(run, try await reader.column(ofSlot: run, &scratch, &size))
    }
    return true
  }
}
