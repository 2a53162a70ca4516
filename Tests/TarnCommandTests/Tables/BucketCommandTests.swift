import Foundation
import TarnTestSupport
import Testing

@Suite("Buckets, key indexes and tombstones on the command line")
struct BucketCommandTests {
  private func properties(_ tool: Tool, _ table: String) throws -> String {
    try String(contentsOfFile: tool.path(table + "/.hoodie/hoodie.properties"), encoding: .utf8)
  }

  @Test("A table keeps the buckets that it was created with")
  func created() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed(
        "insert", "t", "--create", "--key", "id", "--partition-by", "exchange", "--buckets", "2",
        "--bucket-field", "id", "--from", "trades.jsonl")
      let properties = try properties(tool, "t")
      for line in ["tarn.index.type=bucket", "tarn.index.buckets=2", "tarn.index.bucket.fields=id"] {
        #expect(properties.contains(line + "\n"))
      }
      let names = try tool.files(of: "t").filter { $0.hasSuffix(".parquet") }
      #expect(!names.isEmpty && names.allSatisfy { $0.contains("/0000000") }, "\(names)")
      let again = try await tool.succeed("upsert", "t", "--from", "trades.jsonl")
      #expect(again.errors.contains("3 duplicate"))
      try await tool.succeed("upsert", "t", "--buckets", "2", "--from", "trades.jsonl")
      try await tool.fail(
        "upsert", "t", "--buckets", "3", "--from", "trades.jsonl", saying: ["has 2 buckets by id", "t: "])
      try await tool.succeed("delete", "t", "--key", "1")
      #expect(try await tool.succeed("count", "t").rows == ["2"])
    }
  }

  @Test("A bucketed table that does not say its buckets is written with --buckets alone")
  func given() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      let rows = ["--from", "trades.jsonl"]
      try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--partition-by", "exchange", "--buckets", "4", "--from",
        "trades.jsonl")
      let text = try properties(tool, "t").split(separator: "\n").filter { !$0.hasPrefix("tarn.") }
      try tool.write("t/.hoodie/hoodie.properties", text.joined(separator: "\n") + "\n")
      for command in [["upsert", "t"] + rows, ["insert", "t"] + rows, ["delete", "t", "--key", "1"]] {
        let outcome = try await tool.run(command)
        #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("tarn: t: table t ") && outcome.errors.contains("--buckets N"))
        #expect(try await tool.run(command + ["--buckets", "4"]).status == 0)
      }
    }
  }

  @Test("What makes no sense is wrong usage")
  func usage() async throws {
    try await Tool.inFolder { tool in
      for words in [
        ["--buckets", "0"], ["--buckets", "x"], ["--bucket-field", "id"], ["--tombstone-retention", "-1"],
      ] {
        let outcome = try await tool.run(["upsert", "t", "--from", "x.jsonl"] + words)
        #expect(outcome.status == 64, "\(words): \(outcome.errors)")
      }
    }
  }

  @Test("A table can do without key indexes, and remember deletions for another time")
  func keyIndexAndTombstones() async throws {
    try await Tool.inFolder { tool in
      try tool.write("trades.jsonl", someTrades)
      let create = ["--create", "--key", "id", "--order-by", "price", "--from", "trades.jsonl"]
      #expect(try await tool.run(["upsert", "a", "--no-key-index"] + create).status == 0)
      #expect(try properties(tool, "a").contains("tarn.key.index=false\n"))
      let deletion = try await tool.succeed("delete", "a", "--key", "1")
      #expect(deletion.errors.contains("remembers no deletions"))
      #expect(try await tool.run(["upsert", "b", "--tombstone-retention", "5"] + create).status == 0)
      #expect(try properties(tool, "b").contains("tarn.tombstone.retention.hours=5\n"))
    }
  }
}
