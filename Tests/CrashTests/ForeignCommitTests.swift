import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Commits of engines that know no head: each gets its place among the decisions, wherever its instant lies.
@Suite struct ForeignCommitTests {
  /// Commits as another engine does: the files are there, and then the completed file is.
  static func commit(_ instant: Instant, _ partition: String = "OKX", in storage: any Storage) async throws {
    let files = InstantFiles(instant)
    try await storage.put([], at: files.requested.path, if: .ifAbsent)
    try await storage.put([], at: files.inflight.path, if: .ifAbsent)
    try await complete(instant, partition, in: storage)
  }

  /// The same of a commit that wrote one file.
  private static func commit(
    _ instant: Instant, _ partition: String, writing path: String, of fileID: String, in storage: any Storage
  ) async throws {
    let files = InstantFiles(instant)
    for file in [files.requested, files.inflight] { try await storage.put([], at: file.path, if: .ifAbsent) }
    var metadata = CommitMetadata(operation: .upsert)
    var statistics = WriteStatistics(plannedFor: fileID, previousCommit: nil, updates: 1, inserts: 0)
    statistics.path = path
    metadata.append(statistics, partition: partition)
    try await storage.put(metadata.bytes(), at: files.completed.path, if: .ifAbsent)
  }

  static func complete(_ instant: Instant, _ partition: String, in storage: any Storage) async throws {
    let metadata = CommitMetadata(operation: .upsert)
    try await storage.put(metadata.bytes(), at: InstantFiles(instant).completed.path, if: .ifAbsent)
  }

  private func head(_ storage: any Storage) async throws -> Head {
    try Head(parsing: try await storage.readAll(HeadStore.path))
  }

  private func table(_ clock: SettableClock = SettableClock()) async throws -> (InMemoryStorage, Table) {
    let storage = InMemoryStorage()
    var settings = TableSettings()
    settings.now = { clock.now() }
    let table = try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: settings)
    return (storage, table)
  }

  private func write(_ table: Table, _ id: String) async throws -> CommitReport {
    try await table.upsert(try Trade.batch([Trade(id, 1, "OKX")]))
  }

  @Test func oneBelowACompletedInstantGetsASequence() async throws {
    let (storage, table) = try await table()
    let first = try #require(try await write(table, "a").instant)
    let last = try #require(try await write(table, "b").instant)
    // Asked for when the last was completed already: no decision ever saw it under way.
    let between = first.next
    #expect(between < last)
    try await Self.commit(between, in: storage)
    let report = try await write(table, "c")
    #expect(report.position?.sequence == 4)
    let recent = try await head(storage).recent
    #expect(recent.map(\.sequence) == [1, 2, 3, 4])
    #expect(recent[2].instant == between && recent[2].isForeign)
    // The commit that took it in tells that, when the head has forgotten it.
    let entry = try #require(try await table.timeline().latest)
    let takenIn = try await table.metadata(of: entry).takenIn
    #expect(takenIn.map(\.sequence) == [3] && takenIn.map(\.instant) == [between])
    #expect(try await write(table, "d").position?.sequence == 5)
  }

  @Test func onesOfAClockThatIsHoursBehindGetSequences() async throws {
    let clock = SettableClock()
    let (storage, table) = try await table(clock)
    let early = try #require(try await write(table, "a").instant)
    clock.advance(hours: 5)
    _ = try await write(table, "b")
    try await Self.commit(early.next, in: storage)
    try await Self.commit(early.next.next, in: storage)
    #expect(try await write(table, "c").position?.sequence == 5)
    #expect(
      try await head(storage).recent.filter(\.isForeign).map(\.instant) == [early.next, early.next.next])
  }

  @Test func oneThatIsUnderWayForLongGetsItsSequenceWhenItCompletes() async throws {
    let (storage, table) = try await table()
    let first = try #require(try await write(table, "a").instant)
    let files = InstantFiles(first.next)
    try await storage.put([], at: files.requested.path, if: .ifAbsent)
    try await storage.put([], at: files.inflight.path, if: .ifAbsent)
    for number in 0..<3 { _ = try await write(table, "b\(number)") }
    try await Self.complete(first.next, "OKX", in: storage)
    let report = try await write(table, "c")
    #expect(report.position?.sequence == 6)
    #expect(try await head(storage).recent.filter(\.isForeign).map(\.instant) == [first.next])
  }

  /// Behind the look before the swap, and before the one at the end.
  @Test(arguments: [true, false])
  func oneOnTheSameFileGroupBehindTheLookIsWarnedOf(isSameGroup: Bool) async throws {
    let (storage, table) = try await table()
    try await table.upsert(try Trade.batch([Trade("a", 1, "OKX"), Trade("k", 1, "Kraken")]))
    let slices = try await table.snapshot().slices
    let slice = try #require(
      slices.first { $0.partitionPath == (isSameGroup ? "exchange=OKX" : "exchange=Kraken") })
    let bytes = try await storage.readAll(slice.path)
    let hasCome = Mutex(false)
    let hooked = HookStorage(inner: storage) { call in
      guard call.hasPrefix("move "),
        hasCome.withLock({ come in
          defer { come = true }
          return !come
        }), let latest = try? await Timeline.load(from: storage).lastInstant
      else { return }
      let name = BaseFileName(fileID: slice.fileID, writeToken: "9-9-9", instant: latest.next).name
      let path = "\(slice.partitionPath)/\(name)"
      _ = try? await storage.put(bytes, at: path, if: .always)
      try? await Self.commit(latest.next, slice.partitionPath, writing: path, of: slice.fileID, in: storage)
    }
    let own = try await Table.open(at: .storage(hooked, name: "t"), settings: TableSettings())
    let report = try await own.upsert(try Trade.batch([Trade("a", 2, "OKX")]))
    #expect(hasCome.withLock { $0 })
    let other = try #require(try await table.timeline().latest?.instant)
    #expect(other != report.instant)
    guard isSameGroup else {
      #expect(report.warnings.isEmpty)
      return
    }
    #expect(report.warnings.map(\.code) == [.foreignCommit])
    let message = report.warnings.first?.message ?? ""
    #expect(message.contains(slice.fileID) && message.contains(other.text), "\(message)")
    // It stands, whatever became of its rows, and so does the other's, which gets a sequence.
    #expect(report.position?.sequence == 2)
    #expect(try await write(table, "z").position?.sequence == 4)
  }

  /// A look finds a commit, and before it is read others have come and an archiver has taken it away.
  @Test(arguments: [true, false]) func oneThatIsArchivedWhenItIsReadIsNoError(isWriter: Bool) async throws {
    let (storage, table) = try await table()
    let old = try #require(try await write(table, "a").instant)
    let hasCome = Mutex(false)
    let hooked = HookStorage(inner: storage) { call in
      guard call == "get \(InstantFiles(old).completed.path)",
        hasCome.withLock({ come in
          defer { come = true }
          return !come
        })
      else { return }
      _ = try? await table.upsert(try Trade.batch([Trade("b", 1, "OKX")]))
      let entry = try? ArchiveFixture.entry(old.text, "commit", "COMPLETED", ArchiveFixture.commit("f"))
      let file = ArchiveFixture.file([[entry ?? []]])
      _ = try? await storage.put(file, at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .always)
      let files = InstantFiles(old)
      for entry in [files.requested, files.inflight, files.completed] {
        try? await storage.delete(entry.path)
      }
    }
    let own = try await Table.open(at: .storage(hooked, name: "t"), settings: TableSettings())
    if isWriter {
      #expect(try await write(own, "c").inserted == 1)
    } else {
      var ids: [String] = []
      for try await batch in try await own.snapshot() { ids += Trade.rows(of: batch).map(\.id) }
      #expect(ids.sorted() == ["a", "b"])
    }
    #expect(hasCome.withLock { $0 })
    #expect(try await table.check() == [])
  }

  @Test func onesThatWereArchivedBeforeADecisionGetSequences() async throws {
    let (storage, table) = try await table()
    let own = try #require(try await write(table, "a").instant)
    let (second, third) = (own.next, own.next.next)
    for instant in [second, third] { try await Self.commit(instant, in: storage) }
    // Tarn's commit and the first of the others go to the archive.
    let entries = try [own, second].map {
      try ArchiveFixture.entry(
        $0.text, "commit", "COMPLETED", ArchiveFixture.commit("OKX/x-0_0-0-0_\($0).parquet"))
    }
    try await storage.put(
      ArchiveFixture.file([entries]), at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .always)
    for instant in [own, second] {
      let files = InstantFiles(instant)
      for entry in [files.requested, files.inflight, files.completed] { try await storage.delete(entry.path) }
    }
    #expect(try await write(table, "b").position?.sequence == 4)
    #expect(try await head(storage).recent.map(\.instant).dropLast() == [own, second, third])
  }
}

/// What a head knows of the timeline.
@Suite struct KnownCommitTests {
  @Test func theGreatestAreKnownByNameAndAllBelowThem() {
    var known = KnownCommits()
    let instants = (1...Int64(KnownCommits.most + 10)).map { Instant(microseconds: $0 * 2_000_000) }
    for instant in instants { known.insert(instant) }
    #expect(known.instants.count == KnownCommits.most && known.bound == instants[10])
    for instant in instants { #expect(known.contains(instant)) }
    #expect(!known.contains(instants[20].next) && known.contains(instants[5].next))
    #expect(!known.contains(instants[instants.count - 1].next))
    known.insert(instants[30])
    known.insert(instants[3])
    #expect(known.instants.count == KnownCommits.most)
    #expect(KnownCommits(known.instants.reversed(), before: known.bound) == known)
    #expect(!KnownCommits().contains(instants[0]))
  }

  @Test func whatIsUnderWayIsNotKnownWhereverItsInstantLies() throws {
    let (early, late) = (Instant(microseconds: 0), Instant(microseconds: 2_000_000))
    var head = Head(epoch: "ab", sequence: 0, mark: "00", known: KnownCommits(before: late))
    #expect(head.knows(early) && !head.knows(late))
    head.note(Timeline([TimelineEntry(early, .commit, .inflight)]))
    #expect(!head.knows(early))
    head.append(RecentDecision(sequence: 1, early, files: [], schema: nil, isForeign: true))
    #expect(head.knows(early))
    #expect(try Head(parsing: head.bytes) == head)
  }
}
