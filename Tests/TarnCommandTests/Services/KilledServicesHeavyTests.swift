import Foundation
import TarnTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Real processes that are killed in the middle of what keeps a table in order.
@Suite struct KilledServicesHeavyTests {
  /// What is done to a copy of one table.
  enum Deed: String, CaseIterable, Sendable {
    case clean, archive, cluster, restore, rollback, overwrite, truncate

    func arguments(_ commits: [String]) -> [String] {
      switch self {
      case .clean: ["clean", "t", "--keep", "1commits"]
      case .archive: ["archive", "t"]
      case .cluster: ["cluster", "t", "--sort-by", "number"]
      case .restore: ["restore", "t", commits[commits.count - 4]]
      case .rollback: ["rollback", "t", "--completed"]
      case .overwrite: ["insert", "t", "--overwrite", "--from", "over.jsonl"]
      case .truncate: ["truncate", "t"]
      }
    }
  }

  /// The commits of the table: more than an archive leaves.
  private static let commits = 16

  /// Makes a table with several files in each of some partitions.
  private static func create(_ tool: Tool) async throws {
    for number in 0..<commits {
      var lines: [String] = []
      for part in 0..<4 {
        for key in 0..<3 {
          lines.append(#"{"id":"\#(part)-\#(key)","part":"p\#(part)","number":\#(number)}"#)
        }
        lines.append(#"{"id":"\#(part)-own-\#(number)","part":"p\#(part)","number":\#(number)}"#)
      }
      try tool.write("rows.jsonl", lines.joined(separator: "\n") + "\n")
      try await tool.succeed(
        "upsert", "made", "--from", "rows.jsonl", "--create", "--key", "id", "--partition-by", "part",
        "--no-services", "--no-sync")
    }
    try tool.write("over.jsonl", #"{"id":"new","part":"p1","number":99}"# + "\n")
    try tool.write("next.jsonl", #"{"id":"next","part":"next","number":1}"# + "\n")
  }

  private static func rows(_ tool: Tool) async throws -> [String] {
    try await tool.succeed("read", "t", "--select", "id,number", "--format", "jsonl").rows.sorted()
  }

  private static func timeline(_ tool: Tool) async throws -> [String] {
    try await tool.succeed("timeline", "t", "--format", "jsonl").rows
  }

  private static func copy(_ tool: Tool) throws {
    try? FileManager.default.removeItem(atPath: tool.path("t"))
    try FileManager.default.copyItem(atPath: tool.path("made"), toPath: tool.path("t"))
  }

  /// What is read behind it is the table before or after it, and the next process goes on from either.
  @Test(arguments: Deed.allCases) func theNextProcessGoesOn(deed: Deed) async throws {
    let kills = TestWorld.isLong ? 50 : 7
    try await Tool.inFolder { tool in
      try await Self.create(tool)
      try Self.copy(tool)
      let commits = try await Self.timeline(tool).compactMap {
        $0.firstMatch(of: /"instant":"(\d+)"/).map { String($0.1) }
      }
      let arguments = deed.arguments(commits)
      let before = try await Self.rows(tool)
      // How long it takes by itself tells when it can be killed.
      let begun = ContinuousClock.now
      let whole = try await tool.run(arguments)
      let time = begun.duration(to: .now)
      #expect(whole.status == 0, "\(whole.errors)")
      let after = try await Self.rows(tool)
      let next = #"{"id":"next","number":1}"#
      var random = SeededGenerator(seed: UInt64(deed.rawValue.utf8.reduce(0) { $0 + Int($1) }))
      var (died, done) = (0, 0)
      for number in 0..<kills * 3 where died < kills {
        try Self.copy(tool)
        let delay = time * (Double(random.below(1_000)) / 1_000)
        let outcome = try await tool.run(arguments) { process in
          // The process may have ended by then; its number is not given to another so soon.
          Thread.detachNewThread {
            Thread.sleep(forTimeInterval: delay / .seconds(1))
            kill(process, SIGKILL)
          }
        }
        if outcome.status == -SIGKILL { died += 1 }
        #expect([0, -SIGKILL].contains(outcome.status), "\(number): \(outcome.errors)")
        let seen = try await Self.rows(tool)
        #expect(seen == before || seen == after, "\(number), after \(delay)")
        // Whoever comes next goes on: another write, the same once more, or a check alone.
        switch random.below(3) {
        case 0:
          try await tool.succeed("upsert", "t", "--from", "next.jsonl", "--no-sync")
          let rows = try await Self.rows(tool)
          let isDone = rows == (after + [next]).sorted()
          #expect(isDone || rows == (before + [next]).sorted(), "\(number), after \(delay)")
          if isDone { done += 1 }
        case 1:
          if deed != .rollback { try #require(try await tool.run(arguments).status == 0) }
          let rows = try await Self.rows(tool)
          #expect(deed == .rollback ? rows == seen : rows == after, "\(number), after \(delay)")
        default:
          try await tool.succeed("clean", "t", "--keep", "3commits")
          let rows = try await Self.rows(tool)
          #expect(rows == before || rows == after, "\(number), after \(delay)")
        }
        let check = try await tool.run("check", "t")
        #expect(check.status == 0, "\(number), after \(delay): \(check.output)\(check.errors)")
      }
      print("➜ \(deed): \(died) kills within \(time), \(done) stood")
      #expect(died > 0)
    }
  }
}
