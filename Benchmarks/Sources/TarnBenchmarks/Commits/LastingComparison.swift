import Foundation
import Synchronization
import Tarn
import TarnColumns
import TarnStorage

/// What becomes of a table with commit after commit that keeps itself in order.
struct LastingComparison {
  static let name = "lasting"

  /// Commits a quarter of an hour after one another, as a stream's, and prints what they took and left.
  ///
  /// A machine is not as fast all the time: the last commits of the table take turns with the first ones of a new table.
  static func run(commits: Int) async throws {
    let old = try await LastingTable(commits)
    defer { old.remove() }
    let sizeAtFirst = try await old.size()
    for _ in 0..<max(commits - 2 * hundred, 0) { try await old.commit() }
    let young = try await LastingTable(2 * hundred)
    defer { young.remove() }
    for number in 0..<min(2 * hundred, commits) {
      for table in number.isMultiple(of: 2) ? [old, young] : [young, old] { try await table.commit() }
    }
    print(
      "\(commits) commits of 10 rows each into \(LastingTable.rows) rows in \(LastingTable.partitions) partitions, services on, "
        + "not synced:")
    for (name, start) in [("first", 0), ("second", hundred)] {
      let times = [
        young.milliseconds.dropFirst(start), old.milliseconds.suffix(2 * hundred).dropFirst(start),
      ]
      .map { mean($0.prefix(hundred)) }
      print(
        "  upserts, mean of a hundred: \(figure(times[0])) ms the \(name) of a new table, in turn \(figure(times[1])) ms "
          + "of the last of this one, which is \(figure(times[1] / times[0])) times that")
    }
    let tenths = stride(from: 0, to: commits - hundred + 1, by: max(commits / 10, hundred)).map { start in
      figure(median(old.milliseconds[start..<start + hundred]))
    }
    print("  medians of a hundred, a tenth of the commits apart: \(tenths.joined(separator: ", ")) ms")
    print("  most actions on the timeline: \(old.mostActions); warnings: \(old.warnings)")
    let size = try await old.size()
    let objects = try await old.storage.listAll(prefix: "").objects
    let data = objects.filter { !$0.path.hasPrefix(".hoodie/") }.reduce(0) { $0 + $1.size }
    let archive = objects.filter { $0.path.hasPrefix(".hoodie/archived/") }
    let whole = objects.reduce(0) { $0 + $1.size }
    let archived = archive.reduce(0) { $0 + $1.size }
    print(
      "  disk: \(whole) bytes, \(figure(Double(whole) / Double(size))) times the table's \(size) (\(sizeAtFirst) at first); "
        + "data files \(figure(Double(data) / Double(size))) times; archive \(archived) bytes in \(archive.count) files"
    )
    let findings = try await old.table.check()
    print("  check: \(findings.isEmpty ? "no finding" : findings.map { "\($0)" }.joined(separator: "; "))")
    var times: [Double] = []
    for _ in 0..<5 {
      let begun = ContinuousClock.now
      let opened = try await Table.open(at: .storage(old.storage, name: old.folder))
      _ = try await opened.snapshot().slices.count
      times.append(begun.duration(to: .now) / .milliseconds(1))
    }
    print("  opening it and getting its latest slices: \(figure(times.sorted()[2])) ms")
  }

  private static let hundred = 100

  private static func median(_ values: ArraySlice<Double>) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }

  private static func mean(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0, +) / Double(max(values.count, 1))
  }

  private static func figure(_ value: Double) -> String {
    String(format: value < 10 ? "%.2f" : "%.1f", value)
  }
}

/// A table into which something is committed each quarter of an hour, by a clock of its own.
private final class LastingTable {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("value", .int64), Field("note", .string),
  ])
  static let partitions = 4
  static let rows = 20_000

  let folder: String
  let storage: LocalStorage
  let table: Table
  private let quarters = Quarters()
  /// How long each commit took.
  private(set) var milliseconds: [Double] = []
  private(set) var mostActions = 0
  private(set) var warnings = 0

  /// Makes a table whose last of so many commits is of this time.
  init(_ commits: Int) async throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tarn-\(UUID().uuidString)").path
    storage = LocalStorage(root: folder, scratch: ".hoodie/.temp", synchronizes: false)
    let begun = TableSettings().now() - Int64(commits) * 900_000_000
    var settings = TableSettings()
    let quarters = quarters
    settings.now = { begun + quarters.number.load(ordering: .relaxed) * 900_000_000 }
    table = try await Table.create(
      at: .storage(storage, name: folder), schema: Self.schema, recordKey: ["id"], partitionedBy: ["part"],
      settings: settings)
    try await table.upsert(try Self.batch(0..<Self.rows, 0))
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// The bytes of the latest slices.
  func size() async throws -> Int { try await table.snapshot().slices.reduce(0) { $0 + $1.size } }

  /// Upserts ten rows.
  func commit() async throws {
    let number = milliseconds.count + 1
    quarters.number.store(Int64(number), ordering: .relaxed)
    let first = number * 7_919 % (Self.rows - 10)
    let rows = try Self.batch(first..<first + 10, Int64(number))
    let begun = ContinuousClock.now
    let report = try await table.upsert(rows)
    milliseconds.append(begun.duration(to: .now) / .milliseconds(1))
    warnings += report.warnings.count
    if number.isMultiple(of: 10) { mostActions = max(mostActions, try await table.timeline().entries.count) }
  }

  private static func batch(_ keys: Range<Int>, _ number: Int64) throws -> RecordBatch {
    var (id, part, value) = (ColumnBuilder(.string), ColumnBuilder(.string), ColumnBuilder(.int64))
    var note = ColumnBuilder(.string)
    for key in keys {
      try id.append("key-\(key)")
      try part.append("part-\(key % partitions)")
      // As hard to compress in the first batch as in all that follow.
      var random = SplitMix64(seed: UInt64(truncatingIfNeeded: Int64(key) &* 1_000_003 &+ number))
      value.append(Int64(random.next() % 1_000_000))
      try note.append("row \(random.next() % 1_000_003) of \(random.next() % 10_007)")
    }
    return try RecordBatch(
      schema: schema, columns: [id.finish(), part.finish(), value.finish(), note.finish()])
  }
}

/// The quarters of an hour that a benchmark's clock has come.
private final class Quarters: Sendable {
  let number = Atomic(Int64(0))
}
