import TarnBytes
import TarnColumns

/// The rows of a file as batches of bounded size, in the file's order.
///
/// What is held at once follows the batch and the pages at hand, not the row group: a file with row groups
/// of gigabytes is read in a few megabytes a column.
public struct ParquetBatches: Sendable, AsyncSequence {
  let file: ParquetFile
  let columns: [Int]
  let rowsPerBatch: Int
  let groups: [Int]
  /// Bytes that all columns together read ahead.
  let readAhead: Int

  /// Begins with the first row.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Reads one batch after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let batches: ParquetBatches
    private var nextGroup = 0
    private var rowsLeft = 0
    private var streams: [LeafStream] = []
    /// A small row group, read at once, and the next of its rows.
    private var whole: RecordBatch?
    private var nextRow = 0
    /// The next row group, whose bytes are under way.
    private var ahead: Opened?

    /// A row group that was begun.
    private enum Opened {
      case whole(ReadAhead<RecordBatch>)
      case streams([LeafStream])
    }

    /// Values above which a batch's columns are decoded in parallel.
    private static let leastParallelValues = 1 << 15

    init(_ batches: ParquetBatches) { self.batches = batches }

    /// The next batch, none of them empty; nil at the end.
    ///
    /// - Throws: ``ParquetError`` where the storage fails or the file is damaged.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ParquetError) -> RecordBatch? {
      while rowsLeft == 0 {
        guard nextGroup < batches.groups.count else { return nil }
        try await begin(isolation: actor)
      }
      let rows = Swift.min(rowsLeft, batches.rowsPerBatch)
      if let whole {
        rowsLeft -= rows
        nextRow += rows
        if rowsLeft == 0 { self.whole = nil }
        openAhead()
        return whole.slice(nextRow - rows..<nextRow)
      }
      let pieces = try await Self.read(streams, rows)
      rowsLeft -= rows
      if rowsLeft == 0 {
        streams = []
        openAhead()
      }
      return try batches.file.assemble(batches.columns, pieces, rows: rows)
    }

    /// Goes on to the next row group, of which there must be one.
    private mutating func begin(isolation actor: isolated (any Actor)?) async throws(ParquetError) {
      let group = batches.groups[nextGroup]
      let opened: Opened
      if let ahead { opened = ahead } else { opened = try open(group) }
      ahead = nil
      nextGroup += 1
      nextRow = 0
      whole = nil
      streams = []
      switch opened {
      case .whole(let batch): whole = try await batch.value()
      case .streams(let opened): streams = opened
      }
      rowsLeft = batches.file.rowCount(inGroup: group)
    }

    /// Begins the next row group while the rows of this one are used, as far as the read-ahead allows.
    private mutating func openAhead() {
      guard ahead == nil, nextGroup < batches.groups.count else { return }
      let group = batches.groups[nextGroup]
      if rowsLeft > 0 {
        let held = isWhole(group) ? size(group) + size(batches.groups[nextGroup - 1]) : Int.max
        guard held <= batches.readAhead else { return }
      }
      // What is wrong with it is told when it is its turn.
      ahead = try? open(group)
    }

    /// Bytes that the columns of a row group take decompressed; too many where they are not known.
    private func size(_ group: Int) -> Int {
      let file = batches.file
      guard file.metadata.groups.indices.contains(group) else { return Int.max / 2 }
      let size = file.leaves(of: batches.columns).reduce(0) {
        $0 &+ file.metadata.groups[group].columns[$1.chunk].uncompressedSize
      }
      return size >= 0 && size < Int.max / 2 ? size : Int.max / 2
    }

    /// Whether a row group is small enough to be read at once.
    private func isWhole(_ group: Int) -> Bool {
      size(group) <= Swift.min(batches.readAhead, 1 << 30) && batches.file.rowCount(inGroup: group) < 1 << 20
    }

    private func open(_ group: Int) throws(ParquetError) -> Opened {
      let (file, columns) = (batches.file, batches.columns)
      try file.check(group, columns)
      if isWhole(group) {
        return .whole(
          ReadAhead { () throws(ParquetError) in
            try await file.readRowGroup(group, columns: columns)
          })
      }
      let leaves = file.leaves(of: columns)
      // Of each column, a window is held while another is under way.
      let window = batches.readAhead / Swift.max(leaves.count, 1) / 2
      let expected = Swift.min(batches.rowsPerBatch &+ 1 << 14, file.rowCount(inGroup: group))
      var streams: [LeafStream] = []
      for leaf in leaves {
        streams.append(
          try LeafStream(
            file, group, leaf, window: Swift.max(64 << 10, Swift.min(1 << 20, window)), expected: expected))
      }
      return .streams(streams)
    }

    private static func read(
      _ streams: [LeafStream], _ rows: Int
    ) async throws(ParquetError) -> [Int: LeafPiece] {
      let queue = WorkQueue(streams.count)
      guard streams.count > 1, rows * streams.count >= leastParallelValues else {
        return try await work(through: streams, rows, queue)
      }
      let results = await withTaskGroup(of: Result<[Int: LeafPiece], ParquetError>.self) { tasks in
        for _ in 0..<Swift.min(streams.count, ParquetFile.greatestParallelism) {
          tasks.addTask {
            do throws(ParquetError) {
              return .success(try await work(through: streams, rows, queue))
            } catch { return .failure(error) }
          }
        }
        var results: [Result<[Int: LeafPiece], ParquetError>] = []
        for await result in tasks { results.append(result) }
        return results
      }
      var pieces: [Int: LeafPiece] = [:]
      for result in results { pieces.merge(try result.get()) { first, _ in first } }
      return pieces
    }

    private static func work(
      through streams: [LeafStream], _ rows: Int, _ queue: WorkQueue
    ) async throws(ParquetError) -> [Int: LeafPiece] {
      var pieces: [Int: LeafPiece] = [:]
      while let number = queue.take() {
        pieces[streams[number].leaf.chunk] = try await streams[number].next(rows)
      }
      return pieces
    }
  }
}

extension ParquetFile {
  /// All rows of columns, at most `rowsPerBatch` at a time; `columns` are positions in ``schema``.
  ///
  /// - Parameters:
  ///   - columns: Positions in ``schema``; the batches have their order.
  ///   - rowsPerBatch: The most rows of a batch, and at least one.
  ///   - groups: The row groups to read, in this order; nil for all.
  ///   - readAhead: Bytes that are read ahead of the batch at hand; a row group that takes no more than this
  ///     is read at once.
  public func batches(
    columns: [Int], rowsPerBatch: Int = 16_384, groups: [Int]? = nil, readAhead: Int = 24 << 20
  ) -> ParquetBatches {
    ParquetBatches(
      file: self, columns: columns, rowsPerBatch: max(rowsPerBatch, 1),
      groups: groups ?? Array(0..<rowGroupCount), readAhead: readAhead)
  }
}
