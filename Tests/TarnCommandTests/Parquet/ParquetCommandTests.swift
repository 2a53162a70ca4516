import TarnBytes
import TarnTestSupport
import Testing

@Suite("Parquet files on the command line")
struct ParquetCommandTests {
  /// A file of three trades, in a fresh folder.
  private func withTrades(_ body: (Tool) async throws -> Void) async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.jsonl", someTrades)
      try await tool.succeed("upsert", "t", "--from", "t.jsonl", "--create", "--key", "id")
      try await tool.runToFile(
        "trades.parquet", ["read", "t", "--select", "id,exchange,price,note", "--format", "parquet"])
      try await body(tool)
    }
  }

  @Test("Help lists the three commands, and each explains itself")
  func help() async throws {
    try await Tool.inFolder { tool in
      let overall = try await tool.succeed("help").output
      for command in ["check", "show", "cat"] {
        #expect(overall.contains("\n  parquet \(command) "))
        let own = try await tool.succeed("help", "parquet", command).output
        #expect(own.hasPrefix("Usage: tarn parquet \(command) FILE"))
        #expect(try await tool.succeed("parquet", command, "--help").output == own)
      }
      for (words, text) in [
        (["parquet"], "parquet needs one more word: parquet check, parquet show, parquet cat"),
        (["parquet", "chek", "f"], "parquet needs one more word"),
        (["parquet", "check"], "FILE is missing"),
        (["parquet", "cat", "f", "--format", "parquet"], "one of jsonl, csv, table is expected"),
      ] {
        let outcome = try await tool.run(words)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(text), "\(outcome.errors)")
      }
    }
  }

  @Test("A file that is as it says passes the check")
  func passes() async throws {
    try await withTrades { tool in
      let outcome = try await tool.succeed("parquet", "check", "trades.parquet")
      #expect(outcome.output.hasPrefix("ok: 1 row group, "))
    }
  }

  @Test("A damaged page is a line that names row group, column, page and offset, and the status is 1")
  func damaged() async throws {
    try await withTrades { tool in
      var bytes = try tool.bytes(of: tool.path("trades.parquet"))
      bytes[50] ^= 0xff
      try tool.write("bad.parquet", bytes)
      let outcome = try await tool.run("parquet", "check", "bad.parquet")
      #expect(outcome.status == 1)
      #expect(outcome.rows.count == 1)
      #expect(outcome.output.hasPrefix("row group 0, column id, page 0, at byte 4: "), "\(outcome.output)")
      #expect(outcome.errors == "tarn: bad.parquet: 1 finding\n")
      try await tool.fail(
        "parquet", "check", "t.jsonl", saying: ["t.jsonl: it does not end as a Parquet file"])
      try await tool.fail("parquet", "check", "none.parquet", saying: ["none.parquet: No such file"])
    }
  }

  @Test("Schema, row groups, statistics and metadata are shown")
  func show() async throws {
    try await withTrades { tool in
      let output = try await tool.succeed("parquet", "show", "trades.parquet").output
      #expect(output.hasPrefix("trades.parquet: "))
      for text in [
        "3 rows, 1 row groups", "optional binary exchange (STRING)", "row group 0: 3 rows", "ZSTD", "Kraken",
        "offset,column",
      ] {
        #expect(output.contains(text), "\(output)")
      }
    }
  }

  @Test("Rows are chosen, counted off and written in each format")
  func cat() async throws {
    try await withTrades { tool in
      let all = try await tool.succeed("parquet", "cat", "trades.parquet", "--format", "jsonl")
      #expect(all.rows.count == 3)
      let some = try await tool.succeed(
        "parquet", "cat", "trades.parquet", "--select", "note,id", "--where", "exchange = 'OKX'", "--format",
        "csv", "--limit", "1")
      #expect(some.output == "note,id\r\nplain,1\r\n")
      let none = try await tool.succeed("parquet", "cat", "trades.parquet", "--limit", "0", "--format", "csv")
      #expect(none.output == "id,exchange,price,note\r\n")
      try await tool.fail(
        "parquet", "cat", "trades.parquet", "--select", "nota", saying: ["nota", "there is no such column"])
      try await tool.fail(
        "parquet", "cat", "trades.parquet", "--where", "id = 'x'", saying: ["trades.parquet: "])
    }
  }
}
