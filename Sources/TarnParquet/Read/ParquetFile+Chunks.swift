import TarnBytes
import TarnColumns
import TarnStorage

extension ParquetFile {
  /// The error of a problem within a column's pages.
  func failure(_ problem: FormatError, _ leaf: LeafColumn, at offset: Int? = nil) -> ParquetError {
    ParquetError(problem.code, path: path, column: leaf.name, offset: offset, problem.message)
  }

  /// Ends a task's reading once it is cancelled.
  func checkCancellation() throws(ParquetError) {
    if Task.isCancelled { throw ParquetError(.cancelled, path: path, "the reading was cancelled") }
  }

  /// Bytes between two wanted parts of the file that are read rather than asked for around.
  var widestGap: Int { storage.costs.widestGap }

  /// Reads a part of the file.
  func fetch(_ range: Range<Int>, into buffer: inout ByteBuffer) async throws(ParquetError) {
    try checkCancellation()
    do {
      try await storage.read(path, range: range, into: &buffer)
    } catch {
      throw ParquetError(error, path: path)
    }
    guard buffer.count == range.count else {
      throw ParquetError(.storage, path: path, "the storage gave fewer bytes than were asked for")
    }
  }

  /// Where a leaf's chunk lies, once it is known to be one that can be read.
  func chunkRange(_ group: Int, _ leaf: LeafColumn) throws(ParquetError) -> Range<Int> {
    let chunk = metadata.groups[group].columns[leaf.chunk]
    let rows = metadata.groups[group].rowCount
    func fail(_ code: ParquetError.Code, _ message: String) -> ParquetError {
      ParquetError(code, path: path, column: leaf.name, "row group \(group): \(message)")
    }
    if let reason = chunk.unreadable { throw fail(.unsupported, reason) }
    guard chunk.physical == leaf.physical, chunk.path == leaf.path else {
      throw fail(.malformed, "the chunk is that of another column")
    }
    guard leaf.greatestRepetition > 0 || chunk.valueCount == rows else {
      throw fail(.malformed, "the chunk declares \(chunk.valueCount) values for \(rows) rows")
    }
    let (end, overflow) = chunk.start.addingReportingOverflow(chunk.compressedSize)
    guard !overflow, end <= size else {
      throw fail(
        .malformed, "the chunk at \(chunk.start) of \(chunk.compressedSize) bytes ends behind the file")
    }
    return chunk.start..<min(size, end + chunk.slack)
  }

  /// Decodes a whole chunk.
  func decodeChunk(
    _ group: Int, _ leaf: LeafColumn, _ bytes: RawSpan, _ scratch: inout PageScratch
  ) throws(ParquetError) -> LeafValues {
    let chunk = metadata.groups[group].columns[leaf.chunk]
    let rows = metadata.groups[group].rowCount
    // Memory for so many rows is taken before any page has been seen.
    var decoder = leaf.decoder(
      chunk.codec, entries: chunk.valueCount, expected: min(rows, 1 << 20),
      bytes: Self.stringBytes(chunk, stored: bytes.byteCount), declared: chunk.uncompressedSize,
      cutsNanoseconds: cutsNanoseconds)
    var offset = 0
    var pageStart = 0
    do throws(FormatError) {
      while decoder.entriesRead < chunk.valueCount {
        pageStart = offset
        guard offset < bytes.byteCount else {
          throw .malformed("the chunk holds fewer rows than the row group")
        }
        var thrift = ThriftReader(bytes, at: offset)
        let header = try thrift.pageHeader()
        offset = thrift.reader.offset
        guard header.compressedSize <= bytes.byteCount - offset else {
          throw .malformed("a page ends behind its chunk")
        }
        try decoder.read(header, bytes.extracting(offset..<offset + header.compressedSize), &scratch)
        offset += header.compressedSize
      }
      guard decoder.rowsRead == rows else {
        throw .malformed("the chunk holds another number of rows than the row group")
      }
      return try decoder.take()
    } catch {
      throw failure(error, leaf, at: chunk.start + pageStart)
    }
  }

  /// The bytes that a chunk's strings may take, as far as its sizes tell; what it declares is not trusted.
  private static func stringBytes(_ chunk: ChunkMetadata, stored: Int) -> Int {
    min(max(0, chunk.uncompressedSize), stored &* 8)
  }

  /// The batch that leaves' pieces make, with strings as the file's reader wants them.
  func assemble(
    _ columns: [Int], _ pieces: [Int: LeafValues], rows: Int
  ) throws(ParquetError) -> RecordBatch {
    try finished(try assembleKept(columns, pieces, rows: rows))
  }

  /// The batch with strings end to end, unless the file keeps its dictionaries.
  func finished(_ batch: RecordBatch) throws(ParquetError) -> RecordBatch {
    guard !keepsDictionaries else { return batch }
    var batch = batch
    for index in batch.columns.indices {
      do { batch.columns[index] = try batch.columns[index].plain() } catch {
        throw ParquetError(
          .valueOutOfRange, path: path, column: batch.schema.fields[index].name,
          "the strings of one row group pass 2 GiB, which is more than is held at once")
      }
    }
    return batch
  }

  /// The batch that leaves' pieces make, with strings as positions in dictionaries where pages have them so.
  func assembleKept(
    _ columns: [Int], _ pieces: [Int: LeafValues], rows: Int
  ) throws(ParquetError) -> RecordBatch {
    var found: [Column] = []
    let assembly = TreeAssembly(pieces: pieces)
    for column in columns {
      let node = nodes[column]
      do throws(FormatError) {
        let made = try assembly.column(node)
        guard made.count == rows else {
          throw .malformed("the column holds another number of rows than the row group")
        }
        found.append(made)
      } catch {
        throw ParquetError(error.code, path: path, column: node.field.name, error.message)
      }
    }
    do {
      return try RecordBatch(schema: Schema(columns.map { nodes[$0].field }), columns: found, count: rows)
    } catch {
      throw ParquetError(.malformed, path: path, error.description)
    }
  }

  /// The leaves below columns, each once.
  func leaves(of columns: [Int]) -> [LeafColumn] {
    var seen: Set<Int> = []
    return columns.flatMap { nodes[$0].leaves }.filter { seen.insert($0.chunk).inserted }
  }
}

/// Bytes of a file that are read at once, and what lies there.
struct RangeRequest<Part: Sendable>: Sendable {
  var range: Range<Int>
  var parts: [Part]

  /// Joins requests that lie close together, up to so many bytes.
  ///
  /// - Parameter gap: Bytes between two parts that are read rather than asked for around.
  static func joined(_ single: [RangeRequest], gap: Int, most: Int) -> [RangeRequest] {
    var joined: [RangeRequest] = []
    for part in single.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      if let last = joined.last, part.range.lowerBound - last.range.upperBound <= gap,
        part.range.upperBound - last.range.lowerBound <= most
      {
        let end = max(last.range.upperBound, part.range.upperBound)
        joined[joined.count - 1].range = last.range.lowerBound..<end
        joined[joined.count - 1].parts += part.parts
      } else {
        joined.append(part)
      }
    }
    return joined
  }
}

extension ParquetFile {
  /// Bytes of row groups beyond which they are not read at once.
  private static let mostAhead = 24 << 20

  /// Reads whole row groups by few requests at once, so that a storage which keeps what was read has them at hand.
  ///
  /// It does nothing where requests cost little, and where the row groups are long.
  ///
  /// - Throws: ``ParquetError`` where the storage fails.
  package func fetchAhead(groups: [Int]) async throws {
    let bytes = groups.reduce(0) { $0 + min(max(encodedBytes(inGroup: $1), 0), size) }
    guard storage.costs.leastCopy > 0, !groups.isEmpty, bytes <= Self.mostAhead else { return }
    let ranges = ranges(ofGroups: groups, gap: widestGap, most: Self.greatestRequest)
    _ = try await concurrently(ranges, width: storage.costs.requestsAtOnce) { range in
      var buffer = ByteBuffer()
      try await fetch(range, into: &buffer)
    }
  }

  /// Where the chunks of row groups lie, in ascending ranges.
  ///
  /// - Parameters:
  ///   - groups: The row groups.
  ///   - gap: Bytes between two chunks that belong to a range.
  ///   - most: Bytes of a range, save where one chunk has more.
  package func ranges(ofGroups groups: [Int], gap: Int, most: Int) -> [Range<Int>] {
    let chunks = groups.flatMap { group in
      metadata.groups[group].columns.compactMap { chunk -> RangeRequest<Void>? in
        guard chunk.start >= 0, chunk.compressedSize > 0, chunk.compressedSize <= size - chunk.start else {
          return nil
        }
        return RangeRequest(range: chunk.start..<chunk.start + chunk.compressedSize, parts: [()])
      }
    }
    return RangeRequest.joined(chunks, gap: gap, most: most).map(\.range)
  }
}
