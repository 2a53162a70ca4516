import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Savepoints: what they hold, for how long, and what is refused.
@Suite struct SavepointTests {
  private func exist(_ paths: [String], in storage: any Storage) async throws -> Bool {
    for path in paths where !(try await storage.exists(path)) { return false }
    return true
  }

  @Test func whatItHoldsStaysUntilItIsDeleted() async throws {
    var recorded = try await RecordedTable()
    try await recorded.write(0..<3)
    let held = try #require(recorded.latest)
    let before = try await recorded.contents()
    let plan = try await recorded.table.savepoint(isPlan: true)
    #expect(plan.instant == held && plan.isPlan)
    #expect(try await recorded.contents() == before)
    let report = try await recorded.table.savepoint(by: "somebody", comments: "before the migration")
    #expect(report.files == plan.files && !report.files.isEmpty && report.instant == held)
    let bytes = try await recorded.storage.readAll(".hoodie/\(held).savepoint")
    let metadata = try SavepointMetadata(avro: bytes)
    #expect(metadata.user == "somebody" && metadata.comments == "before the migration")
    #expect(metadata.files.pairs.map(\.key) == ["exchange=Kraken", "exchange=OKX"])
    #expect(try await recorded.storage.readAll(".hoodie/\(held).savepoint.inflight") == [])
    #expect(try await recorded.table.check() == [])

    try await recorded.write(3..<9)
    _ = try await recorded.table.clean(keeping: .commits(1))
    #expect(try await exist(report.files, in: recorded.storage))
    // A later version is gone, and what the savepoint holds is not taken for it.
    let held0 = recorded.commits.firstIndex { $0.instant == held } ?? 0
    for (instant, rows) in recorded.commits[held0...(held0 + 3)] {
      do {
        let found = try await RecordedTable.rows(of: recorded.table.snapshot(asOf: instant))
        #expect(found == rows && (instant == held || instant != held), "\(instant)")
      } catch let error as TableError {
        #expect(error.code == .cleaned && instant != held, "\(instant): \(error)")
      }
    }
    let between = recorded.commits[held0 + 2].instant
    for deed in [
      { try await recorded.table.restore(to: between).instant },
      { try await recorded.table.savepoint(between).instant },
    ] as [() async throws -> Instant?] {
      let error = await #expect(throws: TableError.self) { _ = try await deed() }
      #expect(error?.code == .cleaned)
    }

    let told = try await recorded.table.deleteSavepoint(held, isPlan: true)
    #expect(told.files == report.files)
    #expect(try await recorded.storage.exists(".hoodie/\(held).savepoint"))
    _ = try await recorded.table.deleteSavepoint(held)
    #expect(try await !recorded.storage.exists(".hoodie/\(held).savepoint"))
    #expect(try await !recorded.storage.exists(".hoodie/\(held).savepoint.inflight"))
    _ = try await recorded.table.clean(keeping: .commits(1))
    #expect(try await !exist(report.files, in: recorded.storage))
    #expect(try await recorded.table.check() == [])
  }

  /// What a savepoint holds of a file group that was replaced is not taken for the versions that came behind it.
  @Test func whatItHoldsOfAReplacedGroupIsNoLaterVersion() async throws {
    var recorded = try await RecordedTable()
    try await recorded.upsert("a1", "b1")
    let held = try #require(recorded.latest)
    try await recorded.table.savepoint()
    let between = try await recorded.upsert("a2", "b2")
    _ = try await recorded.table.truncate()
    _ = try await recorded.table.clean(keeping: .versions(1))
    for isDeleted in [false, true] {
      // Its files stay until the next clean.
      if isDeleted { try await recorded.table.deleteSavepoint(held) }
      let found = try await RecordedTable.rows(of: recorded.table.snapshot(asOf: held))
      #expect(found == recorded.commits[0].rows)
      let error = await recorded.refusal(asOf: between)
      #expect(error?.code == .cleaned && error?.message.contains(between.text) == true)
    }
  }

  /// Once it is deleted, its files are not taken for those of later commits, which a clean removed before.
  @Test func whatItHeldIsNoLaterVersion() async throws {
    var recorded = try await RecordedTable()
    try await recorded.upsert("a1", "b1")
    let held = try #require(recorded.latest)
    try await recorded.table.savepoint()
    let between = try await recorded.upsert("a2", "b2")
    for number in 3..<6 { try await recorded.upsert("a\(number)", "b\(number)") }
    _ = try await recorded.table.clean(keeping: .commits(1))
    try await recorded.table.deleteSavepoint(held)
    #expect(await recorded.refusal(asOf: between)?.code == .cleaned)
  }

  @Test func theTableGoesBackToIt() async throws {
    var recorded = try await RecordedTable()
    try await recorded.write(0..<3)
    let held = try #require(recorded.latest)
    _ = try await recorded.table.savepoint()
    try await recorded.write(3..<9)
    _ = try await recorded.table.clean(keeping: .commits(1))
    let report = try await recorded.table.restore(to: held)
    #expect(report.target == held && report.commits.count == 8)
    #expect(
      try await RecordedTable.rows(of: recorded.table.snapshot())
        == recorded.commits.last { $0.instant == held }?.rows)
    #expect(try await recorded.table.check() == [])
    // It is still there, and the table can go back to it again.
    recorded.goBack(to: held)
    try await recorded.write(10..<12)
    _ = try await recorded.table.restore(to: held)
    recorded.goBack(to: held)
    #expect(
      try await RecordedTable.rows(of: recorded.table.snapshot()) == recorded.commits.last?.rows)
    #expect(try await recorded.table.check() == [])
  }

  private func refused(
    _ code: TableError.Code, _ word: String, in recorded: RecordedTable,
    sourceLocation: SourceLocation = #_sourceLocation, _ deed: (Table) async throws -> Void
  ) async throws {
    let before = try await recorded.contents()
    let error = await #expect(throws: TableError.self, sourceLocation: sourceLocation) {
      try await deed(recorded.table)
    }
    #expect(
      error?.code == code && error?.message.contains(word) == true, "\(error?.message ?? "")",
      sourceLocation: sourceLocation)
    #expect(try await recorded.contents() == before, sourceLocation: sourceLocation)
  }

  @Test func whatIsNoCommitIsNotHeldNorLetGo() async throws {
    var recorded = try await RecordedTable()
    try await refused(.mismatch, "no completed commit", in: recorded) { try await $0.savepoint() }
    let instant = try await recorded.upsert("a1")
    try await refused(.mismatch, instant.next.text, in: recorded) { try await $0.savepoint(instant.next) }
    try await refused(.mismatch, "no savepoint", in: recorded) { try await $0.deleteSavepoint(instant) }
    try await recorded.table.savepoint(instant)
    try await refused(.mismatch, "already", in: recorded) { try await $0.savepoint(instant) }
    let clean = try #require(try await recorded.table.timeline().lastInstant).next
    try await recorded.storage.put([], at: ".hoodie/\(clean).savepoint.inflight", if: .ifAbsent)
    try await refused(.mismatch, "which is no commit", in: recorded) { try await $0.savepoint(clean) }
    // What another engine left half made is deleted.
    try await recorded.table.deleteSavepoint(clean)
    #expect(try await recorded.table.timeline().pending == [])
  }

  /// Its name is not used again for two days, and the table remembers that whatever comes.
  @Test func oneThatWasDeletedIsNotMadeAgainForTwoDays() async throws {
    let storage = InMemoryStorage()
    var recorded = try await RecordedTable(storage)
    let clock = SettableClock()
    var settings = RecordedTable.settings(1)
    settings.now = { clock.now() }
    let table = try await Table.open(at: .storage(storage, name: "t"), settings: settings)
    let instant = try await recorded.upsert("a1", through: table)
    try await recorded.upsert("a2", through: table)
    try await table.savepoint(instant)
    try await table.deleteSavepoint(instant)
    for _ in 0..<2 {
      let error = await #expect(throws: TableError.self) { try await table.savepoint(instant) }
      #expect(error?.code == .conflict && error?.message.contains("deleted lately") == true)
      try await recorded.upsert("a3", through: table)
      _ = try await table.restore(to: try #require(recorded.commits.dropLast().last?.instant))
      recorded.goBack(to: recorded.commits.dropLast().last?.instant)
    }
    clock.advance(hours: 49)
    #expect(try await table.savepoint(instant).instant == instant)
    #expect(try await table.check() == [])
  }

  /// What came just before the savepoint was decided is done before it.
  @Test func aCleanOfAnotherEngineThatBeginsMeanwhileIsSeen() async throws {
    var recorded = try await RecordedTable()
    try await recorded.write(0..<2)
    let clean = try #require(recorded.latest).next
    let isDone = Mutex(false)
    let storage = recorded.storage
    let hooked = HookStorage(inner: storage) { call in
      guard call.contains(".content."), !isDone.withLock({ $0 }) else { return }
      isDone.withLock { $0 = true }
      let plan = CleanPlan(earliest: nil, lastCompleted: "", policy: "KEEP_LATEST_COMMITS", files: [:])
      guard let bytes = try? plan.bytes() else { return }
      _ = try? await storage.put(bytes, at: ".hoodie/\(clean).clean.requested", if: .ifAbsent)
    }
    let other = try await RecordedTable.open(hooked, 2)
    #expect(try await other.savepoint().finished == [clean])
    #expect(try await other.check() == [])
    #expect(try await !storage.listAll(prefix: ".hoodie/").objects.contains { $0.path.contains(".content.") })
  }
}
