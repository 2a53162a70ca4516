import Foundation
import TarnTestSupport
import Testing

/// `tarn timeline` of attempts and of what was archived, `tarn rollback`, `tarn archive` and `tarn check`.
@Suite struct UpkeepTests {
  private static let foreign = "20300101000000000"

  /// A table with one commit and an attempt of another engine's.
  private func table(_ tool: Tool) async throws -> [String] {
    try tool.write("t.jsonl", someTrades)
    try await tool.succeed(
      "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--partition-by", "exchange")
    try tool.write("t/.hoodie/\(Self.foreign).commit.requested", "")
    try tool.write("t/.hoodie/\(Self.foreign).inflight", "")
    try tool.write("t/exchange=OKX/f-0_0-0-0_\(Self.foreign).parquet", "half")
    return try await tool.succeed("timeline", "t", "--format", "jsonl").rows
  }

  @Test func theTimelineTellsPositionsAndAttempts() async throws {
    try await Tool.inFolder { tool in
      let rows = try await table(tool)
      #expect(rows.count == 2)
      #expect(rows[0].contains(/"position":"[0-9a-f]+-1","attempt":null,"age_seconds":null/), "\(rows)")
      #expect(rows[1].contains(/"state":"inflight".*"position":null,"attempt":"foreign","age_seconds":\d+}/))
      let header = try await tool.succeed("timeline", "t", "--format", "table").rows[0]
      #expect(header.contains("position") && header.hasSuffix("attempt  age_seconds"))
    }
  }

  @Test func anAttemptIsRolledBackByHand() async throws {
    try await Tool.inFolder { tool in
      let rows = try await table(tool)
      let commit = try #require(rows[0].firstMatch(of: /"instant":"(\d+)"/)).1
      #expect(try await tool.succeed("rollback", "t").errors == "rolled back in t: nothing to roll back\n")
      try await tool.fail("rollback", "t", String(commit), saying: ["commit \(commit) is completed"])
      try await tool.fail("rollback", "t", "20290101000000000", saying: ["there is no attempt"])
      let usage = try await tool.run("rollback", "t", "yesterday")
      #expect(usage.status == 64 && usage.errors.contains("14 or 17 digits"))
      #expect(try await tool.run("rollback", "t", "--force").status == 64)
      // As another engine shows that its writer lives.
      try tool.write("t/.hoodie/.heartbeat/\(Self.foreign)", "")
      try await tool.fail("rollback", "t", Self.foreign, saying: ["its writer lives"])
      let done = try await tool.succeed("rollback", "t", Self.foreign, "--force")
      #expect(done.errors.hasSuffix("rolled back in t: \(Self.foreign)\n"))
      #expect(try tool.files(of: "t").allSatisfy { !$0.contains(Self.foreign) })
      let after = try await tool.succeed("timeline", "t", "--format", "jsonl").rows
      #expect(after.count == 2 && after[1].contains("\"action\":\"rollback\",\"state\":\"completed\""))
      #expect(try await tool.succeed("count", "t").output == "3\n")
      #expect(try await tool.succeed("check", "t").output == "sound\n")
    }
  }

  @Test func aCheckSaysWhatIsWrongInALineEach() async throws {
    try await Tool.inFolder { tool in
      _ = try await table(tool)
      #expect(try await tool.succeed("check", "t").output == "sound\n")
      try tool.write("t/.hoodie/20250101000000000.content.a1", "{}")
      let noted = try await tool.succeed("check", "t").rows
      #expect(noted.count == 2 && noted[0].hasPrefix("note: .hoodie/20250101000000000.content.a1: "))
      #expect(noted[1] == "sound")
      let file = try #require(
        try tool.files(of: "t").first { $0.hasSuffix(".parquet") && $0.contains("Kraken") })
      try FileManager.default.removeItem(atPath: tool.path("t/" + file))
      try FileManager.default.removeItem(atPath: tool.path("t/.hoodie/tarn/head"))
      let outcome = try await tool.run("check", "t")
      #expect(outcome.status == 1 && outcome.errors == "tarn: t: 2 findings\n", "\(outcome.errors)")
      #expect(outcome.rows.count == 3 && outcome.rows.contains { $0.hasPrefix(file + ": commit ") })
      #expect(outcome.rows.contains { $0.hasPrefix(".hoodie/tarn/head: it is gone") })
    }
  }

  @Test func whatAReaderNeedsIsKeptAndShown() async throws {
    try await Tool.inFolder { tool in
      for number in 1...4 {
        try tool.write("t.jsonl", #"{"id":"a","number":\#(number)}"# + "\n")
        try await tool.succeed("upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--no-sync")
      }
      let rows = try await tool.succeed("timeline", "t", "--format", "jsonl").rows
      let instants = rows.compactMap { $0.firstMatch(of: /"instant":"(\d+)"/).map { String($0.1) } }
      let kept = try await tool.succeed("retain", "t", "reports", "--since", instants[0], "--expires", "5")
      #expect(kept.errors == "kept for reader reports of t: from \(instants[0]) on\n")
      try await tool.succeed("retain", "t", "other")
      let shown = try await tool.succeed("show", "t", "--format", "jsonl").output
      let pattern =
        try Regex(
          "\"readers\":\\[\"other from \(instants[3])\",\"reports from \(instants[0]) until [0-9TZ:.-]+\"\\]")
      #expect(shown.contains(pattern))
      #expect(try await tool.succeed("clean", "t", "--keep", "1", "--dry-run").rows.isEmpty)
      let released = try await tool.succeed("retain", "t", "reports", "--release")
      #expect(released.errors == "released reader reports of t\n")
      #expect(try await tool.succeed("clean", "t", "--keep", "1", "--dry-run").rows.count == 2)
      #expect(try await tool.run(["retain", "t", "r", "--release", "--expires", "1"]).status == 64)
      #expect(try await tool.run(["retain", "t"]).status == 64)
    }
  }

  @Test func oldInstantsAreArchivedAndListedStill() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.jsonl", someTrades)
      try await tool.succeed(
        "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--partition-by", "exchange")
      for _ in 0..<13 {
        try await tool.succeed("insert", "t", "--from", "t.jsonl", "--no-services", "--no-sync")
      }
      let before = try await tool.succeed("timeline", "t", "--format", "jsonl").rows
      #expect(before.count == 14)
      let plan = try await tool.succeed("archive", "t", "--dry-run")
      #expect(plan.rows.count == 2 && plan.rows.allSatisfy { $0.hasSuffix(" commit") })
      #expect(plan.errors == "archive would take 2 instants of t, and 12 stay\n")
      #expect(try await tool.succeed("timeline", "t", "--format", "jsonl").rows == before)
      #expect(try await tool.succeed("archive", "t").errors == "archived 2 instants of t, and 12 stay\n")
      let nothing = "nothing to archive in t, of which 12 instants are on the timeline\n"
      #expect(try await tool.succeed("archive", "t").errors == nothing)
      #expect(try await tool.succeed("timeline", "t", "--format", "jsonl").rows == Array(before[2...]))
      #expect(try await tool.succeed("timeline", "t", "--all", "--format", "jsonl").rows == before)
      #expect(try await tool.succeed("count", "t").output == "42\n")
    }
  }
}
