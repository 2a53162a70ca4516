import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Writers that meet: of Tarn's own, of other engines, and ones that are called off.
@Suite struct ConcurrencyTests {
  @Test func twoWritersOfOneTableGoOneAfterTheOther() async throws {
    let storage = InMemoryStorage()
    try await writeFromTwoSides(storage, storage, rounds: 4)
  }

  @Test func twoWritersOfOneFolderGoOneAfterTheOther() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      try await writeFromTwoSides(
        LocalStorage(root: folder, synchronizes: false), LocalStorage(root: folder, synchronizes: false),
        rounds: 4)
    }
  }

  /// Lets another engine commit a new version of the first file group of a partition, while this writer writes one.
  private func meetAnotherEngine(
    _ storage: any Storage, offset: Int, retries: Int
  ) async throws -> (error: TableError?, fileID: String) {
    let workload = Workload(storage: storage, retries: retries)
    try await workload.take(0)
    try await workload.take(1)
    let touched = try #require(
      try await workload.open().snapshot().slices.first { $0.partitionPath == "exchange=OKX" })
    let bytes = try await storage.readAll(touched.path)
    let isDone = Mutex(false)
    let other = HookStorage(inner: storage) { call in
      guard call.hasPrefix("writer "), call.contains(touched.fileID),
        isDone.withLock({ done in
          defer { done = true }
          return !done
        })
      else { return }
      await commitFromOutside(storage, call, offset, fileID: touched.fileID, bytes)
    }
    do {
      try await Workload(storage: other, retries: retries).take(2)
      return (nil, touched.fileID)
    } catch let error as TableError { return (error, touched.fileID) }
  }

  @Test(arguments: [-1, 1])
  func aCommitOfAnotherEngineOnATouchedFileGroupIsAConflictAndAllIsTakenBack(offset: Int) async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    let (error, fileID) = try await meetAnotherEngine(storage, offset: offset, retries: 0)
    #expect(error?.code == .conflict)
    #expect(error?.message.contains(fileID) == true)
    #expect(try await workload.rows() == Workload.rows(after: 2))
    #expect(try await workload.leftovers() == [])
    try await workload.take(2)
    #expect(try await workload.rows() == Workload.rows(after: 3))
  }

  @Test(arguments: [-1, 1])
  func aWriteThatLostAgainstAnotherEngineBeginsAgain(offset: Int) async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    let (error, _) = try await meetAnotherEngine(storage, offset: offset, retries: 1)
    #expect(error == nil)
    #expect(try await workload.rows() == Workload.rows(after: 3))
    #expect(try await workload.leftovers() == [])
  }

  @Test func aCommitOfAnotherEngineElsewhereIsNoConflict() async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    let other = HookStorage(inner: storage) { call in
      if call.hasPrefix("writer exchange=OKX") {
        await commitFromOutside(storage, call, 1, fileID: "other-0")
      }
    }
    try await Workload(storage: other).take(2)
    #expect(try await workload.rows() == Workload.rows(after: 3))
    #expect(try await workload.leftovers() == [])
  }

  /// What another engine began at the very instant that this writer chose stays untouched, and this writer takes another.
  @Test func anInstantThatAnotherEngineTookIsLeftToIt() async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    let taken = Mutex<[String]>([])
    let other = HookStorage(inner: storage) { call in
      guard call.hasPrefix("put .hoodie/2"), call.hasSuffix(".commit.requested"),
        taken.withLock({ $0.isEmpty })
      else { return }
      let instant = call.dropFirst("put .hoodie/".count).prefix { $0.isNumber }
      let paths = [
        ".hoodie/\(instant).commit.requested", ".hoodie/\(instant).inflight",
        "exchange=OKX/other-0_0-1-2_\(instant).parquet",
      ]
      for path in paths { _ = try? await storage.put([], at: path, if: .ifAbsent) }
      taken.withLock { $0 = paths }
    }
    try await Workload(storage: other).take(2)
    let theirs = taken.withLock { $0 }
    #expect(theirs.count == 3)
    for path in theirs { #expect(try await storage.exists(path), "\(path)") }
    #expect(try await workload.rows() == Workload.rows(after: 3))
  }

  @Test func aWriteThatIsCancelledAtAnyCallLeavesTheTableAsItWas() async throws {
    var number = 0
    var cancelled = 0
    while true {
      number += 1
      let storage = InMemoryStorage()
      let workload = Workload(storage: storage)
      try await workload.take(0)
      try await workload.take(1)
      let canceller = Canceller(atCall: number)
      let task = Task {
        await canceller.isReady()
        try await Workload(storage: HookStorage(inner: storage) { _ in canceller.count() }).take(2)
      }
      canceller.begin { task.cancel() }
      let result = await task.result
      guard canceller.hasCancelled else { break }
      switch result {
      case .success:
        #expect(try await workload.objection(after: 3, leavesNothing: true) == nil, "cancelled at \(number)")
      case .failure(let error):
        cancelled += 1
        #expect((error as? TableError)?.code == .cancelled, "cancelled at \(number): \(error)")
        #expect(try await workload.objection(after: 2, leavesNothing: true) == nil, "cancelled at \(number)")
      }
    }
    #expect(cancelled > 10)
  }
}

/// Upserts from two tables at once, over keys of which half are shared.
private func writeFromTwoSides(_ left: any Storage, _ right: any Storage, rounds: Int) async throws {
  try await Workload(storage: left).take(0)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for (side, storage) in [left, right].enumerated() {
      group.addTask {
        let table = try await Table.open(at: .storage(storage, name: "shared"))
        for round in 0..<rounds {
          let own = (0..<5).map { Trade("\(side)-\(round)-\($0)", 1, "OKX") }
          let shared = (0..<5).map { Trade("both-\($0)", Int64(round), "OKX", Int128(side)) }
          try await table.upsert(try Trade.batch(own + shared))
        }
      }
    }
    try await group.waitForAll()
  }
  let workload = Workload(storage: left)
  let rows = try await workload.rows()
  #expect(rows.count == 2 * rounds * 5 + 5)
  #expect(Set(rows.map(\.id)).count == rows.count)
  #expect(rows.filter { $0.id.hasPrefix("both") }.allSatisfy { $0.time == Int64(rounds - 1) })
  #expect(try await workload.open().timeline().completedCommits.count >= 2 * rounds - 1)
  #expect(try await workload.leftovers() == [])
}

/// Puts a whole commit on the timeline, `offset` milliseconds from the instant in a data file's path, as another engine.
///
/// - Parameter bytes: The base file that it writes in partition OKX; nil for none.
func commitFromOutside(
  _ storage: any Storage, _ call: String, _ offset: Int, fileID: String, _ bytes: [UInt8]? = nil
) async {
  guard let name = BaseFileName(call.split(separator: "/").last ?? ""),
    let time = name.instant.microseconds
  else { return }
  let instant = Instant(microseconds: time + Int64(offset) * 500_000)
  var metadata = CommitMetadata(operation: .upsert)
  var statistics = WriteStatistics(plannedFor: fileID, previousCommit: nil, updates: 1, inserts: 0)
  if let bytes {
    let path = "exchange=OKX/" + BaseFileName(fileID: fileID, writeToken: "9-9-9", instant: instant).name
    statistics.path = path
    _ = try? await storage.put(bytes, at: path, if: .always)
  }
  metadata.append(statistics, partition: "exchange=OKX")
  let files = InstantFiles(instant)
  _ = try? await storage.put([], at: files.requested.path, if: .ifAbsent)
  _ = try? await storage.put([], at: files.inflight.path, if: .ifAbsent)
  _ = try? await storage.put(metadata.bytes(), at: files.completed.path, if: .ifAbsent)
}

/// Cancels a task when its storage is called for the so-manieth time.
private final class Canceller: Sendable {
  private struct State {
    var calls = 0
    var cancel: (@Sendable () -> Void)?
    var hasCancelled = false
  }

  private let state = Mutex(State())
  private let number: Int

  init(atCall number: Int) { self.number = number }

  var hasCancelled: Bool { state.withLock { $0.hasCancelled } }

  func begin(_ cancel: @escaping @Sendable () -> Void) { state.withLock { $0.cancel = cancel } }

  func isReady() async { while state.withLock({ $0.cancel == nil }) { await Task.yield() } }

  func count() {
    let cancel = state.withLock { state in
      state.calls += 1
      guard state.calls == number else { return nil as (@Sendable () -> Void)? }
      state.hasCancelled = true
      return state.cancel
    }
    cancel?()
  }
}
