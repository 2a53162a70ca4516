import TarnStorage
import TarnTestSupport
import Testing

@Suite("Locks that storages bring along")
struct LockTests {
  @Test(arguments: Subject.all)
  func lockExcludesUntilReleased(_ subject: Subject) async throws {
    try await subject.run { storage in
      let lock = try await storage.heldLock("x/lock", patience: .zero)
      do throws(StorageError) {
        _ = try await storage.heldLock("x/lock", patience: .milliseconds(120))
        Issue.record("two hold the lock")
      } catch {
        #expect(error.code == .locked)
        #expect(error.message.contains("s of waiting"))
      }
      _ = try await storage.heldLock("x/other", patience: .zero)
      let waiter = Task { try await storage.heldLock("x/lock", patience: .seconds(30)) }
      try await Task.sleep(for: .milliseconds(80))
      await lock.release()
      let next = try await waiter.value
      // Releasing again does not free the next holder's lock.
      await lock.release()
      #expect(
        await code { _ = try await storage.heldLock("x/lock", patience: .zero) }
          == .locked)
      await next.release()
      do { _ = try await storage.heldLock("x/lock", patience: .zero) }
      // The one before went without being released.
      await (try await storage.heldLock("x/lock", patience: .zero)).release()
      #expect(try await storage.info(of: "x/lock").size == 0)
    }
  }

  @Test(arguments: Subject.all)
  func cancelledWaiterGivesUp(_ subject: Subject) async throws {
    try await subject.run { storage in
      let lock = try await storage.heldLock("lock", patience: .zero)
      let waiter = Task {
        await code { _ = try await storage.heldLock("lock", patience: .seconds(60)) }
      }
      waiter.cancel()
      #expect(await waiter.value == .cancelled)
      await lock.release()
    }
  }

  @Test(arguments: Subject.all)
  func lockOfAnInvalidPathIsRefused(_ subject: Subject) async throws {
    try await subject.run { storage in
      for path in ["", "a/", "../a", "a\0", String(repeating: "n", count: 256)] {
        #expect(await code { _ = try await storage.heldLock(path, patience: .zero) } == .invalidPath)
      }
    }
  }
}
