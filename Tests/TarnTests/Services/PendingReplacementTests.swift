import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Clusterings and replacements that another engine left, or has under way: beside them is written what they do not name.
@Suite struct PendingReplacementTests {
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

  /// A table with one small file in each of two partitions, and the instant of an action to come.
  private static func filled() async throws -> (SmallTable, Instant) {
    let small = try await SmallTable(schema, partitionedBy: ["part"])
    try await small.table.upsert(try rows(["a1", "a2"], part: "a"))
    let report = try await small.table.upsert(try rows(["b1"], part: "b"))
    return (small, try #require(report.instant).next)
  }

  /// Leaves a clustering of a partition, as another engine does.
  private static func cluster(
    _ partition: String, at instant: Instant, _ small: SmallTable, isInflight: Bool
  ) async throws -> FileSlice {
    let slices = try await small.table.snapshot().slices
    let slice = try #require(slices.first { $0.partitionPath == partition })
    let plan = ClusteringPlan(
      [
        .init(
          [.init(path: "file:/elsewhere/" + slice.path, fileID: slice.fileID, partition: partition)],
          outputs: 1)
      ], strategy: "some.Strategy", parameters: ["hoodie.clustering.plan.strategy.sort.columns": "id"])
    try await small.storage.put(
      try ReplaceRequest(clustering: plan).bytes(), at: ".hoodie/\(instant).replacecommit.requested",
      if: .ifAbsent)
    if isInflight {
      try await small.storage.put([], at: ".hoodie/\(instant).replacecommit.inflight", if: .ifAbsent)
    }
    return slice
  }

  private static func expectConflict(
    with instant: Instant, _ what: String, _ body: () async throws -> Void
  ) async {
    let error = await #expect(throws: TableError.self) { try await body() }
    #expect(error?.code == .conflict)
    #expect(error?.path?.hasPrefix(".hoodie/\(instant).replacecommit.") == true)
    #expect(error?.message.contains(what) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("tarn rollback") == true)
  }

  @Test(arguments: [false, true])
  func onlyFileGroupsThatAClusteringNamesAreInConflict(isInflight: Bool) async throws {
    let (small, instant) = try await Self.filled()
    let table = small.table
    let named = try await Self.cluster("part=a", at: instant, small, isInflight: isInflight)
    let before = try await small.contents()
    await Self.expectConflict(with: instant, named.fileID) {
      try await table.upsert(try Self.rows(["a1"], part: "a", 1))
    }
    await Self.expectConflict(with: instant, named.fileID) {
      try await table.delete(where: .column("id") == "a2")
    }
    await Self.expectConflict(with: instant, named.fileID) { try await table.truncate() }
    await Self.expectConflict(with: instant, named.fileID) { try await table.deletePartitions(["part=a"]) }
    #expect(try await small.contents() == before)
    // New rows of the partition go into another file, though this one is small.
    let report = try await table.upsert(try Self.rows(["a3"], part: "a"))
    #expect(report.inserted == 1)
    let slices = try await table.snapshot().slices.filter { $0.partitionPath == "part=a" }
    #expect(slices.count == 2 && slices.contains(named))
    try await table.insert(try Self.rows(["a4"], part: "a"))
    #expect(try await table.snapshot().slices.filter { $0.partitionPath == "part=a" }.count == 2)
    #expect(try await table.upsert(try Self.rows(["b1", "b2"], part: "b")).inserted == 1)
    #expect(try await table.overwrite(try Self.rows(["b3"], part: "b")).replaced == 1)
    #expect(try await small.texts("id") == ["a1", "a2", "a3", "a4", "b3"])
    // It is rolled back by hand, and what it named is free.
    try await table.rollBack(instant)
    #expect(try await table.delete(where: .column("id") == "a2").deleted == 1)
    #expect(try await table.check() == [])
  }

  @Test func anOverwriteUnderWayTakesThePartitionsThatItNames() async throws {
    let (small, instant) = try await Self.filled()
    let table = small.table
    var workload = CommitMetadata(operation: .insertOverwrite)
    workload.append(WriteStatistics(plannedFor: "", updates: 0, inserts: 2), partition: "part=a")
    let place = ".hoodie/\(instant).replacecommit"
    try await small.storage.put(try ReplaceRequest().bytes(), at: place + ".requested", if: .ifAbsent)
    // It is requested, and does not say yet what it replaces.
    await Self.expectConflict(with: instant, "does not say which") {
      try await table.upsert(try Self.rows(["b2"], part: "b"))
    }
    try await small.storage.put(workload.bytes(), at: place + ".inflight", if: .ifAbsent)
    await Self.expectConflict(with: instant, "part=a") {
      try await table.insert(try Self.rows(["a9"], part: "a"))
    }
    await Self.expectConflict(with: instant, "part=a") {
      try await table.upsert(try Self.rows(["a1"], part: "a", 1))
    }
    try await table.upsert(try Self.rows(["b2"], part: "b"))
    try await table.insert(try Self.rows(["c1"], part: "c"))
    #expect(try await small.texts("id") == ["a1", "a2", "b1", "b2", "c1"])
  }

  /// A clustering is planned while a write is at work, between its look and its decision.
  @Test func aWriteLosesAgainstAClusteringThatIsPlannedMeanwhile() async throws {
    let (small, instant) = try await Self.filled()
    let hooked = HookStorage(inner: small.storage) { call in
      guard call.contains("MARKERS0") else { return }
      _ = try? await Self.cluster("part=a", at: instant, small, isInflight: false)
    }
    let table = try await Table.open(
      at: .storage(hooked, name: "memory/small"), settings: small.table.settings)
    await Self.expectConflict(with: instant, "part=a") {
      try await table.upsert(try Self.rows(["a1"], part: "a", 1))
    }
  }

  @Test func actionsOfVersionsToComeAreRefusedByName() async throws {
    let (small, instant) = try await Self.filled()
    for name in ["\(instant).vectorindex.requested", "\(instant).vectorindex"] {
      try await small.storage.put([], at: ".hoodie/" + name, if: .ifAbsent)
      let error = await #expect(throws: TableError.self) {
        try await small.table.upsert(try Self.rows(["a1"], part: "a"))
      }
      #expect(error?.code == .unsupported && error?.message.contains(name) == true)
      #expect(try await small.texts("id") == ["a1", "a2", "b1"])
      try await small.storage.delete(".hoodie/" + name)
    }
    // What editors and copies leave is no action.
    for name in ["\(instant).commit.bak", "\(instant).tmp", "\(instant).schemacommit"] {
      try await small.storage.put([], at: ".hoodie/" + name, if: .ifAbsent)
    }
    try await small.table.upsert(try Self.rows(["a1"], part: "a"))
  }

  @Test func aRequestReadsAsItWasWritten() throws {
    let plan = ClusteringPlan(
      [.init([.init(path: "file:/a", fileID: "f", partition: "p")], outputs: 3)], strategy: "s",
      parameters: ["k": "v"])
    let request = ReplaceRequest(clustering: plan)
    #expect(try ReplaceRequest(avro: try request.bytes()) == request)
    #expect(try ReplaceRequest(avro: try ReplaceRequest().bytes()) == ReplaceRequest())
    #expect(throws: (any Error).self) { try ReplaceRequest(avro: [1, 2, 3]) }
  }
}
