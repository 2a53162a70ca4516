import Foundation
import TarnTestSupport
import Testing

/// What commands print on standard error of what happens.
@Suite struct LogTests {
  private static func upsert(_ tool: Tool, log: String = "notes") async throws -> String {
    try tool.write("t.jsonl", someTrades)
    return try await tool.succeed(
      "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--partition-by", "exchange", "--log",
      log
    ).errors
  }

  @Test func everyLineIsAJSONObjectWhereThatIsAskedFor() async throws {
    try await Tool.inFolder { tool in
      let done = try await Self.upsert(tool, log: "json")
      let objects = try done.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
      #expect(objects.map { $0["event"] as? String } == ["attempt_begun", "committed", "message"])
      #expect(objects.allSatisfy { ($0["time"] as? String)?.hasSuffix("Z") == true })
      let committed = objects[1]
      #expect(committed["table"] as? String == "t")
      #expect(committed["inserted"] as? Int == 3)
      #expect(committed["instant"] as? String == objects[0]["instant"] as? String)
      #expect(["look_up_ms", "write_ms", "commit_ms", "duration_ms"].allSatisfy { committed[$0] is Int })
      // The file is named in what went wrong, too.
      let failed = try await tool.run(["count", "nowhere", "--log", "json"])
      #expect(failed.status == 1)
      #expect(failed.errors.contains("\"event\":\"error\""))
      #expect(failed.errors.contains("nowhere"))
    }
  }

  @Test func otherwiseLinesAreForPeopleAndOnlyWhatTheyShouldKnow() async throws {
    try await Tool.inFolder { tool in
      let few = try await Self.upsert(tool)
      #expect(!few.contains("attempt "))
      let all = try await tool.succeed("upsert", "t", "--from", "t.jsonl", "--log", "text", "--create")
      // The rows are those of before.
      #expect(all.errors.contains("nothing to commit"))
      try tool.write("u.jsonl", someTrades.replacingOccurrences(of: "OKX", with: "Kraken"))
      let told = try await tool.succeed("upsert", "t", "--from", "u.jsonl", "--log", "text")
      #expect(told.errors.contains(/t: attempt \d{17} begins: UPSERT/))
      #expect(told.errors.contains(/t: commit \d{17} stands: \d inserted/))
      let usage = try await tool.run(["count", "t", "--log", "xml"])
      #expect(usage.status == 64)
    }
  }

  @Test func aCheckShowsNoBarWhereThereIsNoTerminal() async throws {
    try await Tool.inFolder { tool in
      _ = try await Self.upsert(tool)
      #expect(try await tool.succeed("check", "t").errors.isEmpty)
      let told = try await tool.succeed("check", "t", "--log", "json").errors
      #expect(told.contains("\"event\":\"progress\",\"table\":\"t\",\"work\":\"check\",\"done\":1"))
    }
  }
}
