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
  let selections: [RowSelection]
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
    /// Of a row group of which not all rows are wanted.
    private var selected: [SelectedStream] = []
    private var ranges: [Range<Int>] = []
    /// The selected rows that were given.
    private var given: [Range<Int>] = []
    /// A small row group, read at once, and the next of its rows.
    private var whole: RecordBatch?
    private var nextRow = 0
    /// The next row group, whose bytes are under way.
    private var ahead: Opened?

    /// A row group that was begun.
    private enum Opened {
      case whole(ReadAhead<RecordBatch>)
      case streams([LeafStream])
      case selected(ReadAhead<[SelectedStream]>)
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
        guard nextGroup < batches.selections.count else { return nil }
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
      let pieces: [Int: LeafPiece]
      if ranges.isEmpty {
        let streams = streams
        pieces = try await Self.read(streams.count, rows) { (number) throws(ParquetError) in
          (streams[number].leaf.chunk, try await streams[number].next(rows))
        }
      } else {
        let (part, streams) = (takeRanges(rows), selected)
        do throws(ParquetError) {
          pieces = try await Self.read(streams.count, rows) { (number) throws(ParquetError) in
            (streams[number].leaf.chunk, try await streams[number].next(part))
          }
        } catch {
          guard error.code != .storage, streams.contains(where: \.isMisled) else { throw error }
          try selectRest()
          return try await next(isolation: actor)
        }
        given += part
      }
      rowsLeft -= rows
      if rowsLeft == 0 {
        streams = []
        selected = []
        openAhead()
      }
      return try batches.file.assemble(batches.columns, pieces, rows: rows)
    }

    /// Goes on to the next row group, of which there must be one.
    private mutating func begin(isolation actor: isolated (any Actor)?) async throws(ParquetError) {
      let selection = batches.selections[nextGroup]
      let opened: Opened
      if let ahead { opened = ahead } else { opened = try open(selection) }
      ahead = nil
      nextGroup += 1
      nextRow = 0
      whole = nil
      streams = []
      selected = []
      ranges = []
      given = []
      switch opened {
      case .whole(let batch): whole = try await batch.value()
      case .streams(let opened): streams = opened
      case .selected(let opened):
        selected = try await opened.value()
        ranges = selection.ranges ?? []
      }
      rowsLeft = selection.count(of: batches.file.rowCount(inGroup: selection.group))
    }

    /// Selects all rows of the row group that were not given, since those that were selected are the wrong ones.
    private mutating func selectRest() throws(ParquetError) {
      let group = batches.selections[nextGroup - 1].group
      let rowCount = batches.file.rowCount(inGroup: group)
      ranges = RowRanges.complement(RowRanges.union(given), of: rowCount)
      rowsLeft = rowCount - RowRanges.union(given).reduce(0) { $0 + $1.count }
      let selection = RowSelection(group: group, ranges: ranges)
      selected = []
      for leaf in batches.file.leaves(of: batches.columns) {
        selected.append(
          try SelectedStream(
            batches.file, selection, leaf, nil, window: windowSize(), expected: 1 << 14))
      }
    }

    /// Bytes of a column that are read at once: while they are held, as many are under way.
    private func windowSize() -> Int {
      let count = batches.file.leaves(of: batches.columns).count
      return Swift.max(64 << 10, Swift.min(1 << 20, batches.readAhead / Swift.max(count, 1) / 2))
    }

    /// Begins the next row group while the rows of this one are used, as far as the read-ahead allows.
    private mutating func openAhead() {
      guard ahead == nil, nextGroup < batches.selections.count else { return }
      let selection = batches.selections[nextGroup]
      if rowsLeft > 0 {
        let held =
          isWhole(selection)
          ? size(selection.group) + size(batches.selections[nextGroup - 1].group) : Int.max
        guard held <= batches.readAhead else { return }
      }
      // What is wrong with it is told when it is its turn.
      ahead = try? open(selection)
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
    private func isWhole(_ selection: RowSelection) -> Bool {
      let group = selection.group
      return selection.ranges == nil && size(group) <= Swift.min(batches.readAhead, 1 << 30)
        && batches.file.rowCount(inGroup: group) < 1 << 20
    }

    private func open(_ selection: RowSelection) throws(ParquetError) -> Opened {
      let (file, columns, group) = (batches.file, batches.columns, selection.group)
      try file.check(group, columns)
      if isWhole(selection) {
        return .whole(
          ReadAhead { () throws(ParquetError) in
            try await file.readRowGroup(group, columns: columns)
          })
      }
      let leaves = file.leaves(of: columns)
      let window = windowSize()
      let rowCount = file.rowCount(inGroup: group)
      if let ranges = selection.ranges {
        guard ranges.first.map({ $0.lowerBound >= 0 }) ?? true,
          ranges.last.map({ $0.upperBound <= rowCount }) ?? true
        else {
          throw ParquetError(
            .notFound, path: file.path, "row group \(group) has \(rowCount) rows, fewer than are selected")
        }
        return .selected(
          ReadAhead { () throws(ParquetError) in
            var streams: [SelectedStream] = []
            for (leaf, index) in try await file.offsetIndexes(group, leaves) {
              streams.append(
                try SelectedStream(file, selection, leaf, index, window: window, expected: 1 << 14))
            }
            return streams
          })
      }
      let expected = Swift.min(batches.rowsPerBatch &+ 1 << 14, rowCount)
      var streams: [LeafStream] = []
      for leaf in leaves {
        streams.append(
          try LeafStream(file, group, leaf, window: window, expected: expected))
      }
      return .streams(streams)
    }

    /// Takes so many rows off the front of the selected ranges.
    private mutating func takeRanges(_ rows: Int) -> [Range<Int>] {
      var taken: [Range<Int>] = []
      var left = rows
      while left > 0, let first = ranges.first {
        let part = first.prefix(left)
        taken.append(part)
        left -= part.count
        if part.upperBound == first.upperBound {
          ranges.removeFirst()
        } else {
          ranges[0] = part.upperBound..<first.upperBound
        }
      }
      return taken
    }

    /// Reads the next rows of all streams, several at a time where that pays.
    private static func read(
      _ count: Int, _ rows: Int,
      _ next: @escaping @Sendable (Int) async throws(ParquetError) -> (Int, LeafPiece)
    ) async throws(ParquetError) -> [Int: LeafPiece] {
      let queue = WorkQueue(count)
      guard count > 1, rows * count >= leastParallelValues else { return try await work(queue, next) }
      let results = await withTaskGroup(of: Result<[Int: LeafPiece], ParquetError>.self) { tasks in
        for _ in 0..<Swift.min(count, ParquetFile.greatestParallelism) {
          tasks.addTask {
            do throws(ParquetError) {
              return .success(try await work(queue, next))
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
      _ queue: WorkQueue, _ next: @Sendable (Int) async throws(ParquetError) -> (Int, LeafPiece)
    ) async throws(ParquetError) -> [Int: LeafPiece] {
      var pieces: [Int: LeafPiece] = [:]
      while let number = queue.take() {
        let (chunk, piece) = try await next(number)
        pieces[chunk] = piece
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
    batches(
      columns: columns, rowsPerBatch: rowsPerBatch,
      selecting: (groups ?? Array(0..<rowGroupCount)).map { RowSelection(group: $0) }, readAhead: readAhead)
  }

  /// Chosen rows of columns, at most `rowsPerBatch` at a time; of a file with a page index, only the pages that hold
  /// them are read.
  ///
  /// - Parameters:
  ///   - columns: Positions in ``schema``; the batches have their order.
  ///   - rowsPerBatch: The most rows of a batch, and at least one.
  ///   - selections: The row groups to read, in this order, and which of their rows.
  ///   - readAhead: Bytes that are read ahead of the batch at hand.
  public func batches(
    columns: [Int], rowsPerBatch: Int = 16_384, selecting selections: [RowSelection],
    readAhead: Int = 24 << 20
  ) -> ParquetBatches {
    ParquetBatches(
      file: self, columns: columns, rowsPerBatch: min(max(rowsPerBatch, 1), 1 << 31), selections: selections,
      readAhead: readAhead)
  }
}
