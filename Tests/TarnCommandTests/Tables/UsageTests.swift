import TarnTestSupport
import Testing

@Suite("Help and wrong usage of the command line")
struct UsageTests {
  static let commands = [
    "create", "upsert", "insert", "delete", "ingest", "read", "count", "timeline", "files", "schema", "show",
    "rollback", "clean", "archive", "retain", "savepoint", "restore", "cluster", "truncate", "drop", "update",
    "check",
  ]

  @Test("Help names every command, and each explains itself")
  func help() async throws {
    try await Tool.inFolder { tool in
      let overall = try await tool.succeed("--help").output
      #expect(try await tool.succeed("help").output == overall)
      for command in Self.commands {
        #expect(overall.contains("\n  \(command) "))
        let own = try await tool.succeed("help", command).output
        #expect(own.hasPrefix("Usage: tarn \(command) TABLE"))
        #expect(try await tool.succeed(command, "--help").output == own)
      }
      #expect(try await tool.succeed("--version").output == "tarn 0.1.0\n")
    }
  }

  @Test(
    "Wrong usage ends with status 64 and one line that says what is meant",
    arguments: [
      ([], "a command is missing"),
      (["raed", "t"], "there is no command raed; did you mean read?"),
      (["help", "upsret"], "did you mean upsert?"),
      (["read"], "TABLE is missing"),
      (["read", "t", "u"], "\"u\" is one word too many"),
      (["read", "t", "--formt", "csv"], "unknown option --formt; did you mean --format?"),
      (["read", "t", "--format", "cvs"], "did you mean csv?"),
      (["read", "t", "--format=parq"], "one of table, jsonl, csv, parquet is expected"),
      (["read", "t", "-x"], "unknown option -x"),
      (["read", "t", "--limit", "many"], "--limit many: a whole number is expected"),
      (["read", "t", "--limit"], "--limit N lacks its value"),
      (["read", "t", "--limit", "1", "--limit", "2"], "--limit is given twice"),
      (["read", "t", "--as-of", "yesterday"], "an instant of 14 or 17 digits or ISO 8601"),
      (["read", "t", "--until", "20240101000000"], "--until needs --since"),
      (["read", "t", "--since", "yesterday"], "a position such as"),
      (["read", "t", "--since", "start", "--until", "20240101000000"], "--until is an instant"),
      (["read", "t", "--as-of", "20240101000000", "--since", "20240101000000"], "not both"),
      (["read", "t", "--where", "price >"], "a value expected"),
      (["read", "t", "--select", "a,,b"], "names with commas between them are expected"),
      (["create", "t", "--schema", "s.avsc"], "--key COLUMN[,..] is missing"),
      (["create", "t", "--key", "id"], "--schema FILE.avsc or --like FILE.parquet is missing"),
      (["create", "t", "--key", "id", "--bloom", "none"], "file or hudi is expected"),
      (["create", "t", "--key", "id", "--target-file-size", "3X"], "a number of bytes"),
      (["create", "t", "--key", "id", "--target-file-size", "99999999999G"], "a number of bytes"),
      (["upsert", "t"], "--from FILE... is missing"),
      (["upsert", "t", "--no-sync=yes", "--from", "a"], "--no-sync takes no value"),
      (["upsert", "t", "--from", "a", "--zone", "Mars/Base"], "a zone such as UTC"),
      (["upsert", "t", "--from", "a", "--on-error", "dead-letter"], "lacks its file"),
      (["upsert", "t", "--from", "a", "--on-error", "ignore"], "fail or dead-letter FILE is expected"),
      (["delete", "t"], "give one of --key VALUE, --keys-from FILE, --where EXPR and --partition PATH"),
      (["delete", "t", "--key", "a", "--where", "a = 1"], "give one of"),
      (["update", "t", "--where", "a = 1"], "--set COLUMN=VALUE[,..] is missing"),
      (["update", "t", "--set", "a = 1"], "--where EXPR is missing"),
      (["update", "t", "--set", "a = b", "--where", "a = 1"], "a value expected, not `b`"),
      (["update", "t", "--set", "a = 1, a = 2", "--where", "a = 1"], "two values for a"),
      (["ingest", "t"], "--changes SOURCE... is missing"),
    ] as [([String], String)])
  func wrongUsage(words: [String], says: String) async throws {
    try await Tool.inFolder { tool in
      let outcome = try await tool.run(words)
      #expect(outcome.status == 64)
      #expect(outcome.output.isEmpty)
      #expect(outcome.complaints.count == 1)
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
    }
  }

  @Test("What comes later is refused with a line that says so")
  func comesLater() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.jsonl", someTrades)
      try await tool.fail(
        "read", "gs://bucket/table", saying: ["gs://bucket/table: there is no storage for gs://"])
      try await tool.fail(
        "upsert", "t", "--from", "http://server/rows.parquet", "--create", "--key", "id",
        saying: ["there is no storage for http://"])
      try await tool.fail(
        "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--type", "mor",
        saying: ["merge-on-read tables are not written yet"])
      try await tool.fail(
        "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--table-version", "8",
        saying: ["--table-version 8 is not written yet"])
      #expect(!tool.exists("t"))
    }
  }
}
