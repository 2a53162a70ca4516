import TarnTestSupport
import Testing

@Suite("How often input is read")
struct InputReadingTests {
  /// Rows whose columns and types take all of them to tell.
  private static func rows(_ count: Int, _ last: String) -> String {
    (0..<count).map {
      #"{"id":\#($0),"Symbol":"S\#($0 % 7)","price":\#($0),"size":\#($0 % 3 == 0 ? "null" : "1.5")}"#
    }
    .joined(separator: "\n") + "\n" + last + "\n"
  }

  /// Bytes that a run reads of a file, and the file's size.
  private func read(_ name: String, _ tool: Tool, _ verb: String, to table: String) async throws -> (Int, Int)
  {
    let calls = try await tool.recorded(verb, table, "--create", "--key", "id", "--from", name)
    let file = try RecordedCall.file(at: tool.path(name))
    let bytes = calls.filter { $0.kind == .read && $0.file == file }.reduce(0) { $0 + $1.count }
    return (bytes, try tool.bytes(of: tool.path(name)).count)
  }

  @Test("JSON lines for a table that is created are read once", arguments: ["upsert", "insert"])
  func linesAreReadOnce(verb: String) async throws {
    try await Tool.inFolder { tool in
      try tool.write("in.jsonl", Self.rows(2_000, #"{"id":"x","symbol":"s","price":0.5,"note":"new"}"#))
      let (read, size) = try await read("in.jsonl", tool, verb, to: "t")
      // The first bytes tell what it is.
      #expect(read == size + 4)
      let schema = try await tool.succeed("schema", "t").output
      for column in ["\"id\"", "\"Symbol\"", "\"symbol_", "\"price\"", "\"size\"", "\"note\""] {
        #expect(schema.contains(column), "\(schema)")
      }
      let found = try await tool.succeed(
        "read", "t", "--where", "id in ('5', 'x')", "--select", "id,Symbol,price,size,note", "--format",
        "jsonl")
      #expect(
        Set(found.rows) == [
          #"{"id":"5","Symbol":"S5","price":5.0,"size":1.5,"note":null}"#,
          #"{"id":"x","Symbol":null,"price":0.5,"size":null,"note":"new"}"#,
        ])
    }
  }

  @Test("Rows without a key are told with their line, or set aside, though nothing told the key before")
  func rowsWithoutKey() async throws {
    try await Tool.inFolder { tool in
      try tool.write("in.jsonl", Self.rows(20, #"{"price":1,"stray":true}"#))
      try await tool.fail(
        "upsert", "t", "--create", "--key", "id", "--from", "in.jsonl", saying: ["in.jsonl", "line 21", "id"])
      #expect(!tool.exists("t"))
      let outcome = try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--from", "in.jsonl", "--on-error", "dead-letter=left.jsonl"
      )
      #expect(outcome.errors.contains("20 inserted"), "\(outcome.errors)")
      let left = String(decoding: try tool.bytes(of: tool.path("left.jsonl")), as: UTF8.self)
      #expect(left.contains("\"line\":21"), "\(left)")
      // Records that were set aside make no columns.
      #expect(try await !tool.succeed("schema", "t").output.contains("stray"))
      try await tool.fail(
        "upsert", "u", "--create", "--key", "none", "--from", "in.jsonl", saying: ["none"])
      try tool.write("empty.jsonl", #"{"id":"","n":1}"# + "\n" + #"{"id":"1","n":2}"# + "\n")
      try await tool.fail(
        "upsert", "u", "--create", "--key", "id", "--from", "empty.jsonl", saying: ["line 1", "is empty"])
      // Of a key of several columns one needs a text.
      let parts = try await tool.succeed(
        "upsert", "u", "--create", "--key", "id,n", "--from", "empty.jsonl")
      #expect(parts.errors.contains("2 inserted"), "\(parts.errors)")
    }
  }

  @Test("The footer of a Parquet file tells its columns, and its pages are read once")
  func parquetIsReadOnce() async throws {
    try await Tool.inFolder { tool in
      try tool.write("in.jsonl", Self.rows(100_000, #"{"id":"x"}"#))
      try await tool.succeed("insert", "s", "--create", "--key", "id", "--from", "in.jsonl")
      try await tool.runToFile("in.parquet", ["read", "s", "--format", "parquet"])
      let (read, size) = try await read("in.parquet", tool, "upsert", to: "t")
      // The end of a file is read for its footer, and holds pages of so small a one.
      #expect(size > 160 << 10 && read < size + (80 << 10), "\(read) of \(size)")
    }
  }
}
