import Foundation
import Tarn
import TarnColumns
import TarnTestSupport
import Testing

/// Keys and partition paths that Spark makes, and those that Tarn makes of the same rows.
@Suite(.serialized) struct KeysAsTextForeignTests {
  /// Writes rows of Spark's SQL with Spark.
  static func write(
    _ path: String, _ lines: [String], _ schema: String, key: String, partition: String, generator: String,
    _ operation: String, _ more: [String: String] = [:], in folder: String
  ) async throws {
    let source = folder + "/rows-\(operation)-\(lines.count).jsonl"
    try (lines.joined(separator: "\n") + "\n").write(toFile: source, atomically: true, encoding: .utf8)
    try await Spark.hudi015.write(
      path, from: source, schema: schema,
      options: [
        "hoodie.table.name": "t", "hoodie.datasource.write.operation": operation,
        "hoodie.datasource.write.recordkey.field": key,
        "hoodie.datasource.write.partitionpath.field": partition,
        "hoodie.datasource.write.precombine.field": "ts",
        "hoodie.datasource.write.keygenerator.class": "org.apache.hudi.keygen.\(generator)",
      ].merging(more) { $1 })
  }

  static func texts(_ values: [String?]) throws -> Column {
    var builder = ColumnBuilder(.string)
    for value in values { if let value { try builder.append(value) } else { builder.appendNulls() } }
    return builder.finish()
  }

  @Test func compositeKeysWithCommasColonsAndNullsAreThoseOfSpark() async throws {
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/t"
      let rows: [(String?, String?)] = [
        ("u1", "2026-01-01T00:00:00Z"), ("p:q", "r,s"), ("x,y", ",sk:"), (nil, "z"), ("", "w"), ("v", nil),
      ]
      let lines = rows.map { pk, sk in
        "{\"pk\":\(pk.map { "\"\($0)\"" } ?? "null"),\"sk\":\(sk.map { "\"\($0)\"" } ?? "null"),\"ts\":1}"
      }
      try await Self.write(
        path, lines, "pk string, sk string, ts int", key: "pk,sk", partition: "",
        generator: "NonpartitionedKeyGenerator", "upsert", in: folder)
      let table = try await Table.open(at: .local(path))
      let schema = Schema([Field("pk", .string), Field("sk", .string), Field("ts", .int32)])
      var ts = ColumnBuilder(.int32)
      for _ in rows { ts.append(Int32(1)) }
      let batch = try RecordBatch(
        schema: schema, columns: [Self.texts(rows.map(\.0)), Self.texts(rows.map(\.1)), ts.finish()])
      // The same rows, found by the same keys.
      #expect(try await table.upsert(batch).duplicates == rows.count)
    }
  }

  @Test func timesInKeysAndPathsOfBulkInsertsAreNoticedAndThoseOfUpsertsTaken() async throws {
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let lines = [
        #"{"at":"1970-01-01T00:00:00Z","v":"x","ts":1}"#, #"{"at":"2024-05-06T07:08:09Z","v":"y","ts":1}"#,
      ]
      let at = { () -> Column in
        var builder = ColumnBuilder(.timestamp(.microseconds, .instant))
        for value in [Int64(0), 1_714_979_289_000_000] { builder.append(value) }
        return builder.finish()
      }()
      let batch = try RecordBatch(
        schema: Schema([Field("at", at.type), Field("v", .string)]), columns: [at, Self.texts(["x", "z"])])
      for (key, partition, generator) in [
        ("at", "", "NonpartitionedKeyGenerator"), ("at,v", "", "NonpartitionedKeyGenerator"),
        ("v", "at", "SimpleKeyGenerator"),
      ] {
        for operation in ["bulk_insert", "upsert"] {
          let path = folder + "/\(operation)-\(key.count)\(partition)"
          try await Self.write(
            path, lines, "at timestamp, v string, ts int", key: key, partition: partition,
            generator: generator,
            operation,
            [
              "hoodie.datasource.write.hive_style_partitioning": "true",
              "hoodie.datasource.write.partitionpath.urlencode": "true",
            ], in: folder)
          let table = try await Table.open(at: .local(path))
          let expected = key == "at" ? 2 : 1
          if operation == "upsert" {
            // What is found is newer than rows without ordering value.
            let report = try await table.upsert(batch, scope: .table)
            #expect(report.stale == expected, "\(key) by \(partition)")
            #expect(report.inserted == 2 - expected, "\(key) by \(partition)")
            continue
          }
          let error = await #expect(throws: TableError.self) { try await table.upsert(batch, scope: .table) }
          #expect(error?.code == .unsupported)
          #expect(error?.message.contains("only reads the table") == true, "\(error as Any)")
          #expect(try await table.snapshot().count() == 2)
        }
      }
    }
  }

  @Test func aCustomGeneratorThatFormatsTimesIsNoticed() async throws {
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/t"
      try await Self.write(
        path, [#"{"k":"k1","at":1700000000,"ts":1}"#], "k string, at int, ts int", key: "k",
        partition: "at:TIMESTAMP", generator: "CustomKeyGenerator", "upsert",
        [
          "hoodie.keygen.timebased.timestamp.type": "UNIX_TIMESTAMP",
          "hoodie.keygen.timebased.output.dateformat": "yyyy-MM-dd",
          "hoodie.keygen.timebased.timezone": "UTC",
        ], in: folder)
      let table = try await Table.open(at: .local(path))
      var at = ColumnBuilder(.int32)
      at.append(Int32(1_700_000_000))
      let batch = try RecordBatch(
        schema: Schema([Field("k", .string), Field("at", .int32)]),
        columns: [Self.texts(["k1"]), at.finish()])
      let error = await #expect(throws: TableError.self) { try await table.upsert(batch, scope: .table) }
      #expect(error?.message.contains("\"2023-11-14\"") == true, "\(error as Any)")
    }
  }
}
