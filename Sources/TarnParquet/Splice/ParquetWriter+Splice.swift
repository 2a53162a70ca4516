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
    // The magic number before the first page is that of the older file, too, so that what begins it stays in one piece.
    let begin = spliced.begin(of: options.lateColumns)
    let keepsMagic = position == 0 && begin == ParquetMagic.byteCount
    if !keepsMagic { try await self.begin() }
    let start = keepsMagic ? ParquetMagic.byteCount : position
    var group = RowGroupMetadata(
      rowCount: spliced.rowCount, fileOffset: start, compressedByteCount: 0, ordinal: groups.count)
    var pageIndex = PageIndexes.Group()
    // Neighbours are copied in one piece, also from one column to the next.
    var pending: Range<Int>? = keepsMagic ? 0..<ParquetMagic.byteCount : nil
    var next = start
    for (column, chunk) in spliced.chunks.enumerated() {
      let isLate = options.lateColumns.contains(column)
      let start = isLate ? 0 : next
      let parts = (chunk.dictionary.map { [$0] } ?? []) + chunk.parts
      for part in isLate ? [] : parts {
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
      let pages = builder.offsetIndex(from: start + dictionarySize)
      if isLate {
        late.append(parts.map(\.late), pages, group: groups.count, column: column, of: source, tag)
      }
      pageIndex.append(pages, builder.columnIndex())
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

extension SplicedChunk.Part {
  /// The same, to be written at the end.
  fileprivate var late: LateChunks.Part {
    switch self {
    case .copy(let range): .copy(range)
    case .bytes(let bytes): .bytes(bytes)
    }
  }
}

extension SplicedRowGroup {
  /// Where in the older file the first bytes are copied from; nil where they are new.
  fileprivate func begin(of late: Set<Int>) -> Int? {
    guard let first = chunks.indices.first(where: { !late.contains($0) }),
      case .copy(let range)? = chunks[first].dictionary ?? chunks[first].parts.first
    else { return nil }
    return range.lowerBound
  }
}
