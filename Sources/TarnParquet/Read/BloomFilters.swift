import TarnBytes

extension ParquetFile {
  /// The Bloom filter of a flat column's values in a row group; nil where the file has none.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group or column, or the filter is damaged.
  public func bloomFilter(
    group: Int, column: Int
  ) async throws(ParquetError) -> SplitBlockBloomFilter? {
    try check(group, [column])
    guard let leaf = nodes[column].flatLeaf else { return nil }
    return try await bloomFilter(metadata.groups[group].columns[leaf.chunk], leaf)
  }

  /// The Bloom filter of a chunk; nil where it has none.
  func bloomFilter(
    _ chunk: ChunkMetadata, _ leaf: LeafColumn
  ) async throws(ParquetError) -> SplitBlockBloomFilter? {
    guard let start = chunk.bloomFilterOffset, start > 0 else { return nil }
    guard start < size else {
      throw failure(.malformed("the Bloom filter begins behind the file"), leaf, at: start)
    }
    var buffer = ByteBuffer()
    if let stored = chunk.bloomFilterSize, stored > 0 {
      try await fetch(start..<start + min(stored, size - start), into: &buffer)
    } else {
      // Older writers do not tell the size, which is in the header.
      try await fetch(start..<min(start + Self.greatestBloomHeader, size), into: &buffer)
      let count: Int
      do throws(FormatError) {
        var reader = ThriftReader(buffer.bytes)
        let header = try reader.bloomFilterHeader()
        count = min(header.byteCount, size - start) + reader.reader.offset
      } catch {
        throw failure(error, leaf, at: start)
      }
      try await fetch(start..<min(start + count, size), into: &buffer)
    }
    do {
      return try SplitBlockBloomFilter(stored: buffer.bytes, path: path)
    } catch {
      throw ParquetError(error.code, path: path, column: leaf.name, offset: start, error.message)
    }
  }

  /// Bytes that hold the header of any filter: a number and three empty choices.
  private static var greatestBloomHeader: Int { 64 }
}
