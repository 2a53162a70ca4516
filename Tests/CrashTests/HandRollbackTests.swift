import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Attempts that somebody rolls back by hand.
@Suite struct HandRollbackTests {
  private func started() async throws -> (InMemoryStorage, Workload, Instant) {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    return (storage, workload, try #require(try await workload.open().timeline().latest?.instant))
  }

  /// Leaves what a process leaves that is killed at its swap, and gives its instant.
  private func die(_ storage: any Storage, arrives: Bool = false) async throws -> Instant {
    let probe = InMemoryStorage()
    for object in try await storage.listAll(prefix: "").objects {
      try await probe.put(try await storage.readAll(object.path), at: object.path, if: .always)
    }
    let recording = FaultStorage(wrapping: probe)
    try await Workload(storage: recording).take(2)
    let swap = try #require(recording.calls.lastIndex { $0 == "put .hoodie/tarn/head" }) + 1
    let faulty = FaultStorage(wrapping: storage, crashAtCall: swap, completesFaultedCall: arrives)
    try? await Workload(storage: faulty).take(2)
    return try #require(try await Workload(storage: storage).open().timeline().pending.first?.instant)
  }

  private func states(_ workload: Workload) async throws -> [PendingAttempt.State] {
    try await workload.open().attempts().map(\.state)
  }

  @Test(arguments: [false, true])
  func aDeadAttemptGoesWithAllItsFilesAndTheRollbackStands(isNamed: Bool) async throws {
    let (storage, workload, _) = try await started()
    let instant = try await die(storage)
    #expect(try await states(workload) == [.dead])
    #expect(try await workload.open().outcome(of: instant) == .unknown)
    let table = try await workload.open(at: 7)
    let before = try await storage.listAll(prefix: "").objects
    let plan = try await table.rollbackPlan(of: isNamed ? instant : nil)
    #expect(try await storage.listAll(prefix: "").objects == before)
    let left = before.map(\.path).filter { BaseFileName(path: $0)?.instant == instant }
    #expect(plan.map(\.entry.instant) == [instant] && plan.first.map { Set($0.files) } == Set(left))
    if isNamed {
      try await table.rollBack(instant)
    } else {
      #expect(try await table.rollBackDeadAttempts() == [instant])
    }
    #expect(try await workload.open().outcome(of: instant) == .doesNotStand)
    #expect(try await table.timeline().entries.contains { $0.action == .rollback && $0.state == .completed })
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
    #expect(try await table.check() == [])
    #expect(try await table.rollbackPlan() == [])
    #expect(try await table.rollBackDeadAttempts() == [])
    try await workload.take(2)
    #expect(try await workload.rows() == Workload.rows(after: 3))
  }

  @Test func whatIsDecidedIsCarriedOutAndNotRolledBack() async throws {
    let (storage, workload, _) = try await started()
    let instant = try await die(storage, arrives: true)
    #expect(try await states(workload) == [.decided])
    let error = await #expect(throws: TableError.self) { try await workload.open().rollBack(instant) }
    #expect(error?.code == .unsupported && error?.message.contains("is completed") == true)
    #expect(try await workload.rows() == Workload.rows(after: 3))
  }

  @Test func aDoubtfulAttemptGoesOnlyWhenItIsNamed() async throws {
    let (storage, workload, _) = try await started()
    let instant = try await die(storage)
    try await storage.delete(HeadStore.path)
    let table = try await workload.open(at: 7)
    #expect(try await table.rollBackDeadAttempts() == [])
    #expect(try await states(workload) == [.doubtful])
    try await workload.take(3)
    #expect(try await states(workload) == [.doubtful])
    #expect(try await table.check().map(\.isNote) == [true])
    try await table.rollBack(instant)
    #expect(try await states(workload) == [])
    #expect(try await workload.leftovers() == [])
  }

  @Test func anAttemptThatLivesGoesOnlyByForce() async throws {
    let (storage, workload, latest) = try await started()
    let instant = latest.next
    let sign = try #require(try await Liveness(storage).begin(instant, mark: "tarn"))
    let log = CommitLog(storage)
    #expect(try await log.request(instant))
    let plan = CommitMetadata(operation: .upsert, extra: [CommitMetadata.writerKey: "w"])
    try await log.begin(instant, plan: plan)
    #expect(try await states(workload) == [.alive])
    let table = try await workload.open(at: 7)
    #expect(try await table.rollBackDeadAttempts() == [])
    let error = await #expect(throws: TableError.self) { try await table.rollBack(instant) }
    #expect(error?.code == .conflict && error?.message.contains("its writer lives") == true)
    let refusal = await #expect(throws: TableError.self) { try await table.rollbackPlan(of: instant) }
    #expect(refusal?.message == error?.message)
    #expect(try await table.rollbackPlan(of: instant, force: true).map(\.files) == [[]])
    try await table.rollBack(instant, force: true)
    #expect(try await states(workload) == [])
    await sign.end()
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
  }

  /// Data files without markers, and those of a replacement.
  @Test(arguments: ["inflight", "commit.requested", "replacecommit.inflight", "replacecommit.requested"])
  func anotherEnginesAttemptGoesWithTheFilesThatCarryItsInstant(state: String) async throws {
    let (storage, workload, latest) = try await started()
    let instant = latest.next
    let file = "exchange=OKX/f-0_0-0-0_\(instant).parquet"
    try await storage.put([1], at: ".hoodie/\(instant).\(state)", if: .always)
    try await storage.put([1], at: file, if: .always)
    #expect(try await states(workload) == [.foreign])
    let table = try await workload.open(at: 7)
    // A request that nobody claims goes after a day anyway.
    let plan = try await table.rollbackPlan(of: instant)
    #expect(plan.map(\.files) == [[file]])
    #expect(try await table.rollbackPlan().map(\.files) == (state == "commit.requested" ? [[]] : []))
    if state != "commit.requested" { #expect(try await table.rollBackDeadAttempts() == []) }
    try await table.rollBack(instant)
    #expect(try await states(workload) == [])
    #expect(try await !storage.exists(file))
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
  }

  @Test func aPlanWithoutAnAnswerIsPutAgain() async throws {
    let (storage, workload, _) = try await started()
    let instant = try await die(storage)
    let paths = Collected()
    let silent = HookStorage(inner: storage, before: { _ in }) { (path: String) throws(StorageError) in
      guard path.contains(".content.") else { return }
      paths.add(path)
      if paths.all.count == 1 { throw StorageError(.unknown, path: path, "no answer came") }
    }
    #expect(try await Workload(storage: silent).open(at: 7).rollBackDeadAttempts() == [instant])
    // A plan twice, an inflight file and the end; each is moved to the timeline with an answer, too.
    #expect(paths.all.count == 4 && Set(paths.all).count == 4)
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
    #expect(try await workload.open().check() == [])
  }

  @Test func whatIsNoAttemptIsRefused() async throws {
    let (storage, workload, latest) = try await started()
    let table = try await workload.open(at: 7)
    let clean = TimelineEntry(latest.next, .clean, .requested)
    try await storage.put([], at: clean.path, if: .always)
    for (instant, code, words) in [
      (latest, TableError.Code.unsupported, "is completed"), (clean.instant, .unsupported, "a clean"),
      (clean.instant.next, .mismatch, "there is no attempt"),
    ] {
      let error = await #expect(throws: TableError.self) { try await table.rollBack(instant, force: true) }
      #expect(error?.code == code && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
    #expect(try await workload.rows() == Workload.rows(after: 2))
  }
}
