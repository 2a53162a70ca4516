import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What readers declare that they need, and what cleans and archives leave because of it.
@Suite struct RetainedReaderTests {
  private static func table(_ steps: Int) async throws -> RecordedTable {
    var options = TableOptions()
    options.tarn.cleansAutomatically = false
    options.tarn.mostActions = nil
    var recorded = try await RecordedTable(InMemoryStorage(), options)
    for _ in 0..<steps { try await recorded.upsert("a", "b") }
    return recorded
  }

  private static func rows(_ recorded: RecordedTable, asOf number: Int) async throws -> [Trade] {
    try await RecordedTable.rows(
      of: try await recorded.table.snapshot(asOf: recorded.commits[number].instant))
  }

  @Test(arguments: [Retention.commits(1), .versions(1), .hours(1)])
  func aCleanLeavesWhatAReaderNeeds(retention: Retention) async throws {
    var recorded = try await Self.table(6)
    let start = recorded.commits[2].instant
    let declared = try await recorded.table.retain(from: start, for: "reports")
    #expect(declared == RetainedReader("reports", from: start, expiry: nil))
    #expect(try await recorded.table.readers() == [declared])
    if case .hours = retention {
      // All of it was written within the hour.
      #expect(try await recorded.table.clean(keeping: retention).files.isEmpty)
      return
    }
    #expect(try await recorded.table.clean(keeping: retention).files.count == 2)
    for number in 2..<6 {
      #expect(try await Self.rows(recorded, asOf: number) == recorded.commits[number].rows)
    }
    try await recorded.upsert("a")
    // It goes on.
    try await recorded.table.retain(from: recorded.commits[4].instant, for: "reports")
    #expect(try await recorded.table.clean(keeping: retention).files.count == 4)
    #expect(try await Self.rows(recorded, asOf: 4) == recorded.commits[4].rows)
    #expect(try await recorded.table.release("reports"))
    #expect(try await !recorded.table.release("reports"))
    #expect(try await recorded.table.readers() == [])
    #expect(try await !recorded.table.clean(keeping: retention).files.isEmpty)
    let error = await #expect(throws: TableError.self) {
      _ = try await RecordedTable.rows(of: recorded.table.snapshot(asOf: start))
    }
    #expect(error?.code == .cleaned)
    #expect(try await recorded.table.check() == [])
  }

  @Test func anArchiveStopsAtWhatAReaderNeeds() async throws {
    let recorded = try await Self.table(16)
    try await recorded.table.retain(from: recorded.commits[1].instant, for: "reports")
    let plan = try await recorded.table.archive(isPlan: true)
    #expect(plan.actions.map(\.instant) == [recorded.commits[0].instant])
    #expect(plan.holder?.code == .reader && plan.holder?.reader == "reports")
    #expect(plan.holder?.description.contains("reader reports needs") == true)
    #expect(try await recorded.table.archive().actions == plan.actions)
    try await recorded.table.release("reports")
    #expect(try await recorded.table.archive().actions.count == 3)
  }

  @Test func aDeclarationExpires() async throws {
    let storage = InMemoryStorage()
    let recorded = try await RecordedTable(storage)
    let later = Mutex<Int64>(0)
    var settings = recorded.table.settings
    let now = settings.now
    settings.now = { now() + later.withLock { $0 } }
    let table = try await Table.open(at: .storage(storage, name: "t"), settings: settings)
    var first: Instant?
    for time in 1...4 {
      let report = try await table.upsert(try Trade.batch([Trade("a", Int64(time), "OKX", 1)]))
      first = first ?? report.instant
    }
    let declared = try await table.retain(
      from: try #require(first), for: "job", expiringAfter: .seconds(7_200))
    #expect(declared.expiry != nil)
    #expect(try await table.clean(keeping: .commits(1)).files.isEmpty)
    later.withLock { $0 = 7_201 * 1_000_000 }
    #expect(try await table.readers() == [])
    #expect(try await table.clean(keeping: .commits(1)).files.count == 2)
  }

  @Test func aFollowerKeepsWhatComesBehindItsPosition() async throws {
    var recorded = try await Self.table(3)
    let position = try #require(try await recorded.table.changes(since: nil).position)
    let end = try await recorded.table.retain(from: position, for: "follower")
    #expect(end.instant == recorded.latest)
    for _ in 0..<3 { try await recorded.upsert("a", "b") }
    let behind = try await recorded.table.retain(from: position, for: "follower")
    #expect(behind.instant == recorded.commits[3].instant)
    try await recorded.table.clean(keeping: .commits(1))
    #expect(try await Self.rows(recorded, asOf: 3) == recorded.commits[3].rows)
    let lost = TablePosition(epoch: "abcdef", sequence: 1)
    await expectRefusal(.positionLost) { try await recorded.table.retain(from: lost, for: "follower") }
  }

  @Test func whatCannotBeKeptIsRefused() async throws {
    let recorded = try await Self.table(5)
    let table = recorded.table
    let first = recorded.commits[0].instant
    await expectRefusal(.mismatch, "bytes") { try await table.retain(from: first, for: "") }
    await expectRefusal(.mismatch, "no time") {
      try await table.retain(from: first, for: "r", expiringAfter: .zero)
    }
    let early = try #require(Instant("20200101000000000"))
    await expectRefusal(.mismatch, "20200101000000000", "reader r") {
      try await table.retain(from: early, for: "r")
    }
    try await table.clean(keeping: .commits(1))
    await expectRefusal(.cleaned, "reader r", first.text) { try await table.retain(from: first, for: "r") }
    let latest = try #require(recorded.latest)
    for number in 0..<64 { try await table.retain(from: latest, for: "r\(number)") }
    await expectRefusal(.mismatch, "64 readers") { try await table.retain(from: latest, for: "one more") }
    // One that is there may go on.
    try await table.retain(from: latest, for: "r7")
  }

  /// A reader declares what it needs between a clean's look at the table and its decision.
  @Test func aCleanThatWasPlannedBeforeADeclarationIsPlannedAnew() async throws {
    let recorded = try await Self.table(5)
    let isDone = Mutex(false)
    let hooked = HookStorage(inner: recorded.storage) { call in
      guard call.hasPrefix("put .hoodie/"), call.contains(".content."), !isDone.withLock({ $0 }) else {
        return
      }
      isDone.withLock { $0 = true }
      _ = try? await recorded.table.retain(from: recorded.commits[2].instant, for: "reports")
    }
    let cleaner = try await RecordedTable.open(hooked, 3)
    #expect(try await cleaner.clean(keeping: .commits(1)).files.count == 2)
    #expect(isDone.withLock { $0 })
    #expect(try await Self.rows(recorded, asOf: 2) == recorded.commits[2].rows)
  }

  /// A restore begins an epoch, and writers replace the head: declarations stay.
  @Test func declarationsStayThroughCommitsAndRestores() async throws {
    var recorded = try await Self.table(3)
    let declared = try await recorded.table.retain(from: recorded.commits[0].instant, for: "reports")
    try await recorded.upsert("a")
    #expect(try await recorded.table.readers() == [declared])
    try await recorded.table.restore(to: recorded.commits[2].instant)
    recorded.goBack(to: recorded.commits[2].instant)
    try await recorded.upsert("b")
    #expect(try await recorded.table.readers() == [declared])
    #expect(try await recorded.objection() == nil)
  }
}
