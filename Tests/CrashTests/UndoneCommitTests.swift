import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Commits that another engine takes back once they are completed, as `rollback_to_instant` and `rollback_to_savepoint` do.
@Suite struct UndoneCommitTests {
  /// Takes completed commits back, the newest first, by rollbacks or as parts of a restore.
  private func takeBack(
    _ instants: [Instant], by action: Action, in storage: any Storage
  ) async throws {
    let timeline = try await Timeline.load(from: storage)
    let instant = try #require(timeline.lastInstant).next
    let infos = instants.map { InstantInfo(instant: $0.text, action: "commit") }
    let entry = TimelineEntry(instant, action, .completed)
    let plan =
      action == .restore
      ? try RestorePlan(instants: infos, savepoint: nil).bytes()
      : try RollbackPlan(instant: infos[0], requests: []).bytes()
    try await storage.put(plan, at: entry.with(.requested).path, if: .ifAbsent)
    try await storage.put([], at: entry.with(.inflight).path, if: .ifAbsent)
    for undone in instants {
      let files = InstantFiles(undone)
      let paths = try await CommitLog(storage).metadata(of: files.completed).files.compactMap(\.path)
      // Hudi makes it an attempt again, and then rolls that back.
      try await storage.delete(files.completed.path)
      try await storage.deleteAll(paths)
      try await storage.deleteAll([files.inflight.path, files.requested.path])
    }
    let metadata =
      action == .restore
      ? try RestoreMetadata(start: instant.text, duration: 1, rollbacks: [:], instants: infos).bytes()
      : try RollbackMetadata(
        start: instant.text, duration: 1, deletedCount: 1, rolledBack: infos[0], partitions: [:]
      ).bytes()
    try await storage.put(metadata, at: entry.path, if: .ifAbsent)
  }

  private func create(_ storage: any Storage) async throws -> Table {
    try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: settings(0))
  }

  private func settings(_ seed: UInt64) -> TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock(step: 1_000)
    settings.now = { clock.now() }
    let random = Mutex(SeededGenerator(seed: seed))
    settings.random = { random.withLock { $0.next() } }
    return settings
  }

  private func write(_ table: Table, _ trades: Trade...) async throws -> CommitReport {
    try await table.upsert(try Trade.batch(trades))
  }

  private func ids(_ snapshot: Snapshot) async throws -> [String] {
    var ids: [String] = []
    for try await batch in snapshot { ids += Trade.rows(of: batch).map(\.id) }
    return ids.sorted()
  }

  private func isLost(_ table: Table, _ position: TablePosition?) async throws -> Bool {
    do {
      _ = try await table.changes(since: position)
      return false
    } catch  where error.code == .positionLost { return true }
  }

  @Test(arguments: [Action.rollback, .restore])
  func aFollowerThatHasMetThemBeginsAgain(action: Action) async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    var reports: [CommitReport] = []
    for id in ["a", "b", "c", "d"] { reports.append(try await write(table, Trade(id, 1, "E\(id)"))) }
    let positions = reports.compactMap(\.position)
    let undone = reports.compactMap(\.instant).suffix(action == .restore ? 2 : 1).reversed()
    let left = 4 - undone.count
    let rows = Array(["a", "b", "c", "d"].prefix(left))
    try await takeBack(Array(undone), by: action, in: storage)
    // Before any decision of Tarn's: who has met them learns it, and who has not goes on.
    #expect(try await isLost(table, positions[3]))
    for number in 0..<left {
      let changes = try await table.changes(since: positions[number])
      #expect(try await ids(changes) == Array(rows.dropFirst(number + 1)))
      #expect(changes.position == positions[left - 1])
    }
    let all = try await table.changes(since: nil)
    #expect(try await ids(all) == rows && all.position == positions[left - 1])
    #expect(try await !isLost(table, all.position))
    // The next decision begins an epoch, also that of a process that saw the old one.
    let next = try #require(try await write(table, Trade("e", 1, "Ee")).position)
    #expect(next.epoch != positions[0].epoch && next.sequence == Int64(left) + 1)
    for position in positions { #expect(try await isLost(table, position)) }
    let again = try await table.changes(since: nil)
    #expect(try await ids(again) == (rows + ["e"]).sorted() && again.position == next)
    let last = try await write(table, Trade("f", 1, "Ea"))
    #expect(last.position?.epoch == next.epoch && last.position?.sequence == next.sequence + 1)
    let changes = try await table.changes(since: next)
    #expect(try await ids(changes) == ["f"] && changes.position == last.position)
    #expect(try await table.check() == [])
  }

  /// No engine does it; whoever followed past it cannot go on from anywhere.
  @Test func oneBelowOthersLosesEveryPosition() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    var reports: [CommitReport] = []
    for id in ["a", "b", "c"] { reports.append(try await write(table, Trade(id, 1, "E\(id)"))) }
    try await takeBack([try #require(reports[1].instant)], by: .rollback, in: storage)
    for report in reports { #expect(try await isLost(table, report.position)) }
    let all = try await table.changes(since: nil)
    #expect(try await ids(all) == ["a", "c"] && all.position == nil)
    let next = try #require(try await write(table, Trade("d", 1, "Ea")).position)
    #expect(next.sequence == 3)
    #expect(try await table.changes(since: nil).position == next)
    #expect(try await table.check() == [])
  }

  @Test func theOnlyOneIsTakenBackToo() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    let only = try await write(table, Trade("a", 1, "OKX"))
    try await takeBack([try #require(only.instant)], by: .rollback, in: storage)
    #expect(try await isLost(table, only.position))
    let next = try await write(table, Trade("b", 1, "OKX"))
    #expect(next.position?.epoch != only.position?.epoch && next.position?.sequence == 1)
    #expect(try await ids(try await table.changes(since: nil)) == ["b"])
    #expect(try await table.check() == [])
  }

  @Test func whatAnApplicationWroteIsWrittenAgain() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    func write(_ application: String, _ version: Int64) async throws -> CommitReport {
      let transaction = WriteTransaction(application: application, version: version)
      return try await table.writing(WriteOptions(transaction: transaction)).upsert(
        try Trade.batch([Trade("\(application)\(version)", 1, "OKX")]))
    }
    let first = try await write("one", 1)
    let other = try await write("other", 7)
    let second = try await write("one", 2)
    try await takeBack([try #require(second.instant)], by: .rollback, in: storage)
    // Its first version stands, and so does the other's.
    #expect(try await write("one", 1).instant == first.instant)
    #expect(try await write("other", 7).instant == other.instant)
    let again = try await write("one", 2)
    #expect(again.instant != second.instant && again.inserted == 1)
    #expect(try await ids(try await table.snapshot()) == ["one1", "one2", "other7"])
    let stale = await #expect(throws: TableError.self) { try await write("one", 1) }
    #expect(stale?.code == .staleTransaction)
    #expect(try await table.check() == [])
  }

  /// A row is older than the stored one, and newer than the one that a restore brings back.
  @Test(arguments: ["list .hoodie/", "finish "])
  func aWriterUnderWayBeginsAgainOnWhatIsLeft(call: String) async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    _ = try await write(table, Trade("k", 1, "OKX", 1))
    let newest = try await write(table, Trade("k", 9, "OKX", 9))
    let undone = try #require(newest.instant)
    let hasHappened = Mutex(false)
    let isUnderWay = Mutex(false)
    let hooked = HookStorage(inner: storage) { seen in
      if seen.hasSuffix(".inflight") { isUnderWay.withLock { $0 = true } }
      guard isUnderWay.withLock({ $0 }), seen.hasPrefix(call),
        hasHappened.withLock({ happened in
          defer { happened = true }
          return !happened
        })
      else { return }
      try? await self.takeBack([undone], by: .restore, in: storage)
    }
    let warnings = Collected()
    var settings = settings(5)
    settings.observer = EventHandler.warnings { warnings.add($0) }
    let own = try await Table.open(at: .storage(hooked, name: "t"), settings: settings)
    let report = try await write(own, Trade("k", 5, "OKX", 5), Trade("n", 5, "OKX", 5))
    #expect(hasHappened.withLock { $0 })
    #expect(report.updated == 1 && report.inserted == 1 && report.stale == 0)
    #expect(warnings.all.contains { $0.contains("took back \(undone.text)") }, "\(warnings.all)")
    #expect(report.position?.epoch != newest.position?.epoch)
    #expect(try await ids(try await table.snapshot()) == ["k", "n"])
  }
}
