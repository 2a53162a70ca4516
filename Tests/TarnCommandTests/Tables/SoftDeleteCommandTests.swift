import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Rows that say themselves that they are deleted")
struct SoftDeleteCommandTests {
  private static let lines = """
    {"id":1,"exchange":"OKX","price":9.5,"_hoodie_is_deleted":true}
    {"id":2,"exchange":"Kraken","price":9.5,"_hoodie_is_deleted":false}
    {"id":4,"exchange":"OKX","price":9.5,"_hoodie_is_deleted":null}
    {"id":5,"exchange":"OKX","price":9.5,"_hoodie_is_deleted":true}

    """

  /// The same rows as a Parquet file.
  private func writeParquet(_ tool: Tool) async throws {
    var (id, exchange) = (ColumnBuilder(.int64), ColumnBuilder(.string))
    var (price, isDeleted) = (ColumnBuilder(.double), ColumnBuilder(.boolean))
    for (row, name) in [(1, "OKX"), (2, "Kraken"), (4, "OKX"), (5, "OKX")] {
      id.append(Int64(row))
      try exchange.append(name)
      price.append(9.5)
      if row == 4 { isDeleted.appendNulls() } else { isDeleted.append(row != 2) }
    }
    let batch = try RecordBatch(
      schema: Schema([
        Field("id", .int64), Field("exchange", .string), Field("price", .double),
        Field("_hoodie_is_deleted", .boolean),
      ]), columns: [id.finish(), exchange.finish(), price.finish(), isDeleted.finish()], count: 4)
    let storage = LocalStorage(root: tool.folder, scratch: ".scratch", synchronizes: false)
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: "rows.parquet"), path: "rows.parquet",
      options: ParquetWriteOptions())
    try await writer.append(batch)
    _ = try await writer.finish()
  }

  @Test("JSON lines and Parquet files delete by _hoodie_is_deleted, and the column is not added")
  func writes() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try tool.write("rows.jsonl", Self.lines)
      try await writeParquet(tool)
      for file in ["rows.jsonl", "rows.parquet"] {
        let table = "t-\(file)"
        try await tool.succeed("upsert", table, "--create", "--key", "id", "--from", "trades.jsonl")
        let outcome = try await tool.succeed("upsert", table, "--from", file)
        #expect(outcome.errors.contains("1 deleted"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("is new"), "\(outcome.errors)")
        #expect(!(try await tool.succeed("schema", table).output.contains("is_deleted")))
        let rows = try await tool.succeed("read", table, "--select", "id,price")
        #expect(
          Set(rows.rows) == [#"{"id":2,"price":9.5}"#, #"{"id":3,"price":null}"#, #"{"id":4,"price":9.5}"#])
        for verb in ["upsert", "insert"] {
          let new = "new-\(verb)-\(file)"
          try await tool.succeed(verb, new, "--create", "--key", "id", "--from", file)
          let rows = try await tool.succeed("read", new, "--select", "id")
          #expect(Set(rows.rows) == [#"{"id":2}"#, #"{"id":4}"#], "\(verb) \(file)")
          #expect(!(try await tool.succeed("schema", new).output.contains("is_deleted")))
        }
        try tool.write("one.jsonl", #"{"id":2,"_hoodie_is_deleted":true}"#)
        try await tool.succeed("upsert", table, "--partial", "--from", "one.jsonl")
        #expect(try await tool.succeed("count", table).output == "2\n")
      }
    }
  }

  @Test("What is no boolean, and other names of Hudi's, are refused; attributes are renamed")
  func otherNames() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "trades.jsonl")
      let before = try tool.files(of: "t")
      for (line, says) in [
        (#"{"id":1,"_hoodie_is_deleted":"yes"}"#, "column _hoodie_is_deleted"),
        (#"{"id":1,"_hoodie_operation":"D"}"#, "column _hoodie_operation: Hudi keeps names"),
      ] {
        try tool.write("odd.jsonl", line)
        try await tool.fail("upsert", "t", "--from", "odd.jsonl", saying: [says])
        try await tool.fail(
          "upsert", "new", "--create", "--key", "id", "--from", "odd.jsonl", saying: [says])
      }
      #expect(try tool.files(of: "t") == before)
      #expect(!tool.exists("new"))
      // In another case it is a name like others, which no column of Hudi's has.
      try tool.write("other.jsonl", #"{"id":1,"_HOODIE_IS_DELETED":true}"#)
      try await tool.succeed("upsert", "other", "--create", "--key", "id", "--from", "other.jsonl")
      let column = try #require(
        try await tool.succeed("schema", "other").rows.first { $0.contains("__HOODIE_IS_DELETED_") })
      #expect(column.contains("boolean"))
      #expect(try await tool.succeed("count", "other").output == "1\n")
      // A change record deletes by its name, and an attribute is an attribute.
      let record = change("INSERT", "7", exchange: "OKX", at: 1)
        .replacing(#""exchange":{"S":"OKX"}"#, with: #""_hoodie_is_deleted":{"BOOL":true}"#)
      try tool.write("c.jsonl", record)
      try await tool.succeed("ingest", "changes", "--create", "--changes", "c.jsonl")
      let rows = try await tool.succeed("read", "changes").rows
      #expect(rows.count == 1 && rows.allSatisfy { $0.contains(#""__hoodie_is_deleted_"#) })
    }
  }
}
