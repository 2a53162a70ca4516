import TarnBytes
import TarnColumns
import TarnExpressions

/// The rows of a file as batches of bounded size, in the file's order.
///
/// What is held at once follows the batch and the pages at hand, not the row group: a file with row groups
/// of gigabytes is read in a few megabytes a column.
public struct ParquetBatches: Sendable, AsyncSequence {
  let file: ParquetFile
  let columns: [Int]
  let rowsPerBatch: Int
  /// The most bytes of a batch, save where a row takes more.
  let bytesPerBatch: Int
  let selections: [RowSelection]
  /// Bytes that all columns together read ahead.
  let readAhead: Int

  /// Begins with the first row.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Reads one batch after the other.
  public struct Iterator: AsyncIteratorProtocol, Sendable {
    private let batches: ParquetBatches
    private var nextGroup = 0
    private var rowsLeft = 0
    private var streams: [LeafStream] = []
    /// Of a row group of which not all rows are wanted.
    private var selected: [SelectedStream] = []
    private var ranges: ArraySlice<Range<Int>> = []
    /// The selected rows that were given.
    private var given: [Range<Int>] = []
    /// Rows that are decoded, with strings as positions in dictionaries where pages have them so, and the next of
    /// them: those of a small row group, or some of a large one.
    private var decoded: RecordBatch?
    private var nextRow = 0
    /// Where in the row group they stand.
    private var decodedRanges: [Range<Int>] = []
    /// Where the rows of the batch that was given last stand: their row group, and their places in it.
    package private(set) var place: (group: Int, rows: [Range<Int>]) = (0, [])
    /// The next row group, whose bytes are under way.
    private var ahead: Opened?
    /// What ended the reading.
    private var failure: ParquetError?

    /// A row group that was begun.
    private enum Opened {
      case whole(ReadAhead<RecordBatch>)
      case streams([LeafStream])
      case selected(ReadAhead<[SelectedStream]>)
    }

    /// Bytes of a column that are read at once however many columns there are.
    private static let leastWindow = 8 << 10
    /// Columns of which the next bytes are read while others are used: those of more would be many bytes.
    private static let mostAhead = 512
    /// Values of a column for which memory is taken at once, however many columns there are.
    private static let leastExpected = 64
    /// Values above which a batch's columns are decoded in parallel.
    private static let leastParallelValues = 1 << 15

    /// What tasks need that decode, kept from one batch to the next.
    private let workers = (0..<ParquetFile.greatestParallelism).map { _ in DecodingWorker() }

    init(_ batches: ParquetBatches) { self.batches = batches }

    /// The next batch, none of them empty; nil at the end.
    ///
    /// After an error it fails again: there is no way past it.
    ///
    /// - Throws: ``ParquetError`` where the storage fails, the file is damaged, or the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ParquetError) -> RecordBatch? {
      if let failure { throw failure }
      do throws(ParquetError) {
        return try await read(isolation: actor)
      } catch {
        failure = error
        // Nothing more is read, or held.
        ahead = nil
        decoded = nil
        streams = []
        selected = []
        throw error
      }
    }

    private mutating func read(isolation actor: isolated (any Actor)?) async throws(ParquetError)
      -> RecordBatch?
    {
      while true {
        try batches.file.checkCancellation()
        if let rows = try takeDecoded() { return rows }
        if rowsLeft == 0 {
          guard nextGroup < batches.selections.count else { return nil }
          try await begin(isolation: actor)
        } else {
          try await decode(isolation: actor)
        }
      }
    }

    /// The next of the rows that are decoded, as many as a batch may have.
    private mutating func takeDecoded() throws(ParquetError) -> RecordBatch? {
      guard let decoded, nextRow < decoded.count else { return nil }
      let most = nextRow..<Swift.min(nextRow + batches.rowsPerBatch, decoded.count)
      let rows = decoded.first(
        of: most, atMost: batches.bytesPerBatch, isWrittenOut: !batches.file.keepsDictionaries)
      nextRow = rows.upperBound
      place = (batches.selections[nextGroup - 1].group, RowRanges.part(rows, of: decodedRanges))
      if nextRow == decoded.count {
        self.decoded = nil
        if rowsLeft == 0 { (streams, selected) = ([], []) }
      }
      openAhead()
      return try batches.file.finished(decoded.slice(rows))
    }

    /// Decodes the next rows of a row group that is read in parts.
    private mutating func decode(isolation actor: isolated (any Actor)?) async throws(ParquetError) {
      let pieces: [Int: LeafValues]
      let rows: Int
      if ranges.isEmpty {
        let streams = streams
        let start = batches.file.rowCount(inGroup: batches.selections[nextGroup - 1].group) - rowsLeft
        rows = try await prepare(Swift.min(rowsLeft, batches.rowsPerBatch), isolation: actor)
        pieces = try await Self.read(workers, streams.count, rows) { (number, _) throws(ParquetError) in
          (streams[number].leaf.chunk, try streams[number].next(rows))
        }
        decodedRanges = [start..<start + rows]
      } else {
        let group = batches.selections[nextGroup - 1].group
        let usual = batches.file.usualRows(
          inGroup: group, columns: batches.columns, bytes: batches.bytesPerBatch)
        rows = Swift.min(rowsLeft, batches.rowsPerBatch, usual)
        let (part, streams) = (takeRanges(rows), selected)
        do throws(ParquetError) {
          pieces = try await Self.read(workers, streams.count, rows) {
            (number, scratch) throws(ParquetError) in
            (streams[number].leaf.chunk, try await streams[number].next(part, &scratch))
          }
        } catch {
          guard error.isOfTheFile, streams.contains(where: \.isMisled) else { throw error }
          return try selectRest()
        }
        given += part
        decodedRanges = part
      }
      rowsLeft -= rows
      nextRow = 0
      decoded = try batches.file.assembleKept(batches.columns, pieces, rows: rows)
    }

    /// Decodes so many rows of all streams, or as many as take a batch's bytes together; gives how many.
    private func prepare(
      _ rows: Int, isolation actor: isolated (any Actor)?
    ) async throws(ParquetError) -> Int {
      let streams = streams
      var share = batches.bytesPerBatch / Swift.max(streams.count, 1)
      while true {
        let most = share
        let found = try await Self.read(workers, streams.count, rows) {
          (number, scratch) throws(ParquetError) in
          (number, try await streams[number].prepare(rows, bytes: most, &scratch))
        }
        let limited = found.values.count { $0 < rows }
        let held = streams.reduce(0) { $0 + $1.byteCount }
        // What columns of short values leave of the bytes is for those of long ones.
        let more = (batches.bytesPerBatch - held) / Swift.max(limited, 1)
        guard limited > 0, held < batches.bytesPerBatch / 2, more > 0 else {
          return found.values.min() ?? rows
        }
        share += more
      }
    }

    /// Goes on to the next row group, of which there must be one.
    private mutating func begin(isolation actor: isolated (any Actor)?) async throws(ParquetError) {
      let selection = batches.selections[nextGroup]
      let opened: Opened
      if let ahead { opened = ahead } else { opened = try open(selection) }
      ahead = nil
      nextGroup += 1
      nextRow = 0
      decoded = nil
      streams = []
      selected = []
      ranges = []
      given = []
      switch opened {
      case .whole(let batch):
        decoded = try await batch.value()
        decodedRanges = [0..<batches.file.rowCount(inGroup: selection.group)]
        rowsLeft = 0
        return
      case .streams(let opened): streams = opened
      case .selected(let opened):
        selected = try await opened.value()
        ranges = (selection.ranges ?? [])[...]
      }
      rowsLeft = selection.count(of: batches.file.rowCount(inGroup: selection.group))
    }

    /// Selects all rows of the row group that were not given, since those that were selected are the wrong ones.
    private mutating func selectRest() throws(ParquetError) {
      let group = batches.selections[nextGroup - 1].group
      let rowCount = batches.file.rowCount(inGroup: group)
      ranges = RowRanges.complement(RowRanges.union(given), of: rowCount)[...]
      rowsLeft = rowCount - RowRanges.union(given).reduce(0) { $0 + $1.count }
      let selection = RowSelection(group: group, ranges: Array(ranges))
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
      return Swift.max(Self.leastWindow, Swift.min(1 << 20, batches.readAhead / Swift.max(count, 1) / 2))
    }

    /// Begins the next row group while the rows of this one are used, as far as the read-ahead allows.
    private mutating func openAhead() {
      guard ahead == nil, nextGroup < batches.selections.count else { return }
      let selection = batches.selections[nextGroup]
      if rowsLeft > 0 || decoded != nil {
        let held =
          isWhole(selection)
          ? size(selection.group) + size(batches.selections[nextGroup - 1].group) : Int.max
        guard held <= batches.readAhead else { return }
      }
      // What is wrong with it is told when it is its turn.
      ahead = try? open(selection)
    }

    /// Values of a row group's columns for each byte that is read ahead, beyond which it is not read at once.
    ///
    /// Values that repeat take next to nothing in the file.
    private static let valuesPerByte = 0.5

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
      let rows = batches.file.rowCount(inGroup: group)
      return selection.ranges == nil && size(group) <= Swift.min(batches.readAhead, 1 << 30)
        && rows < 1 << 20
        && Double(rows) * Double(batches.columns.count) <= Double(batches.readAhead) * Self.valuesPerByte
    }

    private func open(_ selection: RowSelection) throws(ParquetError) -> Opened {
      let (file, columns, group) = (batches.file, batches.columns, selection.group)
      try file.check(group, columns)
      if isWhole(selection) {
        return .whole(
          ReadAhead { () throws(ParquetError) in
            try await file.readKept(group, columns: columns)
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
      // What is decoded at once of many columns is no more than a page each.
      let share = batches.bytesPerBatch / Swift.max(leaves.count, 1) / MemoryLayout<Int64>.size
      let most = Swift.max(share, Self.leastExpected)
      let expected = Swift.min(batches.rowsPerBatch &+ 1 << 14, rowCount, most)
      var streams: [LeafStream] = []
      for leaf in leaves {
        streams.append(
          try LeafStream(
            file, group, leaf, window: window, readsAhead: leaves.count <= Self.mostAhead, expected: expected)
        )
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
          ranges = ranges.dropFirst()
        } else {
          ranges[ranges.startIndex] = part.upperBound..<first.upperBound
        }
      }
      return taken
    }

    /// Works on all streams for so many rows, on several at a time where that pays; gives what each makes.
    private static func read<Made: Sendable>(
      _ workers: [DecodingWorker], _ count: Int, _ rows: Int,
      _ next: @escaping @Sendable (Int, inout PageScratch) async throws(ParquetError) -> (Int, Made)
    ) async throws(ParquetError) -> [Int: Made] {
      let queue = WorkQueue(count)
      guard count > 1, rows * count >= leastParallelValues else {
        return try await work(queue, workers[0], next)
      }
      let results = await withTaskGroup(of: Result<[Int: Made], ParquetError>.self) { tasks in
        for worker in workers.prefix(count) {
          tasks.addTask {
            do throws(ParquetError) {
              return .success(try await work(queue, worker, next))
            } catch { return .failure(error) }
          }
        }
        var results: [Result<[Int: Made], ParquetError>] = []
        for await result in tasks { results.append(result) }
        return results
      }
      var made: [Int: Made] = [:]
      for result in results { made.merge(try result.get()) { first, _ in first } }
      return made
    }

    private static func work<Made: Sendable>(
      _ queue: WorkQueue, _ worker: DecodingWorker,
      _ next: @Sendable (Int, inout PageScratch) async throws(ParquetError) -> (Int, Made)
    ) async throws(ParquetError) -> [Int: Made] {
      var made: [Int: Made] = [:]
      var scratch = PageScratch()
      swap(&scratch, &worker.scratch)
      defer { swap(&scratch, &worker.scratch) }
      while let number = queue.take() {
        let (place, value) = try await next(number, &scratch)
        made[place] = value
      }
      return made
    }
  }
}

/// What a task that decodes needs for itself.
private final class DecodingWorker: @unchecked Sendable {
  // Unchecked, since each task has its own, and the iterator waits for them.
  var scratch = PageScratch()
}

extension ParquetFile {
  /// All rows of columns, at most `rowsPerBatch` and about `bytesPerBatch` at a time; `columns` are positions in
  /// ``schema``.
  ///
  /// - Parameters:
  ///   - columns: Positions in ``schema``; the batches have their order.
  ///   - rowsPerBatch: The most rows of a batch, and at least one.
  ///   - bytesPerBatch: About the most bytes that the rows of a batch take in memory; a batch has one row at least.
  ///   - groups: The row groups to read, in this order; nil for all.
  ///   - readAhead: Bytes that are read ahead of the batch at hand; a row group that takes no more than this
  ///     is read at once.
  public func batches(
    columns: [Int], rowsPerBatch: Int = 16_384, bytesPerBatch: Int = 16 << 20, groups: [Int]? = nil,
    readAhead: Int = 24 << 20
  ) -> ParquetBatches {
    batches(
      columns: columns, rowsPerBatch: rowsPerBatch, bytesPerBatch: bytesPerBatch,
      selecting: (groups ?? Array(0..<rowGroupCount)).map { RowSelection(group: $0) }, readAhead: readAhead)
  }

  /// Chosen rows of columns, at most `rowsPerBatch` at a time; of a file with a page index, only the pages that hold
  /// them are read.
  ///
  /// - Parameters:
  ///   - columns: Positions in ``schema``; the batches have their order.
  ///   - rowsPerBatch: The most rows of a batch, and at least one.
  ///   - bytesPerBatch: About the most bytes that the rows of a batch take in memory; a batch has one row at least.
  ///   - selections: The row groups to read, in this order, and which of their rows.
  ///   - readAhead: Bytes that are read ahead of the batch at hand.
  public func batches(
    columns: [Int], rowsPerBatch: Int = 16_384, bytesPerBatch: Int = 16 << 20,
    selecting selections: [RowSelection], readAhead: Int = 24 << 20
  ) -> ParquetBatches {
    ParquetBatches(
      file: self, columns: columns, rowsPerBatch: min(max(rowsPerBatch, 1), 1 << 31),
      bytesPerBatch: max(bytesPerBatch, 1), selections: selections, readAhead: readAhead)
  }
}
