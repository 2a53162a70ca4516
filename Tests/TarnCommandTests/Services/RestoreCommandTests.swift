import TarnTestSupport
import Testing

/// `tarn savepoint`, `tarn restore` and `tarn rollback --completed`.
@Suite struct RestoreCommandTests {
  /// A table of three commits, and their instants.
  private func table(_ tool: Tool) async throws -> [String] {
    for number in 1...3 {
      try tool.write(
        "t.jsonl", #"{"id":"a","number":\#(number)}"# + "\n" + #"{"id":"n\#(number)","number":0}"# + "\n")
      try await tool.succeed("upsert", "t", "--from", "t.jsonl", "--create", "--key", "id")
    }
    return try await instants(tool)
  }

  private func instants(_ tool: Tool, _ action: String = "commit") async throws -> [String] {
    try await tool.succeed("timeline", "t", "--format", "jsonl").rows.compactMap { row in
      guard row.contains("\"action\":\"\(action)\"") else { return nil }
      return row.firstMatch(of: /"instant":"(\d+)"/).map { String($0.1) }
    }
  }

  @Test func aTableGoesBackToASavepoint() async throws {
    try await Tool.inFolder { tool in
      let commits = try await table(tool)
      let before = try tool.files(of: "t")
      let plan = try await tool.succeed("savepoint", "t", commits[0], "--dry-run")
      #expect(plan.rows.count == 1 && plan.rows[0].hasSuffix("_\(commits[0]).parquet"))
      #expect(plan.errors == "savepoint \(commits[0]) of t would hold 1 file\n")
      #expect(try tool.files(of: "t") == before)
      let made = try await tool.succeed("savepoint", "t", commits[0], "--comment", "why")
      #expect(made.errors == "savepoint \(commits[0]) of t holds 1 file\n" && made.rows == [])
      #expect(try await instants(tool, "savepoint") == [commits[0]])
      try await tool.fail("savepoint", "t", commits[0], saying: ["already"])

      let told = try await tool.succeed("restore", "t", commits[0], "--dry-run").rows
      #expect(told.count == 4)
      #expect(told[0] == ".hoodie/\(commits[2]).commit" && told[2] == ".hoodie/\(commits[1]).commit")
      let present = try tool.files(of: "t")
      #expect(told.allSatisfy(present.contains))
      let done = try await tool.succeed("restore", "t", commits[0])
      #expect(done.errors.contains(" took t back to \(commits[0]): 2 commits with 2 files of "))
      #expect(try tool.files(of: "t").allSatisfy { !told.contains($0) })
      #expect(try await tool.succeed("count", "t").output == "2\n")
      #expect(try await tool.succeed("check", "t").output == "sound\n")
      let again = try await tool.succeed("restore", "t", commits[0])
      #expect(again.errors == "nothing to restore in t: \(commits[0]) is its latest commit\n")
      try await tool.fail("restore", "t", commits[2], saying: ["there is no commit \(commits[2])"])

      let deletion = try await tool.succeed("savepoint", "t", commits[0], "--delete", "--dry-run")
      #expect(deletion.rows == plan.rows && deletion.errors.hasPrefix("would delete savepoint \(commits[0])"))
      try await tool.succeed("savepoint", "t", commits[0], "--delete")
      #expect(try await instants(tool, "savepoint") == [])
      try await tool.fail("savepoint", "t", commits[0], saying: ["deleted lately"])
      for wrong in [["savepoint", "t", "--delete"], ["restore", "t", "yesterday"], ["restore", "t"]] {
        #expect(try await tool.run(wrong).status == 64, "\(wrong)")
      }
    }
  }

  @Test func theLatestCommitIsRolledBack() async throws {
    try await Tool.inFolder { tool in
      let commits = try await table(tool)
      try await tool.fail(
        "rollback", "t", commits[1], "--completed", saying: ["is not the latest", commits[2]])
      let plan = try await tool.succeed("rollback", "t", "--completed", "--dry-run")
      #expect(plan.rows.count == 2 && plan.rows[0] == ".hoodie/\(commits[2]).commit")
      #expect(plan.errors.hasPrefix("rollback would take back commit \(commits[2]) of t with 1 file of "))
      let done = try await tool.succeed("rollback", "t", commits[2], "--completed")
      #expect(done.errors.contains(" took back commit \(commits[2]) of t with 1 file of "))
      #expect(try await instants(tool) == Array(commits.dropLast()))
      #expect(try await tool.succeed("count", "t").output == "3\n")
      #expect(try await tool.succeed("check", "t").output == "sound\n")
      let nothing = try await tool.succeed("rollback", "t", "--dry-run")
      #expect(nothing.rows.isEmpty && nothing.errors == "would roll back in t: nothing\n")
      let left = "20250101000000000"
      try tool.write("t/.hoodie/\(left).inflight", "")
      let told = try await tool.succeed("rollback", "t", left, "--dry-run")
      #expect(told.rows == [".hoodie/\(left).inflight"])
      #expect(told.errors == "would roll back in t: \(left) with 0 files\n")
      #expect(try await tool.run(["rollback", "t", commits[1], "--completed", "--force"]).status == 64)
    }
  }
}
