import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What a process is told that asks what became of a commit.
@Suite struct CommitOutcomeTests {
  /// A table with one commit, and the instant of it.
  private func started() async throws -> (InMemoryStorage, Workload, Instant) {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    return (storage, workload, try #require(try await workload.open().timeline().latest?.instant))
  }

  private func outcome(_ workload: Workload, _ instant: Instant) async throws -> CommitOutcome {
    try await workload.open().outcome(of: instant)
  }

  /// Leaves an attempt of Tarn's, whose writer holds the sign that is given back.
  private func attempt(_ storage: any Storage, _ instant: Instant) async throws -> any LifeSign {
    let sign = try #require(try await Liveness(storage).begin(instant, mark: "tarn"))
    let log = CommitLog(storage)
    #expect(try await log.request(instant))
    try await log.begin(
      instant, plan: CommitMetadata(operation: .upsert, extra: [CommitMetadata.writerKey: "w"]))
    return sign
  }

  @Test func whatIsCompletedStandsAndWhatNeverWasDoesNot() async throws {
    let (_, workload, instant) = try await started()
    #expect(try await outcome(workload, instant) == .stands)
    #expect(try await outcome(workload, instant.next) == .doesNotStand)
    #expect("\(CommitOutcome.doesNotStand)" == "doesNotStand")
  }

  @Test func whatWasArchivedStands() async throws {
    let (storage, workload, instant) = try await started()
    try await workload.take(2)
    let entry = try ArchiveFixture.entry(instant.text)
    let archive = ".hoodie/archived/.commits_.archive.1_1-0-1"
    try await storage.put(ArchiveFixture.file([[entry]]), at: archive, if: .always)
    let files = InstantFiles(instant)
    for file in [files.requested, files.inflight, files.completed] { try await storage.delete(file.path) }
    #expect(try await outcome(workload, instant) == .stands)
    try await storage.delete(archive)
    #expect(try await outcome(workload, instant) == .doesNotStand)
  }

  /// A process that dies at its swap, whose answer it never has.
  @Test(arguments: [false, true])
  func whatTheHeadNamesStandsBeforeItAppearsAndOtherwiseNobodyKnows(hasArrived: Bool) async throws {
    let recording = FaultStorage(wrapping: InMemoryStorage())
    for step in 0..<3 { try await Workload(storage: recording).take(step) }
    let swap = try #require(recording.calls.lastIndex { $0 == "put .hoodie/tarn/head" }) + 1
    let storage = InMemoryStorage()
    let faulty = FaultStorage(
      wrapping: storage, crashAtCall: swap, completesFaultedCall: hasArrived, code: .unknown)
    for step in 0..<2 { try await Workload(storage: faulty).take(step) }
    let error = await #expect(throws: TableError.self) { try await Workload(storage: faulty).take(2) }
    #expect(error?.code == .outcomeUnknown)
    let workload = Workload(storage: storage, seed: 2)
    let instant = try #require(try await workload.open().timeline().entries.last?.instant)
    let before = try await storage.listAll(prefix: "").objects
    #expect(try await outcome(workload, instant) == (hasArrived ? .stands : .unknown))
    #expect(try await storage.listAll(prefix: "").objects == before)
    try await workload.take(2)
    #expect(try await outcome(workload, instant) == (hasArrived ? .stands : .doesNotStand))
  }

  @Test func anAttemptIsUnderWayWhileItsWriterLives() async throws {
    let (storage, workload, instant) = try await started()
    let next = instant.next
    let sign = try await attempt(storage, next)
    #expect(try await outcome(workload, next) == .underWay)
    await sign.end()
    #expect(try await outcome(workload, next) == .doesNotStand)
    let content = DecisionContent(next, mark: "a1").path
    try await storage.put([1], at: content, if: .always)
    #expect(try await outcome(workload, next) == .unknown)
  }

  @Test func ofAnotherEnginesAttemptAndOfADoubtfulOneNobodyKnows() async throws {
    let (storage, workload, instant) = try await started()
    let (foreign, own) = (instant.next, instant.next.next)
    let files = InstantFiles(foreign)
    for file in [files.requested, files.inflight] { try await storage.put([], at: file.path, if: .always) }
    #expect(try await outcome(workload, foreign) == .unknown)
    try await attempt(storage, own).end()
    guard case .head(let loaded) = try await HeadStore(storage, random: { 1 }).load() else { return }
    var head = loaded.head
    head.doubtful = [own]
    try await storage.put(head.bytes, at: HeadStore.path, if: .always)
    #expect(try await outcome(workload, own) == .unknown)
  }

  @Test func withoutAHeadTheTimelineTells() async throws {
    let (storage, workload, instant) = try await started()
    try await storage.delete(HeadStore.path)
    #expect(try await outcome(workload, instant) == .stands)
    #expect(try await outcome(workload, instant.next) == .doesNotStand)
  }
}
