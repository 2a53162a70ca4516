import Foundation
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Replacements of Tarn's, read and gone on with by other engines; and replacements of Spark's, beside which Tarn writes.
@Suite(.serialized) struct ReplaceForeignTests {
  private func ids(_ table: Table) async throws -> [String] {
    try await TableForeignTests.rows(try await table.snapshot())
  }

  /// Checks that all engines read what Tarn reads.
  private func expectAlike(
    _ path: String, _ table: Table, _ spark: Spark, _ comment: Comment
  ) async throws {
    let rows = try await ids(table)
    #expect(try await spark.read(path, select: TableForeignTests.columns) == rows, comment)
    #expect(try await ForeignReader.hudi(table: path, select: TableForeignTests.columns) == rows, comment)
    #expect(try await table.check().filter { !$0.isNote } == [], comment)
  }

  @Test(arguments: Spark.versions(else: .hudi015))
  func allKindsOfReplacementsReadAlikeAndSparkGoesOn(spark: Spark) async throws {
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      try await table.upsert(try WideRows.batch(60))
      let partitions = Set(try await table.snapshot().slices.map(\.partitionPath)).sorted()
      #expect(partitions.count > 1)

      try await table.overwrite(try WideRows.batch(9, first: 200, ordering: 2, seed: 3))
      try await expectAlike(path, table, spark, "overwrite of partitions")
      try await TableForeignTests.write(
        spark, path, folder, try WideRows.batch(20, first: 195, ordering: 3, seed: 4), "upsert")
      try await expectAlike(path, table, spark, "upsert by Spark")

      try await table.deletePartitions([partitions[0]])
      try await expectAlike(path, table, spark, "deleted partition")
      try await TableForeignTests.write(
        spark, path, folder, try WideRows.batch(20, first: 205, ordering: 4, seed: 5), "upsert")
      try await expectAlike(path, table, spark, "upsert by Spark into a deleted partition")

      try await table.truncate()
      #expect(try await ids(table).isEmpty)
      try await TableForeignTests.write(
        spark, path, folder, try WideRows.batch(20, first: 300, ordering: 5, seed: 6), "upsert")
      try await expectAlike(path, table, spark, "upsert by Spark into an emptied table")
      #expect(try await ids(table).count == 20)

      try await table.overwrite(try WideRows.batch(15, first: 400, ordering: 6, seed: 7), .table)
      try await expectAlike(path, table, spark, "overwrite of the table")
      // Spark replaces in its turn, cleans what was replaced, and Tarn goes on.
      try await TableForeignTests.write(
        spark, path, folder, try WideRows.batch(5, first: 500, ordering: 7, seed: 8), "insert_overwrite",
        [
          "hoodie.clean.automatic": "true", "hoodie.cleaner.commits.retained": "1",
          "hoodie.clean.commits.retained": "1",
        ])
      try await expectAlike(path, table, spark, "overwrite by Spark")
      try await table.upsert(try WideRows.batch(5, first: 498, ordering: 8, seed: 9))
      try await expectAlike(path, table, spark, "upsert by Tarn")
      try await table.clean(keeping: .commits(1))
      try await expectAlike(path, table, spark, "clean by Tarn")
    }
  }

  @Test(arguments: Spark.versions(else: .hudi120))
  func aClusteringOfTarnsReadsAlikeAndSparkGoesOn(spark: Spark) async throws {
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      var options = TableOptions()
      // Each commit has files of its own.
      options.tarn.smallFileLimit = 0
      let table = try await TableForeignTests.create(path, options)
      for round in 0..<3 { try await table.upsert(try WideRows.batch(30, first: 30 * round)) }
      let rows = try await ids(table)
      let count = try await table.snapshot().slices.count
      let report = try await table.cluster(.columns(["ts", "id"]))
      #expect(report.replaced == count && report.files < count)
      #expect(try await ids(table) == rows)
      try await expectAlike(path, table, spark, "clustering by Tarn")
      try await TableForeignTests.write(
        spark, path, folder, try WideRows.batch(40, first: 80, ordering: 3, seed: 4), "upsert")
      #expect(try await ids(table).count == 120)
      try await expectAlike(path, table, spark, "upsert by Spark")
      try await table.cluster(.zOrder(["ts", "price"]))
      try await expectAlike(path, table, spark, "Z-order by Tarn")
      try await table.upsert(try WideRows.batch(30, first: 100, ordering: 4, seed: 5))
      try await expectAlike(path, table, spark, "upsert by Tarn")
    }
  }

  /// A clustering that Spark planned: Tarn writes into other groups, and Spark carries it out.
  @Test func tarnWritesBesideAClusteringThatSparkPlanned() async throws {
    let spark = Spark.hudi015
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      try await TableForeignTests.write(spark, path, folder, try WideRows.batch(30), "upsert")
      try await spark.sql(
        "call run_clustering(path => '\(path)', op => 'schedule', order => 'ts', show_involved_partition => true)"
      )
      let pending = try #require(try await table.timeline().pending.first)
      #expect(pending.action == .replacecommit && pending.state == .requested)
      let error = await #expect(throws: TableError.self) {
        try await table.upsert(try WideRows.batch(30, ordering: 3, seed: 7))
      }
      #expect(error?.code == .conflict && error?.message.contains(pending.path) == true)
      let report = try await table.upsert(try WideRows.batch(20, first: 100, ordering: 3, seed: 7))
      #expect(report.inserted == 20)
      try await expectAlike(path, table, spark, "beside a clustering")
      try await spark.sql("call run_clustering(path => '\(path)', op => 'execute')")
      #expect(try await table.timeline().pending.isEmpty)
      try await expectAlike(path, table, spark, "after the clustering")
      #expect(try await table.upsert(try WideRows.batch(30, ordering: 4, seed: 8)).updated == 30)
      try await expectAlike(path, table, spark, "upsert of what was clustered")
    }
  }

  /// An overwrite of Tarn's that died before it was decided, which Spark's default writer rolls back.
  @Test(arguments: Spark.versions(else: .hudi015))
  func sparkRollsBackAnOverwriteThatDied(spark: Spark) async throws {
    try spark.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      try await table.upsert(try WideRows.batch(30))
      let before = try await ids(table)
      let copy = folder + "/copy"
      try TestWorld.copyTree(from: path, to: copy)
      let trial = FaultStorage(wrapping: LocalStorage(root: copy, synchronizes: false))
      var settings = TableSettings()
      settings.parallelism = 1
      try await Table.open(at: .storage(trial, name: copy), settings: settings)
        .overwrite(try WideRows.batch(9, first: 200, ordering: 2, seed: 3))
      let last = try #require(trial.calls.lastIndex { $0 == "put .hoodie/tarn/head" })
      let killed = FaultStorage(
        wrapping: LocalStorage(root: path, synchronizes: false), crashAtCall: last + 1)
      _ = try? await Table.open(at: .storage(killed, name: path), settings: settings)
        .overwrite(try WideRows.batch(9, first: 200, ordering: 2, seed: 3))
      let pending = try #require(try await table.timeline().pending.first)
      #expect(pending.action == .replacecommit && pending.state == .inflight)
      #expect(try await spark.read(path, select: TableForeignTests.columns) == before)
      try await TableForeignTests.write(
        spark, path, folder, try WideRows.batch(5, first: 100, ordering: 3, seed: 4), "upsert")
      #expect(try await table.timeline().pending.isEmpty)
      #expect(try await ids(table).count == 35)
      try await table.upsert(try WideRows.batch(5, first: 110, ordering: 4, seed: 5))
      #expect(try await spark.read(path, select: TableForeignTests.columns) == (try await ids(table)))
    }
  }
}
