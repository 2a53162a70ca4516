import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// A lock whose file somebody deletes while a write is under way, and a second writer that comes in then.
@Suite struct LostLockTests {
  private static let mine = [Trade("mine", 1, "OKX", 1)]
  private static let theirs = [Trade("theirs", 1, "Kraken", 2)]

  /// What came of two writers, the second of which comes in at a call of the first.
  private struct Outcome {
    var isReached = false
    var call = ""
    var first: TableError?
    var second: TableError?
    var rows: [String] = []
  }

  private func table(_ storage: any Storage) async throws -> Table {
    var settings = TableSettings()
    settings.lockPatience = .milliseconds(20)
    settings.parallelism = 1
    return try await Table.open(at: .storage(storage, name: "t"), settings: settings)
  }

  /// Deletes the lock's file before a call of the first writer, and writes other file groups.
  private func interrupt(_ storage: any Storage, at moment: Int) async throws -> Outcome {
    var options = TableOptions()
    options.tarn.hasKeyIndex = false
    _ = try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], options: options)
    let state = Mutex((calls: 0, outcome: Outcome()))
    let hooked = HookStorage(inner: storage) { call in
      let isDue = state.withLock { state in
        state.calls += 1
        if state.calls == moment {
          state.outcome.isReached = true
          state.outcome.call = call
        }
        return state.calls == moment
      }
      guard isDue else { return }
      try? await storage.delete(TablePaths.writerLock)
      do { try await table(storage).upsert(try Trade.batch(Self.theirs)) } catch {
        state.withLock { $0.outcome.second = error as? TableError }
      }
    }
    var first: TableError?
    do { try await table(hooked).upsert(try Trade.batch(Self.mine)) } catch { first = error as? TableError }
    var outcome = state.withLock { $0.outcome }
    outcome.first = first
    for try await batch in try await table(storage).snapshot() {
      outcome.rows += Trade.rows(of: batch).map(\.id)
    }
    return outcome
  }

  /// Whether a call is the one between the last check and the commit.
  private static func isLast(_ call: String) -> Bool {
    call.hasPrefix("put .hoodie/2") && call.hasSuffix(".commit")
  }

  private func interrupt(every step: Int, _ make: (Int) -> any Storage) async throws {
    var failures = 0
    for moment in stride(from: 1, to: Int.max, by: step) {
      let storage = make(moment)
      let outcome = try await interrupt(storage, at: moment)
      guard outcome.isReached else { break }
      let call = "call \(moment), \(outcome.call)"
      guard !Self.isLast(outcome.call) else {
        // Whoever comes in here removes files of a commit that then completes: that is said.
        #expect(outcome.first?.code == .outcomeUnknown, "\(call)")
        continue
      }
      #expect(outcome.second == nil, "\(call): \(String(describing: outcome.second))")
      #expect(outcome.rows.contains("theirs"), "\(call)")
      if let error = outcome.first {
        failures += 1
        #expect(error.code == .conflict || error.code == .outcomeUnknown, "\(call): \(error)")
        #expect(outcome.rows.contains("mine") == (error.code == .outcomeUnknown), "\(call): \(error)")
      } else {
        #expect(outcome.rows.contains("mine"), "\(call)")
      }
      // And the next writer finds nothing that stops it.
      try await table(storage).upsert(try Trade.batch([Trade("next", 1, "OKX")]))
      let timeline = try await table(storage).timeline()
      let files = try await storage.listAll(prefix: "exchange").objects.compactMap {
        BaseFileName($0.path.split(separator: "/").last ?? "")
      }
      #expect(timeline.pending.isEmpty && files.allSatisfy { timeline.contains($0.instant) }, "\(call)")
    }
    #expect(failures > 5 / step)
  }

  @Test func aLockFileThatIsDeletedAtAnyCallLosesNoCommitThatWasAnsweredWithSuccess() async throws {
    try await interrupt(every: 1) { _ in InMemoryStorage() }
  }

  @Test func onTheDiskTooNoCommitIsLost() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      try await interrupt(every: 4) { LocalStorage(root: "\(folder)/\($0)", synchronizes: false) }
    }
  }
}
