import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What is written before a decision, where no answer tells whether it is there.
@Suite struct ContentAnswerTests {
  private func started() async throws -> (InMemoryStorage, Workload) {
    let clock = SteppedClock(step: 1_000)
    let storage = InMemoryStorage(clock: { clock.now() })
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    return (storage, workload)
  }

  /// A storage on which the first puts of some paths have no answer.
  private func silent(
    _ storage: InMemoryStorage, _ part: String, times: Int, _ paths: Collected
  ) -> RemoteStorage {
    RemoteStorage(storage) { (call: String) async throws(StorageError) in
      guard call.hasPrefix("put "), call.contains(part) else { return }
      paths.add(String(call.dropFirst(4)))
      if paths.all.count <= times {
        throw StorageError(.unknown, path: String(call.dropFirst(4)), "no answer came")
      }
    }
  }

  @Test(arguments: [false, true])
  func aContentWithoutAnAnswerIsPutUnderAnotherName(hasArrived: Bool) async throws {
    let (storage, workload) = try await started()
    let paths = Collected()
    let lost: any Storage =
      hasArrived
      ? HookStorage(inner: storage, before: { _ in }) { (path: String) throws(StorageError) in
        guard path.contains(".content.") else { return }
        paths.add(path)
        if paths.all.count == 1 { throw StorageError(.unknown, path: path, "no answer came") }
      } : silent(storage, ".content.", times: 1, paths)
    try await Workload(storage: lost, retries: 0).take(2)
    #expect(paths.all.count == 2 && Set(paths.all).count == 2)
    #expect(try await workload.objection(after: 3, leavesNothing: true) == nil)
    #expect(try await TimelineListing.load(from: storage).contents.isEmpty)
  }

  /// Where the storage has no answer at all, the write fails and takes back what it began.
  @Test func aContentThatNeverHasAnAnswerEndsTheWrite() async throws {
    let (storage, workload) = try await started()
    let paths = Collected()
    let deaf = silent(storage, ".content.", times: .max, paths)
    let error = await #expect(throws: TableError.self) {
      try await Workload(storage: deaf, retries: 0).take(2)
    }
    #expect(
      error?.code == .storage && error?.message.contains("no answer came") == true, "\(error?.message ?? "")")
    #expect(paths.all.count == 4 && Set(paths.all).count == 4)
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
  }

  @Test func aSignOfLifeWithoutAnAnswerIsNotAskedForWithoutEnd() async throws {
    let (storage, workload) = try await started()
    let paths = Collected()
    let deaf = silent(storage, Liveness.folder, times: .max, paths)
    let error = await #expect(throws: TableError.self) {
      try await Workload(storage: deaf, retries: 0).take(2)
    }
    #expect(error?.message.contains("no answer came") == true, "\(error?.message ?? "")")
    #expect(paths.all.count == 5 && Set(paths.all).count == 5)
    #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
    // One without an answer costs an instant.
    let few = Collected()
    try await Workload(storage: silent(storage, Liveness.folder, times: 1, few), retries: 0).take(2)
    #expect(few.all.count == 2)
    #expect(try await workload.objection(after: 3, leavesNothing: true) == nil)
  }
}
