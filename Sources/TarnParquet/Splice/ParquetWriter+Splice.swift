import TarnStorage

extension ParquetWriter {
  /// Appends a row group that was spliced of an older file of the same storage; one without rows is left out.
  ///
  /// Rows that were appended before end their own row group.
  ///
  /// - Parameters:
  ///   - spliced: The row group.
  ///   - source: The older file's path.
  ///   - tag: The version of it that is meant; nil for the one that is there.
  /// - Throws: ``ParquetError`` where the storage fails.
  package mutating func append(
    _ spliced: SplicedRowGroup, from source: String, tag: ObjectTag? = nil
  ) async throws(ParquetError) {
    try await endRowGroup()
    guard spliced.rowCount > 0 else { return }
    try await begin()
    var group = RowGroupMetadata(
      rowCount: spliced.rowCount, fileOffset: position, compressedByteCount: 0, ordinal: groups.count)
    var pageIndex = PageIndexes.Group()
    // Neighbours are copied in one piece, also from one column to the next.
    var pending: Range<Int>?
    var next = position
    for chunk in spliced.chunks {
      let start = next
      for part in (chunk.dictionary.map { [$0] } ?? []) + chunk.parts {
        next += part.count
        switch part {
        case .copy(let range) where pending?.upperBound == range.lowerBound:
          pending = pending.map { $0.lowerBound..<range.upperBound }
        case .copy(let range):
          try await copy(pending, of: source, tag)
          pending = range
        case .bytes(let bytes):
          try await copy(pending, of: source, tag)
          pending = nil
          try await write(bytes)
        }
      }
      let dictionarySize = chunk.dictionary?.count ?? 0
      let builder = ChunkIndexBuilder(pages: chunk.pages, order: BoundComparison(chunk.leaf.type))
      var metadata = ChunkMetadata(
        chunk.leaf, options.codec, chunk.pages, at: start, dictionarySize: dictionarySize,
        uncompressedSize: chunk.uncompressedSize)
      metadata.statistics = builder.statistics()
      pageIndex.append(
        builder.offsetIndex(from: start + dictionarySize), builder.columnIndex())
      group.byteCount += metadata.uncompressedSize
      group.compressedByteCount = (group.compressedByteCount ?? 0) + metadata.compressedSize
      group.columns.append(metadata)
    }
    try await copy(pending, of: source, tag)
    groups.append(group)
    indexes.append(pageIndex, rows: spliced.rowCount)
    rowCount += spliced.rowCount
  }
}
