import Foundation
import Synchronization
import Tarn
import TarnColumns
import TarnStorage

/// What a commit costs beyond its data, and how often writers commit that work at the same time.
struct CommitComparison {
  static let name = "commits"

  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("value", .int64),
  ])

  static func run() async throws {
    try await onTheDisk()
    try await opening()
    for (title, shared) in [("different partitions", false), ("the same keys", true)] {
      let alone = try await rate(writers: 1, shared: shared, inOneProcess: false)
      print("storage with 30 ms a call, \(title): one writer \(figure(alone)) commits a second")
      for (kind, inOne) in [("processes", false), ("tasks of one process", true)] {
        let together = try await rate(writers: 8, shared: shared, inOneProcess: inOne)
        print("  eight \(kind): \(figure(together)) a second, \(figure(together / alone)) times as often")
      }
    }
  }

  /// A commit of one row, synced, again and again.
  private static func onTheDisk() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tarn-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let storage = TimedStorage(LocalStorage(root: folder, scratch: ".hoodie/.temp"))
    // One commit a minute, as of a stream: what came lately is what the looks behind the first list.
    let minute = Minute()
    let begun = TableSettings().now() - 1_000 * 60_000_000
    var settings = TableSettings()
    settings.now = { begun + minute.number.load(ordering: .relaxed) * 60_000_000 }
    let table = try await create(.storage(storage, name: folder), settings: settings)
    var last: [(all: Double, timeline: Double)] = []
    for commit in 0..<1_000 {
      _ = storage.take()
      minute.number.store(Int64(commit), ordering: .relaxed)
      let begun = ContinuousClock.now
      try await table.upsert(try batch(writer: 0, commit, shared: false))
      let seconds = begun.duration(to: .now) / .seconds(1)
      if commit % 100 >= 60 {
        last.append((seconds * 1_000, storage.take().timelineTime / .seconds(1) * 1_000))
      }
      if commit % 100 == 99 {
        if [99, 499, 999].contains(commit) {
          print(
            "one-row upsert on this disk, synced, after \(commit + 1) commits: "
              + "\(figure(median(last.map(\.all)))) ms in all, \(figure(median(last.map(\.timeline)))) ms of them "
              + "in the timeline's calls")
        }
        last = []
      }
    }
  }

  /// Opening a table that is old and large.
  private static func opening() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tarn-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let location = TableLocation.local(folder, synchronizes: false)
    var options = TableOptions()
    options.tarn.smallFileLimit = 0
    let table = try await create(location, options)
    let (commits, filesEach, partitions) = (1_000, 10, 100)
    for number in 0..<commits {
      var (id, part, value) = (ColumnBuilder(.string), ColumnBuilder(.string), ColumnBuilder(.int64))
      for file in 0..<filesEach {
        try id.append("key-\(number)-\(file)")
        try part.append("part-\((number * filesEach + file) % partitions)")
        value.append(Int64(number))
      }
      try await table.insert(
        try RecordBatch(schema: schema, columns: [id.finish(), part.finish(), value.finish()]))
    }
    var times: [Double] = []
    var count = 0
    for _ in 0..<5 {
      let begun = ContinuousClock.now
      let opened = try await Table.open(at: location)
      count = try await opened.snapshot().slices.count
      times.append(begun.duration(to: .now) / .seconds(1) * 1_000)
    }
    print(
      "opening a table with \(commits) instants, and getting its \(count) latest slices in \(partitions) partitions: "
        + "\(figure(median(times))) ms")
  }

  /// Commits a second of writers that begin at the same time.
  private static func rate(writers: Int, shared: Bool, inOneProcess: Bool) async throws -> Double {
    let storage = DistantStorage()
    let location = TableLocation.storage(storage, name: "distant")
    let table = try await create(location)
    for writer in 0..<writers { try await table.upsert(try batch(writer: writer, 0, shared: shared)) }
    let rounds = 6
    let begun = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          let own = inOneProcess ? table : try await Table.open(at: location, settings: table.settings)
          for number in 1...rounds { try await own.upsert(try batch(writer: writer, number, shared: shared)) }
        }
      }
      try await group.waitForAll()
    }
    return Double(writers * rounds) / (begun.duration(to: .now) / .seconds(1))
  }

  private static func create(
    _ location: TableLocation, _ options: TableOptions = TableOptions(),
    settings: TableSettings = TableSettings()
  ) async throws -> Table {
    var settings = settings
    // What a commit costs by itself, and in a table that is old: see `LastingComparison` for one that is kept in order.
    settings.runsServices = false
    return try await Table.create(
      at: location, schema: schema, recordKey: ["id"], partitionedBy: ["part"], options: options,
      settings: settings)
  }

  /// A row of a writer's own partition, or the thousand keys that all writers change.
  private static func batch(writer: Int, _ number: Int, shared: Bool) throws -> RecordBatch {
    let count = shared ? 1_000 : 1
    var (id, part, value) = (ColumnBuilder(.string), ColumnBuilder(.string), ColumnBuilder(.int64))
    for row in 0..<count {
      try id.append(shared ? "key-\(row)" : "key-\(writer)")
      try part.append(shared ? "all" : "part-\(writer)")
      value.append(Int64(number * 10 + writer))
    }
    return try RecordBatch(schema: schema, columns: [id.finish(), part.finish(), value.finish()])
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private static func figure(_ value: Double) -> String {
    String(format: value < 10 ? "%.2f" : "%.1f", value)
  }
}

/// The minute of a clock that a benchmark sets.
private final class Minute: Sendable {
  let number = Atomic(Int64(0))
}

/// A storage in memory, each call of which takes 30 ms.
private struct DistantStorage: Storage {
  private let inner = InMemoryStorage()

  private func travel() async { try? await Task.sleep(for: .milliseconds(30)) }

  var costs: RequestCosts { .objectStore }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    await travel()
    return try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo {
    await travel()
    return try await inner.info(of: path)
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    await travel()
    return try await inner.get(path, limit: limit)
  }

  func read(_ path: String, range: Range<Int>, into buffer: inout ReadBuffer) async throws(StorageError) {
    await travel()
    try await inner.read(path, range: range, into: &buffer)
  }

  @discardableResult
  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    await travel()
    return try await inner.put(bytes, at: path, if: condition)
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    await travel()
    try await inner.move(path, to: target)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    DistantWriter(inner: try await inner.writer(at: path))
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    await travel()
    return await inner.delete(paths)
  }
}

/// A writer that takes its time at the end.
private struct DistantWriter: ObjectWriter {
  let inner: any ObjectWriter

  func write(_ bytes: [UInt8]) async throws(StorageError) { try await inner.write(bytes) }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    try await inner.copy(range, of: path, tag: tag)
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    try? await Task.sleep(for: .milliseconds(30))
    return try await inner.finish(if: condition)
  }

  func abandon() async { await inner.abandon() }
}
