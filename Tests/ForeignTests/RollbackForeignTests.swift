import Foundation
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Attempts of Tarn's that died, rolled back by Spark.
@Suite(.serialized) struct RollbackForeignTests {
  private func settings() -> TableSettings {
    var settings = TableSettings()
    // One after the other, so that the calls of two runs are the same.
    settings.parallelism = 1
    return settings
  }

  private func parquetFiles(_ table: String) -> [String] {
    let walk = FileManager.default.enumerator(atPath: table)?.compactMap { $0 as? String } ?? []
    return walk.filter { $0.hasSuffix(".parquet") }
  }

  /// Leaves what a process leaves that is killed just before its commit is decided.
  private func die(_ path: String, _ folder: String, _ batch: RecordBatch) async throws {
    let copy = folder + "/copy"
    try TestWorld.copyTree(from: path, to: copy)
    func upsert(_ root: String, killedAt number: Int?) async throws -> [String] {
      let faulty = FaultStorage(
        wrapping: LocalStorage(root: root, synchronizes: false), crashAtCall: number)
      let table = try await Table.open(at: .storage(faulty, name: root), settings: settings())
      do { try await table.upsert(batch) } catch { #expect(number != nil, "\(error)") }
      return faulty.calls
    }
    let calls = try await upsert(copy, killedAt: nil)
    let last = try #require(calls.lastIndex { $0 == "put .hoodie/tarn/head" })
    _ = try await upsert(path, killedAt: last + 1)
  }

  private func upsert(
    _ spark: Spark, _ path: String, _ folder: String, _ batch: RecordBatch, _ more: [String: String] = [:]
  ) async throws {
    try await TableForeignTests.write(spark, path, folder, batch, "upsert", more)
  }

  /// Spark's default writer goes by markers, removes the attempt's timeline files whatever it finds, and in time moves
  /// the timeline's begin past the attempt: a data file that is still there then counts as committed.
  @Test(arguments: Spark.versions(else: .hudi015))
  func whatADeadAttemptWroteIsNeverSeenAfterSparkUpsertedCleanedAndArchived(spark: Spark) async throws {
    try spark.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      let first = try #require(try await table.upsert(try WideRows.batch(10)).instant)
      let committed = parquetFiles(path)
      // New versions of its files, and new files, one of them in a folder whose name is encoded.
      let lost = try WideRows.batch(
        20, first: 5, ordering: 2, partitions: ["alpha", "beta", "a/b"], seed: 8)
      try await die(path, folder, lost)
      let dead = parquetFiles(path).filter { !committed.contains($0) }
      #expect(dead.count == 3 && dead.contains { $0.contains("a%2Fb") }, "\(dead)")
      // Markers that a commit's writer did not come to remove, which name files of the table.
      let markers = path + "/.hoodie/.temp/\(first.text)"
      try FileManager.default.createDirectory(atPath: markers, withIntermediateDirectories: true)
      let lines = committed.map { "\($0).marker.CREATE\n" }.joined()
      try Data(lines.utf8).write(to: URL(fileURLWithPath: markers + "/MARKERS0"))
      try Data("TIMELINE_SERVER_BASED".utf8).write(to: URL(fileURLWithPath: markers + "/MARKERS.type"))

      try await upsert(spark, path, folder, try WideRows.batch(1, first: 50, ordering: 3, seed: 9))
      #expect(parquetFiles(path).filter(dead.contains) == [])
      let limits = [
        "hoodie.clean.automatic": "true", "hoodie.clean.async": "false", "hoodie.clean.commits.retained": "1",
        "hoodie.cleaner.commits.retained": "1", "hoodie.keep.min.commits": "2",
        "hoodie.keep.max.commits": "3", "hoodie.archive.automatic": "true",
      ]
      for round in 0..<4 {
        try await upsert(
          spark, path, folder, try WideRows.batch(1, first: 51 + round, ordering: 3, seed: 9), limits)
      }
      let timeline = try await table.timeline()
      #expect(try #require(timeline.first).instant > first)
      #expect(!timeline.entries.contains { dead[0].contains($0.instant.text) })
      let rows = try await TableForeignTests.rows(try await table.snapshot())
      #expect(rows.count == 15)
      #expect(try await spark.read(path, select: TableForeignTests.columns) == rows)
      #expect(try await table.upsert(lost).inserted == 17)
      #expect(try await spark.read(path, select: ["id"]).count == 32)
    }
  }

  /// What a rollback of Tarn's leaves on the timeline, Spark reads, and goes on behind it.
  @Test func sparkReadsAndGoesOnAfterAnAttemptWasRolledBackByHand() async throws {
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      try await table.upsert(try WideRows.batch(10))
      let rows = try await TableForeignTests.rows(try await table.snapshot())
      try await die(path, folder, try WideRows.batch(20, first: 5, ordering: 2, seed: 8))
      let attempt = try #require(try await table.attempts().first)
      try await table.rollBack(attempt.entry.instant)
      #expect(try await table.attempts() == [])
      #expect(try await table.check() == [])
      #expect(try await Spark.hudi015.read(path, select: TableForeignTests.columns) == rows)
      try await upsert(.hudi015, path, folder, try WideRows.batch(1, first: 50, ordering: 3, seed: 9))
      #expect(try await Spark.hudi015.read(path, select: ["id"]).count == 11)
      #expect(try await table.check() == [])
    }
  }
}
