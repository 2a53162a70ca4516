import TarnStorage
import TarnTestSupport
import Testing

@Suite("Fault-injecting storage")
struct FaultStorageTests {
  /// Eight calls.
  private func work(_ storage: any Storage) async throws(StorageError) {
    let lock = try await storage.heldLock("lock", patience: .zero)
    let writer = try await storage.writer(at: "data")
    try await writer.write([1])
    try await writer.write([2])
    try await writer.finish()
    try await storage.put([3], at: "commit", if: .ifAbsent)
    _ = try await storage.listAll(prefix: "")
    try await storage.delete("lock")
    await lock.release()
  }

  @Test(arguments: 1...8, [false, true])
  func crashAtEveryCallLeavesWholeObjectsAndNoLock(call: Int, completes: Bool) async throws {
    let inner = InMemoryStorage()
    let storage = FaultStorage(wrapping: inner, crashAtCall: call, completesFaultedCall: completes)
    let isChange = [5, 6, 8].contains(call)
    #expect(await code { try await work(storage) } == (completes && isChange ? .unknown : .failed))
    #expect(storage.hasFailed)
    #expect(storage.callCount == call)
    let done = completes ? call : call - 1
    #expect(try await inner.exists("data") == (done >= 5))
    #expect(try await inner.exists("commit") == (done >= 6))
    #expect(await code { _ = try await storage.info(of: "data") } == .failed)
    await (try await inner.lock("lock", patience: .zero)).release()
  }

  @Test func callsAreCountedAndNamed() async throws {
    let storage = FaultStorage(wrapping: InMemoryStorage())
    try await work(storage)
    #expect(
      storage.calls == [
        "lock lock", "writer data", "write data", "write data", "finish data", "put commit", "list ",
        "delete lock",
      ])
    #expect(!storage.hasFailed)
  }

  @Test func singleFailureHasItsCodeAndPasses() async throws {
    let storage = FaultStorage(
      wrapping: InMemoryStorage(), crashAtCall: 2, code: .noSpace, staysDown: false)
    try await storage.put([1], at: "a", if: .always)
    #expect(
      await code { try await storage.put([2], at: "a", if: .always) } == .noSpace)
    #expect(try await storage.readAll("a") == [1])
  }
}
