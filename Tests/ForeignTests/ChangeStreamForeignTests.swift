import Tarn
import TarnCDC
import TarnCompression
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// A generated change stream, ingested batch by batch, against its replay into a dictionary.
@Suite(.serialized) struct ChangeStreamForeignTests {
  static let schema = Schema(
    [
      Field("id", .string), Field("exchange", .string), Field("price", .decimal(precision: 12, scale: 4)),
      Field("quantity", .decimal(precision: 10, scale: 6)), Field("count", .int64),
      Field("active", .boolean), Field("ratio", .double), Field("at", .timestamp(.microseconds, .instant)),
      Field("day", .date), Field("blob", .binary), Field("note", .string), Field("tags", .string),
    ] + EventColumn.fields)

  /// Ingests the batches of a stream, each as an object of its own, compressed in turn or not at all.
  static func ingest(_ stream: ChangeStream, into table: Table, _ folder: String) async throws {
    let storage = LocalStorage(root: folder, scratch: ".scratch")
    for (number, text) in stream.batches.enumerated() {
      var bytes = Array(text.utf8)
      var name = "in/2025/01/15/08/orders-\(number)"
      if number % 2 == 1 {
        var packed: [UInt8] = []
        var compressor = Compressor()
        try compressor.gzip(bytes.span.bytes, level: 1, into: &packed)
        bytes = packed
        name += ".gz"
      }
      try await storage.put(bytes, at: name, if: .ifAbsent)
      var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], partitionFields: ["exchange"])
      var reader = RecordReader(
        storage: storage, paths: try await ChangeSource.files(in: storage, under: name))
      _ = try await reader.read(into: &builder, limit: .max)
      try await table.apply(try builder.finish(), scope: .table)
    }
  }

  static func create(_ location: TableLocation) async throws -> Table {
    try await Table.create(
      at: location, schema: schema, recordKey: ["id"], partitionedBy: ["exchange"],
      orderedBy: EventColumn.time)
  }

  static func rows(_ table: Table) async throws -> [String] {
    var batches: [RecordBatch] = []
    for try await batch in try await table.snapshot().select(ChangeStream.columns) { batches.append(batch) }
    return WideRows.lines(batches)
  }

  @Test func theCopyHoldsWhatTheReplayHolds() async throws {
    for seed in 1...5 {
      let stream = ChangeStream(seed: UInt64(seed), batches: 6, changesPerBatch: 300)
      try await TestWorld.withTemporaryFolder { folder in
        let table = try await Self.create(.local(folder + "/orders", synchronizes: false))
        try await Self.ingest(stream, into: table, folder)
        #expect(try await Self.rows(table) == stream.expected, "seed \(seed)")
      }
    }
  }

  @Test func hudiRsAndSparkReadExactlyTheReplay() async throws {
    try ForeignReader.require()
    try Spark.hudi015.require()
    let stream = ChangeStream(seed: 42, batches: 5, changesPerBatch: 400)
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/orders"
      let table = try await Self.create(.local(path))
      try await Self.ingest(stream, into: table, folder)
      #expect(try await Self.rows(table) == stream.expected)
      #expect(try await ForeignReader.hudi(table: path, select: ChangeStream.columns) == stream.expected)
      #expect(try await ForeignReader.daft(table: path, select: ChangeStream.columns) == stream.expected)
      #expect(try await Spark.hudi015.read(path, select: ChangeStream.columns) == stream.expected)
      var files: [String] = []
      for slice in try await table.snapshot().slices {
        let file = path + "/" + slice.path
        let rows = try await ForeignReader.pyarrow(file: file, select: ChangeStream.columns)
        #expect(try await ForeignReader.duckdb(file: file, select: ChangeStream.columns) == rows)
        files += rows
      }
      #expect(TestWorld.sortedAsText(files) == stream.expected)
    }
  }
}
