import TarnBytes
import TarnColumns
import TarnCompression
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Tables through the command line")
struct RoundTripTests {
  private func withTrades(_ body: (Tool) async throws -> Void) async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      let outcome = try await tool.succeed(
        "upsert", "lake/my-trades", "--create", "--key", "id", "--partition-by", "exchange", "--from",
        "trades.jsonl")
      #expect(outcome.errors.hasPrefix("upserted into my_trades: 3 inserted, 0 updated, 0 deleted, "))
      #expect(outcome.output.isEmpty)
      try await body(tool)
    }
  }

  private let columns = "id,exchange,price,note"

  @Test("Rows come back in every format")
  func formats() async throws {
    try await withTrades { tool in
      let lines = try await tool.succeed("read", "lake/my-trades", "--select", columns)
      #expect(
        Set(lines.rows) == [
          #"{"id":1,"exchange":"OKX","price":1.5,"note":"plain"}"#,
          #"{"id":2,"exchange":"Kraken","price":2.25,"note":"a, \"b\""}"#,
          #"{"id":3,"exchange":"OKX","price":null,"note":null}"#,
        ])
      let csv = try await tool.succeed("read", "lake/my-trades", "--select", columns, "--format", "csv")
      let csvRows = csv.output.split(separator: "\r\n").map(String.init)
      #expect(csvRows.first == columns)
      #expect(Set(csvRows.dropFirst()) == ["1,OKX,1.5,plain", "2,Kraken,2.25,\"a, \"\"b\"\"\"", "3,OKX,,"])
      let table = try await tool.succeed(
        "read", "lake/my-trades", "--select", "id,price", "--format=table", "--where", "id < 3 and id > 1")
      #expect(table.output == "id  price\n--  -----\n 2   2.25\n")
      let parquet = try await tool.run(
        "read", "lake/my-trades", "--select", columns, "--format", "parquet")
      #expect(parquet.status == 0)
      #expect(parquet.output.hasPrefix("PAR1"))
      #expect(parquet.output.hasSuffix("PAR1"))
    }
  }

  @Test("Without a selection Hudi's own columns come first")
  func metaColumns() async throws {
    try await withTrades { tool in
      let row = try #require(try await tool.succeed("read", "lake/my-trades", "--limit", "1").rows.first)
      #expect(row.hasPrefix("{\"_hoodie_commit_time\":\"2"))
      #expect(row.contains("\"_hoodie_file_name\""))
      try tool.write("back.jsonl", row)
      let again = try await tool.succeed("upsert", "lake/my-trades", "--from", "back.jsonl")
      #expect(again.errors.contains("1 duplicate") && !again.errors.contains("note:"))
    }
  }

  @Test("Upserts, deletions and time travel")
  func travel() async throws {
    try await withTrades { tool in
      let table = "lake/my-trades"
      try tool.write(
        "more.jsonl", #"{"id":1,"exchange":"OKX","price":7}"# + "\n" + #"{"id":4,"exchange":"OKX"}"#)
      let upsert = try await tool.succeed("upsert", table, "--from", "more.jsonl")
      #expect(upsert.errors.contains("1 inserted, 1 updated, 0 deleted"))
      let deletion = try await tool.succeed("delete", table, "--key", "3", "99")
      #expect(deletion.errors.contains("1 deleted"))
      #expect(deletion.errors.contains("1 not found"))
      #expect(try await tool.succeed("count", table).output == "3\n")
      #expect(try await tool.succeed("count", table, "--where", "exchange = 'OKX'").output == "2\n")

      let timeline = try await tool.succeed("timeline", table)
      #expect(timeline.rows.count == 3)
      #expect(
        timeline.rows[2].contains("\"operation\":\"delete\",\"inserted\":0,\"updated\":0,\"deleted\":1"))
      let instants = try timeline.rows.map { row in
        try #require(try JSONValue(parsing: Array(row.utf8))["instant"]?.string)
      }
      #expect(try await tool.succeed("count", table, "--as-of", instants[0]).output == "3\n")
      #expect(try await tool.succeed("count", table, "--as-of", instants[1]).output == "4\n")
      #expect(try await tool.succeed("count", table, "--as-of", "2000-01-01").output == "0\n")
      let changed = try await tool.succeed(
        "read", table, "--since", instants[0], "--until", instants[1], "--select", "id")
      #expect(Set(changed.rows) == ["{\"id\":1}", "{\"id\":4}"])
    }
  }

  @Test("Who goes from position to position meets each row once")
  func following() async throws {
    try await withTrades { tool in
      let table = "lake/my-trades"
      func next(_ read: Outcome) throws -> String {
        let line = try #require(
          read.errors.split(separator: "\n").last { $0.contains("go on with --since ") })
        return String(try #require(line.split(separator: " ").last))
      }
      let all = try await tool.succeed("read", table, "--since", "start", "--select", "id")
      #expect(all.rows.count == 3)
      try tool.write("more.jsonl", #"{"id":1,"exchange":"OKX","price":7}"#)
      _ = try await tool.succeed("upsert", table, "--from", "more.jsonl")
      let changed = try await tool.succeed("read", table, "--since", try next(all), "--select", "id")
      #expect(changed.rows == ["{\"id\":1}"])
      let position = try next(changed)
      #expect(position.hasSuffix("-2"))
      #expect(try await tool.succeed("timeline", table).rows.last?.contains(position) == true)
      #expect(try await tool.succeed("count", table, "--since", position).output == "0\n")
      try await tool.fail("read", table, "--since", "ab-1", saying: ["begin again"])
    }
  }

  @Test("Instants are in local time where the table says so")
  func localInstants() async throws {
    try await withTrades { tool in
      let table = "lake/my-trades"
      let properties = table + "/.hoodie/hoodie.properties"
      let text = String(decoding: try tool.bytes(of: tool.path(properties)), as: UTF8.self)
      try tool.write(properties, text.split(separator: "timezone=UTC").joined(separator: "timezone=LOCAL"))
      try tool.write("more.jsonl", #"{"id":9,"exchange":"OKX","price":7}"#)
      // As the system says it, fourteen hours ahead of the first commit's.
      let zone = ["TZ": "<+14>-14"]
      _ = try await tool.run(["upsert", table, "--from", "more.jsonl"], environment: zone)
      let rows = try await tool.run(["timeline", table], environment: zone).rows
      let times = try rows.map { row in
        let text = try JSONValue(parsing: Array(row.utf8))["instant"]?.string
        return try #require(text.flatMap { Int64($0) })
      }
      try #require(times.count == 2)
      // In digits of hours, or of a day.
      #expect(times[1] - times[0] > 130_000_000)
    }
  }

  @Test("Schema, files and show tell of the table")
  func inspection() async throws {
    try await withTrades { tool in
      let table = "lake/my-trades"
      let schema = try await tool.succeed("schema", table)
      #expect(schema.rows[0] == #"{"column":"id","type":"long","nullable":"yes"}"#)
      let files = try await tool.succeed("files", table)
      #expect(files.rows.count == 2)
      #expect(
        files.rows.contains { $0.hasPrefix("{\"partition\":\"exchange=OKX\"") && $0.contains("\"rows\":2") })
      let show = try JSONValue(parsing: Array(try await tool.succeed("show", table).output.utf8))
      #expect(show["name"]?.string == "my_trades")
      #expect(show["rows"]?.integer == 3)
      #expect(show["properties"]?["hoodie.table.version"]?.string == "6")
    }
  }

  @Test("A table is created from an Avro schema, and its own schema text makes another")
  func creation() async throws {
    try await withTrades { tool in
      let schema = try await tool.succeed("schema", "lake/my-trades", "--format", "avsc")
      try tool.write("trades.avsc", schema.output)
      try await tool.succeed(
        "create", "second", "--key", "id", "--order-by", "price", "--schema", "trades.avsc", "--name", "two",
        "--target-file-size", "16M", "--bloom", "hudi")
      #expect(try await tool.succeed("count", "second").output == "0\n")
      let show = try await tool.succeed("show", "second")
      #expect(show.output.contains("\"name\":\"two\""))
      #expect(show.output.contains("\"ordering\":\"price\""))
      try await tool.fail(
        "create", "second", "--key", "id", "--schema", "trades.avsc", saying: ["a table is there already"])
      let insert = try await tool.succeed("insert", "second", "--from", "trades.jsonl")
      #expect(insert.errors.hasPrefix("inserted into two: 3 inserted"))
    }
  }

  @Test("Several files of both kinds are one commit, and the later row of a key wins")
  func severalFiles() async throws {
    try await withTrades { tool in
      let parquet = try await readBytes(tool)
      try tool.write("first.parquet", parquet)
      try tool.write("second.jsonl", #"{"id":1,"exchange":"OKX","price":9,"extra":true}"#)
      try await tool.succeed(
        "upsert", "both", "--create", "--key", "id", "--from", "first.parquet", "second.jsonl")
      #expect(try await tool.succeed("timeline", "both").rows.count == 1)
      let rows = try await tool.succeed("read", "both", "--select", "id,price,extra")
      #expect(
        Set(rows.rows) == [
          #"{"id":1,"price":9.0,"extra":true}"#, #"{"id":2,"price":2.25,"extra":null}"#,
          #"{"id":3,"price":null,"extra":null}"#,
        ])
    }
  }

  /// The table as a Parquet file, through standard output.
  private func readBytes(_ tool: Tool) async throws -> [UInt8] {
    try await tool.runToFile(
      "out.parquet", ["read", "lake/my-trades", "--select", columns, "--format", "parquet"])
    return try tool.bytes(of: tool.path("out.parquet"))
  }

  @Test("Keys of several columns are deleted by JSON objects")
  func compositeKeys() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed("upsert", "t", "--create", "--key", "exchange,id", "--from", "trades.jsonl")
      try tool.write("keys", #"{"id":1,"exchange":"OKX"}"# + "\n\n" + #"{"id":2,"exchange":"Kraken"}"# + "\n")
      try await tool.fail(
        "delete", "t", "--key", "1", saying: ["a JSON object with the key columns exchange, id"])
      #expect(try await tool.succeed("delete", "t", "--keys-from", "keys").errors.contains("2 deleted"))
      #expect(try await tool.succeed("read", "t", "--select", "id").output == "{\"id\":3}\n")
    }
  }

  @Test("Change records make a table, and later ones change it")
  func ingestion() async throws {
    try await Tool.inFolder { tool in
      var compressed: [UInt8] = []
      var compressor = Compressor()
      let first = (1...3).map {
        change("INSERT", "\($0)", exchange: "OKX", price: "\($0)", at: 1_700_000_000_000)
      }
      try compressor.gzip(Array(first.joined().utf8).span.bytes, into: &compressed)
      try tool.write("changes/2024/01/31/00/part.gz", compressed)
      let created = try await tool.succeed(
        "ingest", "t", "--changes", "changes", "--create", "--partition-by", "exchange")
      #expect(created.errors.contains("ingested into t: 3 inserted"))
      #expect(try await tool.succeed("show", "t").output.contains("\"ordering\":\"_event_time\""))
      let second = [
        change("MODIFY", "1", exchange: "Kraken", price: "5", old: "OKX", at: 1_700_000_001_000),
        change("REMOVE", "2", at: 1_700_000_001_000),
        change("MODIFY", "3", exchange: "OKX", price: "9", at: 1_600_000_000_000),
      ]
      try tool.write("second.jsonl", second.joined(separator: "\n"))
      let changed = try await tool.succeed("ingest", "t", "--changes", "second.jsonl")
      #expect(changed.errors.contains("0 inserted, 1 updated, 1 deleted, 1 stale"))
      let rows = try await tool.succeed("read", "t", "--select", "id,exchange,price,_event_name,_event_time")
      #expect(
        Set(rows.rows) == [
          #"{"id":"1","exchange":"Kraken","price":5,"_event_name":"MODIFY","_event_time":"2023-11-14T22:13:21.000000Z"}"#,
          #"{"id":"3","exchange":"OKX","price":3,"_event_name":"INSERT","_event_time":"2023-11-14T22:13:20.000000Z"}"#,
        ])
      let again = try await tool.succeed("ingest", "t", "--changes", "second.jsonl")
      #expect(again.errors.contains("0 inserted, 0 updated, 0 deleted, 1 stale, 1 duplicate"))
      // A removal that overtook its insert, and an insert that comes after its removal.
      try tool.write("third.jsonl", change("REMOVE", "4", at: 1_700_000_001_000))
      #expect(try await tool.succeed("ingest", "t", "--changes", "third.jsonl").errors.contains("0 files"))
      let overtaken = ["2", "4"].map {
        change("INSERT", $0, exchange: "OKX", price: "1", at: 1_700_000_000_500)
      }
      try tool.write("fourth.jsonl", overtaken.joined(separator: "\n"))
      let late = try await tool.succeed("ingest", "t", "--changes", "fourth.jsonl")
      #expect(late.errors.contains("0 inserted, 0 updated, 0 deleted, 2 stale"))
    }
  }

  @Test("Timestamps without zone are instants in UTC, which is said, or in the zone given")
  func zones() async throws {
    try await Tool.inFolder { tool in
      let schema = Schema([Field("id", .int64), Field("at", .timestamp(.microseconds, .local))])
      // Noon of a winter's and of a summer's day.
      let times = try Column(
        type: schema.fields[1].type, values: .int64([1_706_702_400_000_000, 1_722_427_200_000_000]))
      let batch = try RecordBatch(
        schema: schema, columns: [try Column(type: .int64, values: .int64([1, 2])), times])
      let storage = LocalStorage(root: tool.folder)
      var writer = try ParquetWriter(schema: schema, to: try await storage.writer(at: "clock.parquet"))
      try await writer.append(batch)
      _ = try await writer.finish()

      let plain = try await tool.succeed(
        "upsert", "utc", "--create", "--key", "id", "--from", "clock.parquet")
      #expect(plain.errors.contains("at: timestamps without zone are taken as UTC (--zone for another)"))
      #expect(
        try await tool.succeed("read", "utc", "--select", "at").rows == [
          #"{"at":"2024-01-31T12:00:00.000000Z"}"#, #"{"at":"2024-07-31T12:00:00.000000Z"}"#,
        ])
      let zoned = try await tool.succeed(
        "upsert", "paris", "--create", "--key", "id", "--zone", "Europe/Paris", "--from", "clock.parquet")
      #expect(!zoned.errors.contains("note:"))
      #expect(
        try await tool.succeed("read", "paris", "--select", "at").rows == [
          #"{"at":"2024-01-31T11:00:00.000000Z"}"#, #"{"at":"2024-07-31T10:00:00.000000Z"}"#,
        ])
    }
  }

  @Test(
    "Times of change records and of rows without zone are instants in UTC, which is said, or in the zone given"
  )
  func zonesOfText() async throws {
    try await Tool.inFolder { tool in
      try tool.write(
        "t.avsc",
        #"""
        {"type":"record","name":"r","fields":[{"name":"id","type":"string"},
          {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros"}]}]}
        """#)
      let image = #"{"id":{"S":"1"},"at":{"S":"2024-01-31T12:00:00"}}"#
      try tool.write(
        "c.jsonl",
        #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":{"S":"1"}},"NewImage":\#(image)}}"#
      )
      try tool.write("r.jsonl", #"{"id":"2","at":"2024-07-31 12:00:00"}"#)
      let said = "at: timestamps without zone are taken as UTC (--zone for another)"
      let create = ["--create", "--schema", "t.avsc", "--key", "id"]
      let plain = try await tool.run(["ingest", "utc", "--changes", "c.jsonl"] + create)
      #expect(plain.status == 0 && plain.complaints.filter { $0.contains(said) }.count == 1)
      let rows = try await tool.succeed("upsert", "utc", "--from", "r.jsonl")
      #expect(rows.complaints.filter { $0.contains(said) }.count == 1)
      let zone = ["--zone", "Europe/Paris"]
      let zoned = try await tool.run(["ingest", "paris", "--changes", "c.jsonl"] + create + zone)
      #expect(zoned.status == 0 && !zoned.errors.contains("note:"))
      let more = try await tool.run(["upsert", "paris", "--from", "r.jsonl"] + zone)
      #expect(more.status == 0 && !more.errors.contains("note:"))
      #expect(
        try await tool.succeed("read", "utc", "--select", "at").rows == [
          #"{"at":"2024-01-31T12:00:00.000000Z"}"#, #"{"at":"2024-07-31T12:00:00.000000Z"}"#,
        ])
      #expect(
        try await tool.succeed("read", "paris", "--select", "at").rows == [
          #"{"at":"2024-01-31T11:00:00.000000Z"}"#, #"{"at":"2024-07-31T10:00:00.000000Z"}"#,
        ])
    }
  }

  /// Change records enough that the first ones alone are asked for the columns, and then some more.
  private static func manyRecords(_ late: [String]) -> String {
    func insert(_ number: Int, _ more: String) -> String {
      let image = #"{"id":{"S":"\#(number)"},"n":{"N":"\#(number)"}\#(more)}"#
      return
        #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":{"S":"\#(number)"}},"NewImage":\#(image)}}"#
        + "\n"
    }
    let first = (0..<10_000).map { insert($0, #","nothing":{"NULL":true}"#) }
    return first.joined() + late.enumerated().map { insert(10_000 + $0, $1) }.joined()
  }

  @Test(
    "The columns of a new table are those of all records, whatever the first ones have",
    arguments: [
      // A new attribute; one that was null; a fraction among whole numbers; a text among them.
      (#","late":{"BOOL":true}"#, "id: string, n: long, late: boolean", "nothing"),
      (#","nothing":{"S":"some"}"#, "id: string, n: long, nothing: string", nil),
      (
        #","late":{"N":"1.5"},"late2":{"NULL":true}"#, "id: string, n: long, late: decimal(38,18)",
        "nothing\", \"late2"
      ),
      (#"@1.5"#, "id: string, n: decimal(38,18)", "nothing"),
    ] as [(String, String, String?)])
  func lateColumns(late: String, columns: String, untyped: String?) async throws {
    try await Tool.inFolder { tool in
      var text = Self.manyRecords([late.hasPrefix("@") ? "" : late, ""])
      if late.hasPrefix("@") { text.replace(#""n":{"N":"10001"}"#, with: #""n":{"N":"1.5"}"#) }
      try tool.write("in.jsonl", text)
      let outcome = try await tool.succeed("ingest", "t", "--create", "--changes", "in.jsonl")
      #expect(outcome.errors.contains("10002 inserted"))
      let notes = outcome.errors.split(separator: "\n").filter { $0.contains("note:") }
      #expect(notes.count == (untyped == nil ? 0 : 1), "\(notes)")
      if let untyped { #expect(notes.first?.contains("\"\(untyped)\"") == true) }
      let schema = try await tool.succeed("schema", "t").rows.compactMap { row -> String? in
        let row = try JSONValue(parsing: Array(row.utf8))
        guard let column = row["column"]?.string, let type = row["type"]?.string else { return nil }
        return column + ": " + type
      }
      #expect(
        schema.filter { !$0.hasPrefix("_hoodie") }.joined(separator: ", ")
          == columns + ", _event_id: string, _event_name: string, _event_time: timestamp, "
          + "_event_sequence: string", "\(schema)")
    }
  }

  @Test("Attributes whose names no column can have go to columns that can, in later batches too")
  func oddNames() async throws {
    try await Tool.inFolder { tool in
      func insert(_ id: String, _ time: Int) -> String {
        let image = #"{"my-id":{"S":"\#(id)"},"_event_id":{"S":"mine"},"a b":{"N":"1"}}"#
        return
          #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":\#(time),"Keys":{"my-id":{"S":"\#(id)"}},"NewImage":\#(image)}}"#
      }
      try tool.write("1.jsonl", insert("x", 1))
      try tool.write("2.jsonl", insert("y", 2))
      let first = try await tool.succeed("ingest", "t", "--create", "--changes", "1.jsonl")
      #expect(first.errors.contains(#"note: "my-id" goes to the column my_id_"#))
      let columns = try await tool.succeed("schema", "t").rows.prefix(3).compactMap {
        try JSONValue(parsing: Array($0.utf8))["column"]?.string
      }
      #expect(zip(columns, ["my_id_", "__event_id_", "a_b_"]).allSatisfy { $0.hasPrefix($1) }, "\(columns)")
      let second = try await tool.succeed("ingest", "t", "--changes", "2.jsonl")
      #expect(!second.errors.contains("note:"))
      #expect(
        try await tool.succeed("read", "t", "--select", columns.joined(separator: ",")).rows == [
          #"{"\#(columns[0])":"x","\#(columns[1])":"mine","\#(columns[2])":1}"#,
          #"{"\#(columns[0])":"y","\#(columns[1])":"mine","\#(columns[2])":1}"#,
        ])
    }
  }

  @Test("A reader that goes away ends the program quietly", arguments: ["jsonl", "parquet", "table"])
  func closedPipe(format: String) async throws {
    try await Tool.inFolder { tool in
      let rows = (0..<20_000).map { #"{"id":\#($0),"text":"row number \#($0 &* 7919)"}"# }
      try tool.write("rows.jsonl", rows.joined(separator: "\n"))
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "rows.jsonl", "--no-sync")
      let outcome = try await tool.runIntoClosedPipe(["read", "t", "--format", format])
      #expect(outcome.status == 0)
      #expect(outcome.errors.isEmpty)
    }
  }
}
