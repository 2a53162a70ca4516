import Tarn
import TarnColumns
import TarnExpressions
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// How many calls of the storage each thing takes: what it costs where a call is a request over a network.
@Suite struct RequestBudgetHeavyTests {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("ts", .int64), Field("note", .string),
  ])

  private static func rows(_ ids: Range<Int>, partitions: Int, _ stamp: Int64) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append("key-\(id)") } },
      "part": column(.string) { for id in ids { try $0.append("part-\(id % partitions)") } },
      "ts": column(.int64) { for _ in ids { $0.append(stamp) } },
      "note": column(.string) { for id in ids { try $0.append("note \(id) at \(stamp)") } },
    ])
  }

  /// A table with a file in each of some partitions, and so many commits in all.
  private static func table(
    files: Int, commits: Int, in storage: any Storage
  ) async throws -> TableLocation {
    let small = try await SmallTable(
      schema, partitionedBy: ["part"], orderedBy: "ts", storage: storage)
    try await small.table.upsert(try rows(0..<files * 3, partitions: files, 0))
    // The partition that is asked for stays as it was loaded.
    for commit in 1..<max(commits, 2) {
      let row = 2 + commit % (files - 2)
      try await small.table.upsert(try rows(row..<row + 1, partitions: files, Int64(commit)))
    }
    return small.table.location
  }

  /// The calls of some work, by a process that knows nothing of the table yet.
  private static func calls(
    _ storage: InMemoryStorage, _ work: (Table) async throws -> Void
  ) async throws -> [String] {
    let recording = FaultStorage(wrapping: storage)
    let table = try await Table.open(
      at: .storage(recording, name: "memory/budget"), settings: TableFixture.settings(Collected()))
    let opening = recording.calls.count
    #expect(opening == 1, "\(recording.calls)")
    try await work(table)
    return Array(recording.calls.dropFirst(opening))
  }

  private static func upsertOne(_ storage: InMemoryStorage, files: Int) async throws -> [String] {
    try await calls(storage) { table in
      let report = try await table.upsert(try rows(1..<2, partitions: files, 1_000_000))
      #expect(report.updated == 1 && report.files == 1)
    }
  }

  /// The calls that do not read or write a base file.
  private static func besidesFiles(_ calls: [String]) -> [String] {
    calls.filter { !$0.hasSuffix(".parquet") }.map { call in
      // Instants and ids are left out.
      call.split(separator: " ").first.map(String.init) ?? ""
    }
  }

  @Test func aOneRowUpsertTakesTheSameCallsInTablesOfEverySizeAndAge() async throws {
    var all: [[String]] = []
    for (files, commits) in [(10, 10), (100, 10), (1_000, 10), (10, TestWorld.isLong ? 1_000 : 250)] {
      let storage = InMemoryStorage()
      _ = try await Self.table(files: files, commits: commits, in: storage)
      let calls = try await Self.upsertOne(storage, files: files)
      // Properties and the last commit are read once, one partition is listed, one file opened.
      // Over a network alone they are read once more, behind the request.
      #expect(calls.count { $0 == "get .hoodie/hoodie.properties" } == 1)
      #expect(calls.count { $0.hasPrefix("get") && $0.hasSuffix(".commit") } == 1)
      #expect(calls.filter { $0.hasPrefix("list part") } == ["list part=part-1/"])
      #expect(Set(calls.filter { $0.hasPrefix("read") }).count == 1)
      // The timeline is listed once to begin with, and thrice its end: behind the request, beside the upload of the
      // content, and when the commit is completed.
      #expect(calls.count { $0 == "list .hoodie/" } == 4)
      all.append(calls)
    }
    let counts = all.map(\.count)
    #expect(Set(counts).count == 1 && counts[0] <= 54, "\(counts)")
    let others = Self.besidesFiles(all[0])
    // Head and all, what is left over, the partition.
    let table = ["get", "get", "list", "list", "get", "list"]
    #expect(Array(others.prefix(table.count)) == table)
    // The commit's own, of which a deletion of two counts twice; some are under way at once.
    let commit = [
      "sign", "put", "list", "put", "put", "put",  // the attempt, and its markers
      "get",  // whether it stands, for the one file
      "put", "list", "put",  // content, a look, and the swap
      "info", "move", "list",  // completed
      "delete", "delete", "end",
    ]
    #expect(others.dropFirst(table.count).sorted() == commit.sorted())
  }

  /// Where requests are under way at once, their order is not the same each time, and their number is.
  @Test func overANetworkToo() async throws {
    var counts: [Int] = []
    for (files, commits) in [(10, 10), (60, 10), (10, 60)] {
      let storage = InMemoryStorage()
      _ = try await Self.table(files: files, commits: commits, in: storage)
      let recording = FaultStorage(wrapping: storage)
      let table = try await Table.open(
        at: .storage(OverlappingStorage(recording), name: "memory/budget"),
        settings: TableFixture.settings(Collected()))
      // The head is read beside the properties, and the first write stands on it.
      #expect(Set(recording.calls) == ["get .hoodie/hoodie.properties", "get .hoodie/tarn/head"])
      let report = try await table.upsert(try Self.rows(1..<2, partitions: files, 1_000_000))
      #expect(report.updated == 1 && report.files == 1)
      let calls = recording.calls
      // Once when it is opened, and once behind the request.
      #expect(calls.count { $0 == "get .hoodie/hoodie.properties" } == 2)
      #expect(calls.count { $0 == "get .hoodie/tarn/head" } == 1)
      #expect(calls.count { $0.hasPrefix("get") && $0.hasSuffix(".commit") } == 1)
      #expect(calls.filter { $0.hasPrefix("list part") } == ["list part=part-1/"])
      // What lies in the parts of a file is read and written by many small calls here, which are no requests.
      let besides = Self.besidesFiles(calls)
      // Of one that deletes several each path is counted, and a copy as two.
      #expect(besides.count <= 28, "\(calls)")
      counts.append(besides.count)
      // A write that finds nothing to do takes its request back.
      let again = try await table.upsert(try Self.rows(1..<2, partitions: files, 1_000_000))
      #expect(again.duplicates == 1 && again.instant == nil)
      let left = try await storage.listAll(prefix: ".hoodie/").objects.map(\.path)
      #expect(!left.contains { $0.hasSuffix("requested") && !$0.contains(".commit.requested") })
      #expect(left.count { $0.hasSuffix(".commit.requested") } == left.count { $0.hasSuffix(".commit") })
      #expect(!left.contains { $0.hasPrefix(".hoodie/.heartbeat/") || $0.contains(".content.") })
    }
    #expect(Set(counts).count == 1, "\(counts)")
  }

  @Test func anUpsertByATableValueThatKnowsTheFileReadsItsFooterNoMore() async throws {
    let storage = InMemoryStorage()
    _ = try await Self.table(files: 10, commits: 10, in: storage)
    let first = try await Self.upsertOne(storage, files: 10)
    let both = try await Self.calls(storage) { table in
      try await table.delete(try batch(["id": texts("key-1x"), "part": texts("part-1")]))
      try await table.upsert(try Self.rows(1..<2, partitions: 10, 2_000_000))
    }
    let second = both[(both.lastIndex(of: "get .hoodie/hoodie.properties") ?? 0)...]
    #expect(second.count <= first.count - 2, "\(second.count) of \(first.count)")
  }

  @Test func aPointReadListsOnePartitionAndOpensOneFile() async throws {
    let storage = InMemoryStorage()
    _ = try await Self.table(files: 100, commits: 3, in: storage)
    let calls = try await Self.calls(storage) { table in
      let snapshot = try await table.snapshot().where(
        Condition.column("part") == "part-7" && Condition.column("id") == "key-107")
      var rows = 0
      for try await batch in snapshot { rows += batch.count }
      #expect(rows == 1)
    }
    // The head before and behind the timeline, which is listed once more behind the partition.
    #expect(Self.besidesFiles(calls) == ["get", "get", "list", "get", "get", "list", "list"])
    #expect(Set(calls.filter { $0.hasPrefix("read") }).count == 1)
    #expect(calls.count <= 29, "\(calls)")
  }

  @Test func aKeyAloneOpensNoFileButWhoseKeyRangeMayHoldIt() async throws {
    let storage = InMemoryStorage()
    let small = try await SmallTable(
      Self.schema, partitionedBy: ["part"], orderedBy: "ts", storage: storage)
    for part in 0..<4 {
      let ids = part * 100..<(part + 1) * 100
      try await small.table.upsert(
        try batch([
          "id": column(.string) { for id in ids { try $0.append("key-\(1_000 + id)") } },
          "part": column(.string) { for _ in ids { try $0.append("part-\(part)") } },
          "ts": column(.int64) { for _ in ids { $0.append(Int64(1)) } },
          "note": column(.string) { for id in ids { try $0.append("\(id)") } },
        ]))
    }
    let condition = Condition.column("id") == "key-1250"
    for isWrite in [false, true] {
      let calls = try await Self.calls(storage) { table in
        if isWrite {
          let report = try await table.delete(where: condition)
          #expect(report.deleted == 1)
        } else {
          let count = try await table.snapshot().where(condition).select("note").count()
          #expect(count == 1)
        }
      }
      // Of the others the footer is read, and nothing more.
      for part in [0, 1, 3] {
        let reads = calls.filter { $0.hasPrefix("read part=part-\(part)/") }
        #expect(reads.count <= 2, "\(reads)")
      }
    }
  }

  @Test func readingCountingAndChangingByAConditionLookInTheSameWay() async throws {
    let condition = Condition.column("part") == "part-3" && Condition.column("ts") >= 0
    func looks(_ calls: [String]) -> [String] {
      let begin = calls.firstIndex { $0.hasPrefix("put") } ?? calls.endIndex
      return calls[..<begin].filter { $0.contains("part=") }
    }
    let changes: [(Table) async throws -> Void] = [
      { _ = try await $0.snapshot().where(condition).count() },
      { _ = try await $0.delete(where: condition) },
      { _ = try await $0.update(where: condition, set: ["note": "another"]) },
    ]
    for change in changes {
      let storage = InMemoryStorage()
      _ = try await Self.table(files: 20, commits: 3, in: storage)
      let read = looks(
        try await Self.calls(storage) { table in
          for try await _ in try await table.snapshot().where(condition).select("ts") {}
        })
      #expect(read.count > 3)
      // A write that finds rows reads on, of those rows.
      #expect(looks(try await Self.calls(storage, change)).starts(with: read))
    }
  }

  @Test func changesOfOneCommitOpenItsFilesAlone() async throws {
    let storage = InMemoryStorage()
    let location = try await Self.table(files: 50, commits: 2, in: storage)
    let table = try await Table.open(at: location)
    let before = try #require(try await table.timeline().first?.instant)
    let calls = try await Self.calls(storage) { table in
      let count = try await table.changes(since: before).count()
      #expect(count == 1)
    }
    #expect(Set(calls.filter { $0.hasPrefix("read") }).count == 1, "\(calls)")
    // The commit tells in which partitions it wrote; the timeline is listed once more behind them.
    #expect(Self.besidesFiles(calls) == ["get", "get", "list", "get", "get", "list", "list"])
  }
}
