import Foundation
import Tarn
import TarnColumns
import TarnTestSupport
import Testing

/// Tables whose columns were widened, read by other engines.
@Suite(.serialized) struct WideningForeignTests {
  static func column(_ type: DataType, _ fill: (inout ColumnBuilder) -> Void) -> Column {
    var builder = ColumnBuilder(type)
    fill(&builder)
    return builder.finish()
  }

  static func texts(_ values: String...) throws -> Column {
    var builder = ColumnBuilder(.string)
    for value in values { try builder.append(value) }
    return builder.finish()
  }

  static func batch(_ columns: KeyValuePairs<String, Column>) throws -> RecordBatch {
    try RecordBatch(
      schema: Schema(columns.map { Field($0.key, $0.value.type) }), columns: columns.map(\.value))
  }

  static func rows(_ table: Table, _ columns: [String]) async throws -> [String] {
    var batches: [RecordBatch] = []
    for try await batch in try await table.snapshot().select(columns) { batches.append(batch) }
    return WideRows.lines(batches)
  }

  static let columns = ["id", "i", "x", "d", "k", "m", "f"]

  /// Rows in one partition; the values are exact in every type.
  static func narrow(_ id: String, _ part: String, _ value: Int32) throws -> RecordBatch {
    try batch([
      "id": texts(id), "part": texts(part), "ts": column(.int32) { $0.append(Int32(1)) },
      "i": column(.int32) { $0.append(value) }, "x": column(.int32) { $0.append(value) },
      "d": column(.decimal(precision: 5, scale: 2)) { $0.append(Int128(value)) },
      "k": column(.int32) { $0.append(value) }, "m": column(.int64) { $0.append(Int64(value)) },
      "f": column(.float) { $0.append(Float(value) / 2) },
    ])
  }

  @Test func widenedColumnsAreReadAlikeAndSparkGoesOn() async throws {
    try Spark.hudi015.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/t"
      let table = try await Table.create(
        at: .local(path), schema: try Self.narrow("", "", 0).schema, recordKey: ["id"],
        partitionedBy: ["part"],
        orderedBy: "ts")
      try await table.upsert(try Self.narrow("a", "p", 100))
      try await table.upsert(try Self.narrow("b", "q", -7))
      try await table.widen([
        "i": .int64, "x": .double, "d": .decimal(precision: 20, scale: 4),
        "k": .decimal(precision: 12, scale: 2), "m": .decimal(precision: 19, scale: 0), "f": .double,
      ])
      let old = try await Self.rows(table, Self.columns)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == old)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == old)
      // The newest commit only changed the schema: Daft finds no columns.
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == nil)
      // A file of the new types beside one of the old ones.
      try await table.upsert(
        try Self.batch([
          "id": Self.texts("a"), "part": Self.texts("p"), "ts": Self.column(.int32) { $0.append(Int32(2)) },
          "i": Self.column(.int64) { $0.append(Int64(1) << 40) },
          "d": Self.column(.decimal(precision: 20, scale: 4)) { $0.append(Int128(12_345_678_901)) },
          "f": Self.column(.double) { $0.append(0.1) },
        ]))
      let mixed = try await Self.rows(table, Self.columns)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == mixed)
      #expect(try await ForeignReader.hudi(table: path, select: Self.columns) == mixed)
      // Columns that are null in one of the two files have bounds in the other alone.
      #expect(try await ForeignReader.daft(table: path, select: Self.columns) == nil)
      for condition in ["i > 5000000000", "x = -7", "d < 0", "k = -7", "m = -7", "f = 0.1"] {
        let predicate = try Condition(parsing: condition)
        #expect(
          try await Spark.hudi015.read(path, where: condition, select: ["id"]).count
            == (try await table.snapshot().where(predicate).count()), "\(condition)")
      }
      let source = folder + "/more.jsonl"
      try #"{"id":"b","part":"q","ts":3,"i":9,"x":9.0,"d":"9.5","k":"9","m":"9","f":9.0}"#.write(
        toFile: source, atomically: true, encoding: .utf8)
      try await Spark.hudi015.write(
        path, from: source,
        schema: "id string, part string, ts int, i bigint, x double, d decimal(20,4), k decimal(12,2), "
          + "m decimal(19,0), f double",
        options: [
          "hoodie.table.name": "t", "hoodie.datasource.write.recordkey.field": "id",
          "hoodie.datasource.write.partitionpath.field": "part",
          "hoodie.datasource.write.precombine.field": "ts", "hoodie.datasource.write.operation": "upsert",
          "hoodie.datasource.write.hive_style_partitioning": "true",
          "hoodie.datasource.write.partitionpath.urlencode": "true",
        ])
      let after = try await Self.rows(table, Self.columns)
      #expect(after.count == 2)
      #expect(try await Spark.hudi015.read(path, select: Self.columns) == after)
      #expect(try await table.upsert(try Self.narrow("b", "q", 1)).stale == 1)
    }
  }
}
