import TarnBytes
import TarnCompression
import TarnTestSupport
import Testing

@Suite("What is delivered to the command line")
struct DeliveryTests {
  @Test("Every object of a folder is taken, whatever its name, and what is left is named")
  func folder() async throws {
    try await Tool.inFolder { tool in
      var compressed: [UInt8] = []
      var compressor = Compressor()
      let records = (1...6).map { change("INSERT", "\($0)", exchange: "OKX", at: 1_700_000_000_000) }
      try compressor.gzip(Array(records[0].utf8).span.bytes, into: &compressed)
      try tool.write("in/2024/my.stream-1-2024-01-31-00-00-00-7f", compressed)
      try tool.write("in/2024/my.stream-1-2024-01-31-00-05-00-80", records[1])
      try tool.write("in/x.parquet", records[2])
      try tool.write("in/y.txt", records[3])
      try tool.write("in/plain.gz", records[4])
      compressed = []
      try compressor.zstd(Array(records[5].utf8).span.bytes, level: 1, into: &compressed)
      try tool.write("in/z.gz", compressed)
      try tool.write("in/_SUCCESS", "")
      try tool.write("in/y.txt.crc", "crc")
      try tool.write("in/.hidden/a", "x")
      try tool.write("in/rows", "PAR1 and more PAR1")
      let outcome = try await tool.succeed("ingest", "t", "--create", "--changes", "in")
      #expect(outcome.errors.contains("6 inserted"), "\(outcome.errors)")
      #expect(
        outcome.complaints.first
          == "note: in/: passed over, being hidden, markers or Parquet files: .hidden/a, _SUCCESS, rows, y.txt.crc"
      )
      try tool.write("in/readme", "Nothing of value")
      let refused = try await tool.run("ingest", "t", "--changes", "in")
      #expect(refused.status == 1 && refused.errors.contains("tarn: in/readme, line 1 (offset 0): not JSON"))
      try tool.write("none/_SUCCESS", "")
      let none = try await tool.run("ingest", "t", "--changes", "none")
      #expect(none.status == 1 && none.errors.contains("no file is there, but perhaps hidden ones"))
    }
  }

  @Test("Rows are told by the first bytes of their file, whatever its name")
  func rows() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.v1.2024", someTrades)
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "trades.v1.2024")
      try await tool.runToFile("rows.dat", ["read", "t", "--format", "parquet"])
      let outcome = try await tool.succeed("upsert", "t", "--from", "rows.dat")
      #expect(outcome.errors.contains("3 duplicate"), "\(outcome.errors)")
      try tool.write("lines.parquet", " \n" + someTrades)
      let lines = try await tool.succeed("upsert", "t", "--from", "lines.parquet")
      #expect(lines.errors.contains("3 duplicate"), "\(lines.errors)")
      var compressed: [UInt8] = []
      var compressor = Compressor()
      try compressor.gzip(Array(someTrades.utf8).span.bytes, into: &compressed)
      try tool.write("small.parquet", compressed)
      #expect(try await tool.succeed("upsert", "t", "--from", "small.parquet").errors.contains("3 duplicate"))
      try tool.write("broken.parquet", "PAR and more")
      try await tool.fail("upsert", "t", "--from", "broken.parquet", saying: ["broken.parquet", "Parquet"])
    }
  }

  @Test("Records behind a broken one are taken, and the rest is counted in records and bytes")
  func brokenRecords() async throws {
    try await Tool.inFolder { tool in
      let good = (1...5).map { change("INSERT", "\($0)", exchange: "OKX", at: 1_700_000_000_000) }
      let cut = String(good[2].dropLast(40))
      try tool.write("in", good[0] + good[1] + cut + good[3] + "\0\0" + good[4])
      let outcome = try await tool.succeed(
        "ingest", "t", "--create", "--changes", "in", "--on-error", "dead-letter", "dead")
      #expect(outcome.errors.contains("4 inserted"))
      #expect(outcome.errors.contains("2 to the dead letters (\(cut.utf8.count + 2) B)"), "\(outcome.errors)")
      let letters = String(decoding: try tool.bytes(of: tool.path("dead")), as: UTF8.self).split(
        separator: "\n")
      let texts = try letters.map { try JSONValue(parsing: Array($0.utf8))["record"]?.string ?? "" }
      #expect(texts == [cut, "\0\0"])

      let rows = #"{"id":1}{"id":2,"x":}{"id":3}"#
      try tool.write("rows", rows)
      let upsert = try await tool.succeed(
        "upsert", "u", "--create", "--key", "id", "--from", "rows", "--on-error", "dead-letter", "dead")
      #expect(upsert.errors.contains("2 inserted") && upsert.errors.contains("1 to the dead letters (13 B)"))
      try await tool.fail("upsert", "u", "--from", "rows", saying: ["rows, line 1 (offset 8): not JSON"])
    }
  }

  private func named(_ id: String, _ table: String) -> String {
    change("INSERT", id, exchange: "OKX", at: 1_700_000_000_000)
      .replacing("\"eventID\"", with: "\"tableName\":\"\(table)\",\"eventID\"")
  }

  @Test("Records of several DynamoDB tables are told apart, and one of them is chosen")
  func severalTables() async throws {
    try await Tool.inFolder { tool in
      try tool.write("in/a", named("1", "users") + named("2", "orders"))
      try tool.write("in/b", named("3", "items") + named("4", "orders"))
      for policy in [["--on-error", "fail"], ["--on-error", "dead-letter", "dead"]] {
        let outcome = try await tool.run(["ingest", "t", "--create", "--changes", "in"] + policy)
        #expect(outcome.status == 1 && outcome.complaints.count == 1)
        #expect(
          outcome.errors.contains("of several DynamoDB tables, items, orders, users: choose one with --table")
        )
        #expect(!tool.exists("t") && !tool.exists("dead"))
      }
      let chosen = try await tool.succeed("ingest", "t", "--create", "--changes", "in", "--table", "orders")
      #expect(
        chosen.errors.contains("2 inserted") && chosen.errors.contains("2 records of other DynamoDB tables"))
      #expect(
        Set(try await tool.succeed("read", "t", "--select", "id").rows) == [#"{"id":"2"}"#, #"{"id":"4"}"#])
      try await tool.fail(
        "ingest", "u", "--create", "--changes", "in", "--table", "nobody", saying: ["no change records"])
    }
  }

  @Test("With columns given, the key of a new table is the records', as long as it is among them")
  func keyOfRecords() async throws {
    try await Tool.inFolder { tool in
      let fields = ["id", "exchange"].map { #"{"name":"\#($0)","type":["null","string"],"default":null}"# }
      try tool.write("t.avsc", #"{"type":"record","name":"r","fields":[\#(fields.joined(separator: ","))]}"#)
      try tool.write("u.avsc", #"{"type":"record","name":"r","fields":[\#(fields[1])]}"#)
      try tool.write("in", change("INSERT", "1", exchange: "OKX", at: 1_700_000_000_000))
      try await tool.succeed("ingest", "t", "--create", "--schema", "t.avsc", "--changes", "in")
      #expect(try await tool.succeed("show", "t").output.contains(#""key":["id"]"#))
      try await tool.fail(
        "ingest", "u", "--create", "--schema", "u.avsc", "--changes", "in",
        saying: [#"the records' key is "id", and there is no column id: add it"#])
      #expect(!tool.exists("u"))
    }
  }

  /// A file of pyarrow's with the columns `id`, 1 and 2, and `x` of the null type.
  private static let nullColumn = """
    UEFSMRUAFSwVLCwVBBUAFQYVBhwAAAACAAAABAEBAAAAAAAAAAIAAAAAAAAAFQAVDBUMLBUEFQAVBhUGHAAAAAIAAAAEABUEGTw1ABgGc2No\
    ZW1hFQQAFQQlAhgCaWQAFQIlAhgBeGy8AAAAFgQZHBksJgAcFQQZJQYAGRgCaWQVABYEFlIWUiYISRwVABUAFQIAPCkGGSYABAAAACYAHBUC\
    GSUGABkYAXgVABYEFjIWMiZaSRwVABUAFQIAPCkGGSYEAAAAABaEARYEJggWhAEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAu\
    MRksHAAAHAAAALcAAABQQVIx
    """

  @Test("A column that holds nothing but nulls gets its type from the first value, in Parquet and in JSON")
  func untypedColumns() async throws {
    try await Tool.inFolder { tool in
      let bytes = Base64.decode(Array(Self.nullColumn.utf8).span.bytes)
      try tool.write("null.parquet", try #require(bytes))
      try tool.write("null.jsonl", #"{"id":1,"x":null}"#)
      let note = #""x": left out, since nothing but nulls came yet"#
      for (table, command, file) in [
        ("a", "insert", "null.parquet"), ("b", "upsert", "null.parquet"), ("c", "upsert", "null.jsonl"),
      ] {
        let outcome = try await tool.succeed(command, table, "--create", "--key", "id", "--from", file)
        #expect(outcome.errors.contains(note), "\(outcome.errors)")
        #expect(try await tool.succeed("schema", table).rows.count == 1)
        try tool.write("value.jsonl", #"{"id":2,"x":"text"}"#)
        try await tool.succeed("upsert", table, "--from", "value.jsonl")
        #expect(try await tool.succeed("schema", table).output.contains(#""column":"x","type":"string""#))
        // Now there is a type that the nulls are of.
        let again = try await tool.succeed("upsert", table, "--from", file)
        #expect(!again.errors.contains("left out"), "\(again.errors)")
      }
      let partial = try await tool.succeed("upsert", "a", "--partial", "--from", "null.parquet")
      #expect(partial.errors.contains("2 duplicate"), "\(partial.errors)")
      #expect(try await tool.succeed("read", "a", "--select", "x").rows == [#"{"x":null}"#, #"{"x":null}"#])
      let created = try await tool.succeed("create", "d", "--key", "id", "--like", "null.parquet")
      #expect(created.errors.contains(note) && created.errors.contains("created d: 1 columns"))
    }
  }

  @Test("A null within a key of several columns works from JSON, change records and Parquet alike")
  func nullInKey() async throws {
    try await Tool.inFolder { tool in
      try tool.write("rows", #"{"a":"x","b":null,"v":1}{"a":"y","v":2}{"a":"","b":"z","v":3}"#)
      try await tool.succeed("upsert", "t", "--create", "--key", "a,b", "--from", "rows")
      let keys = try await tool.succeed("read", "t", "--select", "_hoodie_record_key")
      #expect(
        Set(keys.rows)
          == Set(
            ["a:x,b:__null__", "a:y,b:__null__", "a:__empty__,b:z"].map {
              #"{"_hoodie_record_key":"\#($0)"}"#
            }))
      try await tool.runToFile("rows.parquet", ["read", "t", "--format", "parquet"])
      #expect(try await tool.succeed("upsert", "t", "--from", "rows.parquet").errors.contains("3 duplicate"))
      #expect(try await tool.succeed("upsert", "t", "--from", "rows").errors.contains("3 duplicate"))
      #expect(
        try await tool.succeed("delete", "t", "--key", #"{"a":"y","b":null}"#).errors.contains("1 deleted"))
      try tool.write("none", #"{"a":null,"b":"","v":3}"#)
      try await tool.fail(
        "upsert", "t", "--from", "none", saying: ["line 1", "no value for the key column a, b"])
      let image = #"{"a":{"S":"x"},"v":{"N":"5"}}"#
      try tool.write(
        "changes",
        #"{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":"2024-01-31T12:00:00Z","Keys":{"a":{"S":"x"}},"NewImage":\#(image)}}"#
      )
      let ingested = try await tool.succeed("ingest", "t", "--changes", "changes")
      #expect(ingested.errors.contains("0 inserted, 1 updated"), "\(ingested.errors)")
      #expect(
        try await tool.succeed("read", "t", "--select", "b,v", "--where", "a = 'x'").output
          == "{\"b\":null,\"v\":5}\n")
    }
  }

  @Test("An option that nobody gave is not called given")
  func standards() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "trades.jsonl")
      let path = tool.path("t/.hoodie/hoodie.properties")
      let text = String(decoding: try tool.bytes(of: path), as: UTF8.self)
      try tool.write("t/.hoodie/hoodie.properties", text.replacing("COPY_ON_WRITE", with: "MERGE_ON_READ"))
      for command in [
        ["upsert", "t", "--from", "trades.jsonl"], ["ingest", "t", "--changes", "trades.jsonl"],
      ] {
        let outcome = try await tool.run(command)
        #expect(outcome.status == 1 && !outcome.errors.contains("--"), "\(outcome.errors)")
        let given = try await tool.run(command + ["--type", "cow"])
        #expect(given.errors.contains("--type cow does not fit the table, which has mor"), "\(given.errors)")
      }
    }
  }
}
