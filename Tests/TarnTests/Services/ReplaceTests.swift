import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Overwrites, deleted partitions and emptied tables: what goes, what stays, and what other writers and deaths make of it.
@Suite struct ReplaceTests {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("number", .int64),
  ])

  private static func rows(_ ids: [String], part: String, _ number: Int64 = 0) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append(id) } },
      "part": Column(repeating: part, count: ids.count),
      "number": column(.int64) { for _ in ids { $0.append(number) } },
    ])
  }

  private static func table(
    storage: any Storage = InMemoryStorage(), buckets: Buckets? = nil
  ) async throws -> SmallTable {
    var options = TableOptions()
    options.tarn.buckets = buckets
    return try await SmallTable(
      schema, partitionedBy: ["part"], orderedBy: "number", options: options, storage: storage)
  }

  /// A table with two rows in each of three partitions.
  private static func filled(
    storage: any Storage = InMemoryStorage(), buckets: Buckets? = nil
  ) async throws -> (SmallTable, Instant) {
    let small = try await table(storage: storage, buckets: buckets)
    let parts = ["a", "b", "c"]
    let all = try parts.map { try rows(["\($0)1", "\($0)2"], part: $0, 1) }
    let report = try await small.table.upsert(try RecordBatch.concatenate(all, schema: all[0].schema))
    return (small, try #require(report.instant))
  }

  private static func ids(_ table: Table, asOf instant: Instant? = nil) async throws -> [String] {
    var ids: [String] = []
    for try await batch in try await table.snapshot(asOf: instant).select("id") {
      guard let strings = batch["id"]?.strings else { continue }
      ids += (0..<strings.count).map { strings.string($0) }
    }
    return ids.sorted()
  }

  private static func operation(_ table: Table, _ instant: Instant?) async throws -> CommitMetadata {
    let entry = try #require(
      try await table.timeline().completedCommits.first { $0.instant == instant })
    #expect(entry.action == .replacecommit)
    return try await table.metadata(of: entry)
  }

  @Test(arguments: [nil, Buckets(count: 2)])
  func thePartitionsOfTheRowsAreReplacedAndOthersStay(buckets: Buckets?) async throws {
    let (small, first) = try await Self.filled(buckets: buckets)
    let table = small.table
    let old = Set(try await table.snapshot().slices.filter { $0.partitionPath == "part=a" }.map(\.path))
    let rows = try Self.rows(["a2", "a3"], part: "a", 0)
    let plan = try await table.overwrite(rows, isPlan: true)
    #expect(plan.instant == nil && Set(plan.replacedFiles) == old && plan.inserted == 2)
    #expect(try await table.timeline().completedCommits.count == 1)

    let report = try await table.overwrite(rows)
    #expect(Set(report.replacedFiles) == old && report.replaced == old.count && report.inserted == 2)
    #expect(try await Self.ids(table) == ["a2", "a3", "b1", "b2", "c1", "c2"])
    #expect(try await Self.ids(table, asOf: first) == ["a1", "a2", "b1", "b2", "c1", "c2"])
    let metadata = try await Self.operation(table, report.instant)
    #expect(metadata.operation == .insertOverwrite && metadata.replaced?.keys == ["part=a"])
    // The keys that went are new ones, and those that came are known.
    let more = try await table.upsert(try Self.rows(["a1", "a3"], part: "a", 5))
    #expect(more.inserted == 1 && more.updated == 1)
    #expect(try await table.check() == [])
    let position = try #require(report.position)
    var changed: [String] = []
    for try await batch in try await table.changes(since: first).select("id") {
      changed +=
        (batch["id"]?.strings).map { strings in (0..<strings.count).map { strings.string($0) } } ?? []
    }
    #expect(changed.sorted() == ["a1", "a2", "a3"])
    #expect(try await table.changes(since: position).count() == 2)
  }

  @Test func theTableIsReplacedByRowsOrByNothing() async throws {
    let (small, first) = try await Self.filled()
    let table = small.table
    let report = try await table.overwrite(try Self.rows(["x"], part: "d"), .table)
    #expect(report.replaced == 3)
    #expect(try await Self.ids(table) == ["x"])
    #expect(try await Self.operation(table, report.instant).operation == .insertOverwriteTable)
    #expect(try await table.truncate(isPlan: true).replacedFiles.count == 1)
    let emptied = try await table.truncate()
    #expect(emptied.replaced == 1 && emptied.files == 0)
    #expect(try await Self.ids(table) == [])
    #expect(try await Self.ids(table, asOf: first).count == 6)
    #expect(try await table.truncate().instant == nil)
    #expect(try await table.check() == [])
    // What is left goes with a clean, and the table is written on.
    try await table.insert(try Self.rows(["y"], part: "a"))
    #expect(try await table.clean(keeping: .commits(1)).files.count == 4)
    #expect(try await Self.ids(table) == ["y"])
    #expect(try await table.check() == [])
  }

  @Test func partitionsAreDeletedAndThoseThatAreNotThereAreNamed() async throws {
    let (small, first) = try await Self.filled()
    let table = small.table
    let error = await #expect(throws: TableError.self) {
      try await table.deletePartitions(["part=a", "part=z"])
    }
    #expect(error?.code == .mismatch && error?.message.contains("part=z") == true)
    #expect(try await table.deletePartitions(["part=a"], isPlan: true).replacedFiles.count == 1)
    #expect(try await Self.ids(table).count == 6)
    let report = try await table.deletePartitions(["part=a", "part=c"])
    #expect(try await Self.ids(table) == ["b1", "b2"])
    let metadata = try await Self.operation(table, report.instant)
    #expect(metadata.operation == .deletePartition && metadata.replaced?.keys == ["part=a", "part=c"])
    #expect(metadata.files.isEmpty)
    #expect(try await table.deletePartitions(["part=a"]).instant == nil)
    #expect(try await Self.ids(table, asOf: first).count == 6)
    try await table.upsert(try Self.rows(["a1"], part: "a"))
    #expect(try await Self.ids(table) == ["a1", "b1", "b2"])
    #expect(try await table.check() == [])
  }

  /// What a replaced file remembers of deleted keys goes with it.
  @Test func anOlderChangeOfAKeyThatWasDeletedComesInAfterAnOverwrite() async throws {
    let (small, _) = try await Self.filled()
    let table = small.table
    try await table.delete(
      try batch([
        "id": column(.string) { try $0.append("a1") }, "part": Column(repeating: "a", count: 1),
        "number": column(.int64) { $0.append(Int64(9)) },
      ]))
    #expect(try await table.upsert(try Self.rows(["a1"], part: "a", 8)).stale == 1)
    try await table.overwrite(try Self.rows(["a9"], part: "a", 0))
    #expect(try await table.upsert(try Self.rows(["a1"], part: "a", 8)).inserted == 1)
    #expect(try await Self.ids(table) == ["a1", "a9", "b1", "b2", "c1", "c2"])
  }

  /// Another writer comes in between the look of an overwrite and its decision.
  @Test func anOverwriteBeginsAgainWhereAnotherWroteIntoWhatItReplaces() async throws {
    for (other, expected) in [("a1", ["a9"]), ("a5", ["a9"])] {
      let storage = InMemoryStorage()
      let (small, _) = try await Self.filled(storage: storage)
      let done = Mutex(false)
      let hooked = HookStorage(inner: storage) { call in
        // Its data is written, and nothing is decided.
        guard call.hasPrefix("put .hoodie/"), call.contains(".content.") else { return }
        let isFirst = done.withLock { done in
          defer { done = true }
          return !done
        }
        guard isFirst else { return }
        _ = try? await small.table.upsert(try Self.rows([other], part: "a", 7))
      }
      let table = try await Table.open(
        at: .storage(hooked, name: "memory/small"), settings: small.table.settings)
      let report = try await table.overwrite(try Self.rows(["a9"], part: "a", 0))
      #expect(try await Self.ids(table) == expected + ["b1", "b2", "c1", "c2"])
      #expect(try await table.timeline().latest?.instant == report.instant)
      #expect(try await table.check() == [])
    }
  }

  /// Of a write and an overwrite the one that is decided later begins again, so that no row is lost between them.
  @Test func aWriteBeginsAgainWhereAnOverwriteReplacedWhatItChanges() async throws {
    let storage = InMemoryStorage()
    let (small, _) = try await Self.filled(storage: storage)
    let done = Mutex(false)
    let hooked = HookStorage(inner: storage) { call in
      guard call.hasPrefix("put .hoodie/"), call.contains(".content.") else { return }
      let isFirst = done.withLock { done in
        defer { done = true }
        return !done
      }
      guard isFirst else { return }
      _ = try? await small.table.overwrite(try Self.rows(["a8", "a9"], part: "a", 0))
    }
    let table = try await Table.open(
      at: .storage(hooked, name: "memory/small"), settings: small.table.settings)
    let report = try await table.upsert(try Self.rows(["a1", "b1"], part: "a", 7))
    #expect(report.inserted == 2 && report.updated == 0)
    #expect(try await Self.ids(table) == ["a1", "a8", "a9", "b1", "b1", "b2", "c1", "c2"])
    #expect(try await table.check() == [])
  }

  @Test func anOverwriteOfManyFileGroupsIsRememberedThoughTheHeadDoesNotTellThem() async throws {
    let small = try await Self.table()
    let table = small.table
    let count = RecentDecision.mostFiles + 6
    let all = try (0..<count).map { try Self.rows(["k"], part: "p\($0)") }
    try await table.insert(try RecordBatch.concatenate(all, schema: all[0].schema))
    #expect(try await table.truncate().replaced == count)
    guard case .head(let loaded) = try await HeadStore(small.storage, random: { 1 }).load() else {
      Issue.record("there is no head")
      return
    }
    #expect(loaded.head.recent.last?.replaced == nil)
    for _ in 0..<2 { try await table.upsert(try Self.rows(["k"], part: "p1")) }
    #expect(try await Self.ids(table) == ["k"])
    #expect(try await table.check() == [])
  }

  @Test func anOverwriteWithATransactionIsMadeOnce() async throws {
    let (small, _) = try await Self.filled()
    let options = WriteOptions(transaction: WriteTransaction(application: "daily", version: 3))
    let rows = try Self.rows(["a9"], part: "a")
    let first = try await small.table.writing(options).overwrite(rows)
    try await small.table.upsert(try Self.rows(["a1"], part: "a"))
    let second = try await small.table.writing(options).overwrite(rows)
    #expect(second.instant == first.instant && second.replaced == 1)
    #expect(try await Self.ids(small.table).prefix(2) == ["a1", "a9"])
  }

  /// An overwrite is stopped at one of its calls: it stands whole or not at all, and the next writer goes on.
  @Test(arguments: [false, true])
  func anOverwriteThatDiesAtACallStandsWholeOrNotAtAll(completesFaultedCall: Bool) async throws {
    try await Self.dieAtCalls(stride(from: 1, to: 200, by: 4), completesFaultedCall)
  }

  /// Stops an overwrite at some of its calls in turn.
  fileprivate static func dieAtCalls(
    _ moments: some Sequence<Int>, _ completesFaultedCall: Bool
  ) async throws {
    var stood = 0
    let begin = InMemoryStorage()
    _ = try await filled(storage: begin)
    for moment in moments {
      let storage = try await begin.copied()
      let small = try await SmallTable(opening: storage)
      let dying = FaultStorage(
        wrapping: storage, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      let writer = try? await Table.open(
        at: .storage(dying, name: "memory/small"), settings: small.table.settings)
      _ = try? await writer?.overwrite(try Self.rows(["a9"], part: "a", 0))
      let isDead = dying.hasFailed
      try await small.table.upsert(try Self.rows(["c1"], part: "c", 7))
      let ids = try await Self.ids(small.table)
      let rest = ["b1", "b2", "c1", "c2"]
      #expect(ids == ["a9"] + rest || ids == ["a1", "a2"] + rest, "call \(moment): \(ids)")
      if ids.first == "a9" { stood += 1 }
      #expect(try await small.table.timeline().pending.isEmpty, "call \(moment)")
      #expect(try await small.table.check().filter { !$0.isNote } == [], "call \(moment)")
      if !isDead { break }
    }
    #expect(stood > 0)
  }

  // MARK: - Drop

  @Test func aDroppedTableIsGoneAndAnotherCanBeCreated() async throws {
    let (small, _) = try await Self.filled()
    let location = small.table.location
    let all = try await small.storage.listAll(prefix: "").objects
    let plan = try await Table.drop(at: location, isPlan: true)
    #expect(Set(plan.files + [".hoodie/hoodie.properties"]) == Set(all.map(\.path)))
    #expect(try await Self.ids(small.table).count == 6)
    let report = try await Table.drop(at: location)
    #expect(report.bytes == plan.bytes && report.files.count == all.count)
    #expect(try await small.storage.listAll(prefix: "").objects.isEmpty)
    let error = await #expect(throws: TableError.self) { try await Table.drop(at: location) }
    #expect(error?.code == .noTable)
    let (again, _) = try await Self.filled(storage: small.storage)
    #expect(try await Self.ids(again.table).count == 6)
  }

  @Test func aTableOnWhichAWriterIsAtWorkIsDroppedByForceAlone() async throws {
    let (small, first) = try await Self.filled()
    let attempt = first.next
    let sign = try await small.storage.lifeSigns?.beginSign([1], at: ".hoodie/.heartbeat/\(attempt)")
    try await small.storage.put([], at: ".hoodie/\(attempt).commit.requested", if: .ifAbsent)
    let error = await #expect(throws: TableError.self) { try await Table.drop(at: small.table.location) }
    #expect(error?.code == .conflict && error?.message.contains(attempt.text) == true)
    #expect(try await Self.ids(small.table).count == 6)
    try await Table.drop(at: small.table.location, force: true)
    #expect(try await small.storage.listAll(prefix: "").objects.isEmpty)
    await sign?.end()
  }

  /// At whichever call a drop dies, there is the table, or a rest in whose place there is none until it is gone.
  @Test(arguments: [false, true])
  func aDropThatDiesAtAnyCallLeavesATableOrARestThatGoes(completesFaultedCall: Bool) async throws {
    var rests = 0
    for moment in 1..<100 {
      let storage = InMemoryStorage(pageSize: 5)
      let (small, _) = try await Self.filled(storage: storage)
      let dying = FaultStorage(
        wrapping: storage, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      _ = try? await Table.drop(at: .storage(dying, name: "memory/small"))
      let isDead = dying.hasFailed
      let isEmpty = try await storage.listAll(prefix: "").objects.isEmpty
      let isTable = (try? await Self.ids(small.table).count) == 6
      if !isTable, !isEmpty {
        rests += 1
        let read = await #expect(throws: TableError.self) { try await small.table.snapshot() }
        #expect(read?.code == .noTable, "call \(moment)")
        let write = await #expect(throws: TableError.self) {
          try await small.table.upsert(try Self.rows(["z"], part: "a"))
        }
        #expect(write?.code == .noTable, "call \(moment)")
        let creation = await #expect(throws: TableError.self) { try await Self.table(storage: storage) }
        #expect(creation?.code == .tableExists, "call \(moment)")
        try await Table.drop(at: small.table.location)
        #expect(try await storage.listAll(prefix: "").objects.isEmpty, "call \(moment)")
      }
      if !isDead { break }
    }
    #expect(rests > 1)
  }
}

@Suite struct ReplaceHeavyTests {
  @Test(arguments: [false, true])
  func anOverwriteThatDiesAtAnyCallStandsWholeOrNotAtAll(completesFaultedCall: Bool) async throws {
    try await ReplaceTests.dieAtCalls(1..<200, completesFaultedCall)
  }
}
