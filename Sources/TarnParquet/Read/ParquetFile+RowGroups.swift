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
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group or column, the chunk is damaged,
  ///   or the group has more than 64 Mi rows, which are read in batches.
  public func readRowGroup(_ group: Int, columns: [Int]) async throws(ParquetError) -> RecordBatch {
    try check(group, columns)
    return try finished(try await readKept(group, columns: columns))
  }

  /// Reads columns of a row group, with strings as positions in dictionaries where pages have them so.
  func readKept(_ group: Int, columns: [Int]) async throws(ParquetError) -> RecordBatch {
    try checkSize(group)
    let pieces = try await readLeaves([group], leaves(of: columns))
    return try assembleKept(columns, pieces[0], rows: metadata.groups[group].rowCount)
  }

  /// Reads columns of several row groups at once, which keeps all cores busy where few columns are read.
  ///
  /// - Parameters:
  ///   - groups: The row groups; the batches have their order.
  ///   - columns: Positions in ``schema``; each batch has their order.
  /// - Throws: ``ParquetError`` where the storage fails, there is no such group or column, or a chunk is damaged.
  public func readRowGroups(_ groups: [Int], columns: [Int]) async throws(ParquetError) -> [RecordBatch] {
    for group in groups {
      try check(group, columns)
      try checkSize(group)
    }
    let pieces = try await readLeaves(groups, leaves(of: columns))
    var batches: [RecordBatch] = []
    for (number, group) in groups.enumerated() {
      batches.append(try assemble(columns, pieces[number], rows: metadata.groups[group].rowCount))
    }
    return batches
  }

  /// The most rows that are read at once.
  ///
  /// A run of nulls takes a few bytes whatever its length, so that no size in the file bounds the memory of what a
  /// forged footer declares. No writer in wide use makes larger groups.
  private static let greatestRowGroup = 64 << 20

  private func checkSize(_ group: Int) throws(ParquetError) {
    let rows = metadata.groups[group].rowCount
    guard rows <= Self.greatestRowGroup else {
      throw ParquetError(
        .unsupported, path: path,
        "row group \(group) has \(rows) rows, more than are read at once: read it in batches")
    }
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

  /// A leaf's chunk in the group of a number among those that are read.
  private struct Chunk: Sendable {
    var number: Int
    var group: Int
    var leaf: LeafColumn
  }

  /// What was decoded of each group that is read.
  private typealias Pieces = [[Int: LeafValues]]

  /// Reads whole chunks, several at a time where that pays.
  private func readLeaves(
    _ groups: [Int], _ leaves: [LeafColumn]
  ) async throws(ParquetError) -> [[Int: LeafValues]] {
    var requests: [RangeRequest<Chunk>] = []
    var total = 0
    for (number, group) in groups.enumerated() {
      var single: [RangeRequest<Chunk>] = []
      for leaf in leaves {
        let range = try chunkRange(group, leaf)
        single.append(RangeRequest(range: range, parts: [Chunk(number: number, group: group, leaf: leaf)]))
      }
      let size = single.reduce(0) { $0 + $1.range.count }
      total += size
      // Enough requests that all tasks end at about the same time, the largest first.
      let joined = RangeRequest.joined(
        single, gap: widestGap, most: max(1 << 20, min(Self.greatestRequest, size / 8)))
      requests += joined.sorted { $0.range.count > $1.range.count }
    }
    let queue = WorkQueue(requests.count)
    guard requests.count > 1, total >= Self.leastParallelSize else {
      return try await work(through: requests, groups.count, queue)
    }
    let tasks = min(requests.count, Self.greatestParallelism)
    let shared = requests
    let results = await withTaskGroup(of: Result<Pieces, ParquetError>.self) { tasksGroup in
      for _ in 0..<tasks {
        tasksGroup.addTask {
          do throws(ParquetError) {
            return .success(try await work(through: shared, groups.count, queue))
          } catch { return .failure(error) }
        }
      }
      var results: [Result<Pieces, ParquetError>] = []
      for await result in tasksGroup { results.append(result) }
      return results
    }
    var pieces = Pieces(repeating: [:], count: groups.count)
    for result in results {
      for (number, found) in try result.get().enumerated() {
        pieces[number].merge(found) { first, _ in first }
      }
    }
    return pieces
  }

  /// Reads and decodes requests until none is left.
  private func work(
    through requests: [RangeRequest<Chunk>], _ groupCount: Int, _ queue: WorkQueue
  ) async throws(ParquetError) -> Pieces {
    var pieces = Pieces(repeating: [:], count: groupCount)
    var buffer = ByteBuffer()
    var scratch = PageScratch()
    while let number = queue.take() {
      let request = requests[number]
      try await fetch(request.range, into: &buffer)
      for chunk in request.parts {
        let range = try chunkRange(chunk.group, chunk.leaf)
        let start = range.lowerBound - request.range.lowerBound
        pieces[chunk.number][chunk.leaf.chunk] = try decodeChunk(
          chunk.group, chunk.leaf, buffer.bytes.extracting(start..<start + range.count), &scratch)
      }
    }
    return pieces
  }
}
