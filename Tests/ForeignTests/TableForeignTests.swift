import Foundation
import Tarn
import TarnColumns
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables that Tarn wrote, read by hudi-rs and Spark; tables that Spark went on with, read by Tarn.
@Suite(.serialized) struct TableForeignTests {
  static let columns = WideRows.schema.names

  static func rows(_ snapshot: Snapshot) async throws -> [String] {
    var batches: [RecordBatch] = []
    for try await batch in try snapshot.select(columns) { batches.append(batch) }
    return WideRows.lines(batches)
  }

  static func create(_ path: String, _ options: TableOptions = TableOptions()) async throws -> Table {
    try await Table.create(
      at: .local(path), schema: WideRows.schema, recordKey: ["id"], partitionedBy: ["part"],
      orderedBy: "ts", options: options)
  }

  /// Options with which Spark writes into such a table.
  static func sparkOptions(_ operation: String, _ more: [String: String] = [:]) -> [String: String] {
    [
      "hoodie.table.name": "trades", "hoodie.datasource.write.recordkey.field": "id",
      "hoodie.datasource.write.partitionpath.field": "part",
      "hoodie.datasource.write.precombine.field": "ts",
      "hoodie.datasource.write.hive_style_partitioning": "true",
      "hoodie.datasource.write.partitionpath.urlencode": "true",
      "hoodie.datasource.write.operation": operation,
    ].merging(more) { $1 }
  }

  /// The same for one of several versions of Hudi, each of which leaves the table's version as it is.
  static func sparkOptions(
    _ operation: String, _ more: [String: String] = [:], of spark: Spark
  ) -> [String: String] {
    var options = sparkOptions(operation, more)
    if spark.testDescription != Spark.hudi015.testDescription {
      options["hoodie.write.table.version"] = "6"
      options["hoodie.write.auto.upgrade"] = "false"
    }
    return options
  }

  /// Has Spark write rows into such a table, by way of a file in a folder.
  static func write(
    _ spark: Spark, _ path: String, _ folder: String, _ batch: RecordBatch, _ operation: String = "upsert",
    _ more: [String: String] = [:]
  ) async throws {
    let source = folder + "/incoming-\(UUID().uuidString).parquet"
    try await ParquetFixture.write(batch, to: source)
    try await spark.write(path, from: source, options: sparkOptions(operation, more, of: spark))
  }

  /// The rows of a round, some of them those of the round before.
  static func batch(_ round: Int) throws -> RecordBatch {
    try WideRows.batch(20, first: 5 * round, ordering: Int64(round + 1), seed: UInt64(round + 1))
  }

  @Test func everyTypeReadsAlikeInHudiRsAndSpark() async throws {
    try ForeignReader.require()
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await Self.create(path)
      try await table.upsert(try WideRows.batch(300))
      try await table.upsert(try WideRows.batch(120, first: 250, ordering: 2, seed: 8))
      let rows = try await Self.rows(try await table.snapshot())
      #expect(rows.count == 370)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == rows)
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == rows)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == rows)
      #expect(
        try await Spark.hudi015.read(path, where: "price > 0 and part = 'beta'", select: ["id"]).count
          == (try await table.snapshot().where(.column("price") > 0 && .column("part") == "beta").count()))
      for slice in try await table.snapshot().slices {
        let file = path + "/" + slice.path
        #expect(try await ForeignReader.duckdb(file: file) == ForeignReader.pyarrow(file: file))
      }
    }
  }

  @Test func sparkTravelsUpsertsAndDeletesAndTarnGoesOn() async throws {
    try Spark.hudi015.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await Self.create(path)
      let first = try #require(try await table.upsert(try WideRows.batch(60)).instant)
      let before = try await Self.rows(try await table.snapshot())
      try await table.upsert(try WideRows.batch(10, first: 55, ordering: 2, seed: 9))
      #expect(
        try await Spark.hudi015.read(path, options: ["as.of.instant": first.text], select: Self.columns)
          == before)

      try await Self.sparkUpserts(
        path, folder, WideRows.batch(20, first: 50, ordering: 3, seed: 10), "upsert")
      try await Self.sparkUpserts(path, folder, WideRows.batch(5, ordering: 4, seed: 11), "delete")
      let afterSpark = try await Self.rows(try await table.snapshot())
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == afterSpark)
      #expect(afterSpark.count == 65)

      let report = try await table.upsert(try WideRows.batch(10, first: 68, ordering: 5, seed: 12))
      #expect(report.updated == 2)
      #expect(report.inserted == 8)
      let final = try await Self.rows(try await table.snapshot())
      #expect(final.count == 73)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == final)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == final)
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == final)
    }
  }

  static func sparkUpserts(
    _ path: String, _ folder: String, _ batch: RecordBatch, _ operation: String,
    _ more: [String: String] = [:]
  ) async throws {
    let source = folder + "/incoming-\(operation)-\(batch.count).parquet"
    try await ParquetFixture.write(batch, to: source)
    try await Spark.hudi015.write(path, from: source, options: sparkOptions(operation, more))
  }

  @Test(arguments: [BloomFilterChoice.perFile, .hudi])
  func sparksBloomIndexFindsEveryKey(bloom: BloomFilterChoice) async throws {
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      var options = TableOptions()
      options.bloomFilter = bloom
      let table = try await Self.create(path, options)
      try await table.upsert(try WideRows.batch(100))
      try await Self.sparkUpserts(
        path, folder, WideRows.batch(50, first: 25, ordering: 2, seed: 3), "upsert",
        ["hoodie.index.type": "BLOOM"])
      let rows = try await Self.rows(try await table.snapshot())
      #expect(rows.count == 100)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == rows)
    }
  }

  @Test func aLiveMetadataTableIsSwitchedOffAndSparkReadsTheNewRows() async throws {
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await Self.create(path)
      try await table.upsert(try WideRows.batch(30).select(WideRows.schema.names.filter { $0 != "big" }))
      try await Self.sparkUpserts(
        path, folder, WideRows.batch(10, first: 25, ordering: 2, seed: 4), "upsert",
        ["hoodie.metadata.enable": "true"])
      #expect(try await Table.open(at: .local(path)).properties.hasLiveMetadataTable)
      try await table.upsert(try WideRows.batch(10, first: 30, ordering: 3, seed: 5))
      let reopened = try await Table.open(at: .local(path))
      #expect(!reopened.properties.hasLiveMetadataTable)
      let rows = try await Self.rows(try await table.snapshot())
      #expect(rows.count == 40)
      #expect(
        try await Spark.hudi015.read(path, options: ["hoodie.metadata.enable": "true"], select: Self.columns)
          == rows)
      try await Self.sparkUpserts(
        path, folder, WideRows.batch(10, first: 35, ordering: 4, seed: 6), "upsert",
        ["hoodie.metadata.enable": "true"])
      #expect(try await Spark.hudi015.read(path, select: ["id"]).count == 45)
    }
  }

  /// Deletions of keys that are not stored are kept beside the timeline, and their commit has no base files.
  @Test(arguments: [60, 0])
  func aTableWhoseNewestCommitHasNoBaseFilesReadsAlikeAndSparkGoesOn(stored: Int) async throws {
    try Spark.hudi015.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await Self.create(path)
      if stored > 0 { try await table.upsert(try WideRows.batch(stored)) }
      let gone = try WideRows.batch(5, first: 100, ordering: 9).select(["id", "ts"])
      let deletion = try await table.delete(gone)
      #expect(deletion.instant != nil)
      #expect(deletion.files == 0)
      #expect(deletion.notFound == 5)
      let rows = try await Self.rows(try await table.snapshot())
      #expect(rows.count == stored)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == rows)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == rows)
      // From a commit without files Daft learns no columns.
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == nil)

      try await Self.sparkUpserts(
        path, folder, WideRows.batch(20, first: 50, ordering: 3, seed: 10), "upsert")
      let late = try await table.upsert(try WideRows.batch(8, first: 98, ordering: 8, seed: 11))
      #expect(late.stale == 5)
      #expect(late.inserted == 3)
      let final = try await Self.rows(try await table.snapshot())
      #expect(final.count == (stored > 0 ? 73 : 23))
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == final)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == final)
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == final)
    }
  }

  @Test func oddPartitionValuesReadAlike() async throws {
    try Spark.hudi015.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await Self.create(path)
      let odd = ["a/b", "..", "a=b", "100%", "ünï", "a b", "x:y", "{[]}", "tab\there", "."]
      try await table.upsert(try WideRows.batch(20, partitions: odd))
      let rows = try await Self.rows(try await table.snapshot())
      #expect(rows.count == 20)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == rows)
      // In files of so few rows some columns are null, and then Daft takes the bounds of one for another's.
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == nil)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == rows)
    }
  }
}
