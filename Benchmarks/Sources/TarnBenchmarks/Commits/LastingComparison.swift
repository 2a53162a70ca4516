import Foundation
import Synchronization
import Tarn
import TarnColumns
import TarnStorage

/// What becomes of a table with commit after commit that keeps itself in order.
struct LastingComparison {
  static let name = "lasting"

  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("value", .int64), Field("note", .string),
  ])
  private static let partitions = 4
  private static let rows = 20_000

  /// Commits a quarter of an hour after one another, as a stream's, and prints what they took and left.
  static func run(commits: Int) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tarn-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let storage = LocalStorage(root: folder, scratch: ".hoodie/.temp", synchronizes: false)
    let quarters = Quarters()
    let begun = TableSettings().now() - Int64(commits) * 900_000_000
    var settings = TableSettings()
    settings.now = { begun + quarters.number.load(ordering: .relaxed) * 900_000_000 }
    let table = try await Table.create(
      at: .storage(storage, name: folder), schema: schema, recordKey: ["id"], partitionedBy: ["part"],
      settings: settings)
    try await table.upsert(try batch(0..<rows, 0))
    var milliseconds: [Double] = []
    var (mostActions, warnings) = (0, 0)
    for commit in 1...commits {
      quarters.number.store(Int64(commit), ordering: .relaxed)
      let first = commit * 7_919 % (rows - 10)
      let begun = ContinuousClock.now
      let report = try await table.upsert(try batch(first..<first + 10, Int64(commit)))
      milliseconds.append(begun.duration(to: .now) / .milliseconds(1))
      warnings += report.warnings.count
      guard commit % 50 == 0 || commit > commits - 50 else { continue }
      mostActions = max(mostActions, try await table.timeline().entries.count)
    }
    // The first ones have nothing to clean yet.
    let early = milliseconds.prefix(200).suffix(100)
    let (first, second, last) = (milliseconds.prefix(100), early, milliseconds.suffix(100))
    print(
      "\(commits) commits of 10 rows each into \(rows) rows in \(partitions) partitions, services on, not synced:"
    )
    print(
      "  upserts, mean: \(figure(mean(first))) ms the first 100, \(figure(mean(second))) ms the 101st to 200th, "
        + "\(figure(mean(last))) ms the last 100, which is \(figure(mean(last) / mean(first))) times the first"
    )
    let tenths = stride(from: 0, to: commits - 99, by: max(commits / 10, 100)).map { start in
      figure(median(milliseconds[start..<start + 100]))
    }
    print("  medians of a hundred, a tenth of the commits apart: \(tenths.joined(separator: ", ")) ms")
    print("  most actions on the timeline: \(mostActions); warnings: \(warnings)")
    let slices = try await table.snapshot().slices
    let size = slices.reduce(0) { $0 + $1.size }
    let objects = try await storage.listAll(prefix: "").objects
    let data = objects.filter { !$0.path.hasPrefix(".hoodie/") }.reduce(0) { $0 + $1.size }
    let archive = objects.filter { $0.path.hasPrefix(".hoodie/archived/") }
    let whole = objects.reduce(0) { $0 + $1.size }
    print(
      "  disk: \(whole) bytes, \(figure(Double(whole) / Double(size))) times the table's \(size); data files "
        + "\(figure(Double(data) / Double(size))) times; archive \(archive.reduce(0) { $0 + $1.size }) bytes in "
        + "\(archive.count) files")
    let findings = try await table.check()
    print("  check: \(findings.isEmpty ? "no finding" : findings.map { "\($0)" }.joined(separator: "; "))")
    var times: [Double] = []
    for _ in 0..<5 {
      let begun = ContinuousClock.now
      let opened = try await Table.open(at: .storage(storage, name: folder))
      _ = try await opened.snapshot().slices.count
      times.append(begun.duration(to: .now) / .milliseconds(1))
    }
    print("  opening it and getting its \(slices.count) latest slices: \(figure(times.sorted()[2])) ms")
  }

  private static func batch(_ keys: Range<Int>, _ number: Int64) throws -> RecordBatch {
    var (id, part, value) = (ColumnBuilder(.string), ColumnBuilder(.string), ColumnBuilder(.int64))
    var note = ColumnBuilder(.string)
    for key in keys {
      try id.append("key-\(key)")
      try part.append("part-\(key % partitions)")
      value.append(number)
      try note.append("row \(key &* 2_654_435_761 % 1_000_003) of \(number)")
    }
    return try RecordBatch(
      schema: schema, columns: [id.finish(), part.finish(), value.finish(), note.finish()])
  }

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

/// The quarters of an hour that a benchmark's clock has come.
private final class Quarters: Sendable {
  let number = Atomic(Int64(0))
}
