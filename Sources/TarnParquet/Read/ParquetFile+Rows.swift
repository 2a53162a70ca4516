import TarnBytes
import TarnColumns

extension ParquetFile {
  /// Reads chosen rows of a row group, touching only the pages that hold them where the file has a page index.
  ///
  /// - Parameters:
  ///   - ordinals: Positions of rows in the row group, in any order; the batch has this order.
  ///   - group: The row group.
  ///   - columns: Positions in ``schema``; the batch has their order.
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group, row or column, or a page is damaged.
  public func readRows(
    _ ordinals: [Int], inGroup group: Int, columns: [Int]
  ) async throws(ParquetError) -> RecordBatch {
    try check(group, columns)
    let rowCount = metadata.groups[group].rowCount
    let sorted = Set(ordinals).sorted()
    if let last = sorted.last, let first = sorted.first, first < 0 || last >= rowCount {
      throw ParquetError(.notFound, path: path, "row group \(group) has \(rowCount) rows, and no row \(last)")
    }
    guard !sorted.isEmpty else { return try emptyBatch(columns) }
    var pieces: [Int: LeafValues] = [:]
    var indexed: [RangeRequest<PageRun>] = []
    let leaves = leaves(of: columns)
    for (leaf, index) in try await offsetIndexes(group, leaves) {
      if let index { indexed += try runs(group, leaf, index, sorted) }
    }
    do throws(ParquetError) {
      try await read(indexed, group, sorted, into: &pieces)
    } catch {
      guard error.isOfTheFile else { throw error }
      // Either an index is wrong, or a page is, which reading them all tells.
      for leaf in leaves where leaf.name == error.column { distrust(leaf, error.message) }
      pieces = [:]
    }
    for leaf in leaves where pieces[leaf.chunk] == nil {
      pieces[leaf.chunk] = try await scan(group, leaf, sorted)
    }
    let batch = try assembleKept(columns, pieces, rows: sorted.count)
    if sorted == ordinals { return try finished(batch) }
    let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0)) })
    do throws(ColumnError) {
      let chosen = try batch.gather(ordinals.compactMap { places[$0] })
      return keepsDictionaries ? chosen : try chosen.plain()
    } catch {
      throw ParquetError(.valueOutOfRange, path: path, error.description)
    }
  }

  /// How many rows of a row group take so many bytes if all are like its rows on average, by the footer; at least one.
  ///
  /// Strings that stay positions in dictionaries count as such.
  package func usualRows(inGroup group: Int, columns: [Int], bytes: Int) -> Int {
    guard metadata.groups.indices.contains(group) else { return 1 }
    let rows = max(metadata.groups[group].rowCount, 1)
    var perRow = 0.0
    for leaf in leaves(of: columns) {
      perRow += 4 + Double(max(metadata.groups[group].columns[leaf.chunk].uncompressedSize, 0)) / Double(rows)
    }
    return Int(max(1, min(Double(bytes) / max(perRow, 1), Double(Int32.max))))
  }

  private func emptyBatch(_ columns: [Int]) throws(ParquetError) -> RecordBatch {
    let fields = columns.map { nodes[$0].field }
    do {
      return try RecordBatch(
        schema: Schema(fields), columns: fields.map { Column(nulls: 0, of: $0.type) }, count: 0)
    } catch {
      throw ParquetError(.schemaMismatch, path: path, error.description)
    }
  }

  /// The wanted pages of a leaf that one request reads.
  struct PageRun: Sendable {
    var leaf: LeafColumn
    /// Where the dictionary page lies; only in the first run of a leaf.
    var dictionary: Range<Int>?
    /// Bytes of each page, and the rows it holds.
    var pages: [(bytes: Range<Int>, rows: Range<Int>)]
  }

  /// The pages that hold rows.
  private func runs(
    _ group: Int, _ leaf: LeafColumn, _ index: OffsetIndex, _ sorted: [Int]
  ) throws(ParquetError) -> [RangeRequest<PageRun>] {
    let chunk = try chunkRange(group, leaf)
    var requests: [RangeRequest<PageRun>] = []
    if let first = index.pages.first, first.offset > chunk.lowerBound, !sorted.isEmpty {
      let range = chunk.lowerBound..<first.offset
      requests.append(RangeRequest(range: range, parts: [PageRun(leaf: leaf, dictionary: range, pages: [])]))
    }
    var next = 0
    for (number, page) in index.pages.enumerated() {
      let end =
        number + 1 < index.pages.count
        ? index.pages[number + 1].firstRow : metadata.groups[group].rowCount
      guard next < sorted.count else { break }
      guard sorted[next] < end else { continue }
      while next < sorted.count, sorted[next] < end { next += 1 }
      let range = page.offset..<page.offset + page.compressedSize
      requests.append(
        RangeRequest(
          range: range,
          parts: [PageRun(leaf: leaf, dictionary: nil, pages: [(range, page.firstRow..<end)])]))
    }
    return requests
  }

  /// Reads pages and takes the wanted rows of them.
  private func read(
    _ runs: [RangeRequest<PageRun>], _ group: Int, _ sorted: [Int], into pieces: inout [Int: LeafValues]
  ) async throws(ParquetError) {
    var decoders: [Int: (decoder: any PageDecoder, parts: [LeafValues])] = [:]
    var scratch = PageScratch()
    let requests = RangeRequest.joined(runs, gap: widestGap, most: Self.greatestRequest)
    var reader = RangeReader(self, requests.map(\.range))
    for request in requests {
      let buffer = try await reader.bytes()
      for run in request.parts {
        let leaf = run.leaf
        let chunk = metadata.groups[group].columns[leaf.chunk]
        var state =
          decoders.removeValue(forKey: leaf.chunk)
          ?? (
            leaf.decoder(
              chunk.codec, entries: chunk.valueCount, expected: sorted.count,
              cutsNanoseconds: cutsNanoseconds), []
          )
        var offset = request.range.lowerBound
        do throws(FormatError) {
          for bytes in (run.dictionary.map { [$0] } ?? []) + run.pages.map(\.bytes) {
            offset = bytes.lowerBound
            let start = bytes.lowerBound - request.range.lowerBound
            try state.decoder.readPage(buffer.bytes.extracting(start..<start + bytes.count), &scratch)
          }
          if let rows = run.pages.first?.rows {
            state.parts.append(try Self.taken(&state.decoder, leaf, rows, sorted))
          }
        } catch {
          throw failure(error, leaf, at: offset)
        }
        decoders[leaf.chunk] = state
      }
    }
    for (chunk, state) in decoders {
      guard let leaf = runs.lazy.flatMap(\.parts).first(where: { $0.leaf.chunk == chunk })?.leaf else {
        continue
      }
      do throws(FormatError) {
        pieces[chunk] = try LeafValues.joined(state.parts, leaf)
      } catch { throw failure(error, leaf) }
    }
  }

  private static func taken(
    _ decoder: inout any PageDecoder, _ leaf: LeafColumn, _ rows: Range<Int>, _ sorted: [Int]
  ) throws(FormatError) -> LeafValues {
    let piece = try decoder.take()
    guard piece.rows == rows.count, piece.repetitions.first ?? 0 == 0 else {
      throw .malformed("a page holds other rows than the page index says")
    }
    let first = sorted.partitioningIndex { $0 >= rows.lowerBound }
    let last = sorted.partitioningIndex { $0 >= rows.upperBound }
    return try RowWindow(piece, leaf).gathered(sorted[first..<last].map { $0 - rows.lowerBound })
  }

  /// Reads a whole chunk for some of its rows.
  private func scan(
    _ group: Int, _ leaf: LeafColumn, _ sorted: [Int]
  ) async throws(ParquetError) -> LeafValues {
    let step = 1 << 14
    let rowCount = metadata.groups[group].rowCount
    let stream = try LeafStream(self, group, leaf, window: 1 << 20, expected: min(step, rowCount))
    var scratch = PageScratch()
    var parts: [LeafValues] = []
    var next = 0
    var start = 0
    while start < rowCount, next < sorted.count || parts.isEmpty {
      let rows = try await stream.prepare(min(step, rowCount - start), bytes: 1 << 20, &scratch)
      let piece = try stream.next(rows)
      var chosen: [Int] = []
      while next < sorted.count, sorted[next] < start + rows {
        chosen.append(sorted[next] - start)
        next += 1
      }
      do { parts.append(try RowWindow(piece, leaf).gathered(chosen)) } catch { throw failure(error, leaf) }
      start += rows
    }
    do { return try LeafValues.joined(parts, leaf) } catch { throw failure(error, leaf) }
  }
}

extension [Int] {
  /// The position of the first element for which a condition holds; it must hold for all behind that one.
  fileprivate func partitioningIndex(where belongs: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
