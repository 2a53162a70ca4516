import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Archives: what stays on the timeline, what becomes of what leaves it, and of an archive that dies in the middle.
@Suite struct ArchiveTests {
  private static let schema = Schema([Field("id", .string), Field("number", .int64)])

  private static func rows(_ ids: [String], _ number: Int64) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append(id) } },
      "number": column(.int64) { for _ in ids { $0.append(number) } },
    ])
  }

  static func table(
    _ clock: SettableClock? = nil, storage: any Storage = InMemoryStorage()
  ) async throws -> SmallTable {
    guard let clock else { return try await SmallTable(schema, storage: storage) }
    return try await SmallTable(schema, storage: storage) { clock.now() }
  }

  /// Upserts a key that is always the same, and a new one.
  static func fill(_ table: Table, _ numbers: Range<Int64>) async throws -> [Instant] {
    var instants: [Instant] = []
    for number in numbers {
      let report = try await table.upsert(try rows(["k", "other-\(number)"], number))
      instants.append(try #require(report.instant))
    }
    return instants
  }

  private static func onTimeline(_ table: Table) async throws -> [Instant] {
    try await table.timeline().entries.map(\.instant)
  }

  /// What the archive has completed, the newest file first.
  private static func archived(_ storage: any Storage) async throws -> [ArchivedEntry] {
    var found: [ArchivedEntry] = []
    var entries = try await ArchivedTimeline.load(from: storage).entries()
    while let entry = try await entries.next(where: { $0.state == .completed }) { found.append(entry) }
    return found
  }

  @Test func twelveCommitsStayAndTheRestIsReadFromTheArchive() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<20)
    var told: [Instant: CommitMetadata] = [:]
    for entry in try await small.table.timeline().completedCommits {
      told[entry.instant] = try await small.table.metadata(of: entry)
    }
    // What ten commits wrote and the one before is kept, whether a clean went or not.
    let plan = try await small.table.archive(isPlan: true)
    #expect(plan.actions.map(\.instant) == Array(written[..<8]) && plan.kept == 12 && plan.files.isEmpty)
    #expect(try await Self.onTimeline(small.table) == written)

    let report = try await small.table.archive()
    #expect(report.actions == plan.actions && report.kept == 12 && report.holder == nil)
    #expect(try await Self.onTimeline(small.table) == Array(written[8...]))
    let left = try await small.storage.listAll(prefix: ".hoodie/", stoppingAtSlash: true).objects
    #expect(left.count == 3 * 12 + 1, "\(left.map(\.path))")
    let archived = try await Self.archived(small.storage)
    #expect(archived.map(\.entry.instant) == Array(written[..<8]))
    for entry in archived {
      let read = try #require(try entry.metadata())
      let before = try #require(told[entry.entry.instant])
      #expect(read.extra.pairs.map(\.key).sorted() == before.extra.pairs.map(\.key).sorted())
      for (key, value) in before.extra.pairs { #expect(read.extra[key] == value) }
      #expect(read.operation == before.operation)
      #expect(read.files.map(\.path) == before.files.map(\.path))
      #expect(read.files.map(\.previousCommit) == before.files.map(\.previousCommit))
      #expect(read.files.map(\.writes) == before.files.map(\.writes))
    }
    #expect(try await small.table.snapshot().count() == 21)
    #expect(try await small.table.snapshot(asOf: written[3]).count() == 5)
    #expect(try await small.table.outcome(of: written[2]) == .stands)
    #expect(try await small.table.check() == [])
    // The next goes into the next file, which takes over what the one before has.
    _ = try await Self.fill(small.table, 20..<23)
    let second = try await small.table.archive()
    #expect(second.actions.map(\.instant) == Array(written[8..<11]))
    let files = try await ArchivedTimeline.load(from: small.storage).files
    #expect(files.map(\.number) == [2] && files.map(\.path) == second.files && report.files != second.files)
    #expect(try await Self.archived(small.storage).map(\.entry.instant) == Array(written[..<11]))
    #expect(try await small.table.check() == [])
    #expect(try await small.table.archive().actions.isEmpty)
  }

  /// What is read at once follows what commits say, and not how many there are.
  @Test func commitsOfManyFilesGoIntoSeveralFilesOfTheArchive() async throws {
    let small = try await Self.table()
    let statistics = (0..<1_250).map { number in
      WriteStatistics(
        fileID: "gone-\(number)", path: "gone-\(number)", partitionPath: "", previousCommit: nil, writes: 1,
        size: 1)
    }
    let bytes = CommitMetadata(partitions: ["": statistics], operation: .upsert).bytes()
    _ = try await Self.fill(small.table, 0..<12)
    var old: [Instant] = []
    for number in 0..<40 {
      let instant = Instant(microseconds: 1_700_000_000_000_000 + Int64(number) * 1_000_000)
      try await small.storage.put(bytes, at: ".hoodie/\(instant).commit", if: .ifAbsent)
      old.append(instant)
    }
    let plan = try await small.table.archive(isPlan: true)
    let report = try await small.table.archive()
    #expect(report.actions.map(\.instant) == old && plan.actions == report.actions)
    #expect(report.files.count > 1)
  }

  @Test func whatACleanKeepsStays() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<14)
    #expect(try await small.table.clean(keeping: .commits(13)).instant == nil)
    let clean = try #require(try await small.table.clean(keeping: .commits(12)).instant)
    let more = try await Self.fill(small.table, 14..<34)
    let report = try await small.table.archive()
    #expect(report.actions.map(\.instant) == Array(written[..<2]))
    #expect(report.holder?.code == .clean && report.holder?.instant == written[2])
    // What the next one keeps is further on.
    _ = try await small.table.clean()
    let second = try await small.table.archive()
    #expect(second.actions.map(\.instant) == written[2...] + [clean] + more[..<8])
    // A reader of what was cleaned is told so, though that clean is archived, and one of what was not, reads it.
    for instant in written + more[..<8] {
      let error = await #expect(throws: TableError.self) {
        try await small.table.snapshot(asOf: instant).count()
      }
      #expect(error?.code == .cleaned)
    }
    #expect(try await small.table.snapshot(asOf: more[12]).count() == 28)
    #expect(try await small.table.check() == [])
  }

  @Test func aFileGroupThatBeganLaterDoesNotMakeAnOlderTimeUnreadable() async throws {
    let schema = Schema([Field("id", .string), Field("part", .string)])
    let small = try await SmallTable(schema, partitionedBy: ["part"])
    func put(_ id: String, _ part: String) async throws -> Instant {
      let report = try await small.table.upsert(try batch(["id": texts(id), "part": texts(part)]))
      return try #require(report.instant)
    }
    let first = try await put("a", "old")
    for number in 0..<30 { _ = try await put("b-\(number)", "new") }
    #expect(try await small.table.clean().files.count == 19)
    #expect(try await small.table.archive().actions.count > 15)
    #expect(try await small.table.snapshot(asOf: first).count() == 1)
    // What lies behind the first commit of the other group was cleaned.
    let second = first.microseconds.map { Instant(microseconds: $0 + 60_000_000) }
    let error = await #expect(throws: TableError.self) {
      try await small.table.snapshot(asOf: second).count()
    }
    #expect(error?.code == .cleaned)
  }

  @Test func pendingActionsAndSavepointsHoldWhatFollowsThem() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<10)
    try await small.storage.put([], at: ".hoodie/\(written[4]).savepoint", if: .ifAbsent)
    _ = try await Self.fill(small.table, 10..<20)
    let saved = try await small.table.archive(isPlan: true)
    #expect(saved.actions.map(\.instant) == Array(written[..<4]) && saved.holder?.code == .savepoint)
    // The commit before an attempt stays too: without the attempt the timeline would begin behind its files.
    let attempt = written[3].next
    try await small.storage.put([], at: ".hoodie/\(attempt).commit.requested", if: .ifAbsent)
    try await small.storage.put([], at: ".hoodie/\(attempt).inflight", if: .ifAbsent)
    let report = try await small.table.archive()
    #expect(report.actions.map(\.instant) == Array(written[..<3]))
    #expect(report.holder?.code == .pending && report.holder?.first == written[3])
  }

  @Test func whatWasRolledBackOnSuspicionHoldsForTwoDays() async throws {
    let clock = SettableClock()
    let small = try await Self.table(clock)
    let written = try await Self.fill(small.table, 0..<6)
    let attempt = written[5].next
    try await small.storage.put([], at: ".hoodie/\(attempt).commit.requested", if: .ifAbsent)
    try await small.storage.put([], at: ".hoodie/\(attempt).inflight", if: .ifAbsent)
    try await small.table.rollBack(attempt, force: true)
    let more = try await Self.fill(small.table, 6..<30)
    clock.advance(hours: 40)
    let held = try await small.table.archive()
    #expect(held.actions.map(\.instant) == Array(written[..<5]))
    #expect(held.holder?.code == .rollback)
    #expect(try await small.table.archiveHolder()?.first == written[5])
    // Its writer was asleep in a call, and wakes.
    let late = "11111111-2222-3333-4444-555555555555-0_0-0-0_\(attempt).parquet"
    try await small.storage.put([1, 2, 3], at: late, if: .ifAbsent)
    clock.advance(hours: 9)
    #expect(try await small.table.archive(isPlan: true).removed == [late])
    let report = try await small.table.archive()
    #expect(report.removed == [late] && report.holder == nil)
    #expect(report.actions.count == 1 + 1 + 24 - 12 && report.actions.last?.instant == more[11])
    #expect(try await small.table.snapshot().count() == 31)
    #expect(try await small.table.check() == [])
  }

  @Test func theNewestCheckpointStays() async throws {
    let small = try await Self.table()
    var written = try await Self.fill(small.table, 0..<2)
    for number in 2..<4 {
      let options = WriteOptions(metadata: ["deltastreamer.checkpoint.key": "t,0:\(number)"])
      let report = try await small.table.writing(options).upsert(try Self.rows(["c"], Int64(number)))
      written.append(try #require(report.instant))
    }
    _ = try await Self.fill(small.table, 4..<20)
    let report = try await small.table.archive()
    #expect(report.actions.map(\.instant) == Array(written[..<3]))
    #expect(report.holder?.code == .checkpoint && report.holder?.instant == written[3])
    let options = WriteOptions(metadata: ["deltastreamer.checkpoint.key": "t,0:9"])
    try await small.table.writing(options).upsert(try Self.rows(["c"], 99))
    #expect(try await small.table.archive().actions.count == 6)
  }

  @Test func aReplacementStaysAsLongAsWhatItReplaced() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<3)
    let group = try #require(try await small.table.snapshot().slices.first?.fileID)
    let instant = written[2].next
    let old = try await small.storage.listAll(prefix: "").objects.map(\.path).filter { $0.contains(group) }
    // It leaves the table without rows.
    let replaced = CommitMetadata(operation: .insertOverwriteTable, replaced: ["": [group]])
    try await small.storage.put(
      replaced.bytes(), at: ".hoodie/\(instant).replacecommit", if: .ifAbsent)
    _ = try await Self.fill(small.table, 3..<20)
    let rows = try await small.table.snapshot().count()
    let held = try await small.table.archive()
    #expect(held.actions.map(\.instant) == written && held.holder?.code == .replaced)
    #expect(try await small.table.snapshot().count() == rows)
    #expect(try await Set(small.table.clean().files).isSuperset(of: old))
    #expect(try await small.table.archive().actions.first?.instant == instant)
    #expect(try await small.table.snapshot().count() == rows)
    #expect(try await small.table.check() == [])
  }

  @Test func whatCannotBeReadIsNotArchived() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<16)
    let path = ".hoodie/\(written[1]).commit"
    try await small.storage.put(Array("{\"partitionTo".utf8), at: path, if: .always)
    let all = try await small.contents()
    let error = await #expect(throws: TableError.self) { try await small.table.archive() }
    #expect(error?.code == .damaged && error?.path == path)
    #expect(try await small.contents() == all)
  }

  @Test func ofTwoThatArchiveAtOnceOneGivesWay() async throws {
    let small = try await Self.table()
    let written = try await Self.fill(small.table, 0..<30)
    let reports = try await withThrowingTaskGroup(of: ArchiveReport.self) { group in
      for _ in 0..<4 { group.addTask { try await small.table.archive() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(reports.flatMap(\.actions).map(\.instant).sorted() == Array(written[..<18]))
    #expect(try await Self.archived(small.storage).count == 18)
    #expect(try await Self.onTimeline(small.table) == Array(written[18...]))
  }

  /// The same objects in another storage.
  private static func copy(of storage: any Storage) async throws -> InMemoryStorage {
    let copy = InMemoryStorage()
    for object in try await storage.listAll(prefix: "").objects {
      try await copy.put(try await storage.readAll(object.path), at: object.path, if: .ifAbsent)
    }
    return copy
  }

  /// An archive is stopped at each of its calls in turn; the next writer brings it to its end, or nothing was decided.
  @Test(arguments: [false, true])
  func anArchiveThatDiesAtAnyCallIsBroughtToItsEnd(completesFaultedCall: Bool) async throws {
    var finished = 0
    let first = try await Self.table()
    var written = try await Self.fill(first.table, 0..<14)
    // Its file is replaced by that of the next.
    #expect(try await first.table.archive().actions.count == 2)
    written += try await Self.fill(first.table, 14..<17)
    for moment in 1..<200 {
      let storage = try await Self.copy(of: first.storage)
      let table = try await Table.open(
        at: .storage(storage, name: "memory/small"), settings: first.table.settings)
      let dying = FaultStorage(
        wrapping: storage, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      let archiver = try? await Table.open(
        at: .storage(dying, name: "memory/small"), settings: first.table.settings)
      _ = try? await archiver?.archive()
      #expect(try await table.snapshot().count() == 18, "call \(moment)")
      let more = try await Self.fill(table, 17..<18)
      #expect(try await table.snapshot().count() == 19, "call \(moment)")
      let archived = try await Self.archived(storage).map(\.entry.instant)
      let present = try await Self.onTimeline(table)
      #expect(archived + present == written + more, "call \(moment)")
      let names = try await storage.listAll(prefix: ".hoodie/", stoppingAtSlash: true).objects
      #expect(names.count == 3 * present.count + 1, "call \(moment): \(names.map(\.path))")
      #expect(try await table.check().filter { !$0.isNote } == [], "call \(moment)")
      if archived.count > 2 { finished += 1 }
      if !dying.hasFailed { break }
    }
    #expect(finished > 5)
  }

  /// What is read of an archive stays whole where the next archive replaces a file meanwhile.
  @Test func readersOfAnArchiveGoOnWhereAFileIsReplaced() async throws {
    let small = try await Self.table()
    var written = try await Self.fill(small.table, 0..<14)
    // As one is that was walked while a file took another's place: it shows neither.
    let torn = try await ArchivedTimeline.load(from: small.storage)
    try await small.table.archive()
    #expect(try await torn.commit(written[1])?.entry.instant == written[1])
    let listed = try await ArchivedTimeline.load(from: small.storage)
    var entries = listed.entries()
    for more in [14..<16, 16..<18] as [Range<Int64>] {
      written += try await Self.fill(small.table, more)
      try await small.table.archive()
    }
    var found: Set<Instant> = []
    while let entry = try await entries.next(where: { $0.state == .completed }) {
      found.insert(entry.entry.instant)
    }
    #expect(found == Set(written[..<6]))
    #expect(try await listed.commit(written[1])?.entry.instant == written[1])
    #expect(try await listed.commit(written[17]) == nil)
  }

  /// A file that another engine wrote, or that cannot be read, stays as it is.
  @Test func onlyFilesOfOnesOwnAreReplaced() async throws {
    let small = try await Self.table()
    _ = try await Self.fill(small.table, 0..<14)
    try await small.table.archive()
    let foreign = ".hoodie/archived/.commits_.archive.5_2-0-1"
    let damaged = ".hoodie/archived/.commits_.archive.7_1-5-1"
    let own = try await ArchivedTimeline.load(from: small.storage).files.map(\.path)
    try await small.storage.put(try await small.storage.readAll(own[0]), at: foreign, if: .ifAbsent)
    _ = try await Self.fill(small.table, 14..<16)
    let second = try await small.table.archive().files
    #expect(second.first?.contains(".archive.6_1-") == true)
    try await small.storage.put([1, 2, 3], at: damaged, if: .ifAbsent)
    _ = try await Self.fill(small.table, 16..<18)
    let third = try await small.table.archive().files
    #expect(
      try await ArchivedTimeline.load(from: small.storage).files.map(\.path)
        == third + [damaged] + second + [foreign] + own)
  }

  /// Where an archive dies in the middle that takes cleans off the timeline, too, readers go on before anybody writes.
  @Test func readersGoOnBehindAnArchiveThatDied() async throws {
    let first = try await Self.table()
    _ = try await Self.fill(first.table, 0..<6)
    #expect(try await first.table.clean(keeping: .commits(2)).instant != nil)
    let written = try await Self.fill(first.table, 6..<30)
    #expect(try await first.table.clean(keeping: .commits(12)).instant != nil)
    var left = 0
    for moment in stride(from: 1, to: 200, by: 4) {
      let storage = try await Self.copy(of: first.storage)
      let dying = FaultStorage(wrapping: storage, crashAtCall: moment, completesFaultedCall: true)
      let archiver = try? await Table.open(
        at: .storage(dying, name: "memory/small"), settings: first.table.settings)
      _ = try? await archiver?.archive()
      let table = try await Table.open(
        at: .storage(storage, name: "memory/small"), settings: first.table.settings)
      #expect(try await table.snapshot().count() == 31, "call \(moment)")
      #expect(try await table.snapshot(asOf: written[20]).count() == 28, "call \(moment)")
      let bytes = try await storage.readAll(".hoodie/tarn/head")
      let head = try Head(parsing: bytes)
      if head.named.contains(where: { if case .archive = $0.kind { true } else { false } }) { left += 1 }
      if !dying.hasFailed { break }
    }
    #expect(left > 3)
  }

  /// Writers go on while the timeline is archived under them, at each call of theirs in turn.
  @Test func aWriteUnderWhichTheTimelineIsArchivedLosesNothing() async throws {
    let first = try await Self.table()
    _ = try await Self.fill(first.table, 0..<16)
    for moment in stride(from: 1, to: 60, by: 3) {
      let storage = try await Self.copy(of: first.storage)
      let table = try await Table.open(
        at: .storage(storage, name: "memory/small"), settings: first.table.settings)
      let due = CallMoment(moment)
      let hooked = HookStorage(inner: storage) { _ in
        if due.comes() { _ = try? await table.archive() }
      }
      let writer = try await Table.open(
        at: .storage(hooked, name: "memory/small"), settings: first.table.settings)
      let report = try await writer.upsert(try Self.rows(["k", "other-3", "new"], 100))
      #expect(report.updated == 2 && report.inserted == 1, "call \(moment)")
      #expect(try await table.snapshot().count() == 18, "call \(moment)")
      #expect(try await table.check() == [], "call \(moment)")
      guard due.hasCome else { return }
    }
  }
}

/// An archive of more than one decision takes.
@Suite struct ArchiveHeavyTests {
  /// Cleans, of which one decision takes 256.
  @Test func theDryRunShowsWhatAllFilesWouldTake() async throws {
    let clock = SettableClock()
    let small = try await ArchiveTests.table(clock)
    _ = try await ArchiveTests.fill(small.table, 0..<3)
    let clean = try #require(try await small.table.clean(keeping: .commits(1)).instant)
    var instant = clean
    for state in [ActionState.requested, .inflight, .completed] {
      let bytes = try await small.storage.readAll(TimelineEntry(clean, .clean, state).path)
      instant = clean
      for _ in 0..<260 {
        instant = instant.next
        try await small.storage.put(bytes, at: TimelineEntry(instant, .clean, state).path, if: .ifAbsent)
      }
    }
    clock.advance(hours: 1)
    _ = try await ArchiveTests.fill(small.table, 3..<18)
    try await small.table.clean(keeping: .commits(1))
    let plan = try await small.table.archive(isPlan: true)
    #expect(plan.actions.count == 6 + 261)
    let report = try await small.table.archive()
    #expect(report.actions == plan.actions && report.kept == plan.kept && report.files.count == 1)
  }
}
