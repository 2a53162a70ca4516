import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tasks of one process whose commits one swap decides.
@Suite struct SharedSwapTests {
  private static let exchanges = ["A", "B", "C"]

  /// What the storage of the process does, and when.
  private final class Stage: Sendable {
    /// Opened when the first swap may go.
    let first = Gate()
    private struct State {
      var swaps = 0
      var files: Set<String> = []
      var isDown = false
    }
    private let state = Mutex(State())
    /// Whether no swap behind the first has an answer, and the head cannot be read then.
    let losesAnswers: Bool

    init(losesAnswers: Bool) { self.losesAnswers = losesAnswers }

    var swaps: Int { state.withLock { $0.swaps } }
    var files: Int { state.withLock { $0.files.count } }

    /// The storage is what it was before.
    func recover() { state.withLock { $0.isDown = false } }

    func meet(_ call: String) async throws(StorageError) {
      if call.hasPrefix("finish "), call.hasSuffix(".parquet") {
        state.withLock { _ = $0.files.insert(call) }
      }
      guard call.hasSuffix(" \(HeadStore.path)") else { return }
      if state.withLock({ $0.isDown }) { throw StorageError(.failed, path: HeadStore.path, "it is down") }
      guard call.hasPrefix("put ") else { return }
      let number = state.withLock { state in
        state.swaps += 1
        return state.swaps
      }
      if number == 1 { await first.wait() }
      guard number > 1, losesAnswers else { return }
      state.withLock { $0.isDown = true }
      throw StorageError(.unknown, path: HeadStore.path, "no answer came")
    }
  }

  private func settings() -> TableSettings {
    var settings = TableSettings()
    settings.patience = .milliseconds(20)
    return settings
  }

  /// A table with one commit, whose storage is as a stage has it from then on.
  private func started(_ stage: Stage) async throws -> (InMemoryStorage, Table) {
    let storage = InMemoryStorage(clock: { SystemClock.microseconds() })
    let table = try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"],
      orderedBy: "time", settings: settings())
    try await table.upsert(try Trade.batch([Trade("a", 1, "OKX")]))
    let staged = RemoteStorage(storage) { (call: String) async throws(StorageError) in
      try await stage.meet(call)
    }
    return (storage, try await Table.open(at: .storage(staged, name: "t"), settings: settings()))
  }

  /// Upserts a row in each partition; while the first waits at its swap, the others come to theirs.
  private func writeAtOnce(_ table: Table, _ stage: Stage) async throws -> [Task<CommitReport, any Error>] {
    var tasks: [Task<CommitReport, any Error>] = []
    for (number, exchange) in Self.exchanges.enumerated() {
      tasks.append(Task { try await table.upsert(try Trade.batch([Trade("n", 1, exchange)])) })
      while stage.files < number + 1 || stage.swaps == 0 { try await Task.sleep(for: .milliseconds(1)) }
    }
    // Behind their files they only wait.
    try await Task.sleep(for: .milliseconds(200))
    return tasks
  }

  private func exchanges(_ storage: InMemoryStorage) async throws -> [String] {
    let table = try await Table.open(at: .storage(storage, name: "t"))
    var found: [String] = []
    for try await batch in try await table.snapshot() {
      found += Trade.rows(of: batch).compactMap(\.exchange)
    }
    return found.sorted()
  }

  @Test func allWhoShareASwapWithoutAnAnswerAreToldThatNobodyKnows() async throws {
    let stage = Stage(losesAnswers: true)
    let (storage, table) = try await started(stage)
    let tasks = try await writeAtOnce(table, stage)
    stage.first.open()
    #expect(try await tasks[0].value.inserted == 1)
    var instants: Set<String> = []
    for task in tasks[1...] {
      let error = await #expect(throws: TableError.self) { try await task.value }
      #expect(error?.code == .outcomeUnknown)
      let instant = try #require(
        error?.message.split(separator: " ").first { $0.utf8.count == 17 && $0.allSatisfy(\.isNumber) })
      instants.insert(String(instant))
      // Nothing of it was removed.
      #expect(try await storage.exists(InstantFiles(try #require(Instant(instant))).inflight.path))
    }
    // They shared it, and each is told of its own commit.
    #expect(stage.swaps == 2 && instants.count == 2)
    let files = try await storage.listAll(prefix: "exchange=").objects.filter {
      $0.path.hasSuffix(".parquet")
    }
    #expect(files.count == 4)
    stage.recover()
    for text in instants {
      let outcome = try await table.outcome(of: try #require(Instant(text)))
      #expect(outcome == .unknown || outcome == .underWay, "\(outcome)")
    }
    #expect(try await exchanges(storage) == ["A", "OKX"])
  }

  @Test func whoIsCancelledWhileOthersShareItsSwapLearnsItsOutcome() async throws {
    let stage = Stage(losesAnswers: false)
    let (storage, table) = try await started(stage)
    let tasks = try await writeAtOnce(table, stage)
    tasks[0].cancel()
    tasks[1].cancel()
    stage.first.open()
    var positions: [Int64] = []
    for task in tasks { positions.append(try #require(try await task.value.position?.sequence)) }
    #expect(positions == [2, 3, 4] && stage.swaps == 2)
    #expect(try await exchanges(storage) == ["A", "B", "C", "OKX"])
    #expect(try await table.check() == [])
  }
}

private enum SystemClock {
  static func microseconds() -> Int64 { TableSettings().now() }
}
