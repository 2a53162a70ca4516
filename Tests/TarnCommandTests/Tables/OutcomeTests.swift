import TarnTestSupport
import Testing

@Suite("A write of which it is not known whether it stands")
struct OutcomeTests {
  @Test("It has an exit status of its own, and one line that names the commit")
  func lostAnswer() async throws {
    try await Tool.inFolder { tool in
      let library = try tool.preloaded("lost_answer")
      try tool.write("trades.jsonl", someTrades)
      try await tool.succeed("insert", "t", "--create", "--key", "id", "--from", "trades.jsonl")
      let outcome = try await tool.run(
        ["insert", "t", "--from", "trades.jsonl"], environment: ["LD_PRELOAD": library])
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.complaints.count == 1 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("tarn: t: whether commit 2"), "\(outcome.errors)")
      #expect(outcome.errors.contains("is not known"), "\(outcome.errors)")
      #expect(outcome.errors.contains("before these rows are written again"))
      // It stands, though nobody could say so, and appears when the next process writes, be it nothing.
      try await tool.succeed("delete", "t", "--key", "77")
      #expect(try await tool.succeed("count", "t").output == "6\n")
      // A table that is created for such a write stays.
      let first = try await tool.run(
        ["upsert", "new", "--create", "--key", "id", "--from", "trades.jsonl"],
        environment: ["LD_PRELOAD": library])
      #expect(first.status == 2, "\(first.errors)")
      try await tool.succeed("delete", "new", "--key", "77")
      #expect(try await tool.succeed("count", "new").output == "3\n")
    }
  }
}
