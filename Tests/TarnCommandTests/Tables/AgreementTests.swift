import TarnTestSupport
import Testing

@Suite("What the command line is told, and the table that is there")
struct AgreementTests {
  private func withTrades(_ body: (Tool) async throws -> Void) async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed(
        "upsert", "lake/my-trades", "--create", "--key", "id", "--partition-by", "exchange", "--from",
        "trades.jsonl")
      try await body(tool)
    }
  }

  @Test("Key, partition and ordering columns must be the table's")
  func agreement() async throws {
    try await withTrades { tool in
      let before = try tool.files(of: "lake/my-trades")
      for (option, value, has) in [
        ("--key", "note", "id"), ("--partition-by", "note", "exchange"), ("--order-by", "price", "none"),
      ] {
        try await tool.fail(
          "upsert", "lake/my-trades", "--create", option, value, "--from", "trades.jsonl",
          saying: ["\(option) \(value) does not fit the table, which has \(has)"])
      }
      try await tool.succeed(
        "upsert", "lake/my-trades", "--create", "--key", "id", "--partition-by", "exchange", "--from",
        "trades.jsonl")
      #expect(try tool.files(of: "lake/my-trades") == before)
    }
  }

  @Test(
    "What a table cannot change is refused where an option says otherwise, and taken where it says the same")
  func agreementOfOptions() async throws {
    try await withTrades { tool in
      let table = "lake/my-trades"
      let upsert = ["upsert", table, "--create", "--from", "trades.jsonl"]
      let before = try tool.files(of: table)
      for (option, has) in [
        (["--type", "mor"], "which has cow"), (["--table-version", "8"], "which has 6"),
        (["--no-hive-style"], "which has folders called COLUMN=VALUE"),
        (["--no-url-encode"], "which has percent-encoded folders"), (["--bloom", "hudi"], "which has file"),
        (
          ["--target-file-size", "1M"],
          "--target-file-size 1048576 does not fit the table, which has 125829120"
        ),
        (["--small-file-limit", "1M"], "which has 104857600"), (["--name", "other"], "which has my_trades"),
        (["--no-key-index"], "which has key indexes"), (["--no-meta-columns"], "which has meta columns"),
        (["--tombstone-retention", "5"], "--tombstone-retention 5 does not fit the table, which has 168"),
      ] {
        for command in [upsert, ["ingest", table, "--create", "--changes", "trades.jsonl"]] {
          let outcome = try await tool.run(command + option)
          #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome.errors)")
          #expect(outcome.errors.hasPrefix("tarn: \(table): \(option[0])"), "\(outcome.errors)")
          #expect(outcome.errors.contains(has), "\(outcome.errors)")
        }
      }
      #expect(try tool.files(of: table) == before)
      let same = [
        "--type", "cow", "--table-version", "6", "--bloom", "file", "--target-file-size", "120M",
        "--small-file-limit", "100M", "--name", "my_trades", "--tombstone-retention", "168",
      ]
      #expect(try await tool.run(upsert + same).status == 0)
      let options = ["--key", "id", "--no-hive-style", "--no-url-encode", "--bloom", "hudi"]
      for _ in 0..<2 {
        let create = ["upsert", "odd", "--create", "--from", "trades.jsonl"] + options
        #expect(try await tool.run(create).status == 0)
      }
    }
  }

  @Test("Columns given for a table that is there must have its types; new ones are added")
  func agreementOfColumns() async throws {
    try await withTrades { tool in
      let table = "lake/my-trades"
      func avsc(_ fields: String) -> String { #"{"type":"record","name":"r","fields":[\#(fields)]}"# }
      let extra =
        #"{"name":"fee","type":["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]}"#
      try tool.write("same.avsc", avsc(#"{"name":"id","type":"long"}"#))
      try tool.write("other.avsc", avsc(#"{"name":"id","type":"string"}"#))
      try tool.write("needed.avsc", avsc(#"{"name":"fee","type":"long"}"#))
      try tool.write("more.avsc", avsc(extra))
      try tool.write("new.jsonl", #"{"id":9,"exchange":"OKX","fee":"1.5"}"#)
      try tool.write("empty.jsonl", #"{"id":"1"}"#)
      try await tool.succeed("upsert", "texts", "--create", "--key", "id", "--from", "empty.jsonl")
      try await tool.runToFile("texts.parquet", ["read", "texts", "--select", "id", "--format", "parquet"])
      let before = try tool.files(of: table)
      for (option, file, says) in [
        ("--schema", "other.avsc", "where column id is string, does not fit the table, which has long there"),
        ("--like", "texts.parquet", "where column id is string, does not fit"),
        ("--schema", "needed.avsc", "has the column fee, which the table lacks and which is not nullable"),
      ] {
        try await tool.fail(
          "upsert", table, "--create", option, file, "--from", "trades.jsonl",
          saying: ["\(option) \(file)", says])
        try await tool.fail(
          "ingest", table, "--create", option, file, "--changes", "trades.jsonl",
          saying: ["\(option) \(file)", says])
      }
      #expect(try tool.files(of: table) == before)
      try await tool.succeed("upsert", table, "--create", "--schema", "same.avsc", "--from", "trades.jsonl")
      try await tool.succeed("upsert", table, "--create", "--schema", "more.avsc", "--from", "new.jsonl")
      let rows = try await tool.succeed("read", table, "--select", "id,fee", "--where", "id > 2")
      #expect(Set(rows.rows) == [#"{"id":3,"fee":null}"#, #"{"id":9,"fee":"1.50"}"#])
    }
  }

  @Test("Columns that a Parquet file brings anew are told of")
  func newColumnsOfParquet() async throws {
    try await withTrades { tool in
      try tool.write("wide.jsonl", #"{"id":7,"exchange":"OKX","extra":true}"#)
      try await tool.succeed("upsert", "wide", "--create", "--key", "id", "--from", "wide.jsonl")
      try await tool.runToFile("wide.parquet", ["read", "wide", "--format", "parquet"])
      let outcome = try await tool.succeed("upsert", "lake/my-trades", "--from", "wide.parquet", "wide.jsonl")
      #expect(
        outcome.complaints.filter { $0.contains("is new") } == [
          "note: column extra (boolean) is new, found in wide.parquet"
        ], "\(outcome.errors)")
    }
  }

  @Test("Names that differ in case only become columns that engines can tell apart")
  func caseOnly() async throws {
    try await Tool.inFolder { tool in
      try tool.write("rows.jsonl", #"{"ID":"other","id":1}"#)
      for _ in 0..<2 {
        let outcome = try await tool.succeed(
          "upsert", "t", "--create", "--key", "id", "--from", "rows.jsonl")
        #expect(
          outcome.errors.contains("1 inserted") == outcome.errors.contains(#""ID" goes to the column ID_"#))
      }
      let row = try #require(try await tool.succeed("read", "t").rows.first)
      #expect(row.contains(#""id":1"#) && row.contains(#"":"other""#) && !row.contains(#""ID":"#))
    }
  }

  @Test("Of processes that create one table at once exactly one does, and the others say that it is there")
  func racingCreation() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", #"{"type":"record","name":"r","fields":[{"name":"id","type":"long"}]}"#)
      let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
        for _ in 0..<8 {
          group.addTask { try await tool.run("create", "t", "--key", "id", "--schema", "t.avsc") }
        }
        return try await group.reduce(into: [Outcome]()) { $0.append($1) }
      }
      #expect(outcomes.filter { $0.status == 0 }.count == 1)
      for outcome in outcomes where outcome.status != 0 {
        #expect(outcome.status == 1)
        #expect(
          outcome.errors.contains("t: ") && outcome.errors.contains("a table is there already"),
          "\(outcome.errors)")
      }
      #expect(try await tool.succeed("count", "t").output == "0\n")
    }
  }
}
