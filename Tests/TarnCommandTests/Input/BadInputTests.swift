import Foundation
import TarnBytes
import TarnCompression
import TarnTestSupport
import Testing

@Suite("Bad input of the command line")
struct BadInputTests {
  /// Runs a body with a table `t` of three rows, and checks that its files stay as they were.
  private func withUntouchedTable(_ body: (Tool) async throws -> Void) async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "trades.jsonl")
      let before = try tool.files(of: "t")
      try await body(tool)
      #expect(try tool.files(of: "t") == before)
    }
  }

  private static let broken = [
    #"{"id":4,"note":"good"}"#, "not json", #"{"id":"four"}"#, #"{"note":"no key"}"#, #"{"id":5}"#,
  ].joined(separator: "\n")

  @Test("A broken line ends the command and leaves the table as it was")
  func brokenLine() async throws {
    try await withUntouchedTable { tool in
      try tool.write("in/broken.jsonl", Self.broken)
      try await tool.fail(
        "upsert", "t", "--from", "in/broken.jsonl", saying: ["in/broken.jsonl, line 2 (offset 23): not JSON"])
      try await tool.fail(
        "upsert", "new", "--create", "--key", "id", "--from", "in/broken.jsonl", saying: ["line 2"])
      #expect(!tool.exists("new/.hoodie"))
    }
  }

  @Test("Broken lines go to the dead letters with their reasons", arguments: [false, true])
  func deadLetters(asOneWord: Bool) async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "trades.jsonl")
      try tool.write("broken.jsonl", Self.broken)
      let policy = asOneWord ? ["--on-error=dead-letter=dead"] : ["--on-error", "dead-letter", "dead"]
      let outcome = try await tool.run(["upsert", "t", "--from", "broken.jsonl"] + policy)
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("2 inserted"))
      #expect(outcome.errors.contains("3 to the dead letters"))
      let letters = String(decoding: try tool.bytes(of: tool.path("dead")), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      #expect(letters.count == 3)
      #expect(letters[0].contains(#""source":"broken.jsonl","line":2"#))
      #expect(letters[1].contains("does not fit long"))
      #expect(letters[2].contains("no value for the key column id"))
    }
  }

  @Test("A change record that cannot be applied ends the command, or goes to the dead letters")
  func brokenChange() async throws {
    try await Tool.inFolder { tool in
      let records = [change("INSERT", "1", exchange: "OKX", at: 1), change("INSERT", "2", at: 2), "{}"]
      try tool.write("changes.jsonl", records.joined(separator: "\n"))
      try tool.write("two.jsonl", records.prefix(2).joined(separator: "\n"))
      try await tool.fail(
        "ingest", "t", "--changes", "two.jsonl", "--create",
        saying: ["two.jsonl, line 2", "INSERT without NewImage cannot be applied"])
      #expect(!tool.exists("t/.hoodie"))
      let outcome = try await tool.succeed(
        "ingest", "t", "--changes", "changes.jsonl", "--create", "--on-error", "dead-letter", "dead")
      #expect(outcome.errors.contains("1 inserted"))
      #expect(outcome.errors.contains("2 to the dead letters"))
    }
  }

  @Test("Truncated gzip and Parquet files are named")
  func truncated() async throws {
    try await withUntouchedTable { tool in
      var compressed: [UInt8] = []
      var compressor = Compressor()
      try compressor.gzip(Array(someTrades.utf8).span.bytes, into: &compressed)
      try tool.write("cut.jsonl.gz", Array(compressed.dropLast(12)))
      try await tool.fail("upsert", "t", "--from", "cut.jsonl.gz", saying: ["cut.jsonl.gz", "truncated"])
      try tool.write("plain.jsonl.gz", "id=1\n")
      try await tool.fail(
        "upsert", "t", "--from", "plain.jsonl.gz", saying: ["plain.jsonl.gz: this is no gzip data"])
      try await tool.runToFile("whole.parquet", ["read", "t", "--format", "parquet"])
      let whole = try tool.bytes(of: tool.path("whole.parquet"))
      try tool.write("cut.parquet", Array(whole.dropLast(whole.count / 3)))
      try await tool.fail("upsert", "t", "--from", "cut.parquet", saying: ["cut.parquet", "cut short"])
      try tool.write("tiny.parquet", "PAR1")
      try await tool.fail("upsert", "t", "--from", "tiny.parquet", saying: ["tiny.parquet"])
      try await tool.fail("upsert", "t", "--from", "absent.jsonl", saying: ["absent.jsonl: No such file"])
      try tool.write("notes.txt", "Rows come tomorrow.")
      try await tool.fail("upsert", "t", "--from", "notes.txt", saying: ["notes.txt, line 1", "not JSON"])
    }
  }

  @Test("A value of another type, or a column that is not there, is named")
  func mismatch() async throws {
    try await withUntouchedTable { tool in
      try tool.write("text.jsonl", #"{"id":"a","price":"x"}"#)
      try await tool.succeed("upsert", "other", "--create", "--key", "id", "--from", "text.jsonl")
      try await tool.runToFile(
        "text.parquet", ["read", "other", "--select", "id,price", "--format", "parquet"])
      try await tool.fail("upsert", "t", "--from", "text.parquet", saying: ["column id is string", "long"])
      try await tool.fail("read", "t", "--where", "prize > 1", saying: ["t: there is no column prize"])
      try await tool.fail("read", "t", "--select", "prize", saying: ["t: there is no column prize"])
      try await tool.fail(
        "delete", "t", "--key", "one", saying: ["--key, line 1: column id: \"one\" does not fit long"])
    }
  }

  @Test("A write that fails takes the table it created with it")
  func failedCreation() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.fail(
        "upsert", "t", "--create", "--key", "id", "--partition-by", "note", "--no-url-encode",
        "--no-hive-style", "--from", "trades.jsonl", saying: ["note"])
      #expect(!tool.exists("t"))
      try tool.write("here/file", "x")
      try await tool.fail(
        "upsert", "here", "--create", "--key", "id", "--partition-by", "note", "--no-url-encode",
        "--no-hive-style", "--from", "trades.jsonl", saying: ["note"])
      #expect(try tool.files(of: "here") == ["file"])
    }
  }

  @Test("Files without records, and dead letters that cannot be written")
  func nothingToTake() async throws {
    try await withUntouchedTable { tool in
      try tool.write("empty.jsonl", "\n \r\n")
      try await tool.fail(
        "ingest", "new", "--create", "--changes", "empty.jsonl", saying: ["empty.jsonl: no change records"])
      #expect(!tool.exists("new"))
      let outcome = try await tool.succeed("upsert", "t", "--from", "empty.jsonl")
      #expect(outcome.errors.contains("nothing to commit"))
      try tool.write("two.jsonl", "{\"id\":9}\n{")
      guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
      try await tool.fail(
        "upsert", "t", "--from", "two.jsonl", "--on-error", "dead-letter", "/dev/full",
        saying: ["/dev/full: the dead letters cannot be written: No space left"])
    }
  }

  @Test("A folder that is no table, and one whose properties are damaged")
  func noTable() async throws {
    try await withUntouchedTable { tool in
      try tool.write("folder/file", "x")
      try await tool.fail("read", "folder", saying: ["folder: there is no Hudi table here"])
      try await tool.fail("read", "nowhere", saying: ["nowhere: there is no Hudi table here"])
      try await tool.fail("read", "trades.jsonl", saying: ["trades.jsonl: it is a file"])
      try await tool.fail("upsert", "folder", "--from", "trades.jsonl", saying: ["folder: there is no table"])
      try tool.write("torn/.hoodie/hoodie.properties", "hoodie.table.name=torn\nhoodie.table.ver")
      try await tool.fail("read", "torn", saying: ["torn: .hoodie/hoodie.properties"])
      try await tool.fail(
        "upsert", "torn", "--create", "--key", "id", "--from", "trades.jsonl", saying: ["hoodie.properties"])
      try tool.write("odd/.hoodie/hoodie.properties", [0xff, 0x00, 0x3d, 0x5c, 0x75, 0x7a])
      try await tool.fail("count", "odd", saying: ["odd: "])
    }
  }

  @Test("A place without permission")
  func permission() async throws {
    try await withUntouchedTable { tool in
      // Nobody makes files there, not even a superuser.
      let closed =
        FileManager.default.fileExists(atPath: "/sys/kernel") ? "/sys/kernel/tarn-test" : "/System/tarn-test"
      try await tool.fail(
        "upsert", closed, "--create", "--key", "id", "--from", "trades.jsonl", saying: ["tarn-test"])
      try await tool.fail(
        "upsert", "t", "--from", "trades.jsonl", "other.jsonl", saying: ["other.jsonl: No such file"])
      try tool.write("broken.jsonl", "{")
      try await tool.fail(
        "upsert", "t", "--from", "broken.jsonl", "--on-error", "dead-letter", "\(closed)/dead",
        saying: ["the dead letters cannot be written"])
    }
  }
}
