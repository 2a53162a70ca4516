import TarnTestSupport
import Testing

@Suite("Names of records and columns through the command line")
struct NameTests {
  /// A change record with attributes of text beside its key `id`.
  private func record(_ id: String, _ attributes: [(String, String)], key: String = "id", at time: Int)
    -> String
  {
    let image = ([(key, id)] + attributes).map { #""\#($0.0)":{"S":"\#($0.1)"}"# }.joined(separator: ",")
    return
      #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":\#(time),"Keys":{"\#(key)":{"S":"\#(id)"}},"NewImage":{\#(image)}}}"#
      + "\n"
  }

  private func properties(_ tool: Tool, _ table: String) throws -> [String] {
    String(decoding: try tool.bytes(of: tool.path("\(table)/.hoodie/hoodie.properties")), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  /// The line of a table's properties that gives a name its column.
  private func column(of name: String, _ tool: Tool, _ table: String) throws -> String {
    let line = try #require(
      try properties(tool, table).first { $0.hasPrefix("tarn.column.") && $0.hasSuffix("=" + name) })
    return String(line.dropFirst("tarn.column.".count).prefix { $0 != "=" })
  }

  @Test("A name of another batch never writes into a column that is not its own, whichever comes first")
  func laterBatches() async throws {
    try await Tool.inFolder { tool in
      let batches = [
        record("1", [("user_id", "plain")], at: 1), record("2", [("user-id", "odd")], at: 2),
        record("3", [("user.id", "point"), ("user-id", "odd"), ("user_id", "plain")], at: 3),
      ]
      var columns: [[String]] = []
      for (table, order) in [("a", [0, 1, 2]), ("b", [2, 1, 0]), ("c", [1, 0, 2])] {
        for number in order {
          try tool.write("in.jsonl", batches[number])
          try await tool.succeed("ingest", table, "--create", "--changes", "in.jsonl")
        }
        let names = [
          "user_id", try column(of: "user-id", tool, table), try column(of: "user.id", tool, table),
        ]
        columns.append(names)
        #expect(Set(names).count == 3)
        let rows = try await tool.succeed("read", table, "--select", "id," + names.joined(separator: ","))
        func row(_ id: String, _ values: [String?]) -> String {
          #"{"id":"\#(id)","#
            + zip(names, values).map { #""\#($0)":"# + ($1.map { #""\#($0)""# } ?? "null") }
            .joined(separator: ",") + "}"
        }
        #expect(
          Set(rows.rows) == [
            row("1", ["plain", nil, nil]), row("2", [nil, "odd", nil]), row("3", ["plain", "odd", "point"]),
          ])
      }
      #expect(Set(columns).count == 1)
    }
  }

  @Test("A column that was given away before its commit failed is the name's when it comes again")
  func givenAwayBefore() async throws {
    try await Tool.inFolder { tool in
      try tool.write("1.jsonl", record("1", [], at: 1))
      try await tool.succeed("ingest", "t", "--create", "--changes", "1.jsonl")
      let lines = try properties(tool, "t") + ["tarn.column.given=%C3%A9%20-%3D%0A"]
      try tool.write("t/.hoodie/hoodie.properties", lines.joined(separator: "\n") + "\n")
      try tool.write("2.jsonl", record("2", [(#"é -=\n"#, "x"), ("given", "y")], at: 2))
      let outcome = try await tool.succeed("ingest", "t", "--changes", "2.jsonl")
      #expect(outcome.errors.contains("goes to the column given,"), "\(outcome.errors)")
      #expect(
        try await tool.succeed("read", "t", "--select", "given", "--where", "id = '2'").output
          == "{\"given\":\"x\"}\n")
      #expect(try column(of: "given", tool, "t").hasPrefix("given_"))
      let broken = try properties(tool, "t") + ["tarn.column.other=%E"]
      try tool.write("t/.hoodie/hoodie.properties", broken.joined(separator: "\n") + "\n")
      try await tool.fail("ingest", "t", "--changes", "2.jsonl", saying: ["tarn.column.other=%E is no"])
    }
  }

  @Test("In a table of an earlier version a plain name owns its column, and others are noted when they come")
  func olderTable() async throws {
    try await Tool.inFolder { tool in
      try tool.write("1.jsonl", record("1", [("a_b", "plain")], at: 1))
      try await tool.succeed("ingest", "t", "--create", "--changes", "1.jsonl")
      let lines = try properties(tool, "t").filter { !$0.hasPrefix("tarn.") }
      try tool.write("t/.hoodie/hoodie.properties", lines.joined(separator: "\n") + "\n")
      try tool.write("2.jsonl", record("2", [("a-b", "odd")], at: 2))
      try await tool.succeed("ingest", "t", "--changes", "2.jsonl")
      let odd = try column(of: "a-b", tool, "t")
      #expect(odd.hasPrefix("a_b_"))
      #expect(
        Set(try await tool.succeed("read", "t", "--select", "a_b,\(odd)").rows) == [
          #"{"a_b":"plain","\#(odd)":null}"#, #"{"a_b":null,"\#(odd)":"odd"}"#,
        ])
    }
  }

  @Test("Key, partition and ordering columns are named as the records name them")
  func namedColumns() async throws {
    try await Tool.inFolder { tool in
      try tool.write(
        "1.jsonl", record("1", [("the-country", "DE"), ("at-time", "a")], key: "my-id", at: 1))
      let options = ["--partition-by", "the-country", "--order-by", "at-time", "--key", "my-id"]
      for _ in 0..<2 {
        let outcome = try await tool.run(["ingest", "t", "--create", "--changes", "1.jsonl"] + options)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      #expect(try tool.files(of: "t").contains { $0.hasPrefix("the_country_") && $0.contains("=DE/") })
      try tool.write("2.jsonl", #"{"my-id":"2","the-country":"FR","at-time":"b"}"#)
      let upsert = try await tool.run(["upsert", "t", "--create", "--from", "2.jsonl"] + options)
      #expect(upsert.status == 0 && upsert.errors.contains("1 inserted"), "\(upsert.errors)")
      #expect(try await tool.succeed("count", "t").output == "2\n")
      let rows = try await tool.run(["upsert", "u", "--create", "--from", "2.jsonl"] + options)
      #expect(rows.status == 0, "\(rows.errors)")
      // What is read goes back where it was.
      try await tool.runToFile("3.jsonl", ["read", "t"])
      let again = try await tool.succeed("upsert", "t", "--from", "3.jsonl")
      #expect(again.errors.contains("2 duplicate"), "\(again.errors)")
      #expect(try await tool.succeed("delete", "t", "--key", "2").errors.contains("1 deleted"))
    }
  }

  @Test("What sets and times were stands in the table's properties, and numbers go on into columns of times")
  func kinds() async throws {
    func change(_ id: String, _ attributes: String) -> String {
      #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":{"S":"\#(id)"}},"#
        + #""NewImage":{"id":{"S":"\#(id)"},\#(attributes)}}}"# + "\n"
    }
    try await Tool.inFolder { tool in
      try tool.write("1", change("1", #""tags":{"SS":["b","a"]},"at":{"N":"1705312800"}"#))
      let first = try await tool.succeed(
        "ingest", "t", "--create", "--recognize-times", "--changes", "1")
      #expect(first.errors.contains("column at becomes timestamp"), "\(first.errors)")
      #expect(try properties(tool, "t").contains("tarn.kinds.tags=SS"))
      #expect(try properties(tool, "t").contains("tarn.kinds.at=epoch-seconds"))
      try tool.write(
        "2", change("2", #""tags":{"L":[{"S":"c"}]},"at":{"N":"1705312801.5"},"ms":{"N":"1705312800000"}"#))
      try await tool.succeed("ingest", "t", "--recognize-times", "--changes", "2")
      #expect(try properties(tool, "t").contains("tarn.kinds.tags=L,SS"))
      #expect(
        try await tool.succeed("read", "t", "--select", "id,tags,at,ms").rows.sorted() == [
          #"{"id":"1","tags":"[\"a\",\"b\"]","at":"2024-01-15T10:00:00.000000Z","ms":null}"#,
          #"{"id":"2","tags":"[\"c\"]","at":"2024-01-15T10:00:01.500000Z","ms":"2024-01-15T10:00:00.000000Z"}"#,
        ])
      try tool.write("3", change("3", #""at":{"N":"1E30"}"#))
      try await tool.fail("ingest", "t", "--changes", "3", saying: ["seconds since 1970"])
    }
  }
}
