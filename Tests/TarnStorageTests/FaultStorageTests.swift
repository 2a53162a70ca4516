import TarnStorage
import TarnTestSupport
import Testing

@Suite("Fault-injecting storage")
struct FaultStorageTests {
  /// Nine calls.
  private func work(_ storage: any Storage) async throws(StorageError) {
    let sign = try await storage.heldSign([1], at: "sign")
    let writer = try await storage.writer(at: "data")
    try await writer.write([1])
    try await writer.write([2])
    try await writer.finish()
    try await storage.put([3], at: "commit", if: .ifAbsent)
    _ = try await storage.listAll(prefix: "")
    try await storage.move("commit", to: "moved")
    try await storage.delete("data")
    withExtendedLifetime(sign) {}
  }

  @Test(arguments: 1...9, [false, true])
  func crashAtEveryCallLeavesWholeObjectsAndNoSignOfLife(call: Int, completes: Bool) async throws {
    let inner = InMemoryStorage()
    let storage = FaultStorage(wrapping: inner, crashAtCall: call, completesFaultedCall: completes)
    let isChange = [1, 5, 6, 8, 9].contains(call)
    #expect(await code { try await work(storage) } == (completes && isChange ? .unknown : .failed))
    #expect(storage.hasFailed)
    #expect(storage.callCount == call)
    let done = completes ? call : call - 1
    #expect(try await inner.exists("data") == (5...8).contains(done))
    #expect(try await inner.exists("commit") == (6...7).contains(done))
    #expect(try await inner.exists("moved") == (done >= 8))
    #expect(await code { _ = try await storage.info(of: "data") } == .failed)
    #expect(try await !inner.isHeld("sign"))
  }

  @Test func callsAreCountedAndNamed() async throws {
    let storage = FaultStorage(wrapping: InMemoryStorage())
    try await work(storage)
    #expect(
      storage.calls == [
        "sign sign", "writer data", "write data", "write data", "finish data", "put commit", "list ",
        "move commit", "delete data",
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
