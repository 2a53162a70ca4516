import Foundation
import Tarn
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Conditions over numbers of which some are NaN, answered by engines that skip what bounds rule out.
@Suite(.serialized) struct NaNForeignTests {
  private static let schema = Schema([Field("id", .string), Field("d", .double), Field("f", .float)])

  /// Numbers among which NaN come singly and in runs.
  private static func batch(_ rows: Range<Int>, _ random: inout SeededGenerator) throws -> RecordBatch {
    var ids = ColumnBuilder(.string)
    var doubles = ColumnBuilder(.double)
    var floats = ColumnBuilder(.float)
    let rate = [3, 20, 200][random.below(3)]
    var run = 0
    for row in rows {
      try ids.append("k\(100_000 + row)")
      if random.oneIn(rate) { run = 1 + random.below(4) }
      let value = run > 0 ? Double.nan : Double(row % 50) - 20
      run -= 1
      if random.oneIn(9) { doubles.appendNulls() } else { doubles.append(value) }
      if random.oneIn(9) { floats.appendNulls() } else { floats.append(value.isNaN ? .nan : Float(value)) }
    }
    return try RecordBatch(schema: schema, columns: [ids.finish(), doubles.finish(), floats.finish()])
  }

  private static func rows(_ snapshot: Snapshot) async throws -> [String] {
    var batches: [RecordBatch] = []
    for try await batch in try snapshot.select("id") { batches.append(batch) }
    return WideRows.lines(batches)
  }

  private static func makeOld(_ path: String, _ slices: [FileSlice]) throws {
    for slice in slices {
      let url = URL(fileURLWithPath: path + "/" + slice.path)
      let bytes = ForeignBytes.leavingNaNOut([UInt8](try Data(contentsOf: url)), limit: 1_000)
      try Data(bytes).write(to: url)
    }
  }

  private static func compare(_ table: Table, _ path: String, _ what: String, withSpark: Bool) async throws {
    let snapshot = try await table.snapshot()
    let files = try await snapshot.slices.map { "'\(path)/\($0.path)'" }.joined(separator: ", ")
    for column in ["d", "f"] {
      for (sign, limit) in [(">", "10"), (">=", "-5"), ("<", "3"), ("<=", "-19"), ("=", "7"), (">", "28.5")] {
        let condition = "\(column) \(sign) \(limit)"
        // All rows are read, and then the condition is looked at.
        var scanned: [String] = []
        let predicate = try Condition(parsing: condition)
        for try await batch in snapshot {
          scanned += WideRows.lines([try batch.gather(predicate.rows(of: batch)).select(["id"])])
        }
        scanned = TestWorld.sortedAsText(scanned)
        #expect(try await rows(snapshot.where(predicate)) == scanned, "\(what): Tarn, \(condition)")
        let duck = try await ForeignReader.duckdb(
          query: "select id from read_parquet([\(files)], hive_partitioning = false) where \(condition)")
        #expect(duck == scanned, "\(what): DuckDB, \(condition)")
        let hudi = try await ForeignReader.hudi(
          table: path, select: ["id"], filters: [[column, sign, limit]])
        #expect(hudi == scanned, "\(what): hudi-rs, \(condition)")
        guard withSpark else { continue }
        #expect(
          try await Spark.hudi015.read(path, where: condition, select: ["id"]) == scanned,
          "\(what): Spark, \(condition)")
      }
    }
  }

  private static func table(_ path: String, _ random: inout SeededGenerator) async throws -> Table {
    var options = TableOptions()
    options.tarn.pageRows = [8, 40][random.below(2)]
    options.tarn.compression = .uncompressed
    return try await Table.create(
      at: .local(path, synchronizes: false), schema: schema, recordKey: ["id"], options: options)
  }

  @Test(arguments: 1...4) func conditionsFindWhatAFullScanFinds(seed: Int) async throws {
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      var random = SeededGenerator(seed: UInt64(seed))
      let path = folder + "/numbers"
      var table = try await Self.table(path, &random)
      try await table.upsert(try Self.batch(0..<300, &random))
      for round in 0..<3 {
        let first = random.below(250)
        let report = try await table.upsert(try Self.batch(first..<first + 1 + random.below(60), &random))
        #expect(report.splicedFiles > 0)
        try await Self.compare(table, path, "seed \(seed), round \(round)", withSpark: false)
        try Self.makeOld(path, try await table.snapshot().slices)
        table = try await Table.open(at: .local(path, synchronizes: false))
      }
    }
  }

  @Test func sparkFindsThemInItsOwnTableAfterAnUpsertOfTarns() async throws {
    try ForeignReader.require()
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      var random = SeededGenerator(seed: 9)
      let path = folder + "/numbers"
      let source = folder + "/rows.parquet"
      try await ParquetFixture.write(try Self.batch(0..<300, &random), to: source)
      try await Spark.hudi015.write(
        path, from: source,
        options: [
          "hoodie.table.name": "numbers", "hoodie.datasource.write.recordkey.field": "id",
          "hoodie.datasource.write.operation": "bulk_insert",
          "hoodie.datasource.write.precombine.field": "id",
          "hoodie.datasource.write.keygenerator.class": "org.apache.hudi.keygen.NonpartitionedKeyGenerator",
        ], mode: "overwrite")
      let table = try await Table.open(at: .local(path, synchronizes: false))
      try await Self.compare(table, path, "Spark's", withSpark: true)
      for round in 0..<2 {
        try await table.upsert(try Self.batch(round * 50..<round * 50 + 7, &random))
        try await Self.compare(table, path, "after \(round + 1) upserts", withSpark: true)
        let found = try await Spark.hudi015.read(path, where: "isnan(d)", select: ["id"])
        let isNaN = Condition.comparison("d", .equal, .number("nan"))
        #expect(try await Self.rows(try await table.snapshot().where(isNaN)) == found)
      }
    }
  }
}
