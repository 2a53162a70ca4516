import Tarn
import TarnColumns
import TarnTestSupport
import Testing

/// Tables without meta columns that Tarn and Spark write in turn, whichever of them began.
@Suite(.serialized) struct NoMetaColumnsForeignTests {
  struct Layout: Sendable, CustomTestStringConvertible {
    var keys: [String]
    /// The operation with which Spark begins the table; nil where Tarn does.
    var beginning: String?
    var spark = Spark.hudi015
    var testDescription: String {
      "\(keys), begun by \(beginning.map { "\(spark.testDescription)'s \($0)" } ?? "Tarn"), with \(spark.testDescription)"
    }

    /// Spark's options for writing into such a table.
    func options(_ operation: String) -> [String: String] {
      var options = TableForeignTests.sparkOptions(
        operation,
        [
          "hoodie.datasource.write.recordkey.field": keys.joined(separator: ","),
          "hoodie.populate.meta.fields": "false", "hoodie.index.type": "SIMPLE",
          "hoodie.datasource.write.keygenerator.class": "org.apache.hudi.keygen."
            + (keys.count == 1 ? "SimpleKeyGenerator" : "ComplexKeyGenerator"),
        ])
      if spark.testDescription != Spark.hudi015.testDescription {
        options["hoodie.write.table.version"] = "6"
        options["hoodie.write.auto.upgrade"] = "false"
      }
      return options
    }
  }

  static let layouts = [
    Layout(keys: ["id"]), Layout(keys: ["id"], beginning: "upsert"),
    Layout(keys: ["id", "sub"], beginning: "bulk_insert"),
    Layout(keys: ["id", "sub"], spark: .hudi120),
    Layout(keys: ["id"], beginning: "bulk_insert", spark: .hudi120),
  ]

  static let schema = BucketForeignTests.schema

  private func rows(_ numbers: Range<Int>, at time: Int64) throws -> RecordBatch {
    var builders = Self.schema.fields.map { ColumnBuilder($0.type) }
    for number in numbers {
      try builders[0].append("key-\(number)")
      if number % 7 == 0 { builders[1].appendNulls() } else { builders[1].append(Int32(number % 7)) }
      try builders[2].append(["alpha", "beta", "a b"][number % 3])
      builders[3].append(time)
      try builders[4].append("note \(number % 5) at \(time)")
    }
    return try RecordBatch(schema: Self.schema, columns: builders.map { $0.finish() })
  }

  @Test(arguments: layouts)
  func tarnAndSparkGoOnInOneAnothersTables(layout: Layout) async throws {
    try layout.spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      func spark(_ operation: String, _ rows: RecordBatch) async throws {
        let source = folder + "/incoming.parquet"
        try await ParquetFixture.write(rows, to: source)
        try await layout.spark.write(path, from: source, options: layout.options(operation))
      }
      let table: Table
      if let operation = layout.beginning {
        try await spark(operation, try rows(0..<200, at: 1))
        table = try await Table.open(at: .local(path))
      } else {
        var options = TableOptions()
        options.populatesMetaColumns = false
        options.tarn.pageRows = 8
        table = try await Table.create(
          at: .local(path), schema: Self.schema, recordKey: layout.keys, partitionedBy: ["part"],
          orderedBy: "ts", options: options)
        try await table.upsert(try rows(0..<200, at: 1))
      }
      let second = try await table.upsert(try rows(190..<230, at: 2))
      #expect(second.updated == 10 && second.inserted == 30)
      let third = try await table.upsert(try rows(180..<185, at: 2))
      #expect(third.updated == 5 && third.splicedFiles > 0)
      #expect(try await table.delete(try rows(0..<9, at: 2).select(layout.keys + ["part"])).deleted == 9)
      try await compare(table, path, layout, count: 221, "Tarn wrote")

      try await spark("upsert", try rows(100..<260, at: 3))
      try await spark("delete", try rows(10..<20, at: 3))
      try await compare(table, path, layout, count: 241, "Spark wrote")

      let fourth = try await table.upsert(try rows(250..<300, at: 4))
      #expect(fourth.updated == 10 && fourth.inserted == 40)
      #expect(try await table.upsert(try rows(290..<295, at: 5)).splicedFiles > 0)
      try await spark("upsert", try rows(295..<305, at: 6))
      try await compare(table, path, layout, count: 286, "Tarn and Spark wrote")
    }
  }

  private func compare(
    _ table: Table, _ path: String, _ layout: Layout, count: Int, _ what: String
  ) async throws {
    var batches: [RecordBatch] = []
    for try await batch in try await table.snapshot() { batches.append(batch) }
    let rows = WideRows.lines(batches)
    #expect(rows.count == count, "\(what)")
    #expect(try await layout.spark.read(path, select: Self.schema.names) == rows, "\(what): Spark")
    #expect(try await ForeignReader.hudi(table: path, select: Self.schema.names) == rows, "\(what): hudi-rs")
    if let found = try await ForeignReader.daft(table: path, select: Self.schema.names) {
      #expect(found == rows, "\(what): Daft")
    }
  }
}
