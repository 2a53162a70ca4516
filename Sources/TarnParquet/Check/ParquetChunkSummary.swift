import TarnColumns

/// What a file tells of a leaf column in one row group.
public struct ParquetChunkSummary: Sendable {
  /// The leaf's path, joined by points.
  public var column: String
  /// The leaf's type in memory; nil where it cannot be read.
  public var type: DataType?
  /// The format's names of the encodings in use.
  public var encodings: [String]
  /// The format's name of the compression.
  public var codec: String
  /// Number of data pages; nil where the chunk is too damaged to count them.
  public var pageCount: Int?
  /// Number of values, nulls and empty lists among them.
  public var valueCount: Int
  /// Bytes of all pages with their headers, as stored.
  public var compressedSize: Int
  /// Bytes of all pages with their headers, decompressed.
  public var uncompressedSize: Int
  /// Null count and bounds, where the file has them.
  public var statistics: ColumnStatistics?
  /// Whether there is an offset index, which tells where each page lies.
  public var hasOffsetIndex: Bool
  /// Whether there is a column index, which bounds each page's values.
  public var hasColumnIndex: Bool
  /// Whether there is a Bloom filter.
  public var hasBloomFilter: Bool
}

extension ParquetFile {
  /// What the file tells of each leaf column in a row group, in the file's order.
  ///
  /// - Throws: ``ParquetError`` where there is no such group, or the storage fails.
  public func chunkSummaries(group: Int) async throws(ParquetError) -> [ParquetChunkSummary] {
    guard metadata.groups.indices.contains(group) else {
      throw ParquetError(.notFound, path: path, "there is no row group \(group)")
    }
    var leaves: [Int: LeafColumn] = [:]
    for leaf in self.leaves(of: Array(nodes.indices)) { leaves[leaf.chunk] = leaf }
    var summaries: [ParquetChunkSummary] = []
    for (number, chunk) in metadata.groups[group].columns.enumerated() {
      let leaf = leaves[number]
      var summary = ParquetChunkSummary(
        column: chunk.path.joined(separator: "."), type: leaf?.type, encodings: chunk.encodings.map(\.name),
        codec: chunk.codec.name, valueCount: chunk.valueCount, compressedSize: chunk.compressedSize,
        uncompressedSize: chunk.uncompressedSize, hasOffsetIndex: chunk.offsetIndex != nil,
        hasColumnIndex: chunk.columnIndex != nil, hasBloomFilter: chunk.bloomFilterOffset ?? 0 > 0)
      if let leaf {
        summary.statistics = chunk.statistics.map { Self.statistics($0, leaf, values: chunk.valueCount) }
        summary.pageCount = try await pageCount(group, leaf, chunk)
      }
      summaries.append(summary)
    }
    return summaries
  }

  /// The number of data pages, from what tells it at the least cost.
  private func pageCount(
    _ group: Int, _ leaf: LeafColumn, _ chunk: ChunkMetadata
  ) async throws(ParquetError) -> Int? {
    let listed = chunk.encodingStatistics.filter { $0.page == .data || $0.page == .dataV2 }
    if !listed.isEmpty {
      return listed.reduce(Int?(0)) { total, entry in
        guard let (sum, overflow) = total?.addingReportingOverflow(entry.count), !overflow else { return nil }
        return sum
      }
    }
    do {
      if let place = chunk.offsetIndex {
        let index = try await index(place, leaf) { (reader) throws(FormatError) in
          try reader.offsetIndex()
        }
        return index.pages.count
      }
      var walk = PageWalk(self, leaf, try chunkRange(group, leaf), slack: chunk.slack, window: 4 << 10)
      var count = 0
      while let page = try await walk.next() {
        if page.header.type == .data || page.header.type == .dataV2 { count += 1 }
      }
      return count
    } catch {
      guard error.isOfTheFile else { throw error }
      return nil
    }
  }
}
