import Tarn
import TarnColumns
import TarnS3
import TarnS3TestSupport
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables in a bucket of a real server, as other engines read them there.
@Suite(.serialized) struct ReadersForeignTests {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("price", .decimal(precision: 10, scale: 2)),
    Field("at", .int64),
  ])
  private static let columns = ["id", "part", "price", "at"]

  private static func batch(_ keys: Range<Int>, at time: Int64) throws -> RecordBatch {
    var (id, part) = (ColumnBuilder(.string), ColumnBuilder(.string))
    var (price, at) = (ColumnBuilder(.decimal(precision: 10, scale: 2)), ColumnBuilder(.int64))
    for key in keys {
      try id.append("key-\(key)")
      try part.append(["alpha", "beta/slash", "gämma"][key % 3])
      price.append(Int128(key) * 100 + Int128(time))
      at.append(time)
    }
    return try RecordBatch(
      schema: schema, columns: [id.finish(), part.finish(), price.finish(), at.finish()])
  }

  private static func rows(_ snapshot: Snapshot) async throws -> [String] {
    var lines: [String] = []
    for try await batch in try snapshot.select(columns) {
      for row in 0..<batch.count {
        var line: [UInt8] = []
        batch.appendJSONLine(row, to: &line)
        lines.append(String(decoding: line.dropLast(), as: UTF8.self))
      }
    }
    return TestWorld.sortedAsText(lines)
  }

  @Test func othersReadWhatWasWrittenDeletedAndSpliced() async throws {
    try ForeignReader.require()
    try ClickHouse.require()
    let server = try await RealServer()
    let store = ForeignReader.Store(
      endpoint: server.endpoint, key: server.variables["AWS_ACCESS_KEY_ID"] ?? "",
      secret: server.variables["AWS_SECRET_ACCESS_KEY"] ?? "")
    let place = try server.location().description + "/trades"
    let table = try await Table.create(
      at: .s3(place, server.options()), schema: Self.schema, recordKey: ["id"], partitionedBy: ["part"],
      orderedBy: "at")
    let first = try #require(try await table.upsert(try Self.batch(0..<300, at: 1)).instant)
    let before = try await Self.rows(try await table.snapshot())
    try await table.upsert(try Self.batch(250..<330, at: 2))
    var gone = ColumnBuilder(.string)
    for key in [1, 251, 329] { try gone.append("key-\(key)") }
    try await table.delete(
      try RecordBatch(schema: Schema([Field("id", .string)]), columns: [gone.finish()]))

    let rows = try await Self.rows(try await table.snapshot())
    #expect(rows.count == 327)
    #expect(try await ForeignReader.hudi(table: place, in: store, select: Self.columns) == rows)
    #expect(
      try await ForeignReader.hudi(table: place, in: store, asOf: "\(first)", select: Self.columns) == before)
    #expect(try await ForeignReader.daft(table: place, in: store, select: Self.columns) == rows)
    #expect(try await ClickHouse.hudi(table: place, in: store, select: Self.columns) == rows)
    // Those that know no tables read the files of the latest slices.
    for reader in ["pyarrow", "duckdb"] {
      var found: [String] = []
      for slice in try await table.snapshot().slices {
        found += try await ForeignReader.rows(
          ofFile: "\(place)/\(slice.path)", in: store, by: reader, select: Self.columns)
      }
      #expect(TestWorld.sortedAsText(found) == rows, "\(reader)")
    }
    #expect(try await table.check() == [])
  }
}
