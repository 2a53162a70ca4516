import TarnBytes
import TarnColumns
import TarnStorage

extension ParquetFile {
  /// The most bytes that chunks are joined to.
  static let greatestRequest = 8 << 20
  /// The most requests that are under way at once.
  static let greatestParallelism = 4
  /// Below so many bytes, tasks cost more than they bring.
  private static let leastParallelSize = 256 << 10

  /// Reads columns of a row group; `columns` are positions in ``schema``, and the batch has their order.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group or column, or the chunk is damaged.
  public func readRowGroup(_ group: Int, columns: [Int]) async throws(ParquetError) -> RecordBatch {
    try check(group, columns)
    let pieces = try await readLeaves(group, leaves(of: columns))
    return try assemble(columns, pieces, rows: metadata.groups[group].rowCount)
  }

  /// Checks what a caller asks for.
  func check(_ group: Int, _ columns: [Int]) throws(ParquetError) {
    guard metadata.groups.indices.contains(group) else {
      throw ParquetError(.notFound, path: path, "there is no row group \(group)")
    }
    for column in columns where !nodes.indices.contains(column) {
      throw ParquetError(.notFound, path: path, "there is no column at position \(column)")
    }
    guard metadata.groups[group].rowCount <= Int(Int32.max) else {
      throw ParquetError(.unsupported, path: path, "row group \(group) has more than 2^31 rows")
    }
  }

  /// Reads whole chunks, several at a time where that pays.
  private func readLeaves(
    _ group: Int, _ leaves: [LeafColumn]
  ) async throws(ParquetError) -> [Int: LeafPiece] {
    var single: [RangeRequest<LeafColumn>] = []
    var total = 0
    for leaf in leaves {
      let range = try chunkRange(group, leaf)
      total += range.count
      single.append(RangeRequest(range: range, parts: [leaf]))
    }
    // Enough requests that all tasks end at about the same time, the largest first.
    let most = max(1 << 20, min(Self.greatestRequest, total / 8))
    var requests = RangeRequest.joined(single, most: most)
    requests.sort { $0.range.count > $1.range.count }
    let queue = WorkQueue(requests.count)
    guard requests.count > 1, total >= Self.leastParallelSize else {
      return try await work(through: requests, group, queue)
    }
    let tasks = min(requests.count, Self.greatestParallelism)
    let shared = requests
    let results = await withTaskGroup(of: Result<[Int: LeafPiece], ParquetError>.self) { tasksGroup in
      for _ in 0..<tasks {
        tasksGroup.addTask {
          do throws(ParquetError) {
            return .success(try await work(through: shared, group, queue))
          } catch { return .failure(error) }
        }
      }
      var results: [Result<[Int: LeafPiece], ParquetError>] = []
      for await result in tasksGroup { results.append(result) }
      return results
    }
    var pieces: [Int: LeafPiece] = [:]
    for result in results { pieces.merge(try result.get()) { first, _ in first } }
    return pieces
  }

  /// Reads and decodes requests until none is left.
  private func work(
    through requests: [RangeRequest<LeafColumn>], _ group: Int, _ queue: WorkQueue
  ) async throws(ParquetError) -> [Int: LeafPiece] {
    var pieces: [Int: LeafPiece] = [:]
    var buffer = ByteBuffer()
    var scratch = PageScratch()
    while let number = queue.take() {
      let request = requests[number]
      try await fetch(request.range, into: &buffer)
      for leaf in request.parts {
        let range = try chunkRange(group, leaf)
        let start = range.lowerBound - request.range.lowerBound
        pieces[leaf.chunk] = try decodeChunk(
          group, leaf, buffer.bytes.extracting(start..<start + range.count), &scratch)
      }
    }
    return pieces
  }
}
