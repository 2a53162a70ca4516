import TarnColumns
import TarnParquet
import TarnStorage

/// Rows that are sorted before they are written: as many at once as may be held, and where there are more, run by run into
/// files of this machine's own, from which they are merged.
///
/// Along a Z-order of several columns a row's place is one among those that are sorted with it, so that runs are not merged:
/// each is written as it is.
struct SortedRuns {
  private let order: RowOrder
  /// Bytes of rows that are held.
  private let most: Int
  private let makeSpill: () throws -> Spill
  /// Where runs are; nil before the first.
  private var spill: Spill?
  private var batches: [RecordBatch] = []
  private var bytes = 0
  private var runs: [SpilledRun] = []
  private var number = 0
  /// Rows that were spilled.
  private var spilledRows = 0
  private var columnCount = 1

  /// Runs that are merged at once, where each has memory enough for its columns.
  private static let mostRuns = 64
  /// What a column of a run takes while it is read, in bytes.
  private static let columnBytes = 32 << 10
  /// Text of so many bytes fits a column.
  private static let mostBytes = 1 << 30

  /// Begins without rows.
  ///
  /// - Parameter makeSpill: Makes where runs go, which is not asked where all rows can be held; no run is there at the end.
  init(_ order: RowOrder, holding most: Int, spillingTo makeSpill: @escaping () throws -> Spill) {
    self.order = order
    self.most = min(most, Self.mostBytes)
    self.makeSpill = makeSpill
  }

  private var areMerged: Bool { if case .zOrder(let names) = order { names.count == 1 } else { true } }

  /// Takes rows.
  mutating func append(_ rows: RecordBatch, _ writer: PartitionWriter) async throws {
    guard order != .stored else { return try await writer.append(stored: rows) }
    batches.append(rows)
    columnCount = max(rows.columns.count, 1)
    // Of files with dictionaries of their own the texts come to stand end to end.
    bytes += rows.byteCount(of: 0..<rows.count, isWrittenOut: true)
    guard bytes >= most else { return }
    guard areMerged else { return try await writeHeld { try await writer.append(stored: $0) } }
    try await spillHeld()
    // As many as are read at once, of one level: so each row is written anew once a level, of which there are few.
    while let level = runs.last?.level, runs.count >= fanIn,
      runs.suffix(fanIn).allSatisfy({ $0.level == level })
    { try await mergeLast() }
  }

  /// How many runs are merged at once.
  private var fanIn: Int { max(2, min(Self.mostRuns, most / (Self.columnBytes * columnCount))) }

  /// Makes one run of the last ones, so that the order among equal rows stays.
  private mutating func mergeLast() async throws {
    let some = Array(runs.suffix(fanIn))
    let spill = try place()
    let merge = RunMerge(order: order, most: most, spill: spill)
    var longer = try await spilled { try await merge.run(some, $0) }
    longer.level = (some.map(\.level).max() ?? 0) + 1
    runs.removeLast(some.count)
    runs.append(longer)
    await spill.remove(some)
  }

  /// Writes what is left.
  mutating func end(_ writer: PartitionWriter) async throws {
    guard !runs.isEmpty else { return try await writeHeld { try await writer.append(stored: $0) } }
    try await spillHeld()
    while runs.count > fanIn { try await mergeLast() }
    let spill = try place()
    var written = 0
    try await RunMerge(order: order, most: most, spill: spill).run(runs) {
      written += $0.count
      try await writer.append(stored: $0)
    }
    guard written == spilledRows else {
      throw FileGroupError(
        .damaged,
        "\(runs.first?.path ?? ""): of \(spilledRows) rows that were kept there to be sorted, \(written) came back: something "
          + "else changed the folder for temporary files; try again", path: runs.first?.path ?? "")
    }
    await abandon()
  }

  /// Removes what was spilled.
  mutating func abandon() async {
    await spill?.remove(runs)
    runs = []
  }

  /// Where runs are.
  private mutating func place() throws -> Spill {
    let spill = try spill ?? makeSpill()
    self.spill = spill
    return spill
  }

  private mutating func spillHeld() async throws {
    guard !batches.isEmpty else { return }
    let held = try sortedHeld()
    runs.append(try await spilled { try await held.all.give(held.rows, $0) })
    spilledRows += held.all.count
  }

  /// Writes a run of the rows that are given.
  private mutating func spilled(
    _ give: ((RecordBatch) async throws -> Void) async throws -> Void
  ) async throws -> SpilledRun {
    number += 1
    let writer = try await place().begin(number)
    do {
      try await give { try await writer.append($0) }
      return try await writer.finish()
    } catch {
      await writer.abandon()
      throw error
    }
  }

  private mutating func writeHeld(_ take: (RecordBatch) async throws -> Void) async throws {
    guard !batches.isEmpty else { return }
    let held = try sortedHeld()
    try await held.all.give(held.rows, take)
  }

  /// The rows that are held, and their order; nil where they stay as they are.
  private mutating func sortedHeld() throws -> (all: RecordBatch, rows: [Int32]?) {
    let all = try RecordBatch.concatenate(batches, schema: batches[0].schema)
    batches = []
    bytes = 0
    return (all, try order.rows(of: all))
  }
}

/// Merges runs, each of which is in the order.
private struct RunMerge {
  let order: RowOrder
  /// Bytes of rows that are held.
  let most: Int
  let spill: Spill

  /// Gives the rows of runs in their order.
  func run(_ runs: [SpilledRun], _ take: (RecordBatch) async throws -> Void) async throws {
    let share = max(most / (2 * max(runs.count, 1)), Spill.leastBytes)
    var open: [OpenRun] = []
    for run in runs {
      if let next = try await OpenRun(run, order.columns, bytes: share, in: spill) { open.append(next) }
    }
    while !open.isEmpty {
      try Task.checkCancellation()
      // Of what comes up to the least of the last rows at hand, all is at hand.
      var least = 0
      for index in open.indices.dropFirst() where open[index].lastRow.isBefore(open[least].lastRow) {
        least = index
      }
      let bound = open[least].lastRow
      var parts: [RecordBatch] = []
      for index in open.indices {
        // Of equal rows those of the earlier run come first, of which there may be more than are at hand.
        let extent: OpenRun.Extent = index == least ? .all : index < least ? .withEqual : .before
        if let part = try open[index].taken(upTo: bound, extent) { parts.append(part) }
      }
      guard let first = parts.first else { return }
      let all = try RecordBatch.concatenate(parts, schema: first.schema)
      try await all.give(try order.rows(of: all), take)
      for index in open.indices.reversed() where open[index].isEmpty {
        if try await !open[index].advance() { open.remove(at: index) }
      }
    }
  }
}

extension RecordBatch {
  /// Gives some rows, in their order, a bounded number at once; nil for all as they are.
  fileprivate func give(
    _ rows: [Int32]?, _ take: (RecordBatch) async throws -> Void
  ) async throws {
    guard let rows else { return try await take(self) }
    var rest = rows[...]
    while !rest.isEmpty {
      let some = CommitFiles.step(rest, of: self)
      try await take(try gather(some))
      rest = rest.dropFirst(some.count)
    }
  }
}

/// The place of a row by the columns that are sorted by.
private struct RowPlace {
  let columns: [Column]
  let row: Int

  func isBefore(_ other: RowPlace) -> Bool {
    for (column, another) in zip(columns, other.columns) {
      let order = column.compare(row, to: another, other.row)
      if order != 0 { return order < 0 }
    }
    return false
  }
}

/// A run that is read again, of which one batch is at hand.
private struct OpenRun {
  private let names: [String]
  private var iterator: ParquetBatches.Iterator
  private var batch: RecordBatch
  /// The first row that was not taken.
  private var next = 0

  /// Reads the first batch; nil where there is none.
  init?(_ run: SpilledRun, _ names: [String], bytes: Int, in spill: Spill) async throws {
    self.names = names
    iterator = try await spill.batches(of: run, bytes: bytes).makeAsyncIterator()
    guard let first = try await iterator.next() else { return nil }
    batch = first
  }

  var isEmpty: Bool { next == batch.count }

  var lastRow: RowPlace { place(batch.count - 1) }

  private func place(_ row: Int) -> RowPlace {
    RowPlace(columns: names.compactMap { batch[$0] }, row: row)
  }

  /// Which rows are taken up to a place.
  enum Extent {
    /// All that are at hand.
    case all
    /// Those that do not come behind it.
    case withEqual
    /// Those that come before it.
    case before
  }

  /// Takes the rows at hand up to a place; nil for none.
  mutating func taken(upTo bound: RowPlace, _ extent: Extent) throws -> RecordBatch? {
    var (low, high) = (next, batch.count)
    if extent == .all { low = high }
    while low < high {
      let middle = low + (high - low) / 2
      let isTaken =
        extent == .before ? place(middle).isBefore(bound) : !bound.isBefore(place(middle))
      if isTaken { low = middle + 1 } else { high = middle }
    }
    guard low > next else { return nil }
    defer { next = low }
    return next == 0 && low == batch.count ? batch : try batch.gather((Int32(next)..<Int32(low)).map { $0 })
  }

  /// Reads the next batch.
  ///
  /// - Returns: Whether there was one.
  mutating func advance() async throws -> Bool {
    guard let more = try await iterator.next() else { return false }
    batch = more
    next = 0
    return true
  }
}
