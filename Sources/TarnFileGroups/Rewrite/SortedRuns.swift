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
  private let spill: Spill
  private var batches: [RecordBatch] = []
  private var bytes = 0
  private var runs: [SpilledRun] = []
  private var number = 0

  /// Runs that are merged at once.
  private static let mostRuns = 64

  /// Begins without rows.
  ///
  /// - Parameter spill: Where runs go; none is there at the end.
  init(_ order: RowOrder, holding most: Int, spillingTo spill: Spill) {
    self.order = order
    self.most = most
    self.spill = spill
  }

  private var areMerged: Bool { if case .zOrder(let names) = order { names.count == 1 } else { true } }

  /// Takes rows.
  mutating func append(_ rows: RecordBatch, _ writer: PartitionWriter) async throws {
    guard order != .stored else { return try await writer.append(stored: rows) }
    batches.append(rows)
    bytes += rows.byteCount
    guard bytes >= most else { return }
    guard areMerged else { return try await writeHeld { try await writer.append(stored: $0) } }
    try await spillHeld()
    guard runs.count == Self.mostRuns else { return }
    let all = runs
    let merge = RunMerge(order: order, most: most, spill: spill)
    let longer = try await spilled { try await merge.run(all, $0) }
    runs.append(longer)
    await spill.remove(all)
    runs = [longer]
  }

  /// Writes what is left.
  mutating func end(_ writer: PartitionWriter) async throws {
    guard !runs.isEmpty else { return try await writeHeld { try await writer.append(stored: $0) } }
    try await spillHeld()
    try await RunMerge(order: order, most: most, spill: spill).run(runs) {
      try await writer.append(stored: $0)
    }
    await abandon()
  }

  /// Removes what was spilled.
  mutating func abandon() async {
    await spill.remove(runs)
    runs = []
  }

  private mutating func spillHeld() async throws {
    guard !batches.isEmpty else { return }
    let held = try sortedHeld()
    runs.append(try await spilled { try await held.all.give(held.rows, $0) })
  }

  /// Writes a run of the rows that are given.
  private mutating func spilled(
    _ give: ((RecordBatch) async throws -> Void) async throws -> Void
  ) async throws -> SpilledRun {
    number += 1
    let writer = try await spill.begin(number)
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
        if let part = try open[index].taken(upTo: bound, isWhole: index == least) { parts.append(part) }
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

  /// Takes the rows at hand that do not come behind a place; nil for none.
  mutating func taken(upTo bound: RowPlace, isWhole: Bool) throws -> RecordBatch? {
    var (low, high) = (next, batch.count)
    if isWhole { low = high }
    while low < high {
      let middle = low + (high - low) / 2
      if bound.isBefore(place(middle)) { high = middle } else { low = middle + 1 }
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
