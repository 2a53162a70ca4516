import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Fields within the columns of a Parquet file on the command line")
struct NestedCatTests {
  /// A file of two orders, in a fresh folder: `id`, `place` with `city` and `zip`, and `legs` of `n` and `tag`.
  private func withOrders(_ body: (Tool) async throws -> Void) async throws {
    func strings(_ texts: [String]) throws -> Column {
      var builder = ColumnBuilder(.string)
      for text in texts { try builder.append(text) }
      return builder.finish()
    }
    func numbers(_ values: [Int64]) -> Column {
      var builder = ColumnBuilder(.int64)
      for value in values { builder.append(value) }
      return builder.finish()
    }
    let place = DataType.structure([Field("city", .string), Field("zip", .int64)])
    let leg = DataType.structure([Field("n", .int64), Field("tag", .string)])
    let legs = DataType.list(Field("element", leg))
    let schema = Schema([Field("id", .int64), Field("place", place), Field("legs", legs)])
    let elements = try Column(
      type: leg, values: .structure([numbers([10, 11, 12]), try strings(["a", "b", "c"])], count: 3))
    let columns = [
      numbers([1, 2]),
      try Column(
        type: place, values: .structure([try strings(["Oslo", "Rome"]), numbers([150, 184])], count: 2)),
      try Column(type: legs, values: .list(offsets: [0, 2, 3], elements: elements)),
    ]
    let storage = InMemoryStorage()
    var writer = try ParquetWriter(schema: schema, to: try await storage.writer(at: "file"))
    try await writer.append(try RecordBatch(schema: schema, columns: columns, count: 2))
    _ = try await writer.finish()
    let bytes = try await storage.readAll("file")
    try await Tool.inFolder { tool in
      try tool.write("orders.parquet", bytes)
      try await body(tool)
    }
  }

  @Test("Fields are chosen by their path, in the order in which their columns are named")
  func fields() async throws {
    try await withOrders { tool in
      let lines = try await tool.succeed(
        "parquet", "cat", "orders.parquet", "--select", "legs.n,place.city,id", "--format", "jsonl")
      #expect(
        lines.output == """
          {"legs":[{"n":10},{"n":11}],"place":{"city":"Oslo"},"id":1}
          {"legs":[{"n":12}],"place":{"city":"Rome"},"id":2}

          """)
      let csv = try await tool.succeed(
        "parquet", "cat", "orders.parquet", "--select", "place.zip", "--format", "csv")
      #expect(csv.output == "place\r\n\"{\"\"zip\"\":150}\"\r\n\"{\"\"zip\"\":184}\"\r\n")
      let table = try await tool.succeed(
        "parquet", "cat", "orders.parquet", "--select", "place.city", "--format", "table")
      #expect(table.output.contains(#"{"city":"Oslo"}"#) && !table.output.contains("zip"), "\(table.output)")
    }
  }

  @Test("Two fields of a column stand in it once, and a condition needs no chosen column")
  func condition() async throws {
    try await withOrders { tool in
      let both = try await tool.succeed(
        "parquet", "cat", "orders.parquet", "--select", "place.zip,place.city", "--where", "id = 2",
        "--format", "jsonl")
      #expect(both.output == #"{"place":{"city":"Rome","zip":184}}"# + "\n")
      let whole = try await tool.succeed(
        "parquet", "cat", "orders.parquet", "--select", "place", "--limit", "1", "--format", "jsonl")
      #expect(whole.output == #"{"place":{"city":"Oslo","zip":150}}"# + "\n")
    }
  }

  @Test("A field that is not there is named")
  func missing() async throws {
    try await withOrders { tool in
      try await tool.fail(
        "parquet", "cat", "orders.parquet", "--select", "place.town",
        saying: ["place.town", "there is no such column"])
    }
  }
}
