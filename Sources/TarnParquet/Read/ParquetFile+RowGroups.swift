import TarnBytes
import TarnColumns
import TarnStorage

extension ParquetFile {
  /// Chunks with fewer bytes than this between them are read in one request.
  private static let greatestGap = 64 << 10
  /// The most bytes that chunks are joined to.
  private static let greatestRequest = 8 << 20

  /// Bytes of the file that are read at once, and the columns whose chunks lie there.
  private struct Request {
    var range: Range<Int>
    /// Positions among the columns that were asked for.
    var columns: [Int]
  }

  /// Reads columns of a row group; `columns` are positions in ``schema``, and the batch has their order.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group or column, or the chunk is damaged.
  public func readRowGroup(_ group: Int, columns: [Int]) async throws(ParquetError) -> RecordBatch {
    guard metadata.groups.indices.contains(group) else {
      throw ParquetError(.notFound, path: path, "there is no row group \(group)")
    }
    for column in columns where !leaves.indices.contains(column) {
      throw ParquetError(.notFound, path: path, "there is no column at position \(column)")
    }
    let rows = metadata.groups[group].rowCount
    guard rows <= Int(Int32.max) else {
      throw ParquetError(.unsupported, path: path, "row group \(group) has more than 2^31 rows")
    }
    var decoded = [Column?](repeating: nil, count: columns.count)
    var buffer = ByteBuffer()
    var scratch = PageScratch()
    for request in try requests(group, columns) {
      do {
        try await storage.read(path, range: request.range, into: &buffer)
      } catch {
        throw ParquetError(error, path: path)
      }
      guard buffer.count == request.range.count else {
        throw ParquetError(.storage, path: path, "the storage gave fewer bytes than were asked for")
      }
      for position in request.columns {
        decoded[position] = try decode(group, columns[position], buffer.bytes, request.range, &scratch)
      }
    }
    do {
      let found = decoded.compactMap { $0 }
      return try RecordBatch(schema: Schema(columns.map { leaves[$0].field }), columns: found, count: rows)
    } catch {
      throw ParquetError(.malformed, path: path, error.description)
    }
  }

  private func decode(
    _ group: Int, _ column: Int, _ bytes: RawSpan, _ range: Range<Int>, _ scratch: inout PageScratch
  ) throws(ParquetError) -> Column {
    let leaf = leaves[column]
    let chunk = metadata.groups[group].columns[leaf.chunk]
    var decoder = ChunkDecoder(leaf: leaf, metadata: chunk, rows: metadata.groups[group].rowCount)
    do {
      let start = chunk.start - range.lowerBound
      return try decoder.decode(bytes.extracting(start..<start + chunk.compressedSize), &scratch)
    } catch {
      throw ParquetError(
        error.code, path: path, column: leaf.field.name, offset: chunk.start + decoder.failedAt, error.message
      )
    }
  }

  /// Where the chunk lies, once it is known to be one that can be read.
  private func checkedRange(_ group: Int, _ leaf: LeafColumn) throws(ParquetError) -> Range<Int> {
    let chunk = metadata.groups[group].columns[leaf.chunk]
    func fail(_ code: ParquetError.Code, _ message: String) -> ParquetError {
      ParquetError(code, path: path, column: leaf.field.name, "row group \(group): \(message)")
    }
    guard !chunk.isEncrypted else { throw fail(.unsupported, "the column is encrypted") }
    guard chunk.filePath == nil else { throw fail(.unsupported, "the column lies in another file") }
    guard chunk.physical == leaf.physical, chunk.path == [leaf.field.name] else {
      throw fail(.malformed, "the chunk is that of another column")
    }
    guard chunk.valueCount == metadata.groups[group].rowCount else {
      throw fail(
        .malformed,
        "the chunk declares \(chunk.valueCount) values for \(metadata.groups[group].rowCount) rows")
    }
    switch chunk.codec {
    case .uncompressed, .snappy, .gzip, .zstd: break
    default: throw fail(.unsupported, "codec \(chunk.codec.name) is not supported")
    }
    let (end, overflow) = chunk.start.addingReportingOverflow(chunk.compressedSize)
    guard !overflow, end <= size else {
      throw fail(
        .malformed, "the chunk at \(chunk.start) of \(chunk.compressedSize) bytes ends behind the file")
    }
    return chunk.start..<end
  }

  /// Joins chunks that lie close together.
  private func requests(_ group: Int, _ columns: [Int]) throws(ParquetError) -> [Request] {
    var parts: [Request] = []
    for (position, column) in columns.enumerated() {
      parts.append(Request(range: try checkedRange(group, leaves[column]), columns: [position]))
    }
    parts.sort { $0.range.lowerBound < $1.range.lowerBound }
    var joined: [Request] = []
    for part in parts {
      if let last = joined.last, part.range.lowerBound - last.range.upperBound <= Self.greatestGap,
        part.range.upperBound - last.range.lowerBound <= Self.greatestRequest
      {
        let end = max(last.range.upperBound, part.range.upperBound)
        joined[joined.count - 1].range = last.range.lowerBound..<end
        joined[joined.count - 1].columns += part.columns
      } else {
        joined.append(part)
      }
    }
    return joined
  }
}
