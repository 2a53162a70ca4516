import Tarn
import TarnAWS
import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What keeps a table in order, in a bucket of a real server.
@Suite("Services on a real S3 server") struct ServiceTests {
  private struct History {
    let table: Table
    /// The rows as of each commit that stands.
    var commits: [(instant: Instant, rows: [Trade])] = []

    var rows: [Trade] { commits.last?.rows ?? [] }

    mutating func note(_ report: CommitReport, _ rows: [Trade]) throws {
      commits.append((try #require(report.instant), rows.sorted { $0.id < $1.id }))
    }

    mutating func upsert(_ trades: [Trade]) async throws {
      let report = try await table.upsert(try Trade.batch(trades))
      var rows = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0) })
      for trade in trades { rows[trade.id] = trade }
      try note(report, Array(rows.values))
    }

    mutating func goBack(to target: Instant) { commits.removeAll { $0.instant > target } }

    /// The table is as it was as of its last commit, and as of others, unless a clean removed that.
    func check(wholeFrom first: Instant? = nil, _ source: SourceLocation = #_sourceLocation) async throws {
      for (instant, rows) in commits.suffix(3) + commits.prefix(2) {
        do {
          let snapshot = try await table.snapshot(asOf: instant)
          #expect(try await Self.rows(snapshot) == rows, "as of \(instant)", sourceLocation: source)
        } catch let error as TableError {
          #expect(error.code == .cleaned && instant < first ?? instant, "\(error)", sourceLocation: source)
        }
      }
      #expect(try await Self.rows(try await table.snapshot()) == rows, sourceLocation: source)
    }

    static func rows(_ snapshot: Snapshot) async throws -> [Trade] {
      var rows: [Trade] = []
      for try await batch in snapshot { rows += Trade.rows(of: batch) }
      return rows.sorted { $0.id < $1.id }
    }
  }

  private static func trades(_ number: Int) -> [Trade] {
    [
      Trade("a", Int64(number), "OKX", Int128(number), "changed"), Trade("o\(number)", 1, "OKX", 1, ""),
      Trade("k\(number)", 1, "Kraken", 2, ""),
    ]
  }

  @Test("A history of all of them leaves the rows that it should")
  func history() async throws {
    let server = try await RealServer()
    var options = TableOptions()
    options.tarn.smallFileLimit = 0
    options.tarn.retention = .commits(2)
    options.tarn.cleansAutomatically = false
    options.tarn.mostActions = nil
    let table = try await Table.create(
      at: .s3(try server.location().description, client: S3Client(server.options())), schema: Trade.schema,
      recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time", options: options)
    var history = History(table: table)
    for number in 0..<4 { try await history.upsert(Self.trades(number)) }
    let held = try #require(history.commits.last?.instant)
    try await table.savepoint(held)

    // Small files become one in each partition, sorted.
    try history.note(try await table.cluster(.columns(["price", "id"])), history.rows)
    #expect(try await table.snapshot().slices.count == 2)
    try await history.check()
    let kraken = history.rows.filter { $0.exchange != "OKX" }
    let news = [Trade("new", 1, "OKX", 5, "")]
    try history.note(try await table.overwrite(try Trade.batch(news)), kraken + news)
    for number in 4..<7 { try await history.upsert(Self.trades(number)) }
    try history.note(try await table.cluster(.zOrder(["time", "price"])), history.rows)
    let cleaned = try await table.clean(keeping: .commits(2))
    #expect(cleaned.instant != nil && !cleaned.files.isEmpty)
    try await history.check(wholeFrom: history.commits[history.commits.count - 2].instant)

    // Back behind all of it, as the savepoint has held it.
    #expect(try await table.restore(to: held).instant != nil)
    history.goBack(to: held)
    #expect(try await History.rows(try await table.snapshot()) == history.rows)
    try await table.deleteSavepoint(held)
    for number in 7..<24 { try await history.upsert(Self.trades(number)) }
    try history.note(try await table.truncate(), [])
    _ = try await table.rollBackCompleted()
    history.commits.removeLast()
    try await history.check(wholeFrom: held)
    _ = try await table.clean(keeping: .commits(2))
    let archive = try await table.archive()
    // What was restored holds the older commits for two days.
    #expect(archive.holder != nil || !archive.actions.isEmpty)
    try await history.upsert(Self.trades(24))
    try await history.check(wholeFrom: history.commits[history.commits.count - 3].instant)
    #expect(try await table.check().filter { !$0.isNote }.isEmpty)
  }

  @Test("What leaves the timeline is read from the archive")
  func archive() async throws {
    let server = try await RealServer()
    var options = TableOptions()
    options.tarn.retention = .commits(2)
    let table = try await Table.create(
      at: .s3(try server.location().description, client: S3Client(server.options())), schema: Trade.schema,
      recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time", options: options)
    var history = History(table: table)
    // A clean with each commit that needs one, and an archive where there are more than thirty actions.
    for number in 0..<18 { try await history.upsert(Self.trades(number)) }
    let timeline = try await table.timeline()
    #expect(timeline.entries.count <= 30 && timeline.completedCommits.count >= 12)
    try await history.check(wholeFrom: history.commits[history.commits.count - 2].instant)
    #expect(try await table.check().isEmpty)
  }
}
