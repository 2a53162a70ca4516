import Synchronization
import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// A table of trades as a process sees it through its storage, and the writes that a process would do to it.
///
/// A step is a number, so that a test can stop after any of them and go on in "the next process".
struct Workload {
  let storage: any Storage
  /// Tells two processes apart.
  var seed: UInt64 = 1
  /// How often a write begins again.
  var retries = 10
  let warnings = Collected()

  /// The first step creates the table; each of the others commits.
  static let allSteps = 5
  /// With all kinds of changes, and few calls.
  static let firstSteps = 3

  /// How a process works that starts at a step: its clock and randomness depend on its seed alone.
  private func settings(_ step: Int = 0) -> TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock()
    settings.now = { clock.now() }
    let random = Mutex(SeededGenerator(seed: seed &* 1_000 &+ UInt64(step)))
    settings.random = { random.withLock { $0.next() } }
    // One after the other, so that the calls of two runs are the same.
    settings.parallelism = 1
    settings.smallFilesAtOnce = 1
    settings.patience = .milliseconds(50)
    settings.retries = retries
    settings.observer = EventHandler.warnings { [warnings] in warnings.add($0) }
    return settings
  }

  private var location: TableLocation { .storage(storage, name: "crash/trades") }

  func open(at step: Int = 0) async throws -> Table {
    try await Table.open(at: location, settings: settings(step))
  }

  /// Does a step.
  func take(_ step: Int) async throws {
    guard step > 0 else {
      var options = TableOptions()
      options.tarn.pageRows = 2
      options.tarn.rowGroupSize = 1_024
      options.tarn.targetFileSize = 32_768
      options.tarn.compression = .uncompressed
      _ = try await Table.create(
        at: location, schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"],
        orderedBy: "time", options: options, settings: settings())
      return
    }
    let table = try await open(at: step)
    let (upserts, deletes) = Self.changes(step)
    if upserts.isEmpty {
      try await table.delete(try Self.keys(deletes))
    } else if deletes.isEmpty {
      try await table.apply(ChangeBatch(upserting: try Trade.batch(upserts)))
    } else {
      var bits = Bitmap(count: upserts.count)
      bits.append(repeating: true, count: deletes.count)
      let rows = upserts + deletes.map { Trade($0, nil, nil) }
      try await table.apply(try ChangeBatch(rows: try Trade.batch(rows), isDelete: bits))
    }
  }

  /// What a step upserts and deletes: new partitions, updates, a row that moves, deletions, many rows.
  private static func changes(_ step: Int) -> (upserts: [Trade], deletes: [String]) {
    switch step {
    case 1: ((0..<6).map { Trade("t\($0)", 1, $0 < 3 ? "OKX" : "Kraken", 100, "first") }, [])
    case 2:
      (
        [
          Trade("t0", 2, "OKX", 1, "changed"), Trade("t1", 2, "Kraken", 5, "moved"),
          Trade("t9", 1, "FTX/1", 7),
        ],
        ["t2", "t3", "none"]
      )
    case 3: ((0..<40).map { Trade("n\($0)", 1, "OKX", Int128($0), "many") }, [])
    default: ([], ["t9", "n3", "n39", "t4"])
    }
  }

  private static func keys(_ ids: [String]) throws -> RecordBatch {
    var id = ColumnBuilder(.string)
    for text in ids { try id.append(text) }
    return try RecordBatch(schema: Schema([Field("id", .string)]), columns: [id.finish()])
  }

  /// The rows after so many steps.
  static func rows(after steps: Int) -> [Trade] {
    var rows: [String: Trade] = [:]
    for step in 1..<max(steps, 1) {
      let (upserts, deletes) = changes(step)
      for trade in upserts { rows[trade.id] = trade }
      for id in deletes { rows[id] = nil }
    }
    return rows.values.sorted { $0.id < $1.id }
  }

  func rows(asOf instant: Instant? = nil) async throws -> [Trade] {
    var rows: [Trade] = []
    for try await batch in try await open().snapshot(asOf: instant) { rows += Trade.rows(of: batch) }
    return rows.sorted { $0.id < $1.id }
  }

  /// What writers left behind: data files of instants that are not completed, inflight instants, and markers of any
  /// instant but the last one completed, whose writer may have been stopped before it removed them.
  func leftovers() async throws -> [String] {
    let timeline = try await open().timeline()
    let pending = timeline.pending.filter { $0.state == .inflight }.map(\.fileName)
    let markers = try await storage.listAll(prefix: TablePaths.temporaries, stoppingAtSlash: true).folders
      .filter { CommitMarkers.instant(ofFolder: $0) != timeline.latest?.instant }
    let files = try await storage.listAll(prefix: "").objects.map(\.path).filter { path in
      guard let name = BaseFileName(path.split(separator: "/").last ?? "") else { return false }
      return !timeline.contains(name.instant)
    }
    return pending + files + markers
  }

  /// Data files that a completed commit names and that are gone.
  func missingFiles() async throws -> [String] {
    let table = try await open()
    let present = Set(try await storage.listAll(prefix: "").objects.map(\.path))
    var missing: [String] = []
    for entry in try await table.timeline().completedCommits {
      missing += try await table.metadata(of: entry).files.compactMap(\.path).filter { !present.contains($0) }
    }
    return missing
  }

  /// How many steps stand: whether there is a table, and the commits that were decided.
  func stepsThatStand() async throws -> Int {
    guard try await storage.exists(TablePaths.properties) else { return 0 }
    guard try await storage.exists(HeadStore.path) else { return 1 }
    return 1 + Int(try Head(parsing: try await storage.readAll(HeadStore.path)).sequence)
  }

  /// How many steps a reader sees.
  func visibleSteps() async throws -> Int {
    guard try await storage.exists(TablePaths.properties) else { return 0 }
    return 1 + (try await open().timeline().completedCommits.count)
  }

  /// Compares what should be there with what is.
  ///
  /// - Returns: What is wrong; nil where all is well.
  func objection(after steps: Int, leavesNothing: Bool) async throws -> String? {
    let expected = Self.rows(after: steps)
    let rows = try await rows()
    if rows != expected { return "after \(steps) steps: \(rows.count) rows, expected \(expected.count)" }
    let timeline = try await open().timeline()
    if timeline.completedCommits.count != max(steps - 1, 0) {
      return "\(timeline.completedCommits.count) commits after \(steps) steps"
    }
    for (index, entry) in timeline.completedCommits.enumerated() {
      if try await self.rows(asOf: entry.instant) != Self.rows(after: index + 2) {
        return "commit \(index + 1) of \(timeline.completedCommits.count) is not as it was"
      }
    }
    let missing = try await missingFiles()
    if !missing.isEmpty { return "files are gone: \(missing)" }
    guard leavesNothing else { return nil }
    let leftovers = try await leftovers()
    return leftovers.isEmpty ? nil : "left behind: \(leftovers)"
  }
}
