import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// The markers by which an attempt is rolled back: there before the data, gone after the commit, and never a danger.
@Suite struct MarkerTests {
  /// The lines of all markers of an instant.
  private func lines(_ storage: any Storage, _ instant: Instant) async throws -> [String] {
    let folder = TablePaths.temporaries + instant.text + "/MARKERS"
    var lines: [String] = []
    for object in try await storage.listAll(prefix: folder).objects where !object.path.hasSuffix(".type") {
      lines += String(decoding: try await storage.readAll(object.path), as: UTF8.self).split(separator: "\n")
        .map(String.init)
    }
    return lines
  }

  @Test func eachDataFileHasItsMarkerBeforeItIsWrittenAndNoneAfterTheCommit() async throws {
    let storage = InMemoryStorage()
    let kinds = Mutex<[String]>([])
    let watched = HookStorage(inner: storage) { call in
      guard call.hasPrefix("writer "), let path = call.split(separator: " ", maxSplits: 1).last,
        let name = BaseFileName(path.split(separator: "/").last ?? "")
      else { return }
      let folder = TablePaths.temporaries + name.instant.text + "/"
      let type = try? await storage.readAll(folder + "MARKERS.type")
      #expect(type == Array("TIMELINE_SERVER_BASED".utf8), "\(path)")
      let marker = (try? await lines(storage, name.instant))?.first { $0.hasPrefix(path + ".marker.") }
      let kind = marker?.split(separator: ".").last.map(String.init) ?? "none"
      kinds.withLock { $0.append(kind) }
    }
    let workload = Workload(storage: watched)
    for step in 0..<Workload.allSteps { try await workload.take(step) }
    let found = kinds.withLock { $0 }
    #expect(Set(found) == ["CREATE", "MERGE"], "\(found)")
    #expect(try await storage.listAll(prefix: TablePaths.temporaries).objects.isEmpty)
  }

  @Test func aCommitOfManyFilesTakesTwoSmallPutsAndOneThatDoesNotKnowItsFilesAFewMore() async throws {
    let storage = InMemoryStorage()
    var options = TableOptions()
    options.tarn.targetFileSize = 1_024
    _ = try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], options: options)
    let puts = Mutex(0)
    let counting = HookStorage(inner: storage) { call in
      if call.hasPrefix("put " + TablePaths.temporaries) { puts.withLock { $0 += 1 } }
    }
    let table = try await Table.open(at: .storage(counting, name: "t"))
    let spread = (0..<40).map { Trade("s\($0)", 1, "E\($0)") }
    #expect(try await table.upsert(try Trade.batch(spread)).files == 40)
    #expect(puts.withLock { $0 } == 2)
    let long = (0..<60_000).map { Trade("n\($0)", 1, "one", Int128($0)) }
    let report = try await table.upsert(try Trade.batch(long))
    #expect(report.files > 8, "\(report.files)")
    #expect(puts.withLock { $0 } <= 10)
    #expect(try await storage.listAll(prefix: TablePaths.temporaries).objects.isEmpty)
  }

  @Test func markersThatCannotBeRemovedFailNoCommitAndTheNextWriterRemovesThem() async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    var stuck = HookStorage(inner: storage, before: { _ in })
    stuck.failsDelete = { $0.contains("MARKERS") }
    try await Workload(storage: stuck).take(1)
    let left = try await storage.listAll(prefix: TablePaths.temporaries).objects.map(\.path)
    #expect(left.count == 2)
    // Those of an instant that another engine has under way, or completed, are not Tarn's.
    let foreign = TablePaths.temporaries + "20260101000000001/MARKERS0"
    try await storage.put(Array("x.marker.CREATE".utf8), at: foreign, if: .ifAbsent)
    try await workload.take(2)
    #expect(try await storage.listAll(prefix: TablePaths.temporaries).objects.map(\.path) == [foreign])
    #expect(try await workload.rows() == Workload.rows(after: 3))
    #expect(try await workload.missingFiles() == [])
  }

  /// The number of the first call of the third step that begins and ends so.
  private func call(_ begin: String, _ end: String, on storage: any Storage) async throws -> Int {
    let probe = InMemoryStorage()
    try await copy(storage, to: probe)
    let recording = FaultStorage(wrapping: probe)
    try await Workload(storage: recording).take(2)
    return try #require(recording.calls.firstIndex { $0.hasPrefix(begin) && $0.hasSuffix(end) }) + 1
  }

  /// Leaves the state of a process that was killed just before its second commit completed.
  private func killed(_ storage: any Storage) async throws -> TimelineEntry {
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    let number = try await call("put .hoodie/tarn/head", "", on: storage)
    try? await Workload(storage: FaultStorage(wrapping: storage, crashAtCall: number)).take(2)
    return try #require(try await workload.open().timeline().pending.first)
  }

  private func copy(_ storage: any Storage, to other: any Storage) async throws {
    for object in try await storage.listAll(prefix: "").objects {
      try await other.put(try await storage.readAll(object.path), at: object.path, if: .always)
    }
  }

  @Test(arguments: [false, true])
  func aDeadAttemptIsRolledBackByItsMarkersOrInTablesOfEarlierVersionsByItsPartitions(isOld: Bool)
    async throws
  {
    let storage = InMemoryStorage()
    let attempt = try await killed(storage)
    #expect(try await lines(storage, attempt.instant).count > 1)
    if isOld {
      for object in try await storage.listAll(prefix: TablePaths.temporaries).objects {
        try await storage.delete(object.path)
      }
    }
    #expect(try await Workload(storage: storage).leftovers().count > 2)
    try await Workload(storage: storage, seed: 2).take(2)
    #expect(try await Workload(storage: storage).objection(after: 3, leavesNothing: true) == nil)
  }

  @Test func noLineOfAMarkerFileDeletesWhatIsNotItsAttempts() async throws {
    let storage = InMemoryStorage()
    let attempt = try await killed(storage)
    let committed = try await Workload(storage: storage).open().snapshot().slices.map(\.path)
    #expect(!committed.isEmpty)
    let instant = attempt.instant.text
    try await storage.put([1], at: "exchange=OKX/plain.parquet", if: .ifAbsent)
    let lines =
      committed.map { $0 + ".marker.MERGE" } + [
        "exchange=OKX/plain.parquet.marker.CREATE", ".hoodie/hoodie.properties.marker.CREATE",
        "../a-0_0-0-0_\(instant).parquet.marker.CREATE", "/a-0_0-0-0_\(instant).parquet.marker.CREATE",
        "\u{0}.marker.CREATE", "a-0_0-0-0_\(instant).parquet.marker.APPEND", "", ".marker.CREATE",
      ]
    try await storage.put(
      Array(lines.joined(separator: "\n").utf8) + [0xff, 0x0a],
      at: TablePaths.temporaries + instant + "/MARKERS1", if: .always)
    try await Workload(storage: storage, seed: 2).take(2)
    #expect(try await Workload(storage: storage).objection(after: 3, leavesNothing: true) == nil)
    #expect(try await storage.exists("exchange=OKX/plain.parquet"))
  }

  @Test func aWriteThatFailsLeavesNothingButTheMarkOfAPartition() async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    let before = try await storage.listAll(prefix: "").objects.map(\.path)
    let number = try await call("finish exchange=FTX", ".parquet", on: storage)
    let failing = FaultStorage(wrapping: storage, crashAtCall: number, staysDown: false)
    await #expect(throws: TableError.self) { try await Workload(storage: failing).take(2) }
    #expect(failing.calls.contains { $0.hasPrefix("put exchange=FTX") })
    // Another writer may have put rows there meanwhile.
    let left = try await storage.listAll(prefix: "").objects.map(\.path).filter { !before.contains($0) }
    #expect(!left.isEmpty && left.allSatisfy { $0.hasSuffix("/.hoodie_partition_metadata") }, "\(left)")
    try await workload.take(2)
    #expect(try await workload.objection(after: 3, leavesNothing: true) == nil)
  }
}
