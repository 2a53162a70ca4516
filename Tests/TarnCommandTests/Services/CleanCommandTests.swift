import TarnTestSupport
import Testing

/// `tarn clean`.
@Suite struct CleanCommandTests {
  /// A table of one file group with so many versions.
  private func table(_ tool: Tool, versions: Int) async throws {
    for number in 0..<versions {
      try tool.write("t.jsonl", #"{"id":"a","number":\#(number)}"# + "\n")
      try await tool.succeed(
        "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--no-services", "--no-sync")
    }
  }

  private func files(_ tool: Tool) throws -> [String] {
    try tool.files(of: "t").filter { $0.hasSuffix(".parquet") }
  }

  private func instants(_ tool: Tool, _ action: String) async throws -> [String] {
    try await tool.succeed("timeline", "t", "--format", "jsonl").rows.compactMap { row in
      guard row.contains("\"action\":\"\(action)\"") else { return nil }
      return row.firstMatch(of: /"instant":"(\d+)"/).map { String($0.1) }
    }
  }

  @Test func oldVersionsAreToldAndRemoved() async throws {
    try await Tool.inFolder { tool in
      try await table(tool, versions: 5)
      let (before, commits) = (try files(tool), try await instants(tool, "commit"))
      // The usual ten commits are not there yet.
      #expect(try await tool.succeed("clean", "t").errors == "nothing to clean in t\n")
      let plan = try await tool.succeed("clean", "t", "--keep", "2commits", "--dry-run")
      #expect(plan.rows.count == 2 && plan.rows.allSatisfy(before.contains), "\(plan.output)")
      let told =
        #/clean would remove from t 2 files of \d+ bytes in 1 partitions that were looked into, none of commit (\d+) or later\n/#
      #expect(plan.errors.wholeMatch(of: told).map { String($0.1) } == commits[3], "\(plan.errors)")
      #expect(try files(tool) == before)
      #expect(try await instants(tool, "clean") == [])

      let done = try await tool.succeed("clean", "t", "--keep", "2commits")
      #expect(done.rows == [])
      let clean = try #require(try await instants(tool, "clean").first)
      #expect(done.errors == plan.errors.replacing("clean would remove", with: "clean \(clean) removed"))
      #expect(try files(tool) == before.filter { !plan.rows.contains($0) })
      #expect(try await tool.succeed("clean", "t", "--keep", "2commits").errors == "nothing to clean in t\n")
      #expect(
        try await tool.succeed("read", "t", "--select", "number", "--as-of", commits[3]).rows
          == [#"{"number":3}"#])
      try await tool.fail(
        "read", "t", "--as-of", commits[1], saying: [commits[1], "clean \(clean)", "tarn.clean.retained"])
      #expect(try await tool.succeed("check", "t").output == "sound\n")
    }
  }

  @Test func whatIsNoRuleIsRefused() async throws {
    try await Tool.inFolder { tool in
      try await table(tool, versions: 1)
      for rule in ["0commits", "2weeks", "commits"] {
        #expect(try await tool.run("clean", "t", "--keep", rule).status != 0, "\(rule)")
      }
      try await tool.fail("clean", "none", saying: ["no Hudi table"])
    }
  }
}
