import TarnTestSupport
import Testing

@Suite("Change records on the command line")
struct ChangesCommandTests {
  private static let debezium =
    #"{"op":"c","after":{"id":"d","exchange":"OKX","price":2.5},"source":{"ts_ms":1700000000005,"table":"T"}}"#

  @Test("Records of any shape come out in one form, which is read again to the same records")
  func convert() async throws {
    try await Tool.inFolder { tool in
      try tool.write("in/a", change("INSERT", "a", exchange: "OKX", price: "1.50", at: 1_700_000_000_001))
      try tool.write("in/b", Self.debezium + "\n" + #"{"Op":"D","id":"e","price":null}"#)
      let once = try await tool.succeed("changes", "convert", "in")
      #expect(once.rows.count == 3 && once.errors.isEmpty, "\(once.errors)")
      #expect(
        once.rows.last
          == #"{"eventName":"REMOVE","dynamodb":{"OldImage":{"id":{"S":"e"},"price":{"NULL":true}}},"eventSource":"aws:dynamodb"}"#
      )
      try tool.write("once.jsonl", once.output)
      let twice = try await tool.succeed("changes", "convert", "once.jsonl", "--shape", "dynamodb")
      #expect(twice.output == once.output)
      // Several sources, one after the other.
      let both = try await tool.succeed("changes", "convert", "in/a", "once.jsonl", "--format", "jsonl")
      #expect(both.rows == [once.rows[0]] + once.rows)
      try await tool.runToFile("rows", ["changes", "convert", "in", "--format", "parquet"])
      #expect(try await tool.succeed("changes", "convert", "rows").output == once.output)
      // A table of what came out is that of what went in.
      try await tool.succeed("ingest", "t", "--create", "--key", "id", "--changes", "in")
      try await tool.succeed("ingest", "u", "--create", "--key", "id", "--changes", "rows")
      let select = ["--select", "id,exchange,_event_name,_event_time"]
      let rows = try await tool.run(["read", "t"] + select)
      #expect(rows.rows.count == 2)
      #expect(try await tool.run(["read", "u"] + select).output == rows.output)
    }
  }

  @Test("One table is chosen, and what cannot be taken goes to the dead letters or ends it")
  func choice() async throws {
    try await Tool.inFolder { tool in
      let other = Self.debezium.replacing("\"T\"", with: "\"U\"")
      try tool.write("in.jsonl", [Self.debezium, other, "{}", Self.debezium].joined(separator: "\n"))
      let failed = try await tool.run("changes", "convert", "in.jsonl")
      #expect(failed.status == 1)
      #expect(failed.errors.contains("in.jsonl, line 3"), "\(failed.errors)")
      for command in ["convert", "show"] {
        let outcome = try await tool.succeed(
          "changes", command, "in.jsonl", "--table", "T", "--on-error", "dead-letter", "\(command).dead")
        #expect(
          outcome.complaints == [
            "note: 1 records of other DynamoDB tables were passed over", "note: 1 to the dead letters (2 B)",
          ])
        #expect(outcome.rows.count == (command == "convert" ? 2 : 1))
        #expect(try TestWorld.lines(of: tool.path("\(command).dead")).count == 1)
      }
      let usage = try await tool.run("changes", "convert")
      #expect(usage.status == 64 && usage.errors.contains("SOURCE is missing"))
      let format = try await tool.run("changes", "convert", "in.jsonl", "--format", "csv")
      #expect(format.status == 64 && format.errors.contains("jsonl or parquet is expected"))
      let none = try await tool.run("changes", "show", "none")
      #expect(none.status == 1 && none.complaints.count == 1)
    }
  }

  @Test("What a stream delivered is told, for people and for programs")
  func show() async throws {
    try await Tool.inFolder { tool in
      let first = change("INSERT", "a", exchange: "OKX", price: "1.50", at: 1_700_000_000_001)
      try tool.write(
        "in",
        [
          first, change("MODIFY", "a", exchange: "OKX", old: "OKX", at: 1_700_000_060_000), first,
          change("REMOVE", "b", at: 1_700_000_050_000), Self.debezium,
        ].joined(separator: "\n"))
      let table = try await tool.succeed("changes", "show", "in", "--format", "table")
      let lines = table.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      #expect(
        Array(lines.prefix(9)) == [
          "5 records", "kinds: 3 INSERT, 1 MODIFY, 1 REMOVE", "shapes: dynamodb (4), debezium (1)",
          "tables: T (1), not told (4)", "time: 2023-11-14T22:13:20.001000Z to 2023-11-14T22:14:20.000000Z",
          "precision: milliseconds (5)", "behind an earlier record: 3", "duplicates: 1", "",
        ])
      #expect(
        Array(lines.dropFirst(11)) == [
          "id (key)       5  100 %   S 100 %", "exchange       4  80.0 %  S 100 %",
          "price          4  80.0 %  N 100 %", "",
        ], "\(table.output)")
      let json = try await tool.succeed("changes", "show", "in", "--format", "json")
      #expect(try await tool.succeed("changes", "show", "in").output == json.output)
      #expect(
        json.output
          == #"{"records":5,"rejected":0,"otherTables":0,"kinds":{"INSERT":3,"MODIFY":1,"REMOVE":1},"timeToLive":0,"#
          + #""shapes":{"dynamodb":4,"debezium":1},"tables":[{"name":"T","records":1}],"withoutTable":4,"#
          + #""time":{"first":"2023-11-14T22:13:20.001000Z","last":"2023-11-14T22:14:20.000000Z","without":0,"late":3,"#
          + #""precisions":{"seconds":0,"milliseconds":5,"microseconds":0}},"duplicates":1,"comparedAll":true,"#
          + #""attributes":[{"name":"id","isKey":true,"items":5,"types":{"S":5}},"#
          + #"{"name":"exchange","isKey":false,"items":4,"types":{"S":4}},"#
          + #"{"name":"price","isKey":false,"items":4,"types":{"N":4}}],"hasMoreAttributes":false}"# + "\n")
    }
  }
}
