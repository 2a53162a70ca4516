import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Cleans: what they keep, what they remove, and what becomes of one that dies in the middle.
@Suite struct CleanTests {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("number", .int64),
  ])

  private static func rows(_ ids: [String], part: String, _ number: Int64) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append(id) } },
      "part": Column(repeating: part, count: ids.count),
      "number": column(.int64) { for _ in ids { $0.append(number) } },
    ])
  }

  private static func table(
    _ retention: Retention = .commits(3), storage: any Storage = InMemoryStorage()
  ) async throws -> SmallTable {
    var options = TableOptions()
    options.tarn.retention = retention
    return try await SmallTable(
      schema, partitionedBy: ["part"], options: options, storage: storage)
  }

  /// Upserts the same key of a partition again and again.
  private static func fill(
    _ table: Table, part: String = "a", _ numbers: Range<Int64>
  ) async throws -> [Instant] {
    var instants: [Instant] = []
    for number in numbers {
      let report = try await table.upsert(try rows(["k", "other-\(number)"], part: part, number))
      instants.append(try #require(report.instant))
    }
    return instants
  }

  private static func files(_ storage: any Storage) async throws -> [String] {
    try await storage.listAll(prefix: "").objects.map(\.path).filter { $0.hasSuffix(".parquet") }
  }

  private static func instants(_ storage: any Storage) async throws -> Set<Instant> {
    Set(try await files(storage).compactMap { BaseFileName(path: $0)?.instant })
  }

  private static func count(_ table: Table, asOf instant: Instant? = nil) async throws -> Int {
    try await table.snapshot(asOf: instant).count()
  }

  @Test func whatTheLatestCommitsWroteStaysAndOneVersionBefore() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<8)
    let all = try await Self.files(small.storage)
    let plan = try await small.table.clean(isPlan: true)
    #expect(plan.files.count == 4 && plan.instant == nil && plan.earliest == written[5])
    #expect(try await Self.files(small.storage) == all)

    let report = try await small.table.clean()
    #expect(Set(report.files) == Set(plan.files) && report.bytes == plan.bytes && report.bytes > 0)
    #expect(try await Self.instants(small.storage) == Set(written[4...]))
    for (index, instant) in written.enumerated() where index >= 4 {
      #expect(try await Self.count(small.table, asOf: instant) == index + 2)
    }
    for instant in written[..<4] {
      let error = await #expect(throws: TableError.self) {
        try await Self.count(small.table, asOf: instant)
      }
      #expect(error?.code == .cleaned)
      #expect(error?.message.contains(instant.text) == true)
    }
    #expect(try await small.table.check() == [])
    // There is nothing more to do, and what follows goes on.
    #expect(try await small.table.clean().instant == nil)
    _ = try await Self.fill(small.table, 8..<9)
    #expect(try await small.table.clean().files.count == 1)
    #expect(try await Self.count(small.table) == 10)
    let entry = try #require(try await small.table.timeline().entries.last { $0.action == .clean })
    #expect(entry.state == .completed)
  }

  @Test func versionsAreCountedForEachFileGroup() async throws {
    let small = try await Self.table(.versions(2))
    let first = try await Self.fill(small.table, part: "a", 0..<5)
    let second = try await Self.fill(small.table, part: "b", 0..<1)
    #expect(try await small.table.clean().files.count == 3)
    #expect(try await Self.instants(small.storage) == Set(first[3...] + second))
    // For this time fewer are kept.
    #expect(try await small.table.clean(keeping: .versions(1)).files.count == 1)
    await #expect(throws: TableError.self) { try await small.table.clean(keeping: .versions(0)) }
  }

  @Test func hoursAreCountedBackFromNow() async throws {
    let storage = InMemoryStorage()
    let time = Mutex<Int64>(1_700_000_000_000_000)
    var settings = TableSettings()
    settings.now = { time.withLock { $0 } }
    _ = try await Self.table(.hours(2), storage: storage)
    let table = try await Table.open(at: .storage(storage, name: "memory/small"), settings: settings)
    var written: [Instant] = []
    for number in 0..<6 {
      written += try await Self.fill(table, Int64(number)..<Int64(number) + 1)
      time.withLock { $0 += 3_600_000_000 }
    }
    // Now it is an hour behind the last: that one and the one before were written in two hours.
    let report = try await table.clean()
    #expect(report.earliest == written[4])
    #expect(try await Self.instants(storage) == Set(written[3...]))
  }

  @Test func onlyPartitionsThatWereTouchedAreLookedInto() async throws {
    let small = try await Self.table()
    for part in 0..<6 { _ = try await Self.fill(small.table, part: "p\(part)", 0..<2) }
    let first = try await small.table.clean()
    #expect(first.partitions == 6)
    _ = try await Self.fill(small.table, part: "p2", 2..<8)
    let second = try await small.table.clean()
    // What the commits wrote that were kept before, and are not any more.
    #expect(second.partitions < 4 && second.files.contains { $0.hasPrefix("part=p2/") })
    // Nothing is looked at where file groups are new alone.
    for number in 0..<10 {
      try await small.table.upsert(try Self.rows(["n"], part: "new-\(number)", 0))
    }
    _ = try await small.table.clean()
    for number in 10..<15 {
      try await small.table.upsert(try Self.rows(["n"], part: "new-\(number)", 0))
    }
    let idle = try await small.table.clean()
    #expect(idle.instant == nil && idle.files.isEmpty && idle.partitions == 0)
  }

  /// A clean removes one file after the other: until it is through, what is read is whole, or the error says what is gone.
  @Test(arguments: [false, true])
  func whatIsBeingRemovedIsNotReadInPart(isReplaced: Bool) async throws {
    for deletions in 0..<5 {
      let storage = InMemoryStorage()
      let small = try await Self.table(.commits(1), storage: storage)
      let written = try await Self.fill(small.table, 0..<3)
      if isReplaced {
        _ = try await small.table.truncate()
        try await small.table.upsert(try Self.rows(["n"], part: "b", 0))
      }
      let left = Mutex(deletions)
      var hooked = HookStorage(inner: storage, before: { _ in })
      hooked.failsDelete = { path in
        guard path.hasSuffix(".parquet") else { return false }
        return left.withLock { left in
          left -= 1
          return left < 0
        }
      }
      let cleaner = try await Table.open(at: .storage(hooked, name: "memory/small"))
      _ = try? await cleaner.clean(keeping: .versions(1))
      for (index, instant) in written.enumerated() {
        do { #expect(try await Self.count(small.table, asOf: instant) == index + 2, "\(deletions)") } catch {
          #expect((error as? TableError)?.code == .cleaned, "\(deletions): \(error)")
        }
      }
    }
  }

  @Test func whatASavepointHoldsStays() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<2)
    let slices = try await small.table.snapshot().slices
    let names = slices.map { String($0.path.split(separator: "/").last ?? "") }
    let saved = SavepointMetadata(user: "test", time: 1, comments: "", files: ["part=a": names])
    try await small.storage.put(
      try saved.bytes(), at: ".hoodie/\(written[1]).savepoint", if: .ifAbsent)
    let more = try await Self.fill(small.table, 2..<9)
    #expect(try await !small.table.clean().files.isEmpty)
    #expect(try await Self.instants(small.storage).contains(written[1]))
    #expect(try await Self.count(small.table, asOf: written[1]) == 3)
    // One that cannot be read keeps everything.
    try await small.storage.put([1, 2], at: ".hoodie/\(more[6]).savepoint", if: .ifAbsent)
    _ = try await Self.fill(small.table, 9..<14)
    let all = try await Self.files(small.storage)
    let error = await #expect(throws: TableError.self) { try await small.table.clean() }
    #expect(error?.code == .damaged)
    #expect(try await Self.files(small.storage) == all)
  }

  @Test func aWriterUnderWayKeepsWhatItBeganWith() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<3)
    let attempt = written[2].next
    let sign = try await small.storage.lifeSigns?.beginSign([1], at: ".hoodie/.heartbeat/\(attempt)")
    try await small.storage.put([], at: ".hoodie/\(attempt).commit.requested", if: .ifAbsent)
    let more = try await Self.fill(small.table, 3..<9)
    let report = try await small.table.clean()
    #expect(report.earliest == written[2])
    #expect(try await Self.instants(small.storage) == Set(written[1...] + more))
    await sign?.end()
  }

  /// Where versions are counted, too: what an attempt copies from is not the latest any more.
  @Test func whatAnAttemptBuildsOnStaysWhereVersionsAreCounted() async throws {
    let small = try await Self.table(.versions(1))
    let written = try await Self.fill(small.table, 0..<4)
    let attempt = written[3].next
    let sign = try await small.storage.lifeSigns?.beginSign([1], at: ".hoodie/.heartbeat/\(attempt)")
    let path = ".hoodie/\(attempt).commit.requested"
    try await small.storage.put([], at: path, if: .ifAbsent)
    let more = try await Self.fill(small.table, 4..<7)
    #expect(try await small.table.clean().files.count == 2)
    #expect(try await Self.instants(small.storage) == Set(written[2...] + more))
    #expect(try await small.table.clean().instant == nil)
    await sign?.end()
    try await small.storage.deleteAll([path, ".hoodie/.heartbeat/\(attempt)"])
    // What stayed for it goes with the next, though nothing was written since.
    #expect(try await small.table.clean().files.count == 4)
    #expect(try await Self.instants(small.storage) == [more[2]])
  }

  @Test(arguments: [
    (Retention.commits(1), "tarn.clean.retained): 4 commits would"), (.versions(1), "tarn.clean.policy"),
    (.hours(1), "tarn.clean.retained): 1 hour would"),
  ])
  func aReaderIsToldWhatWouldHaveKeptIt(retention: Retention, words: String) async throws {
    let small = try await Self.table(retention)
    let written = try await Self.fill(small.table, 0..<5)
    try await small.table.clean(keeping: .commits(1))
    await expectRefusal(.cleaned, words) { _ = try await small.table.snapshot(asOf: written[1]).count() }
  }

  @Test func aSavepointThatIsMadeKeepsWhatItWillHold() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<9)
    // Without it, commits from the seventh on would be kept.
    try await small.storage.put([], at: ".hoodie/\(written[4]).savepoint.inflight", if: .ifAbsent)
    #expect(try await small.table.clean().earliest == written[3])
    #expect(try await Self.instants(small.storage) == Set(written[2...]))
    #expect(try await Self.count(small.table, asOf: written[4]) == 6)
  }

  @Test func aReaderIsToldThatACleanRemovedWhatItReads() async throws {
    let small = try await Self.table(.commits(1))
    _ = try await Self.fill(small.table, 0..<1)
    let snapshot = try await small.table.snapshot()
    let slices = try await snapshot.slices
    let path = try #require(slices.first?.path)
    let cleaned = Mutex(false)
    let hooked = HookStorage(inner: small.storage) { call in
      guard call.contains(path), !call.hasPrefix("list") else { return }
      let isFirst = cleaned.withLock { cleaned in
        defer { cleaned = true }
        return !cleaned
      }
      guard isFirst else { return }
      _ = try? await Self.fill(small.table, 1..<4)
      _ = try? await small.table.clean()
    }
    let reader = try await Table.open(at: .storage(hooked, name: "memory/small"))
    let error = await #expect(throws: TableError.self) {
      for try await _ in try await reader.snapshot() {}
    }
    #expect(error?.code == .cleaned, "\(error.map { "\($0)" } ?? "")")
    #expect(try await Self.count(small.table) == 5)
  }

  /// A clean is stopped at each of its calls in turn; the next writer brings it to its end, or nothing was decided.
  @Test(arguments: [false, true])
  func aCleanThatDiesAtAnyCallIsBroughtToItsEnd(completesFaultedCall: Bool) async throws {
    var finished = 0
    for moment in 1..<200 {
      let storage = InMemoryStorage()
      let small = try await Self.table(storage: storage)
      let written = try await Self.fill(small.table, 0..<7)
      let dying = FaultStorage(
        wrapping: storage, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      let cleaner = try? await Table.open(
        at: .storage(dying, name: "memory/small"), settings: small.table.settings)
      _ = try? await cleaner?.clean()
      let isDead = dying.hasFailed
      let more = try await Self.fill(small.table, 7..<8)
      #expect(try await Self.count(small.table) == 9)
      let left = try await Self.instants(storage)
      #expect(left.isSuperset(of: written[3...] + more), "call \(moment)")
      let isDone = try await small.table.timeline().entries.contains {
        $0.action == .clean && $0.state == .completed
      }
      #expect(isDone == left.isDisjoint(with: written[..<3]), "call \(moment)")
      #expect(try await small.table.timeline().pending.isEmpty, "call \(moment)")
      #expect(try await small.table.check().filter { !$0.isNote } == [], "call \(moment)")
      if isDone { finished += 1 }
      if !isDead { break }
    }
    #expect(finished > 3)
  }
}
