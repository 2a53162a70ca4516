import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Base files that vanish while a write is under way.
@Suite struct VanishingFileTests {
  /// Has the base files of a partition vanish before each call of the third step in turn.
  ///
  /// - Parameters:
  ///   - step: Of so many calls one is tried.
  ///   - storage: Makes an empty storage; told the number of the call.
  private func vanish(every step: Int = 1, _ storage: (Int) -> any Storage) async throws {
    var (failures, commits) = (0, 0)
    for moment in stride(from: 1, to: Int.max, by: step) {
      let inner = storage(moment)
      let workload = Workload(storage: inner)
      try await workload.take(0)
      try await workload.take(1)
      let files = try await workload.open().snapshot().slices.map(\.path).filter {
        $0.hasPrefix("exchange=OKX/")
      }
      #expect(!files.isEmpty)
      let calls = Mutex(0)
      let hooked = HookStorage(inner: inner) { _ in
        let isDue = calls.withLock { calls in
          calls += 1
          return calls == moment
        }
        guard isDue else { return }
        for file in files { try? await inner.delete(file) }
      }
      do {
        try await Workload(storage: hooked).take(2)
        // It had read all that it needed of the files.
        commits += 1
        #expect(try await workload.rows() == Workload.rows(after: 3), "call \(moment)")
      } catch let error as TableError {
        failures += 1
        #expect(error.code == .damaged || error.code == .storage, "call \(moment): \(error)")
        #expect(files.contains { error.message.contains($0) }, "call \(moment): \(error)")
        #expect(try await workload.open().timeline().completedCommits.count == 1, "call \(moment)")
      }
      #expect(try await workload.leftovers() == [], "call \(moment)")
      guard calls.withLock({ $0 >= moment }) else { break }
    }
    #expect(failures > 3 && commits > 1, "\(failures) writes failed, \(commits) did not")
  }

  @Test func aFileThatVanishesAtAnyCallIsNamedAndNothingIsCommitted() async throws {
    try await vanish { _ in InMemoryStorage() }
  }

  @Test func onTheDiskTooNothingIsCommitted() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      try await vanish(every: 4) { LocalStorage(root: folder + "/\($0)", synchronizes: false) }
    }
  }
}
