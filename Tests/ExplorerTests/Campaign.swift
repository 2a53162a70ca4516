import TarnStorage
import TarnTestSupport
import Testing

/// Many schedules, of which the normal run takes a seeded part.
struct Campaign: Sendable {
  private let name: String
  private let schedules: [Schedule]

  /// After so many objections no more are looked for.
  private static let mostObjections = 3

  /// Takes some of the schedules; more where `TARN_SCHEDULES` says how many, and all of them where the heaviest runs are
  /// done whole.
  init(_ name: String, _ schedules: [Schedule], atMost most: Int) {
    self.name = name
    let most = TestWorld.schedules ?? most
    guard !TestWorld.isLong, schedules.count > most else {
      self.schedules = schedules
      return
    }
    var random = SeededGenerator(seed: UInt64(schedules.count))
    self.schedules = Array(schedules.shuffled(using: &random).prefix(most))
  }

  /// Runs them, and reports each objection with a schedule as simple as can be.
  func run(_ title: String = #function) async throws {
    let exploration = try await Exploration()
    let schedules = schedules
    let (count, calls, found) = try await OwnExecutor.run { executor in
      var (count, calls) = (0, 0)
      var found: [(Schedule, Exploration.Outcome)] = []
      for schedule in schedules where found.count < Self.mostObjections {
        let outcome = try exploration.run(schedule, on: executor)
        count += 1
        calls += outcome.log.count
        guard outcome.objection != nil else { continue }
        found.append(try exploration.simplest(schedule, outcome, on: executor))
      }
      return (count, calls, found)
    }
    print("➜ explored \(name): \(count) schedules of \(calls) calls (\(title))")
    for (schedule, outcome) in found {
      Issue.record(
        "\(schedule)\n\(outcome.objection ?? "")\n\(outcome.log.joined(separator: "\n"))")
    }
  }
}

extension Exploration {
  /// The simplest schedule that can be found near one to which there is an objection.
  func simplest(
    _ schedule: Schedule, _ outcome: Outcome, on executor: OwnExecutor
  ) throws -> (Schedule, Outcome) {
    var (best, found) = (schedule, outcome)
    var tries = 0
    search: while true {
      for simpler in best.simpler {
        tries += 1
        guard tries < 150 else { break search }
        let outcome = try run(simpler, on: executor)
        guard outcome.objection != nil else { continue }
        (best, found) = (simpler, outcome)
        continue search
      }
      break
    }
    return (best, found)
  }
}
