import Foundation
import TarnTestSupport
import Testing

@Suite("Processes that write into one table with --create, which none of them has yet")
struct CreationRaceTests {
  /// The command of each of some processes, with an input of its own; the outcomes in their order.
  private func race(
    _ count: Int, _ tool: Tool, _ arguments: @escaping @Sendable (Int) -> [String]
  ) async throws -> [Outcome] {
    try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
      for number in 0..<count { group.addTask { (number, try await tool.run(arguments(number))) } }
      return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static let verbs = ["upsert", "insert", "ingest", "insert parquet"]

  @Test("Each of them writes its rows, whichever creates the table", arguments: verbs)
  func everyRowIsThere(verb: String) async throws {
    try await Tool.inFolder { tool in
      let writers = 5
      for number in 0..<writers {
        try tool.write("\(number).jsonl", #"{"id":"k\#(number)","exchange":"OKX","price":"1.5"}"#)
        try tool.write("\(number).change", change("INSERT", "k\(number)", exchange: "OKX", at: 1))
        guard verb == "insert parquet" else { continue }
        try await tool.succeed("upsert", "p\(number)", "--create", "--key", "id", "--from", "\(number).jsonl")
        try await tool.runToFile(
          "\(number).parquet", ["read", "p\(number)", "--select", "id,exchange,price", "--format", "parquet"])
      }
      for round in 0..<3 {
        let table = "lake/t\(round)"
        let outcomes = try await race(writers, tool) { number in
          let rest = ["--create", "--key", "id", "--partition-by", "exchange", "--no-sync"]
          switch verb {
          case "ingest": return ["ingest", table, "--changes", "\(number).change"] + rest
          case "insert parquet": return ["insert", table, "--from", "\(number).parquet"] + rest
          default: return [verb, table, "--from", "\(number).jsonl"] + rest
          }
        }
        for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
        #expect(try await tool.succeed("count", table).output == "\(writers)\n")
        let commits = try await tool.succeed("timeline", table, "--format", "jsonl").rows
        #expect(commits.count == writers)
      }
    }
  }

  @Test("Of those that only create it one does, and all others and every write find its table whole")
  func creations() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", #"{"type":"record","name":"t","fields":[{"name":"id","type":"int"}]}"#)
      for number in 0..<3 { try tool.write("\(number).jsonl", #"{"id":\#(number)}"#) }
      for round in 0..<6 {
        let table = "lake/t\(round)"
        let outcomes = try await race(6, tool) { number in
          number < 3
            ? ["upsert", table, "--create", "--key", "id", "--no-sync", "--from", "\(number).jsonl"]
            : ["create", table, "--key", "id", "--schema", "t.avsc", "--no-sync"]
        }
        for outcome in outcomes[0..<3] { #expect(outcome.status == 0, "\(outcome.errors)") }
        let created = outcomes[3...].filter { $0.status == 0 }
        #expect(created.count <= 1)
        for outcome in outcomes[3...] where outcome.status != 0 {
          #expect(outcome.errors.contains("a table is there already"), "\(outcome.errors)")
        }
        #expect(try await tool.succeed("count", table).output == "3\n")
      }
    }
  }

  @Test("A write that fails takes back its own table only, and hinders no other")
  func failuresAmongThem() async throws {
    try await Tool.inFolder { tool in
      try tool.write("good.jsonl", #"{"id":1,"exchange":"OKX"}"#)
      try tool.write("bad.jsonl", #"{"id":2,"exchange":"a/b"}"#)
      for round in 0..<4 {
        let table = "t\(round)"
        let outcomes = try await race(6, tool) { number in
          [
            "upsert", table, "--create", "--key", "id", "--partition-by", "exchange", "--no-url-encode",
            "--no-hive-style", "--no-sync", "--from", number % 2 == 0 ? "bad.jsonl" : "good.jsonl",
          ]
        }
        #expect(outcomes.filter { $0.status == 0 }.count == 3, "\(outcomes.map(\.errors))")
        for outcome in outcomes where outcome.status != 0 {
          #expect(outcome.errors.contains("partition column exchange cannot hold"), "\(outcome.errors)")
        }
        #expect(try await tool.succeed("count", table).output == "1\n")
      }
    }
  }

  @Test("Options that contradict the winner's table are refused, as for a table that is there")
  func contradictions() async throws {
    try await Tool.inFolder { tool in
      try tool.write("rows.jsonl", #"{"id":1,"exchange":"OKX"}"#)
      let outcomes = try await race(2, tool) { number in
        ["upsert", "t", "--create", "--from", "rows.jsonl", "--key", number == 0 ? "id" : "exchange"]
      }
      let failed = outcomes.filter { $0.status != 0 }
      #expect(failed.count == 1)
      #expect(failed.first?.errors.contains("does not fit the table, which has") == true)
      #expect(try await tool.succeed("count", "t").output == "1\n")
    }
  }

  @Test("A creation that fails leaves the partitions of a table below the folder alone")
  func tableBelow() async throws {
    try await Tool.inFolder { tool in
      try tool.write("good.jsonl", #"{"id":1,"exchange":"OKX"}"#)
      try tool.write("bad.jsonl", #"{"id":2,"exchange":"a/b"}"#)
      try await tool.succeed(
        "upsert", "lake/below", "--create", "--key", "id", "--partition-by", "exchange", "--from",
        "good.jsonl")
      let before = try tool.files(of: "lake")
      #expect(before.contains { $0.hasSuffix(".hoodie_partition_metadata") })
      try await tool.fail(
        "upsert", "lake", "--create", "--key", "id", "--partition-by", "exchange", "--no-url-encode",
        "--no-hive-style", "--from", "bad.jsonl", saying: ["exchange"])
      #expect(try tool.files(of: "lake") == before)
    }
  }
}
