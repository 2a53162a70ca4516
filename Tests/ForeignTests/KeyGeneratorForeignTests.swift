import Tarn
import TarnTestSupport
import Testing

/// Every combination of key and partition columns, written by Tarn and Spark in turn.
@Suite(.serialized) struct KeyGeneratorForeignTests {
  struct Layout: Sendable, CustomTestStringConvertible {
    var keys: [String]
    var partitions: [String]
    var isHiveStyle = true
    var testDescription: String {
      "\(keys.joined(separator: "+")) by \(partitions.joined(separator: "/")), Hive style \(isHiveStyle)"
    }
    /// The class Spark is told, as Hudi's users do.
    var className: String {
      let name =
        switch (keys.count, partitions.count) {
        case (_, 0): "NonpartitionedKeyGenerator"
        case (1, 1): "SimpleKeyGenerator"
        case (1, _): "CustomKeyGenerator"
        default: "ComplexKeyGenerator"
        }
      return "org.apache.hudi.keygen." + name
    }
    var sparkPartitions: String {
      className.hasSuffix("CustomKeyGenerator")
        ? partitions.map { $0 + ":SIMPLE" }.joined(separator: ",") : partitions.joined(separator: ",")
    }
  }

  static let layouts = [
    Layout(keys: ["id"], partitions: []), Layout(keys: ["id", "part"], partitions: []),
    Layout(keys: ["id"], partitions: ["part"], isHiveStyle: false),
    Layout(keys: ["id"], partitions: ["part", "ts"]), Layout(keys: ["id", "part"], partitions: ["part"]),
    Layout(keys: ["id", "part"], partitions: ["part", "ts"]),
  ]

  @Test(arguments: layouts)
  func tarnAndSparkAgreeOnKeysAndFolders(layout: Layout) async throws {
    try Spark.hudi015.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      var options = TableOptions()
      options.hiveStylePartitions = layout.isHiveStyle
      let table = try await Table.create(
        at: .local(path), schema: WideRows.schema, recordKey: layout.keys, partitionedBy: layout.partitions,
        options: options)
      try await table.upsert(try WideRows.batch(30))
      let source = folder + "/incoming.parquet"
      // Keys 20 to 29 are there already, 30 to 39 are new.
      try await ParquetFixture.write(try WideRows.batch(20, first: 20, seed: 5), to: source)
      try await Spark.hudi015.write(
        path, from: source,
        options: [
          "hoodie.table.name": "trades", "hoodie.datasource.write.operation": "upsert",
          "hoodie.datasource.write.recordkey.field": layout.keys.joined(separator: ","),
          "hoodie.datasource.write.partitionpath.field": layout.sparkPartitions,
          "hoodie.datasource.write.precombine.field": "ts",
          "hoodie.datasource.write.keygenerator.class": layout.className,
          "hoodie.datasource.write.hive_style_partitioning": layout.isHiveStyle ? "true" : "false",
          "hoodie.datasource.write.partitionpath.urlencode": "true",
        ])
      let report = try await table.upsert(try WideRows.batch(20, first: 30, seed: 6))
      #expect(report.updated == 10)
      #expect(report.inserted == 10)
      let columns = ["_hoodie_record_key", "_hoodie_partition_path"] + WideRows.schema.names
      var batches: [RecordBatch] = []
      for try await batch in try await table.snapshot().select(columns) { batches.append(batch) }
      let rows = WideRows.lines(batches)
      #expect(rows.count == 50)
      #expect(try await Spark.hudi015.read(path, select: columns) == rows)
      #expect(try await ForeignReader.hudi(table: path, select: columns) == rows)
      if let found = try await ForeignReader.daft(table: path, select: columns) {
        #expect(found == rows)
      }
    }
  }
}
