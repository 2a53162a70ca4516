import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Followers go from position to position, and meet each commit once.
@Suite struct FollowingTests {
  private static func settings(_ skew: Int64 = 0, _ seed: UInt64 = 0) -> TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock(at: 1_767_225_600_000_000 + skew, step: 1_000)
    settings.now = { clock.now() }
    settings.retries = 1_000
    let random = Mutex(SeededGenerator(seed: seed))
    settings.random = { random.withLock { $0.next() } }
    return settings
  }

  private func create(_ storage: any Storage) async throws -> Table {
    try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: Self.settings())
  }

  private func open(_ storage: any Storage, _ skew: Int64 = 0, _ seed: UInt64 = 0) async throws -> Table {
    try await Table.open(at: .storage(storage, name: "t"), settings: Self.settings(skew, seed))
  }

  private func write(_ table: Table, _ trades: Trade...) async throws -> CommitReport {
    try await table.upsert(try Trade.batch(trades))
  }

  private func ids(_ snapshot: Snapshot) async throws -> [String] {
    var ids: [String] = []
    for try await batch in snapshot { ids += Trade.rows(of: batch).map(\.id) }
    return ids.sorted()
  }

  /// Lets a writer decide behind another, which has a later instant.
  private func overtake(_ storage: any Storage) async throws -> (early: CommitReport, late: CommitReport) {
    let late = Mutex<CommitReport?>(nil)
    let hooked = HookStorage(inner: storage) { call in
      guard call == "put .hoodie/tarn/head", late.withLock({ $0 == nil }) else { return }
      let report = try? await write(open(storage), Trade("late", 1, "L"))
      late.withLock { $0 = report }
    }
    let early = try await write(open(hooked), Trade("early", 1, "E"))
    return (early, try #require(late.withLock { $0 }))
  }

  // MARK: - Positions

  @Test func aCommitThatCompletesBehindALaterInstantIsMet() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    let begin = try await table.changes(since: nil)
    #expect(begin.position?.sequence == 0)
    #expect(try await ids(begin).isEmpty)
    let (early, late) = try await overtake(storage)
    let (first, second) = (try #require(late.position), try #require(early.position))
    #expect(
      try #require(early.instant) < (try #require(late.instant)) && first.sequence + 1 == second.sequence)
    #expect(try await ids(try await table.changes(since: begin.position)) == ["early", "late"])
    let rest = try await table.changes(since: first)
    #expect(try await ids(rest) == ["early"] && rest.position == second)
    #expect(try await ids(try await table.changes(since: second)).isEmpty)
    // An instant means the position of its commit.
    let sinceLate = try await table.changes(since: try #require(late.instant))
    #expect(try await ids(sinceLate) == ["early"] && sinceLate.position == second)
    #expect(try await ids(try await table.changes(since: try #require(early.instant))).isEmpty)
    let until = try await table.changes(since: try #require(late.instant), until: late.instant)
    #expect(try await ids(until) == ["early"] && until.position == nil)
    // All of it, to begin with.
    let all = try await table.changes(since: nil)
    #expect(try await ids(all) == ["early", "late"] && all.position == second)
    #expect(try await table.snapshot().position == nil)
  }

  @Test func whatIsDecidedAndHasNotAppearedComesLater() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    let begin = try await write(table, Trade("a", 1, "A")).position
    var stuck = HookStorage(inner: storage, before: { _ in })
    stuck.failsMove = { $0.hasSuffix(".commit") }
    let report = try await write(open(stuck), Trade("b", 1, "B"))
    #expect(report.warnings.map(\.code) == [.notYetVisible])
    let none = try await table.changes(since: begin)
    #expect(try await ids(none).isEmpty && none.position == begin)
    // Its writer has its position already.
    let own = try await table.changes(since: report.position)
    #expect(try await ids(own).isEmpty && own.position == report.position)
    _ = try await write(table, Trade("c", 1, "A"))
    #expect(try await ids(try await table.changes(since: begin)) == ["b", "c"])
    #expect(try await ids(try await table.changes(since: report.position)) == ["c"])
  }

  @Test func aPositionThatIsLostIsSaid() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    let position = try #require(try await write(table, Trade("a", 1, "A")).position)
    func refusal(_ position: TablePosition?) async throws -> TableError? {
      await #expect(throws: TableError.self) { _ = try await table.changes(since: position) }
    }
    let ahead = try await refusal(TablePosition("\(position.epoch)-9"))
    #expect(ahead?.code == .positionLost && ahead?.message.contains("set back") == true)
    try await storage.delete(HeadStore.path)
    #expect(try await refusal(position)?.code == .positionLost)
    #expect(try await refusal(nil)?.code == .unsupported)
    let next = try await write(table, Trade("b", 1, "A"))
    let ended = try await refusal(position)
    #expect(ended?.code == .positionLost && ended?.message.contains("begin again") == true)
    let all = try await table.changes(since: nil)
    #expect(try await ids(all) == ["a", "b"] && all.position == next.position)
    let whole = try await table.changes(since: TablePosition("\(all.position?.epoch ?? "")-0"))
    #expect(try await ids(whole) == ["a", "b"])
  }

  // MARK: - Whoever writes, and whenever

  /// Writes as another engine does: a commit of a table beside this one, of which only files are taken.
  private func foreignCommit(
    _ id: String, _ skew: Int64, in storage: any Storage, _ dice: Dice
  ) async throws {
    let other = InMemoryStorage()
    let table = try await Table.create(
      at: .storage(other, name: "t"), schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"],
      orderedBy: "time", settings: Self.settings(skew))
    let report = try await write(table, Trade(id, 1, "F\(id)"))
    let instant = try #require(report.instant)
    let files = InstantFiles(instant)
    for path in [files.requested.path, files.inflight.path] {
      try await storage.put([], at: path, if: .ifAbsent)
      await dice.pause()
    }
    for object in try await other.listAll(prefix: "").objects where !object.path.hasPrefix(".hoodie/") {
      try await storage.put(try await other.readAll(object.path), at: object.path, if: .always)
    }
    await dice.pause()
    let entry = try #require(try await table.timeline().latest)
    var metadata = try await table.metadata(of: entry)
    for key in [CommitMetadata.positionKey, CommitMetadata.reportKey] { metadata.extra[key] = nil }
    try await storage.put(metadata.bytes(), at: files.completed.path, if: .ifAbsent)
  }

  /// What a follower has kept, which stops where it likes and goes on from there.
  private struct Kept {
    var position: TablePosition?
    var rows: [String: Int] = [:]
    var versions: [Int64] = []
  }

  @Test func whoStopsAndGoesOnMeetsEachRowOnce() async throws {
    var overtaken = 0
    for seed in 1...4 as ClosedRange<UInt64> { overtaken += try await meetEachRowOnce(seed) }
    // Otherwise it would have been easy.
    #expect(overtaken > 2)
  }

  /// - Returns: How many commits were decided behind one with a later instant.
  private func meetEachRowOnce(_ seed: UInt64) async throws -> Int {
    let inner = InMemoryStorage()
    let dice = Dice(seed: seed)
    let storage = HookStorage(inner: inner) { _ in await dice.pause() }
    let table = try await create(inner)
    let (writers, rounds) = (3, 5)
    let done = Collected()
    let kept = try await withThrowingTaskGroup(of: Kept?.self) { group in
      for writer in 0..<writers {
        group.addTask {
          defer { done.add("") }
          let hour: Int64 = 3_600_000_000
          let table = try await open(storage, Int64(writer - 1) * hour, seed << 8 + UInt64(writer))
          for round in 0..<rounds {
            _ = try await write(
              table, Trade("\(writer)-\(round)", 1, "E\(writer)"),
              Trade("shared", Int64(round * writers + writer + 1), "S"))
          }
          return nil
        }
      }
      group.addTask {
        defer { done.add("") }
        for number in 0..<3 {
          let skew = Int64(number - 1) * 7_200_000_000 + Int64(number + 1) * 77_777_000
          try await foreignCommit("f\(number)", skew, in: inner, dice)
          try? await Task.sleep(for: .milliseconds(40))
        }
        return nil
      }
      group.addTask {
        var kept = Kept()
        while done.all.count < writers + 1 {
          try await follow(storage, &kept, dice)
          try? await Task.sleep(for: .milliseconds(20))
        }
        return kept
      }
      return try await group.reduce(into: Kept?.none) { if let one = $1 { $0 = one } }
    }
    var follower = try #require(kept)
    // The next decision takes in what other engines committed last.
    _ = try await write(open(inner), Trade("last", 1, "E"))
    let before = follower.position
    while follower.position == before { try await follow(inner, &follower, dice) }
    var expected = Set((0..<writers).flatMap { writer in (0..<rounds).map { "\(writer)-\($0)" } })
    expected.formUnion(["f0", "f1", "f2", "last"])
    #expect(Set(follower.rows.keys) == expected)
    #expect(follower.rows.values.allSatisfy { $0 == 1 }, "\(follower.rows.filter { $0.value != 1 })")
    // Of a row that changes often some versions are passed over, and none comes twice.
    #expect(
      zip(follower.versions, follower.versions.dropFirst()).allSatisfy { $0 < $1 }, "\(follower.versions)")
    #expect(follower.versions.last == Int64(writers * rounds))
    #expect(follower.position == (try await table.changes(since: nil)).position)
    #expect(try await table.check().isEmpty)
    let head = try Head(parsing: try await inner.readAll(HeadStore.path))
    return zip(head.recent, head.recent.dropFirst()).count { $0.instant > $1.instant }
  }

  /// Reads what came, and keeps it with its position, or dies before that.
  private func follow(
    _ storage: any Storage, _ kept: inout Kept, _ dice: Dice
  ) async throws {
    var next = kept
    do {
      let changes = try await open(storage).changes(since: kept.position)
      for try await batch in changes {
        for trade in Trade.rows(of: batch) {
          if trade.id == "shared" {
            next.versions.append(trade.time ?? 0)
          } else {
            next.rows[trade.id, default: 0] += 1
          }
        }
        if dice.oneIn(8) { return }
      }
      next.position = changes.position
    } catch let error as TableError where error.code == .conflict { return }
    kept = next
  }
}

/// Chance, for several tasks.
private final class Dice: Sendable {
  private let random: Mutex<SeededGenerator>

  init(seed: UInt64) { random = Mutex(SeededGenerator(seed: seed)) }

  func oneIn(_ times: Int) -> Bool { random.withLock { $0.oneIn(times) } }

  /// Lets others go first, for a while.
  func pause() async {
    for _ in 0..<random.withLock({ $0.below(4) }) { await Task.yield() }
    if oneIn(12) { try? await Task.sleep(for: .milliseconds(2)) }
  }
}
