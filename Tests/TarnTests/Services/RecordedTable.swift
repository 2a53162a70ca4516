import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// A table, and the rows that it must have as of each of its commits.
struct RecordedTable {
  let table: Table
  let storage: any Storage
  /// The commits that stand, with the rows as of each.
  private(set) var commits: [(instant: Instant, rows: [Trade])] = []
  private var rows: [String: Trade] = [:]
  private var time: Int64 = 0

  init(_ storage: any Storage = InMemoryStorage(), _ options: TableOptions = TableOptions()) async throws {
    self.storage = storage
    table = try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", options: options, settings: Self.settings(0))
  }

  static func settings(_ seed: UInt64) -> TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock(step: 1_000)
    settings.now = { clock.now() }
    let random = Mutex(SeededGenerator(seed: seed))
    settings.random = { random.withLock { $0.next() } }
    settings.patience = .milliseconds(50)
    settings.parallelism = 1
    return settings
  }

  /// The table as another process opens it.
  static func open(_ storage: any Storage, _ seed: UInt64) async throws -> Table {
    try await Table.open(at: .storage(storage, name: "t"), settings: settings(seed))
  }

  var latest: Instant? { commits.last?.instant }

  /// The rows that are to be written, the next time with each.
  private mutating func trades(_ ids: [String]) -> [Trade] {
    time += 1
    return ids.map { Trade($0, time, $0.hasPrefix("a") ? "OKX" : "Kraken", 1, "\(time)") }
  }

  @discardableResult
  mutating func upsert(_ ids: String..., through other: Table? = nil) async throws -> Instant {
    let trades = trades(ids)
    let report = try await (other ?? table).upsert(try Trade.batch(trades))
    guard let instant = report.instant else { throw TableError(.mismatch, "there was nothing to write") }
    for trade in trades { rows[trade.id] = trade }
    commits.append((instant, Self.sorted(rows)))
    return instant
  }

  mutating func delete(_ id: String) async throws {
    var ids = ColumnBuilder(.string)
    try ids.append(id)
    let keys = try RecordBatch(schema: Schema([Field("id", .string)]), columns: [ids.finish()])
    guard let instant = try await table.delete(keys).instant else { return }
    rows[id] = nil
    commits.append((instant, Self.sorted(rows)))
  }

  /// Writes and deletes rows of both partitions.
  mutating func write(_ steps: Range<Int>) async throws {
    for step in steps {
      try await upsert("a\(step % 3)", "b\(step % 4)", "a-new\(step)")
      if step % 3 == 2 { try await delete("b\(step % 4)") }
    }
  }

  /// Takes note of a commit of another's that wrote these rows.
  mutating func note(_ instant: Instant, _ trades: [Trade]) {
    for trade in trades { rows[trade.id] = trade }
    commits.append((instant, Self.sorted(rows)))
  }

  /// Takes note that the table went back to a commit.
  mutating func goBack(to target: Instant?) {
    commits.removeAll { commit in target.map { commit.instant > $0 } ?? true }
    rows = Dictionary(
      uniqueKeysWithValues: (commits.last?.rows ?? []).map { ($0.id, $0) })
  }

  private static func sorted(_ rows: [String: Trade]) -> [Trade] { rows.values.sorted { $0.id < $1.id } }

  static func rows(of snapshot: Snapshot) async throws -> [Trade] {
    var rows: [Trade] = []
    for try await batch in snapshot { rows += Trade.rows(of: batch) }
    return rows.sorted { $0.id < $1.id }
  }

  /// The error of reading the table as of an instant; nil where it can be read.
  func refusal(asOf instant: Instant) async -> TableError? {
    do {
      for try await _ in try await table.snapshot(asOf: instant) {}
      return nil
    } catch { return error }
  }

  /// What lies in the storage.
  static func contents(_ storage: any Storage) async throws -> [String] {
    try await storage.listAll(prefix: "").objects.map { "\($0.path) \($0.size) \($0.tag)" }
  }

  func contents() async throws -> [String] { try await Self.contents(storage) }

  /// What is wrong with the rows of now, and as of each commit, and with what lies there; nil where all is well.
  func objection(leavingNotes: Bool = true) async throws -> String? {
    let present = try await Self.open(storage, 9)
    if try await Self.rows(of: present.snapshot()) != commits.last?.rows ?? [] {
      return "the rows are others"
    }
    for (instant, rows) in commits where try await Self.rows(of: present.snapshot(asOf: instant)) != rows {
      return "the rows as of \(instant) are others"
    }
    let timeline = try await present.timeline()
    let instants = Set(commits.map(\.instant))
    if let other = timeline.completedCommits.first(where: { !instants.contains($0.instant) }) {
      return "\(other.path) stands"
    }
    if let pending = timeline.pending.first { return "\(pending.path) is pending" }
    for object in try await storage.listAll(prefix: "exchange").objects {
      if let name = BaseFileName(path: object.path), !instants.contains(name.instant) {
        return "\(object.path) was left"
      }
    }
    let findings = try await present.check().filter { !leavingNotes || !$0.isNote }
    return findings.isEmpty ? nil : "\(findings)"
  }
}
