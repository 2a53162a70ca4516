import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport

/// A table of trades in memory, under a stepped clock and seeded randomness.
struct TableFixture {
  let table: Table
  let storage: any Storage
  let warnings: Collected

  static func settings(_ warnings: Collected, parallelism: Int = 2) -> TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock()
    settings.now = { clock.now() }
    settings.parallelism = parallelism
    settings.patience = .milliseconds(200)
    settings.observer = EventHandler.warnings { warnings.add($0) }
    // Most tests read what was, or count calls and files; what services do is tested by itself.
    settings.runsServices = false
    return settings
  }

  init(
    storage: any Storage = InMemoryStorage(), partitionedBy partition: [String] = ["exchange"],
    orderedBy ordering: String? = "time", schema: Schema = Trade.schema,
    options: TableOptions = TableOptions(), recordKey: [String] = ["id"]
  ) async throws {
    warnings = Collected()
    self.storage = storage
    table = try await Table.create(
      at: .storage(storage, name: "memory/trades"), schema: schema, recordKey: recordKey,
      partitionedBy: partition, orderedBy: ordering, options: options,
      settings: Self.settings(warnings))
  }

  /// All rows, by key.
  static func rows(of snapshot: Snapshot) async throws -> [Trade] {
    var rows: [Trade] = []
    for try await batch in snapshot { rows += Trade.rows(of: batch) }
    return rows.sorted { ($0.id, $0.exchange ?? "") < ($1.id, $1.exchange ?? "") }
  }

  /// The number of rows that a snapshot gives.
  static func count(_ snapshot: Snapshot) async throws -> Int {
    var count = 0
    for try await batch in snapshot { count += batch.count }
    return count
  }

  func rows() async throws -> [Trade] { try await Self.rows(of: try await table.snapshot()) }

  @discardableResult
  // Inlined into a test, its array crashes the optimiser of Swift 6.3.1.
  @inline(never)
  func upsert(_ trades: Trade...) async throws -> CommitReport {
    try await table.upsert(try Trade.batch(trades))
  }

  /// Upserts and deletions, unique over the table.
  @discardableResult
  func apply(_ trades: [(Trade, isDelete: Bool)]) async throws -> CommitReport {
    var bits = Bitmap()
    for trade in trades { bits.append(trade.isDelete) }
    return try await table.apply(
      try ChangeBatch(rows: try Trade.batch(trades.map(\.0)), isDelete: bits), scope: .table)
  }

  @discardableResult
  func delete(_ ids: String...) async throws -> CommitReport {
    var id = ColumnBuilder(.string)
    for text in ids { try id.append(text) }
    return try await table.delete(
      try RecordBatch(schema: Schema([Field("id", .string)]), columns: [id.finish()]))
  }
}
