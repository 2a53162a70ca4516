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
      let due = CallMoment(moment)
      let hooked = HookStorage(inner: inner) { _ in
        guard due.comes() else { return }
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
      guard due.hasCome else { break }
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

/// Readers beside a writer and a cleaner that work while a snapshot is made.
@Suite struct ChangingTableTests {
  @Test func aReaderWhoseFilesWereReplacedMeanwhileSeesTheNewOnes() async throws {
    let inner = InMemoryStorage()
    let workload = Workload(storage: inner)
    for step in 0...2 { try await workload.take(step) }
    let before = try await workload.rows()
    let old = try await workload.open().snapshot().slices.map(\.path)
    let isDone = Mutex(false)
    let hooked = HookStorage(inner: inner) { call in
      guard call.hasPrefix("list exchange=") else { return }
      let isFirst = isDone.withLock { done in
        defer { done = true }
        return !done
      }
      guard isFirst else { return }
      // A newer version of every file, of which a cleaner then removes the older one.
      for step in 3...Workload.allSteps { try? await workload.take(step) }
      let now = (try? await workload.open().snapshot().slices.map(\.path)) ?? old
      for path in old where !now.contains(path) { try? await inner.delete(path) }
    }
    let rows = try await Workload(storage: hooked).rows()
    #expect(isDone.withLock { $0 })
    #expect(rows != before)
    #expect(rows == (try await workload.rows()))
  }
}
