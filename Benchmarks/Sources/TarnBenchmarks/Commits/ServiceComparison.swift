import Foundation
import Tarn
import TarnColumns
import TarnStorage

/// What a clean of many commits takes, and a clustering of many small files beside a fresh load of their rows.
struct ServiceComparison {
  static let name = "services"
  private static let (commits, partitions, filesOfCommit) = (1_000, 100, 10)
  private static let cleanBound = 2.0
  private static let smallFiles = 400
  private static let memoryBound = 300.0

  let workshop: Workshop
  let runs: Int

  /// Runs everything, and prints each figure with its bound.
  func run() async throws {
    try await clean()
    try cluster()
  }

  /// Commits that touch a tenth of the file groups each, none of which was cleaned.
  private func clean() async throws {
    let folder = workshop.tables + "/\(Self.name)-clean"
    try? FileManager.default.removeItem(atPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let storage = LocalStorage(root: folder, scratch: ".hoodie/.temp", synchronizes: false)
    var options = TableOptions()
    options.tarn.cleansAutomatically = false
    options.tarn.mostActions = nil
    var table = try await Table.create(
      at: .storage(storage, name: folder), schema: Self.schema, recordKey: ["id"], partitionedBy: ["part"],
      options: options)
    try await table.upsert(try Self.batch(0..<Self.partitions * 20, 0))
    for commit in 1...Self.commits {
      let first = commit * Self.filesOfCommit % Self.partitions
      try await table.upsert(try Self.batch(first..<first + Self.filesOfCommit, Int64(commit)))
    }
    // Nothing is known of the table, as to a process that was just started.
    table = try await Table.open(at: .storage(storage, name: folder))
    let begun = ContinuousClock.now
    let report = try await table.clean()
    let seconds = begun.duration(to: .now) / .seconds(1)
    print(
      String(
        format: "clean of %d commits over %d files, %d removed: %.2f s of at most %.0f s%@", Self.commits,
        Self.commits * Self.filesOfCommit, report.files.count, seconds, Self.cleanBound,
        seconds <= Self.cleanBound ? "" : ", MISSED"))
  }

  private static let schema = Schema([Field("id", .string), Field("part", .string), Field("value", .int64)])

  private static func batch(_ keys: Range<Int>, _ number: Int64) throws -> RecordBatch {
    var (id, part, value) = (ColumnBuilder(.string), ColumnBuilder(.string), ColumnBuilder(.int64))
    for key in keys {
      try id.append("key-\(key)")
      try part.append("part-\(key % partitions)")
      value.append(number)
    }
    return try RecordBatch(schema: schema, columns: [id.finish(), part.finish(), value.finish()])
  }

  /// Small files made into full ones, and the same rows loaded anew, in turn.
  private func cluster() throws {
    let data = try workshop.dataFile(of: UpsertRows())
    let (small, copy, fresh) = (
      workshop.tables + "/services-small", workshop.tables + "/services-copy",
      workshop.tables + "/services-fresh"
    )
    let files = FileManager.default
    func remove(_ path: String) { try? files.removeItem(atPath: path) }
    for path in [small, copy, fresh] { remove(path) }
    defer { for path in [small, copy, fresh] { remove(path) } }
    // Files end where they would be small, and none takes rows of another batch.
    let key = ["--key", "transaction_id"]
    _ = try Child.run(workshop.tarn, ["create", small, "--like", data] + key)
    let path = small + "/.hoodie/hoodie.properties"
    let properties = try String(contentsOfFile: path, encoding: .utf8)
    let size = Workshop.size(of: data) / Self.smallFiles
    try (properties + "\ntarn.target.file.size.bytes=\(size)\ntarn.small.file.limit.bytes=0\n")
      .write(toFile: path, atomically: true, encoding: .utf8)
    _ = try Child.run(workshop.tarn, ["insert", small, "--from", data, "--no-sync"])
    try properties.write(toFile: path, atomically: true, encoding: .utf8)
    let count = try files.subpathsOfDirectory(atPath: small).filter { $0.hasSuffix(".parquet") }.count

    var (clusters, loads): ([Usage], [Usage]) = ([], [])
    for _ in 0..<runs {
      try files.copyItem(atPath: small, toPath: copy)
      clusters.append(try Child.run(workshop.tarn, ["cluster", copy, "--no-sync"]))
      loads.append(
        try Child.run(workshop.tarn, ["insert", fresh, "--create", "--from", data, "--no-sync"] + key))
      remove(copy)
      remove(fresh)
    }
    let times = (clusters.map(\.wall).min() ?? 0, loads.map(\.wall).min() ?? 0)
    let memory = Double(clusters.map(\.peakMemory).max() ?? 0) / 1e6
    print(
      String(
        format:
          "clustering 2,000,000 rows of %d files: %.2f s, a fresh load of them %.2f s%@; peak memory %.0f MB of "
          + "at most %.0f MB%@", count, times.0, times.1, times.0 <= times.1 ? "" : ", MISSED", memory,
        Self.memoryBound, memory <= Self.memoryBound ? "" : ", MISSED"))
  }
}
