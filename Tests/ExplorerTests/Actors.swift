import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// What came of an actor's deed.
enum Ending: Sendable {
  /// It was told that its commit stands.
  case committed(Instant?)
  case failed(TableError)
  /// The rows of each look.
  case saw([[Trade]])
  /// What came of each of its tasks.
  case several([Ending])
  case broke(any Error)
}

/// A process that works on the table through its storage.
struct Process: Sendable {
  /// The key of a commit's metadata that names its actor.
  static let key = "actor"

  let storage: any Storage
  let number: Int

  private var location: TableLocation { .storage(storage, name: "explored/trades") }

  private var settings: TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock(step: 1_000)
    settings.now = { clock.now() }
    // Whatever a pause is cut to, it is none.
    let random = Mutex(SeededGenerator(seed: UInt64(number)))
    settings.random = { random.withLock { $0.next() / 64_000 * 64_000 } }
    settings.parallelism = 1
    settings.smallFilesAtOnce = 1
    settings.patience = .nanoseconds(64)
    return settings
  }

  func create() async throws {
    _ = try await Table.create(
      at: location, schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time",
      settings: settings)
  }

  func open() async throws(TableError) -> Table { try await Table.open(at: location, settings: settings) }

  func run(_ deed: Deed) async -> Ending {
    do throws(TableError) {
      let table = try await open()
      switch deed {
      case .upsert(let trades, let isTransaction):
        let batch: RecordBatch
        do { batch = try Trade.batch(trades) } catch { return .broke(error) }
        let transaction = isTransaction ? WriteTransaction(application: "explorer", version: 1) : nil
        let options = WriteOptions(transaction: transaction, metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).upsert(batch).instant)
      case .together(let batches): return await together(batches, on: table)
      case .move(let trades):
        let changes: ChangeBatch
        do { changes = ChangeBatch(upserting: try Trade.batch(trades)) } catch { return .broke(error) }
        let options = WriteOptions(metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).apply(changes).instant)
      case .delete(let ids):
        let keys: RecordBatch
        do {
          var id = ColumnBuilder(.string)
          for text in ids { try id.append(text) }
          keys = try RecordBatch(schema: Schema([Field("id", .string)]), columns: [id.finish()])
        } catch { return .broke(error) }
        let options = WriteOptions(metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).delete(keys).instant)
      case .foreign:
        do { return .committed(try await SparkActor(storage: storage, number: number).commit()) } catch {
          return .broke(error)
        }
      case .foreignRollback:
        do {
          try await SparkActor(storage: storage, number: number).rollBackOldest()
          return .saw([])
        } catch { return .broke(error) }
      case .read(let times):
        var looks: [[Trade]] = []
        for _ in 0..<times { looks.append(try await Self.rows(of: table)) }
        return .saw(looks)
      }
    } catch { return .failed(error) }
  }

  /// Upserts batches on one table at the same time.
  private func together(_ batches: [[Trade]], on table: Table) async -> Ending {
    await withTaskGroup(of: (Int, Ending).self) { group in
      for (index, trades) in batches.enumerated() {
        group.addTask {
          do {
            let actor = Scenario.task(index, of: number)
            let options = WriteOptions(metadata: [Self.key: String(actor)])
            return (index, .committed(try await table.writing(options).upsert(Trade.batch(trades)).instant))
          } catch let error as TableError { return (index, .failed(error)) } catch {
            return (index, .broke(error))
          }
        }
      }
      var endings: [(Int, Ending)] = []
      for await ending in group { endings.append(ending) }
      return .several(endings.sorted { $0.0 < $1.0 }.map(\.1))
    }
  }

  static func rows(of table: Table) async throws(TableError) -> [Trade] {
    var iterator = try await table.snapshot().makeAsyncIterator()
    var rows: [Trade] = []
    while let batch = try await iterator.next(isolation: nil) { rows += Trade.rows(of: batch) }
    return rows.sorted { $0.id < $1.id }
  }
}

/// Another engine that knows no head: it puts its files one after the other.
struct SparkActor: Sendable {
  static let row = Trade("s0", 2, "OKX", 2, "foreign")
  /// The path of a base file with that row, which the test puts where no engine looks.
  static let donor = ".hoodie/.aux/donor"

  let storage: any Storage
  let number: Int

  func commit() async throws -> Instant {
    let bytes = try await storage.readAll(Self.donor)
    let instant = try await request()
    let files = InstantFiles(instant)
    try await storage.put([], at: files.inflight.path, if: .always)
    let path = "exchange=OKX/foreign-0_9-9-9_\(instant.text).parquet"
    try await storage.put(bytes, at: path, if: .always)
    var metadata = CommitMetadata(operation: .upsert)
    var statistics = WriteStatistics(plannedFor: "foreign-0", previousCommit: nil, updates: 0, inserts: 1)
    statistics.path = path
    metadata.append(statistics, partition: "exchange=OKX")
    metadata.extra[Process.key] = String(number)
    try await storage.put(metadata.bytes(), at: files.completed.path, if: .always)
    return instant
  }

  /// Rolls the oldest pending attempt back as Hudi's marker-based rollback does.
  func rollBackOldest() async throws {
    let timeline = try await Timeline.load(from: storage)
    guard let attempt = timeline.pending.first(where: { $0.action == .commit }) else { return }
    let info = InstantInfo(instant: attempt.instant.text, action: "commit")
    var latest = timeline.lastInstant
    var rollback = TablePaths.folder
    var instant = attempt.instant
    while true {
      instant = Instant.after(latest: latest, now: 0)
      latest = instant
      rollback = TablePaths.folder + instant.text + ".rollback"
      let plan = RollbackPlan(instant: info, requests: [])
      do { try await storage.put(plan.bytes(), at: rollback + ".requested", if: .ifAbsent) } catch {
        continue
      }
      break
    }
    try await storage.put([], at: rollback + ".inflight", if: .always)
    let markers = TablePaths.folder + ".temp/\(attempt.instant.text)/MARKERS0"
    let lines = (try? await storage.readAll(markers)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    for line in lines.split(separator: "\n") {
      guard let path = line.split(separator: ".marker.").first else { continue }
      try await storage.delete(String(path))
    }
    let files = InstantFiles(attempt.instant)
    for file in [files.inflight.path, files.requested.path] { try await storage.delete(file) }
    let metadata = RollbackMetadata(
      start: instant.text, duration: 1, deletedCount: 0, rolledBack: info, partitions: [:])
    try await storage.put(metadata.bytes(), at: rollback, if: .always)
  }

  /// Takes an instant, which is greater than all that have completed, as of an engine whose clock is right.
  private func request() async throws -> Instant {
    var latest = try await Timeline.load(from: storage).lastInstant
    while true {
      let instant = Instant.after(latest: latest, now: 0)
      latest = instant
      let requested = InstantFiles(instant).requested
      do { try await storage.put([], at: requested.path, if: .ifAbsent) } catch { continue }
      let present = try await Timeline.load(from: storage)
      guard let completed = present.latest?.instant, completed > instant else { return instant }
      try await storage.delete(requested.path)
      latest = present.lastInstant
    }
  }
}
