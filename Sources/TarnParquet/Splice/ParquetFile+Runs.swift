import TarnBytes
import TarnColumns

extension ParquetFile {
  /// Reads runs of rows of flat columns that begin and end with their pages, one after the other.
  ///
  /// - Parameters:
  ///   - runs: Rows counted from the begin of the row group, ascending and disjoint.
  ///   - group: The row group.
  ///   - columns: Positions in ``schema``.
  ///   - body: Gets the run's number and its values in each of the columns.
  /// - Returns: False, without a call of `body`, where there is no page index, or pages begin elsewhere.
  /// - Throws: ``ParquetError`` where the storage fails or a page is damaged; what `body` throws.
  package func forEachRun(
    _ runs: [Range<Int>], inGroup group: Int, columns: [Int], _ body: (Int, [Column]) throws -> Void
  ) async throws -> Bool {
    var readers: [RunReader] = []
    for column in columns {
      guard let layout = try await layout(of: runs, group, column) else { return false }
      readers.append(try await RunReader(self, layout))
    }
    for run in runs.indices {
      var values: [Column] = []
      for reader in readers { values.append(try await reader.column(ofRun: run)) }
      try body(run, values)
    }
    return true
  }

  /// The chunk of a column with runs as its slots; nil where there is no page index, or pages begin elsewhere.
  private func layout(
    of runs: [Range<Int>], _ group: Int, _ column: Int
  ) async throws(ParquetError) -> ChunkLayout? {
    guard let leaf = nodes[column].flatLeaf,
      let pages = try await offsetIndexes(group, [leaf]).first?.index?.pages, let first = pages.first
    else { return nil }
    let rows = metadata.groups[group].rowCount
    let range = try chunkRange(group, leaf)
    var layout = ChunkLayout(
      leaf: leaf, range: range,
      dictionary: first.offset > range.lowerBound ? range.lowerBound..<first.offset : nil,
      codec: metadata.groups[group].columns[leaf.chunk].codec, uncompressedSize: 0,
      pages: [], offsets: [first.offset], slots: [])
    for (number, page) in pages.enumerated() {
      guard page.offset == layout.offsets[number] else { return nil }
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
      guard from < page, pages[from].firstRow == run.lowerBound, end == run.upperBound else { return nil }
      layout.slots.append(from..<page)
    }
    return layout
  }
}

/// Reads the runs of one column; a class, so that those of several columns stand in an array.
private final class RunReader {
  private var reader: SlotReader
  private var scratch = PageScratch()

  init(_ file: ParquetFile, _ layout: ChunkLayout) async throws(ParquetError) {
    reader = SlotReader(
      file: file, layout: layout,
      ranges: (layout.dictionary.map { [$0] } ?? []) + layout.slots.map { layout.bytes(ofPages: $0) })
    guard let dictionary = layout.dictionary else { return }
    let page = try await reader.bytes(dictionary)
    do throws(FormatError) {
      try reader.readDictionary(page, &scratch)
    } catch {
      throw file.failure(error, layout.leaf, at: dictionary.lowerBound)
    }
  }

  func column(ofRun run: Int) async throws(ParquetError) -> Column {
    var size = 0
    return try await reader.column(ofPages: reader.layout.slots[run], &scratch, &size)
  }
}
