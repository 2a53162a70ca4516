import Foundation
import Synchronization
import TarnTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Real processes that write into one table at the same time, and some that are killed or stopped.
@Suite(.serialized) struct ManyProcessesHeavyTests {
  /// Rows that a write adds: keys of its own.
  private static let rowsAWrite = 5
  /// Keys that all writers change.
  private static let sharedKeys = 20
  /// The longest that anybody may wait for a process that is stopped.
  private static let patience = Duration.seconds(5)

  /// What is done beside writers all the time.
  private static let services = [
    ["clean", "t", "--keep", "5commits"], ["archive", "t"],
    ["cluster", "t", "--sort-by", "by,id", "--retries", "100"],
    ["cluster", "t", "--sort-by", "at,id", "--z-order", "--partition", "part=p1", "--retries", "100"],
  ]

  /// Writes the input of one write: rows of its own, and the newest version of all shared ones.
  ///
  /// - Parameter order: The ordering value, which no other write has.
  private static func write(_ tool: Tool, writer: Int, number: Int, order: Int) throws -> String {
    var text = ""
    for row in 0..<rowsAWrite {
      text +=
        #"{"id":"w\#(writer)-\#(number)-\#(row)","part":"p\#(writer % 2)","at":\#(order),"by":\#(writer)}"#
      text += "\n"
    }
    for key in 0..<sharedKeys {
      text += #"{"id":"shared-\#(key)","part":"all","at":\#(order),"by":\#(writer)}"# + "\n"
    }
    let name = "w\(writer)-\(number).jsonl"
    try tool.write(name, text)
    return name
  }

  private static func create(_ tool: Tool) async throws {
    let first = try write(tool, writer: 9, number: 0, order: 0)
    try await tool.succeed(
      "upsert", "t", "--create", "--key", "id", "--partition-by", "part", "--order-by", "at", "--from", first)
  }

  private static func upsert(_ name: String, _ writer: Int, _ number: Int) -> [String] {
    ["upsert", "t", "--from", name, "--transaction", "w\(writer):\(number)"]
  }

  /// The table has the rows of so many writes of each writer, whose last ordering value is the greatest.
  private static func expect(_ tool: Tool, writes: [Int: Int], greatest: Int) async throws {
    let rows = try await tool.succeed("read", "t", "--select", "id,at", "--format", "jsonl").rows
    var expected: [String] = []
    for (writer, count) in writes {
      for number in 0..<count {
        for row in 0..<rowsAWrite { expected.append("w\(writer)-\(number)-\(row)") }
      }
    }
    for row in 0..<rowsAWrite { expected.append("w9-0-\(row)") }
    for key in 0..<sharedKeys { expected.append("shared-\(key)") }
    let ids = rows.compactMap { $0.split(separator: "\"").dropFirst(3).first.map(String.init) }
    #expect(ids.sorted() == expected.sorted())
    let shared = rows.filter { $0.contains("shared-") }
    #expect(shared.allSatisfy { $0.hasSuffix("\"at\":\(greatest)}") }, "not \(greatest): \(shared.prefix(3))")
    let check = try await tool.run("check", "t")
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }

  /// What all writers of a test know together.
  private final class Board: Sendable {
    private let state = Mutex((running: [Int: Int32](), order: 0, isOver: false, longest: Duration.zero))

    /// The next ordering value.
    func next() -> Int {
      state.withLock {
        $0.order += 1
        return $0.order
      }
    }

    var greatest: Int { state.withLock { $0.order } }

    func begins(_ writer: Int, _ process: Int32) { state.withLock { $0.running[writer] = process } }

    func ends(_ writer: Int, after time: Duration? = nil) {
      state.withLock {
        $0.running[writer] = nil
        if let time { $0.longest = max($0.longest, time) }
      }
    }

    /// Sends a signal to a writer's process, if it has one.
    func signal(_ writer: Int, _ signal: Int32) -> Bool {
      state.withLock { state in
        guard let process = state.running[writer] else { return false }
        return kill(process, signal) == 0
      }
    }

    func finish() { state.withLock { $0.isOver = true } }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// The longest that an undisturbed write took.
    var longest: Duration { state.withLock { $0.longest } }
  }

  /// Three writers, one of whose processes is killed again and again: each asks again until it is told that its rows
  /// stand, and finds them once.
  @Test func killedWritersLoseNothingAndDoubleNothing() async throws {
    let kills = 100
    try await Tool.inFolder { tool in
      try await Self.create(tool)
      let board = Board()
      let (writes, killed) = try await withThrowingTaskGroup(of: (Int, Int)?.self) { group in
        for writer in 0..<3 {
          group.addTask {
            var count = 0
            while !board.isOver {
              let input = try Self.write(tool, writer: writer, number: count, order: board.next())
              while true {
                let outcome = try await tool.run(Self.upsert(input, writer, count)) {
                  board.begins(writer, $0)
                }
                board.ends(writer)
                if outcome.status == 0 { break }
                #expect(outcome.status == -SIGKILL, "\(outcome.errors)")
              }
              count += 1
            }
            return (writer, count)
          }
        }
        group.addTask {
          var random = SeededGenerator(seed: 1)
          var count = 0
          while count < kills {
            try await Task.sleep(for: .milliseconds(5 + random.below(80)))
            if board.signal(random.below(3), SIGKILL) { count += 1 }
          }
          board.finish()
          return nil
        }
        return try await group.reduce(into: ([Int: Int](), kills)) { result, one in
          if let one { result.0[one.0] = one.1 }
        }
      }
      print("➜ \(killed) kills among \(writes.values.reduce(0, +)) writes")
      try await Self.expect(tool, writes: writes, greatest: board.greatest)
    }
  }

  /// One of three writers is stopped at a random moment, for longer than anybody is patient, and goes on: its write
  /// stands or is done again, and nobody waits for it longer than 5 s.
  ///
  /// Where it is stopped within the turn in which files are replaced, the others are told that nothing was changed, and
  /// ask again.
  @Test func aStoppedWriterHoldsNobodyUpForLong() async throws {
    let stops = TestWorld.isLong ? 50 : 3
    try await Tool.inFolder { tool in
      try await Self.create(tool)
      let board = Board()
      let writes = try await withThrowingTaskGroup(of: (Int, Int)?.self) { group in
        for writer in 0..<3 {
          group.addTask {
            var count = 0
            while !board.isOver {
              let input = try Self.write(tool, writer: writer, number: count, order: board.next())
              while true {
                let begun = ContinuousClock.now
                let outcome = try await tool.run(
                  Self.upsert(input, writer, count) + ["--retries", "100"]
                ) { board.begins(writer, $0) }
                board.ends(writer, after: writer == 0 ? nil : begun.duration(to: .now))
                if outcome.status == 0 { break }
                #expect(outcome.errors.contains("nothing was changed"), "\(outcome.errors)")
              }
              count += 1
            }
            return (writer, count)
          }
        }
        group.addTask {
          var random = SeededGenerator(seed: 2)
          var count = 0
          while count < stops {
            try await Task.sleep(for: .milliseconds(5 + random.below(120)))
            guard board.signal(0, SIGSTOP) else { continue }
            try await Task.sleep(for: Self.patience + .seconds(1))
            if board.signal(0, SIGCONT) { count += 1 }
          }
          board.finish()
          return nil
        }
        return try await group.reduce(into: [Int: Int]()) { result, one in
          if let one { result[one.0] = one.1 }
        }
      }
      print("➜ \(stops) stops, \(writes.values.reduce(0, +)) writes, the longest of others \(board.longest)")
      // What a write takes by itself comes on top, on a machine that is busy.
      #expect(board.longest < Self.patience + .seconds(2))
      try await Self.expect(tool, writes: writes, greatest: board.greatest)
    }
  }

  /// Six writers for a while, keys of their own and shared ones, while the table is cleaned, archived and clustered again and
  /// again, and one reader all the while, who sees whole commits and never fewer of them.
  @Test func sixWritersAReaderAndServices() async throws {
    let time = TestWorld.isLong ? Duration.seconds(120) : .seconds(8)
    let services = Collected()
    try await Tool.inFolder { tool in
      try await Self.create(tool)
      let board = Board()
      let writes = try await withThrowingTaskGroup(of: (Int, Int)?.self) { group in
        for writer in 0..<6 {
          group.addTask {
            var count = 0
            while !board.isOver {
              let input = try Self.write(tool, writer: writer, number: count, order: board.next())
              let outcome = try await tool.run(Self.upsert(input, writer, count) + ["--retries", "100"])
              #expect(outcome.status == 0, "\(outcome.errors)")
              count += 1
            }
            return (writer, count)
          }
        }
        group.addTask {
          var before = 0
          while !board.isOver {
            let outcome = try await tool.run("count", "t")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let count = Int(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
            #expect(count >= before && (count - Self.sharedKeys) % Self.rowsAWrite == 0, "\(count)")
            before = count
          }
          return nil
        }
        for service in Self.services {
          group.addTask {
            while !board.isOver {
              let outcome = try await tool.run(service)
              #expect(outcome.status == 0, "\(service): \(outcome.errors)")
              let isIdle = outcome.errors.contains("nothing to")
              if !isIdle { services.add(service[0]) }
              try await Task.sleep(for: .milliseconds(50))
            }
            return nil
          }
        }
        group.addTask {
          try await Task.sleep(for: time)
          board.finish()
          return nil
        }
        return try await group.reduce(into: [Int: Int]()) { result, one in
          if let one { result[one.0] = one.1 }
        }
      }
      let done = Dictionary(grouping: services.all, by: \.self).mapValues(\.count)
      print("➜ writes of six writers: \(writes.sorted { $0.key < $1.key }.map(\.value)), among \(done)")
      #expect(writes.values.allSatisfy { $0 > 0 })
      #expect(Set(done.keys) == ["clean", "archive", "cluster"])
      try await Self.expect(tool, writes: writes, greatest: board.greatest)
    }
  }
}
