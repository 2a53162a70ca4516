import Tarn
import TarnColumns
import TarnIndex
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables with a bucket index that Tarn and Spark write in turn, whichever of them began.
@Suite(.serialized) struct BucketForeignTests {
  struct Layout: Sendable, CustomTestStringConvertible {
    var keys: [String]
    var fields: [String]
    var count: Int
    var beginsWithSpark: Bool
    var spark = Spark.hudi015
    var testDescription: String {
      "\(keys) hashed by \(fields) into \(count), begun by \(beginsWithSpark ? spark.testDescription : "Tarn")"
    }
    var buckets: Buckets { Buckets(count: count, fields: fields) }

    /// Spark's options for writing into such a table.
    func options(_ operation: String) -> [String: String] {
      var options = TableForeignTests.sparkOptions(
        operation,
        [
          "hoodie.datasource.write.recordkey.field": keys.joined(separator: ","),
          "hoodie.index.type": "BUCKET",
          "hoodie.index.bucket.engine": "SIMPLE", "hoodie.bucket.index.num.buckets": "\(count)",
          "hoodie.bucket.index.hash.field": (fields.isEmpty ? keys : fields).joined(separator: ","),
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

  static let layouts = [false, true].flatMap { begins in
    [
      Layout(keys: ["id"], fields: [], count: 3, beginsWithSpark: begins),
      Layout(keys: ["id", "sub"], fields: [], count: 4, beginsWithSpark: begins),
      Layout(keys: ["id", "sub"], fields: ["sub"], count: 3, beginsWithSpark: begins),
      Layout(keys: ["id"], fields: [], count: 4, beginsWithSpark: begins, spark: .hudi120),
    ]
  }

  static let schema = Schema([
    Field("id", .string), Field("sub", .int32), Field("part", .string), Field("ts", .int64),
    Field("note", .string),
  ])

  /// Rows, of whose keys some have what Hudi 0.15 takes for names where keys are of one column.
  private func rows(_ numbers: Range<Int>, at time: Int64, _ layout: Layout) throws -> RecordBatch {
    var builders = Self.schema.fields.map { ColumnBuilder($0.type) }
    let hasOddKeys = layout.keys.count == 1 && layout.spark.testDescription == Spark.hudi015.testDescription
    for number in numbers {
      let odd = ["2026-01-01T00:00:\(number)Z", "a,\(number)", "ünï-\(number)", "id:\(number)"][number % 4]
      try builders[0].append(hasOddKeys && number % 3 == 0 ? odd : "key-\(number)")
      builders[1].append(Int32(number % 7))
      try builders[2].append(["alpha", "beta", "a b"][number % 3])
      builders[3].append(time)
      try builders[4].append("note \(number % 5) at \(time)")
    }
    return try RecordBatch(schema: Self.schema, columns: builders.map { $0.finish() })
  }

  @Test(arguments: layouts)
  func tarnAndSparkGoOnInOneAnothersBuckets(layout: Layout) async throws {
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
      if layout.beginsWithSpark {
        try await spark("upsert", try rows(0..<200, at: 1, layout))
        let silent = try await Table.open(at: .local(path))
        await #expect(throws: TableError.self) { try await silent.upsert(try rows(0..<5, at: 2, layout)) }
        var settings = TableSettings()
        settings.buckets = layout.buckets
        table = try await Table.open(at: .local(path), settings: settings)
      } else {
        var options = TableOptions()
        options.tarn.buckets = layout.buckets
        options.tarn.pageRows = 8
        table = try await Table.create(
          at: .local(path), schema: Self.schema, recordKey: layout.keys, partitionedBy: ["part"],
          orderedBy: "ts",
          options: options)
        try await table.upsert(try rows(0..<200, at: 1, layout))
      }
      let second = try await table.upsert(try rows(190..<230, at: 2, layout))
      #expect(second.updated == 10 && second.inserted == 30)
      #expect(
        try await table.delete(try rows(0..<9, at: 2, layout).select(layout.keys + ["part"])).deleted == 9)
      try await compare(table, path, layout, count: 221, "Tarn wrote")

      try await spark("upsert", try rows(100..<260, at: 3, layout))
      try await spark("delete", try rows(10..<20, at: 3, layout))
      try await compare(table, path, layout, count: 241, "Spark wrote")

      let fourth = try await table.upsert(try rows(250..<300, at: 4, layout))
      #expect(fourth.updated == 10 && fourth.inserted == 40)
      #expect(try await table.upsert(try rows(290..<295, at: 5, layout)).splicedFiles > 0)
      try await spark("upsert", try rows(295..<305, at: 6, layout))
      try await compare(table, path, layout, count: 286, "Tarn and Spark wrote")

      // File groups without rows keep their buckets.
      #expect(try await table.delete(where: .column("id") != "").deleted == 286)
      try await compare(table, path, layout, count: 0, "Tarn deleted all")
      try await spark("upsert", try rows(0..<40, at: 7, layout))
      #expect(try await table.upsert(try rows(30..<60, at: 8, layout)).updated == 10)
      try await compare(table, path, layout, count: 60, "Spark and Tarn began anew")
    }
  }

  private func compare(
    _ table: Table, _ path: String, _ layout: Layout, count: Int, _ what: String
  ) async throws {
    let columns = ["_hoodie_record_key", "_hoodie_partition_path"] + Self.schema.names
    let snapshot = try await table.snapshot()
    var batches: [RecordBatch] = []
    for try await batch in try snapshot.select(columns) { batches.append(batch) }
    let rows = WideRows.lines(batches)
    #expect(rows.count == count, "\(what)")
    #expect(try await layout.spark.read(path, select: columns) == rows, "\(what): Spark")
    #expect(try await ForeignReader.hudi(table: path, select: columns) == rows, "\(what): hudi-rs")
    if let found = try await ForeignReader.daft(table: path, select: columns) {
      #expect(found == rows, "\(what): Daft")
    }
    let groups = try await snapshot.slices.map { "\($0.partitionPath)/\($0.fileID.prefix(8))" }
    #expect(Set(groups).count == groups.count, "\(what): \(groups.sorted())")
    let index = try #require(
      BucketIndex(count: layout.count, hashFields: layout.fields.isEmpty ? layout.keys : layout.fields))
    for try await batch in try snapshot.select("_hoodie_record_key", "_hoodie_file_name") {
      guard let keys = batch.columns[0].strings, let files = batch.columns[1].strings else { continue }
      for row in 0..<batch.count {
        #expect(
          index.bucket(ofKey: keys[row]) == BucketIndex.bucket(ofFileID: files.string(row)),
          "\(what): \(keys.string(row)) in \(files.string(row))")
      }
    }
  }
}
