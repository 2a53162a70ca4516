import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Writes of which it is not known whether they stand, since the storage could not be asked either.
@Suite struct OutcomeTests {
  private func completion(_ calls: [String]) throws -> Int {
    try #require(calls.lastIndex { $0 == "put .hoodie/tarn/head" }) + 1
  }

  @Test(arguments: [false, true])
  func aCommitThatCannotBeLookedForHasACodeOfItsOwnAndNothingOfItIsRemoved(hasArrived: Bool) async throws {
    let recording = FaultStorage(wrapping: InMemoryStorage())
    for step in 0..<3 { try await Workload(storage: recording).take(step) }
    let number = try completion(recording.calls)
    let storage = InMemoryStorage()
    let faulty = FaultStorage(
      wrapping: storage, crashAtCall: number, completesFaultedCall: hasArrived, code: .unknown)
    for step in 0..<2 { try await Workload(storage: faulty).take(step) }
    let error = await #expect(throws: TableError.self) { try await Workload(storage: faulty).take(2) }
    #expect(error?.code == .outcomeUnknown)
    #expect(error?.message.contains("is not known") == true)
    let workload = Workload(storage: storage, seed: 2)
    let timeline = try await workload.open().timeline()
    let instant = try #require(timeline.entries.last?.instant)
    #expect(error?.message.contains("look for \(instant.text) on the table's timeline") == true)
    #expect(!timeline.contains(instant))
    let files = try await storage.listAll(prefix: "exchange").objects.filter {
      $0.path.contains(instant.text)
    }
    #expect(files.count > 1)
    #expect(try await workload.stepsThatStand() == (hasArrived ? 3 : 2))
    // Where it was decided, the next write makes it appear, and finds nothing left to do.
    try await workload.take(2)
    #expect(try await workload.rows() == Workload.rows(after: 3))
    #expect(try await workload.open().timeline().completedCommits.count == 2)
    try await workload.take(3)
    #expect(try await workload.objection(after: 4, leavesNothing: true) == nil)
  }

  @Test(arguments: [false, true])
  func aTableThatCannotBeLookedForMayHaveBeenCreated(hasArrived: Bool) async throws {
    let storage = InMemoryStorage()
    let faulty = FaultStorage(wrapping: storage, crashAtCall: 1, completesFaultedCall: hasArrived)
    let error = await #expect(throws: TableError.self) { try await Workload(storage: faulty).take(0) }
    #expect(error?.code == .outcomeUnknown)
    #expect(error?.message.contains("is not known") == true)
    #expect(try await storage.exists(TablePaths.properties) == hasArrived)
  }

  @Test func aTableWhoseAnswerWasLostIsCreated() async throws {
    let storage = InMemoryStorage()
    let faulty = FaultStorage(
      wrapping: storage, crashAtCall: 1, completesFaultedCall: true, staysDown: false)
    try await Workload(storage: faulty).take(0)
    try await Workload(storage: storage).take(1)
    #expect(try await Workload(storage: storage).rows() == Workload.rows(after: 2))
  }

  /// A storage that repeats a put by itself meets its own first one.
  @Test func aConditionThatFailsForOnesOwnFileIsNoConflict() async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    let repeated = Mutex<Set<String>>([])
    let repeating = HookStorage(inner: storage, before: { _ in }) { (path: String) throws(StorageError) in
      guard path.hasPrefix(".hoodie/2"), path.hasSuffix("inflight"),
        repeated.withLock({ $0.insert(path).inserted })
      else { return }
      throw StorageError(.preconditionFailed, path: path, "it is already there")
    }
    try await Workload(storage: repeating).take(1)
    #expect(repeated.withLock { $0.count } == 1)
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
  }
}
