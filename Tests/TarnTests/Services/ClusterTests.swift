import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Clusterings: what becomes of rows, deletions and files, and what other writers and deaths make of them.
@Suite struct ClusterTests {
  @Test func smallFilesBecomeOneAndRowsStayAsTheyWere() async throws {
    let small = try await SmallFileTable.filled(4)
    let table = try await SmallFileTable.reopened(small)
    let before = try await SmallFileTable.lines(try await table.snapshot())
    let timeline = try await table.timeline()
    let last = try #require(timeline.latest?.instant)
    let first = try #require(timeline.first?.instant)
    let followed = try await SmallFileTable.lines(try await table.changes(since: first))
    let plan = try await table.cluster(isPlan: true)
    #expect(plan.replacedFiles.count == 8 && plan.instant == nil)
    let report = try await table.cluster()
    #expect(Set(report.replacedFiles) == Set(plan.replacedFiles) && report.files == 2)
    #expect(try await table.snapshot().slices.count == 2)
    #expect(try await SmallFileTable.lines(try await table.snapshot()) == before)
    #expect(try await SmallFileTable.lines(try await table.snapshot(asOf: last)) == before)
    // Nobody who follows the table meets a row again.
    #expect(try await table.changes(since: last).count() == 0)
    #expect(try await SmallFileTable.lines(try await table.changes(since: first)) == followed)
    #expect(try await table.check() == [])
    let entry = try #require(try await table.timeline().latest)
    #expect(try await table.metadata(of: entry).operation == .cluster)
    let request = try ReplaceRequest(
      avro: try await small.storage.readAll(entry.path + ".requested"))
    #expect(request.operation == "CLUSTER" && request.plan?.groups.map(\.slices.count) == [4, 4])
    // Keys are found where they are now, and there is nothing more to do.
    let more = try await table.upsert(try SmallFileTable.rows([2, 99], part: "a", 500))
    #expect(more.updated == 1 && more.inserted == 1)
    #expect(try await table.cluster().instant == nil)
    #expect(try await table.clean(keeping: .commits(1)).files.count == 8)
    #expect(try await table.check() == [])
  }

  @Test func onlyThePartitionsThatAreNamedAreClustered() async throws {
    let table = try await SmallFileTable.reopened(try await SmallFileTable.filled(3))
    #expect(try await table.cluster(partitions: ["part=b"]).replaced == 3)
    #expect(Set(try await table.snapshot().slices.map(\.partitionPath)).count == 2)
    #expect(try await table.snapshot().slices.count == 4)
    let error = await #expect(throws: TableError.self) { try await table.cluster(partitions: ["part=z"]) }
    #expect(error?.code == .mismatch && error?.message.contains("part=z") == true)
  }

  @Test func deletionsAreRememberedBehindAClustering() async throws {
    let table = try await SmallFileTable.reopened(try await SmallFileTable.filled(3))
    try await table.delete(
      try batch([
        "id": column(.string) { try $0.append("k1") }, "part": Column(repeating: "a", count: 1),
        "number": column(.int64) { $0.append(Int64(900)) },
      ]))
    try await table.cluster()
    let late = try await table.upsert(try SmallFileTable.rows([1], part: "a", 800))
    #expect(late.stale == 1 && late.inserted == 0)
    #expect(try await table.upsert(try SmallFileTable.rows([1], part: "a", 901)).inserted == 1)
    #expect(try await table.check() == [])
  }

  @Test func rowsAreSortedByColumns() async throws {
    let table = try await SmallFileTable.reopened(try await SmallFileTable.filled(3, rows: 40))
    let before = try await SmallFileTable.lines(try await table.snapshot())
    try await table.cluster(.columns(["number", "other"]))
    let numbers = try await SmallFileTable.numbers(table, "number", part: "a")
    #expect(numbers.count == 120 && numbers == numbers.sorted())
    #expect(try await SmallFileTable.lines(try await table.snapshot()) == before)
    #expect(try await table.check() == [])
    let error = await #expect(throws: TableError.self) { try await table.cluster(.columns(["numbr"])) }
    #expect(error?.code == .mismatch && error?.column == "numbr" && error?.message.contains("number") == true)
  }

  /// Sorted in runs that lie in a folder of this machine, and merged.
  @Test func aPartitionWithMoreRowsThanAreSortedAtOnceComesOutInOrder() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let small = try await SmallFileTable.filled(0)
      for file in 0..<3 {
        let ids = Array(file * 10_000..<(file + 1) * 10_000)
        try await small.table.insert(try SmallFileTable.rows(ids, part: "a"))
      }
      var settings = small.table.settings
      // So that 1 MiB of rows is sorted at once.
      settings.memory = 8 << 20
      settings.temporaryFolder = "/dev/null/none"
      let unable = try await Table.open(at: small.table.location, settings: settings)
      let order = ClusterOrder.columns(["number", "other"])
      await #expect(throws: TableError.self) { try await unable.cluster(order) }
      settings.temporaryFolder = folder
      let table = try await Table.open(at: small.table.location, settings: settings)
      // By a column of few values: of equal rows those that were written first come first, whichever runs they were in.
      try await table.cluster(.columns(["number"]))
      var last: (number: Int64, id: Int) = (-1, -1)
      for try await batch in try await table.snapshot().where(.column("part") == "a").select("number", "id") {
        guard case .int64(let numbers)? = batch["number"]?.values, let ids = batch["id"]?.strings else {
          continue
        }
        for (row, number) in numbers.enumerated() {
          let id = Int(ids.string(row).dropFirst()) ?? -1
          #expect(number > last.number || number == last.number && id > last.id)
          last = (number, id)
        }
      }
      #expect(try await table.cluster(order).replaced > 0)
      let numbers = try await SmallFileTable.numbers(table, "number", part: "a")
      let others = try await SmallFileTable.numbers(table, "other", part: "a")
      #expect(numbers.count == 30_000 && numbers == numbers.sorted())
      let pairs = Array(zip(numbers, others))
      #expect(zip(pairs, pairs.dropFirst()).allSatisfy { $0 <= $1 })
      #expect(try await table.check() == [])
      // Nothing of it is left there.
      let left = try await LocalStorage(root: folder).listAll(prefix: "").objects.map(\.path)
      #expect(left == [])
    }
  }

  /// Along a Z-order, ten rows that follow one another lie in a part of both ranges; stored as they came, in none.
  @Test func rowsAreNearInEachColumnOfAZOrder() async throws {
    let table = try await SmallFileTable.reopened(try await SmallFileTable.filled(2, rows: 120))
    let before = try await SmallFileTable.lines(try await table.snapshot())
    func spread(_ numbers: [Int64]) -> Int64 {
      stride(from: 0, to: numbers.count, by: 10).map { start in
        let part = numbers[start...].prefix(10)
        return (part.max() ?? 0) - (part.min() ?? 0)
      }.reduce(0, +)
    }
    let old = (
      spread(try await SmallFileTable.numbers(table, "number", part: "a")),
      spread(try await SmallFileTable.numbers(table, "other", part: "a"))
    )
    try await table.cluster(.zOrder(["number", "other"]))
    #expect(spread(try await SmallFileTable.numbers(table, "number", part: "a")) * 2 < old.0)
    #expect(spread(try await SmallFileTable.numbers(table, "other", part: "a")) * 2 < old.1)
    #expect(try await SmallFileTable.lines(try await table.snapshot()) == before)
  }

  /// Another writer changes a file, or adds one, between the look of a clustering and its decision.
  @Test(arguments: [(1, 6), (50, 6)])
  func aClusteringBeginsAgainWhereAnotherChangedAFile(id: Int, replaced: Int) async throws {
    let small = try await SmallFileTable.filled(3)
    let done = Mutex(false)
    let hooked = HookStorage(inner: small.storage) { call in
      guard call.hasPrefix("put .hoodie/"), call.contains(".content.") else { return }
      let isFirst = done.withLock { done in
        defer { done = true }
        return !done
      }
      guard isFirst else { return }
      _ = try? await small.table.upsert(try SmallFileTable.rows([id], part: "a", 700))
    }
    let table = try await SmallFileTable.reopened(small, hooked)
    let report = try await table.cluster()
    #expect(report.replaced == replaced && report.instant != nil)
    let numbers = try await SmallFileTable.numbers(table, "number", part: "a")
    #expect(numbers.filter { $0 == 700 }.count == 1)
    #expect(try await table.snapshot().count() == (id == 1 ? 18 : 19))
    #expect(try await table.check() == [])
  }

  /// A clustering comes between the look of a write and its decision: the write begins again, and no row is lost.
  @Test func aWriteBeginsAgainWhereItsFileWasClustered() async throws {
    let small = try await SmallFileTable.filled(3)
    let other = try await SmallFileTable.reopened(small)
    let done = Mutex(false)
    let hooked = HookStorage(inner: small.storage) { call in
      guard call.hasPrefix("put .hoodie/"), call.contains(".content.") else { return }
      let isFirst = done.withLock { done in
        defer { done = true }
        return !done
      }
      guard isFirst else { return }
      _ = try? await other.cluster()
    }
    let table = try await SmallFileTable.reopened(small, hooked)
    let report = try await table.upsert(try SmallFileTable.rows([1, 2], part: "a", 700))
    #expect(report.updated == 2)
    #expect(try await table.snapshot().count() == 18)
    #expect(try await table.snapshot().slices.count == 2)
    #expect(try await table.check() == [])
  }

  @Test(arguments: [false, true])
  func aClusteringThatDiesAtACallStandsWholeOrNotAtAll(completesFaultedCall: Bool) async throws {
    try await Self.dieAtCalls(stride(from: 2, to: 250, by: 5), completesFaultedCall)
  }

  /// Stops a clustering at some of its calls in turn.
  fileprivate static func dieAtCalls(
    _ moments: some Sequence<Int>, _ completesFaultedCall: Bool
  ) async throws {
    var stood = 0
    let begin = InMemoryStorage()
    _ = try await SmallFileTable.filled(2, storage: begin)
    for moment in moments {
      let storage = try await begin.copied()
      let small = try await SmallTable(opening: storage)
      let before = try await SmallFileTable.lines(try await small.table.snapshot())
      let dying = FaultStorage(
        wrapping: storage, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      _ = try? await SmallFileTable.reopened(small, dying).cluster()
      let isDead = dying.hasFailed
      try await small.table.rollBackDeadAttempts()
      try await small.table.upsert(try SmallFileTable.rows([77], part: "c", 7))
      let table = small.table
      let now = try await SmallFileTable.lines(try await table.snapshot().where(.column("part") != "c"))
      #expect(now == before, "call \(moment)")
      let count = try await table.snapshot().slices.count
      #expect(count == 3 || count == 5, "call \(moment)")
      if count == 3 { stood += 1 }
      #expect(try await table.timeline().pending.isEmpty, "call \(moment)")
      #expect(try await table.check().filter { !$0.isNote } == [], "call \(moment)")
      if !isDead { break }
    }
    #expect(stood > 0)
  }
}

@Suite struct ClusterHeavyTests {
  @Test(arguments: [false, true])
  func aClusteringThatDiesAtAnyCallStandsWholeOrNotAtAll(completesFaultedCall: Bool) async throws {
    try await ClusterTests.dieAtCalls(1..<250, completesFaultedCall)
  }
}
