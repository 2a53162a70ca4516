import TarnTestSupport
import Testing

@Suite("Updates of the command line")
struct UpdateTests {
  /// Runs a body with a table `t` of three trades, partitioned by exchange.
  private func withTable(_ body: (Tool) async throws -> Void) async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--partition-by", "exchange", "--from", "trades.jsonl")
      try await body(tool)
    }
  }

  private func rows(_ tool: Tool) async throws -> [String] {
    try await tool.succeed("read", "t", "--select", "id,exchange,price,note").rows.sorted()
  }

  @Test("A partial upsert changes the columns of the file, and leaves the others")
  func partialUpsert() async throws {
    try await withTable { tool in
      try tool.write(
        "part.jsonl",
        """
        {"id":1,"note":"changed"}
        {"id":2,"note":null}

        """)
      let outcome = try await tool.succeed("upsert", "t", "--partial", "--from", "part.jsonl")
      #expect(outcome.errors.contains("2 updated"))
      #expect(
        try await rows(tool) == [
          #"{"id":1,"exchange":"OKX","price":1.5,"note":"changed"}"#,
          #"{"id":2,"exchange":"Kraken","price":2.25,"note":null}"#,
          #"{"id":3,"exchange":"OKX","price":null,"note":null}"#,
        ])
      try await tool.succeed("read", "t", "--select", "id,price")
      try await tool.runToFile(
        "prices.parquet", ["read", "t", "--select", "id,price", "--format", "parquet"])
      try await tool.succeed("upsert", "t", "--partial", "--from", "prices.parquet")
      #expect(try await rows(tool).count == 3)
    }
  }

  @Test("A table without meta columns is written like others, and cannot tell what a commit wrote")
  func noMetaColumns() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      let upsert = [
        "upsert", "t", "--create", "--key", "id", "--partition-by", "exchange", "--no-meta-columns", "--from",
        "trades.jsonl",
      ]
      try #require(try await tool.run(upsert).status == 0)
      #expect(try await tool.run(upsert).errors.contains("3 duplicate"))
      try await tool.succeed("update", "t", "--set", "note = 'set'", "--where", "id = 2")
      try await tool.succeed("delete", "t", "--key", "3")
      #expect(
        try await rows(tool) == [
          #"{"id":1,"exchange":"OKX","price":1.5,"note":"plain"}"#,
          #"{"id":2,"exchange":"Kraken","price":2.25,"note":"set"}"#,
        ])
      try await tool.fail("read", "t", "--since", "20200101000000000", saying: ["has no meta columns"])
      try await tool.fail("read", "t", "--select", "_hoodie_record_key", saying: ["_hoodie_record_key"])
    }
  }

  @Test("With --global, a row that comes with another partition moves")
  func globalKeys() async throws {
    try await withTable { tool in
      try tool.write("moved.jsonl", "{\"id\":1,\"exchange\":\"Kraken\",\"price\":7}\n")
      let outcome = try await tool.succeed("upsert", "t", "--global", "--from", "moved.jsonl")
      #expect(outcome.errors.contains("0 inserted, 1 updated"), "\(outcome.errors)")
      #expect(try await rows(tool).first == #"{"id":1,"exchange":"Kraken","price":7.0,"note":null}"#)
      try await tool.succeed("upsert", "t", "--from", "trades.jsonl")
      #expect(try await rows(tool).count == 4)
    }
  }

  @Test("Rows that give different columns are refused in a partial upsert")
  func partialUpsertOfUnequalRows() async throws {
    try await withTable { tool in
      try tool.write("part.jsonl", "{\"id\":1,\"note\":\"x\"}\n{\"id\":2}\n")
      try await tool.fail(
        "upsert", "t", "--partial", "--from", "part.jsonl", saying: ["part.jsonl", "note is in 1 of 2 rows"])
      try tool.write("new.jsonl", "{\"id\":9,\"note\":\"x\"}\n")
      try await tool.fail(
        "upsert", "t", "--partial", "--from", "new.jsonl", saying: ["is not stored", "partition"])
      #expect(try await rows(tool)[0].contains("plain"))
    }
  }

  @Test("Rows are updated and deleted by a condition")
  func conditions() async throws {
    try await withTable { tool in
      let updated = try await tool.succeed(
        "update", "t", "--set", "note = 'it''s, done', price=9.5", "--where",
        "exchange = 'OKX' and price is null")
      #expect(updated.errors.contains("updated in t: 0 inserted, 1 updated"))
      #expect(try await rows(tool)[2] == #"{"id":3,"exchange":"OKX","price":9.5,"note":"it's, done"}"#)
      let deleted = try await tool.succeed("delete", "t", "--where", "price > 2 and price < 9")
      #expect(deleted.errors.contains("1 deleted"))
      #expect(try await rows(tool).count == 2)
      try await tool.succeed("update", "t", "--set", "note=null", "--where", "id in (1, 3)")
      #expect(try await rows(tool).allSatisfy { $0.hasSuffix(#""note":null}"#) })
      let idle = try await tool.succeed("delete", "t", "--where", "id > 100")
      #expect(idle.errors.contains("nothing to commit"))
      try await tool.fail("update", "t", "--set", "id=5", "--where", "id=1", saying: ["id is a key column"])
      try await tool.fail("delete", "t", "--where", "nope = 1", saying: ["no column nope"])
    }
  }
}
