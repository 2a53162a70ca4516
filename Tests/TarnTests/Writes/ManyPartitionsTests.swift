import Tarn
import TarnBytes
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

/// How often a commit waits for the disk.
@Suite struct ManyPartitionsTests {
  private static let partitions = 60

  private static func trades(_ round: Int) -> [Trade] {
    (0..<partitions).map { Trade("k\($0)-\(round)", 1, "p\($0)", 100) }
  }

  /// Runs a write of a table on disk, and tells how often something was forced to the disk for it.
  private func synchronizations(
    _ first: Bool, _ write: (Table) async throws -> CommitReport
  ) async throws -> (count: Int, atOnce: Int) {
    try await TestWorld.withTemporaryFolder { folder in
      let storage = LocalStorage(root: folder)
      let table = try await Table.create(
        at: .storage(storage, name: folder), schema: Trade.schema, recordKey: ["id"],
        partitionedBy: ["exchange"], orderedBy: "time")
      if !first { try await table.upsert(try Trade.batch([Trade("first", 1, "other", 1)])) }
      let before = storage.synchronizer.count
      let report = try await write(table)
      #expect(report.files == Self.partitions)
      #expect(try await table.snapshot().count() == Self.partitions + (first ? 0 : 1))
      return (storage.synchronizer.count - before, storage.synchronizer.mostUnderWay)
    }
  }

  @Test(arguments: [true, false])
  func newPartitionTakesThreeSynchronizationsOfWhichManyAreUnderWayAtOnce(first: Bool) async throws {
    let counts = [
      try await synchronizations(first) { try await $0.upsert(try Trade.batch(Self.trades(0))) },
      try await synchronizations(first) { table in
        let source = Collected()
        return try await table.insert(Trade.schema) {
          guard source.all.isEmpty else { return nil }
          source.add("given")
          return try Trade.batch(Self.trades(0))
        }
      },
    ]
    for (count, atOnce) in counts {
      // Besides: the scratch folder, the files of the timeline, and the table's folder.
      #expect(count <= 3 * Self.partitions + 18, "\(count)")
      #expect(atOnce >= 8, "\(atOnce)")
    }
  }

  @Test func newVersionTakesTwoSynchronizations() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let local = LocalStorage(root: folder)
      let table = try await Table.create(
        at: .storage(local, name: folder), schema: Trade.schema, recordKey: ["id"],
        partitionedBy: ["exchange"], orderedBy: "time")
      try await table.upsert(try Trade.batch(Self.trades(0)))
      let before = local.synchronizer.count
      try await table.upsert(try Trade.batch(Self.trades(0).map { Trade($0.id, 2, $0.exchange, 7) }))
      // Each file's bytes and its folder; requested, inflight, content, head and two of markers, each with its folder;
      // the markers' own folder; that the content is moved, and that the markers go.
      #expect(local.synchronizer.count - before == 2 * Self.partitions + 8 + 4 + 1 + 1 + 1)
    }
  }

  @Test(arguments: [1, 2])
  func everythingIsDurableBeforeTheCommitAppearsAndTheAttemptBeforeItsFiles(round: Int) async throws {
    let log = Collected()
    let storage = LoggedStorage(inner: InMemoryStorage(), log: log, name: "alone")
    let table = try await Table.create(
      at: .storage(storage, name: "memory"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time")
    for time in 1...Int64(round) {
      // With a deletion of a row that is not stored, which is remembered in a file of its own.
      var isDelete = Bitmap(count: Self.partitions)
      isDelete.append(true)
      let rows = Self.trades(0).map { Trade($0.id, time, $0.exchange, 7) } + [Trade("gone\(time)", 5, nil)]
      try await table.apply(try ChangeBatch(rows: try Trade.batch(rows), isDelete: isDelete))
    }
    let calls = log.all
    let completed = try #require(calls.lastIndex { $0.hasPrefix("alone move") && $0.hasSuffix(".commit") })
    let settled = try #require(calls.lastIndex(of: "batch settle"))
    let inflight = try #require(calls.lastIndex { $0.hasPrefix("alone put") && $0.hasSuffix(".inflight") })
    let written = calls.indices.filter { calls[$0].hasPrefix("batch") && $0 != settled && $0 > inflight }
    #expect(written.count { calls[$0].hasPrefix("batch finish") } == Self.partitions)
    #expect(written.contains { calls[$0].contains(".hoodie/tarn/") })
    #expect(written.allSatisfy { $0 < settled } && settled < completed)
    // Nothing of the timeline waits for others.
    #expect(!calls.contains { $0.hasPrefix("batch put .hoodie/2") })
    let alone = calls[inflight...].filter { $0.hasPrefix("alone put") || $0.hasPrefix("alone finish") }
    // The inflight file, two of markers, the content of the completed one, and the head.
    #expect(alone.count == 5 && alone.filter { $0.contains("/MARKERS") }.count == 2)
    // What a rollback goes by is there before the first base file.
    let marked = try #require(calls.lastIndex { $0.hasSuffix("/MARKERS.type") })
    #expect(
      calls.indices.filter { $0 > inflight && calls[$0].hasPrefix("batch finish") }.allSatisfy { $0 > marked }
    )
  }
}

/// A storage that writes down what is written through it, and whether through a batch.
private struct LoggedStorage: Storage, LifeSigns {
  let inner: any Storage
  let log: Collected
  let name: String

  func batch() -> any Storage { LoggedStorage(inner: inner.batch(), log: log, name: "batch") }

  func settle() async throws(StorageError) {
    log.add("\(name) settle")
    try await inner.settle()
  }

  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    log.add("\(name) put \(path)")
    return try await inner.put(bytes, at: path, if: condition)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    LoggedWriter(inner: try await inner.writer(at: path)) { [log, name] in log.add("\(name) finish \(path)") }
  }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo { try await inner.info(of: path) }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await inner.get(path, limit: limit)
  }

  func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    try await inner.read(path, range: range, into: &buffer)
  }

  func delete(_ paths: [String]) async -> [StorageError] { await inner.delete(paths) }

  var costs: RequestCosts { inner.costs }

  func move(_ path: String, to target: String) async throws(StorageError) {
    log.add("\(name) move \(target)")
    try await inner.move(path, to: target)
  }

  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try await inner.heldSign(bytes, at: path)
  }

  func isHeld(_ path: String) async throws(StorageError) -> Bool {
    try await inner.lifeSigns?.isHeld(path) ?? false
  }
}

private struct LoggedWriter: ObjectWriter {
  let inner: any ObjectWriter
  let end: @Sendable () -> Void

  func write(_ bytes: [UInt8]) async throws(StorageError) { try await inner.write(bytes) }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    try await inner.copy(range, of: path, tag: tag)
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    end()
    return try await inner.finish(if: condition)
  }

  func abandon() async { await inner.abandon() }
}
