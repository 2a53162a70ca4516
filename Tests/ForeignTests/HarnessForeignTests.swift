import Foundation
import TarnBytes
import TarnTestSupport
import Testing

/// The harness itself: engines that nobody here wrote answer, and answer the same.
@Suite struct HarnessForeignTests {
  @Test func hudiReadsAGoldenTableAsExpected() async throws {
    try ForeignReader.require()
    let golden = try TestWorld.requireShared("golden/cow-v6_nonpartitioned")
    let rows = try await ForeignReader.hudi(table: golden + "/table")
    #expect(try rows.count == TestWorld.lines(of: golden + "/expected.jsonl").count)
    let before = try await ForeignReader.hudi(
      table: golden + "/table", asOf: "20240418173550988", select: ["name", "decimalField", "timestampField"])
    #expect(before.count == 3)
    #expect(
      before.contains(
        #"{"name":"Bob","decimalField":"67890.12345","timestampField":"2023-04-02T18:02:00.000000Z"}"#))
  }

  @Test func pyarrowAndDuckDBReadAWrittenFileAlike() async throws {
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let file = folder + "/rows.parquet"
      try await ForeignReader.writeParquet(
        to: file,
        [
          .init("id", "int64", [1, 2, 3], nullable: false),
          .init("price", "decimal128(10, 2)", ["1.50", nil, "-0.01"]),
          .init("ratio", "float", [0.1, nil, "NaN"]),
          .init("at", "timestamp[us, tz=UTC]", ["2024-01-02T03:04:05Z", nil, -1]),
          .init("local", "timestamp[us]", [nil, 0, 1]),
          .init("day", "date32", ["2024-02-29", nil, "1900-01-01"]),
          .init("bytes", "binary", ["AAE=", nil, ""]),
          .init("big", "uint64", ["18446744073709551615", nil, 0]),
        ], options: ["compression": "zstd", "row_group_size": 2, "metadata": ["who": "tarn"]])
      let rows = try await ForeignReader.pyarrow(file: file)
      #expect(
        rows == [
          #"{"id":1,"price":"1.50","ratio":0.1,"at":"2024-01-02T03:04:05.000000Z","local":null,"day":"2024-02-29","bytes":"AAE=","big":18446744073709551615}"#,
          #"{"id":2,"price":null,"ratio":null,"at":null,"local":"1970-01-01T00:00:00.000000","day":null,"bytes":null,"big":null}"#,
          #"{"id":3,"price":"-0.01","ratio":"NaN","at":"1969-12-31T23:59:59.999999Z","local":"1970-01-01T00:00:00.000001","day":"1900-01-01","bytes":"","big":0}"#,
        ])
      #expect(try await ForeignReader.duckdb(file: file) == rows)
      let info = try await ForeignReader.parquetInfo(file: file)
      #expect(info["rows"]?.integer == 3)
      #expect(info["row_groups"]?.elements?.count == 2)
      #expect(info["metadata"]?["who"]?.string == "tarn")
    }
  }

  @Test func anEnginesErrorIsThrownAndTheNextQuestionAnswered() async throws {
    try ForeignReader.require()
    await #expect(throws: ForeignError.self) { try await ForeignReader.hudi(table: "/no/such/table") }
    #expect(try await ForeignReader.duckdb(query: "select 1 as a") == [#"{"a":1}"#])
  }

  @Test func manyQuestionsAtOnceAllComeBack() async throws {
    try ForeignReader.require()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<50 {
        group.addTask {
          try await ForeignReader.duckdb(query: "select \(number) as a") == ["{\"a\":\(number)}"]
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }

  @Test(arguments: [Spark.hudi015, Spark.hudi120])
  func sparkReadsATableThatSparkWroteAndGoesOn(spark: Spark) async throws {
    try spark.require()
    try ForeignReader.require()
    let source = try TestWorld.requireShared("spark-tables/v6/cow-plain")
    try await TestWorld.withTemporaryFolder { folder in
      let table = folder + "/table"
      try TestWorld.copyTree(from: source + "/table", to: table)
      let rows = try await spark.read(table)
      #expect(try rows.count == TestWorld.lines(of: source + "/snapshot.jsonl").count)
      let columns = [
        "id", "ts", "flag", "i", "f", "d", "price", "big", "day", "at", "bin", "tags", "legs", "inner",
      ]
      #expect(
        try await spark.read(table, select: columns)
          == ForeignReader.hudi(table: table, select: columns))
    }
  }

  @Test func sparkWritesRowsOfJSONLines() async throws {
    let spark = Spark.hudi015
    try spark.require()
    try await TestWorld.withTemporaryFolder { folder in
      let rows = [
        #"{"id":"a","ts":1,"price":"1.50","at":"2024-01-02T03:04:05.000006Z"}"#,
        #"{"id":"b","ts":2,"price":null,"at":null}"#,
      ]
      try Data((rows.joined(separator: "\n") + "\n").utf8)
        .write(to: URL(fileURLWithPath: folder + "/in.jsonl"))
      try await spark.write(
        folder + "/table", from: folder + "/in.jsonl",
        schema: "id string, ts bigint, price decimal(10,2), at timestamp",
        options: [
          "hoodie.table.name": "t", "hoodie.datasource.write.recordkey.field": "id",
          "hoodie.datasource.write.precombine.field": "ts", "hoodie.datasource.write.operation": "insert",
        ])
      let read = try await spark.read(folder + "/table", select: ["id", "ts", "price", "at"])
      #expect(read == rows)
      #expect(try await spark.sql("select count(*), null") == [["1", nil]])
    }
  }
}
