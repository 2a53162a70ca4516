import Foundation
import TarnBytes
import TarnTestSupport
import Testing

@Suite("Rows that a table cannot hold")
struct RefusedRowTests {
  /// Identifiers of rows and their partition values, good ones and such as no folder can have.
  static let poison: [(id: String, p: String, isGood: Bool)] = [
    ("good-1", "OKX", true), ("long", String(repeating: "x", count: 300), false),
    ("colons", String(repeating: ":", count: 100), false), ("null", "__HIVE_DEFAULT_PARTITION__", false),
    ("nulls", "__null__", true), ("empty", "", true), ("dots", "..", true), ("slash", "/", true),
    ("nul", "\u{0}", true), ("control", "a\u{1}\n\u{7f}", true), ("", "OKX", false),
    ("good-2", "Kraken", true),
  ]

  static func json(_ texts: [(String, String)]) -> String {
    var out: [UInt8] = [0x7b]
    for (index, (name, value)) in texts.enumerated() {
      if index > 0 { out.append(0x2c) }
      out.appendJSON(string: name)
      out.append(0x3a)
      out.appendJSON(string: value)
    }
    out.append(0x7d)
    return String(decoding: out, as: UTF8.self)
  }

  static let lines = poison.map { json([("id", $0.id), ("p", $0.p)]) }

  /// The records of a dead-letter file, and their reasons.
  static func letters(_ tool: Tool, _ name: String) throws -> [(
    record: JSONValue, reason: String, place: String
  )] {
    try tool.bytes(of: tool.path(name)).split(separator: 0x0a).map { line in
      let letter = try JSONValue(parsing: Array(line))
      let record = try JSONValue(parsing: Array((letter["record"]?.string ?? "").utf8))
      let place = "\(letter["source"]?.string ?? "") \((letter["line"] ?? letter["row"] ?? .null).text())"
      return (record, letter["reason"]?.string ?? "", place)
    }
  }

  static func identifiers(_ tool: Tool, _ table: String) async throws -> [String] {
    try await tool.succeed("read", table, "--select", "id").rows.map {
      try JSONValue(parsing: Array($0.utf8))["id"]?.string ?? ""
    }.sorted()
  }

  static var good: [String] { poison.filter(\.isGood).map(\.id).sorted() }
  static var bad: [String] { poison.filter { !$0.isGood }.map(\.id) }

  @Test("Poison keys and partitions in JSON go to the dead letters, and the other rows are written")
  func json() async throws {
    try await Tool.inFolder { tool in
      let half = Self.lines.count / 2
      try tool.write("a.jsonl", "{broken\n" + Self.lines.prefix(half).joined(separator: "\n"))
      try tool.write("b.jsonl", Self.lines.dropFirst(half).joined(separator: "\n"))
      let files = ["--from", "a.jsonl", "b.jsonl"]
      for (table, creation) in [("t", ["--create", "--key", "id", "--partition-by", "p"]), ("t", [])] {
        let failed = try await tool.run(["upsert", table] + creation + files)
        #expect(failed.status == 1)
        #expect(tool.exists("t") == creation.isEmpty)
        let outcome = try await tool.run(
          ["upsert", table] + creation + files + ["--on-error", "dead-letter", "dead"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("\(Self.bad.count + 1) to the dead letters"), "\(outcome.errors)")
        #expect(try await Self.identifiers(tool, "t") == Self.good)
      }
      let text = String(decoding: try tool.bytes(of: tool.path("dead")), as: UTF8.self)
      let letters = text.split(separator: "\n").filter { !$0.contains("{broken") }
      #expect(letters.count == 2 * Self.bad.count)
      #expect(letters.contains { $0.contains(#""source":"a.jsonl","line":3,"#) && $0.contains("255") })
    }
  }

  @Test("Poison rows of Parquet files go to the dead letters", arguments: [true, false])
  func parquet(isFirstLoad: Bool) async throws {
    try await Tool.inFolder { tool in
      // Where nothing is placed or keyed by these columns, all of it can be stored.
      let numbered = Self.poison.enumerated().map {
        "{\"k\":\($0.offset)," + Self.json([("id", $0.element.id), ("p", $0.element.p)]).dropFirst()
      }
      try tool.write("all.jsonl", numbered.joined(separator: "\n"))
      try await tool.succeed("insert", "plain", "--create", "--key", "k", "--from", "all.jsonl")
      try await tool.runToFile(
        "all.parquet", ["read", "plain", "--select", "k,id,p", "--format", "parquet"])
      let creation = ["--create", "--key", "id", "--partition-by", "p"]
      if !isFirstLoad {
        try tool.write("one.jsonl", #"{"k":99,"id":"good-1","p":"OKX"}"#)
        _ = try await tool.run(["insert", "t", "--from", "one.jsonl"] + creation)
      }
      let words = ["t", "--from", "all.parquet"] + (isFirstLoad ? creation : [])
      let verb = isFirstLoad ? "insert" : "upsert"
      #expect(try await tool.run([verb] + words).status == 1)
      let outcome = try await tool.run([verb] + words + ["--on-error", "dead-letter", "dead"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("\(Self.bad.count) to the dead letters"), "\(outcome.errors)")
      #expect(try await Self.identifiers(tool, "t") == Self.good)
      let letters = try Self.letters(tool, "dead")
      #expect(letters.map { $0.record["id"]?.string } == Self.bad)
      #expect(letters.map(\.place) == [2, 3, 4, 11].map { "all.parquet \($0)" })
      #expect(letters.allSatisfy { !$0.reason.isEmpty })
    }
  }

  @Test("Poison change records go to the dead letters whole, with both halves of a move")
  func changes() async throws {
    try await Tool.inFolder { tool in
      let long = String(repeating: "x", count: 300)
      try tool.write(
        "first.jsonl",
        [
          change("INSERT", "1", exchange: "OKX", at: 1), change("INSERT", "2", exchange: long, at: 1),
          change("INSERT", "3", exchange: "__HIVE_DEFAULT_PARTITION__", at: 1),
        ].joined(separator: "\n"))
      let outcome = try await tool.succeed(
        "ingest", "t", "--changes", "first.jsonl", "--create", "--partition-by", "exchange", "--on-error",
        "dead-letter", "dead")
      #expect(outcome.errors.contains("1 inserted") && outcome.errors.contains("2 to the dead letters"))
      try tool.write(
        "second.jsonl",
        [
          change("MODIFY", "1", exchange: long, price: "7", old: "OKX", at: 2),
          change("INSERT", "4", exchange: "OKX", at: 2), change("REMOVE", "9", old: long, at: 2),
          change("MODIFY", "5", exchange: "OKX", old: long, at: 2),
        ].joined(separator: "\n"))
      try await tool.fail(
        "ingest", "t", "--changes", "second.jsonl", saying: ["second.jsonl, line 1", "255"])
      let second = try await tool.succeed(
        "ingest", "t", "--changes", "second.jsonl", "--on-error", "dead-letter", "dead")
      #expect(second.errors.contains("1 to the dead letters"), "\(second.errors)")
      // The move that cannot be made leaves the row where it is; one out of such a partition is made.
      #expect(
        try await tool.succeed("read", "t", "--select", "id,exchange,price").rows.sorted() == [
          #"{"id":"1","exchange":"OKX","price":1}"#, #"{"id":"4","exchange":"OKX","price":1}"#,
          #"{"id":"5","exchange":"OKX","price":1}"#,
        ])
      let letters = try Self.letters(tool, "dead")
      #expect(letters.map { $0.record["eventName"]?.string } == ["INSERT", "INSERT", "MODIFY"])
      #expect(letters.map(\.place) == ["first.jsonl 2", "first.jsonl 3", "second.jsonl 1"])
    }
  }

  @Test(
    "Of an event's records those that the table refuses go to the dead letters alone, and are read from there"
  )
  func carried() async throws {
    try await Tool.inFolder { tool in
      let long = String(repeating: "x", count: 300)
      let records = [
        change("INSERT", "1", exchange: "OKX", at: 1), change("INSERT", "2", exchange: long, at: 1),
        change("INSERT", "3", exchange: "OKX", at: 1),
      ]
      try tool.write("event.json", "{\"Records\":[\(records.joined(separator: ","))]}")
      let outcome = try await tool.succeed(
        "ingest", "t", "--changes", "event.json", "--create", "--partition-by", "exchange", "--on-error",
        "dead-letter", "dead")
      #expect(outcome.errors.contains("2 inserted") && outcome.errors.contains("1 to the dead letters"))
      #expect(try await Self.identifiers(tool, "t") == ["1", "3"])
      try await tool.fail("ingest", "t", "--changes", "dead", saying: ["dead, line 1", "255"])
      let letters = String(decoding: try tool.bytes(of: tool.path("dead")), as: UTF8.self)
      try tool.write("mended", letters.replacing(long, with: "Kraken"))
      try await tool.succeed("ingest", "t", "--changes", "mended")
      #expect(try await Self.identifiers(tool, "t") == ["1", "2", "3"])
    }
  }

  @Test("A sort key that is a time is part of a key, and deletes by it")
  func timesInKeys() async throws {
    try await Tool.inFolder { tool in
      let times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]
      let records = times.enumerated().map { number, time in
        #"{"eventID":"e\#(number)","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"#
          + #""Keys":{"pk":{"S":"u,1"},"sk":{"S":"\#(time)"}},"#
          + #""NewImage":{"pk":{"S":"u,1"},"sk":{"S":"\#(time)"},"n":{"N":"\#(number)"}}}}"#
      }
      try tool.write("changes.jsonl", records.joined(separator: "\n"))
      try await tool.succeed("ingest", "t", "--changes", "changes.jsonl", "--create", "--key", "pk,sk")
      #expect(
        try await tool.succeed("read", "t", "--select", "_hoodie_record_key").rows.sorted()
          == times.map { #"{"_hoodie_record_key":"pk:u,1,sk:\#($0)"}"# })
      let deleted = try await tool.succeed(
        "delete", "t", "--key", #"{"pk":"u,1","sk":"2026-01-01T00:00:00Z"}"#)
      #expect(deleted.errors.contains("1 deleted"))
      #expect(try await tool.succeed("count", "t").output == "1\n")
    }
  }

  @Test("Columns that only rejected or refused rows bring are none of the table's", arguments: [true, false])
  func columns(isNew: Bool) async throws {
    let avsc =
      #"{"type":"record","name":"t","fields":[{"name":"id","type":"string"},{"name":"p","type":["null","string"]},"#
      + #"{"name":"n","type":["null","int"]}]}"#
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", avsc)
      let rows = [
        #"{"id":"a","p":"x","n":1,"good":"1"}"#, #"{"p":"x","n":2,"keyless":5}"#,
        Self.json([("id", "b"), ("p", String(repeating: ":", count: 100)), ("refused", "1")]),
        #"{"id":"c","p":"x","n":"no number","misfit":true}"#, #"{"id":"d","p":"x","n":null}"#,
      ]
      let changes = rows.filter { $0.contains(#""id""#) }.map { row in
        let image = row.replacing(/"(\w+)":("[^"]*"|\w+)/) { match in
          let kind =
            match.2.hasPrefix("\"") ? "S" : match.2 == "null" ? "NULL" : match.2 == "true" ? "BOOL" : "N"
          let value = kind == "N" ? "\"\(match.2)\"" : kind == "NULL" ? "true" : String(match.2)
          return "\"\(match.1)\":{\"\(kind)\":\(value)}"
        }
        let id = image.prefixMatch(of: /\{"id":(\{[^}]*\})/)?.1 ?? ""
        return
          #"{"eventID":"e","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":\#(id)},"#
          + #""NewImage":\#(image)}}"#
      }
      try tool.write("rows", rows.joined(separator: "\n"))
      try tool.write("changes", changes.joined(separator: "\n"))
      for verb in ["upsert", "ingest"] {
        let table = "t-\(verb)"
        let create = ["--create", "--key", "id", "--partition-by", "p"]
        if !isNew {
          try await tool.succeed("create", table, "--key", "id", "--partition-by", "p", "--schema", "t.avsc")
        }
        let source = verb == "upsert" ? ["--from", "rows"] : ["--changes", "changes"]
        let outcome = try await tool.run(
          [verb, table] + source + (isNew ? create : [])
            + ["--on-error", "dead-letter", "dead-\(verb)"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let found = try await tool.succeed("schema", table).rows.map {
          try JSONValue(parsing: Array($0.utf8))["column"]?.string ?? ""
        }
        let wanted = isNew ? ["good", "id", "misfit", "n", "p", "refused"] : ["good", "id", "n", "p"]
        // What a new table refuses is known once it is there; its columns take a text where some values are none.
        #expect(found.filter { !$0.hasPrefix("_event") }.sorted() == wanted, "\(verb)")
      }
    }
  }
}
