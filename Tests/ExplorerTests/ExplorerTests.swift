import Synchronization
import TarnStorage
import TarnTestSupport
import Testing

/// Orders of the storage calls of processes that meet on one table.
@Suite struct ExplorerHeavyTests {
  @Test(arguments: [
    "rows -", "row 1x20.2x30", "crowd 1x9.2x9.3x3.4x12.1x9.2x9.4x30", "reader 1x33.2x4.3x9 2@3dies",
    "crowd 1x9.2x9.3x3.4x12.1x9.2x9.4x30 beside",
  ])
  func aScheduleIsTheSameEachTime(line: String) async throws {
    let schedule = try #require(Schedule(line))
    #expect(schedule.description == line)
    let exploration = try await Exploration()
    let logs = try await OwnExecutor.run { executor in
      try (0..<5).map { _ in try exploration.run(schedule, on: executor).log }
    }
    #expect(Set(logs).count == 1)
    #expect(logs[0].count > 40)
  }

  @Test(arguments: Scenario.all.map(\.name))
  func ofTwoActorsAllOrdersWithFewPreemptions(name: String) async throws {
    let scenario = try #require(Scenario.named(name))
    var schedules: [Schedule] = []
    for first in scenario.actors {
      let second = first % scenario.actors.count + 1
      schedules.append(Schedule(name, [Schedule.Run(actor: first, calls: 10_000)]))
      for before in 1...50 {
        for between in 1...60 {
          let runs = [
            Schedule.Run(actor: first, calls: before), Schedule.Run(actor: second, calls: between),
            Schedule.Run(actor: first, calls: 10_000),
          ]
          schedules.append(Schedule(name, runs, isLastFirst: (before + between) % 2 == 0))
        }
      }
    }
    try await Campaign(name, schedules, atMost: 10).run()
  }

  @Test(arguments: Scenario.all.map(\.name))
  func whereAProcessDiesOrAnAnswerIsLostOrLate(name: String) async throws {
    let scenario = try #require(Scenario.named(name))
    var random = SeededGenerator(seed: 7)
    var schedules: [Schedule] = []
    for actor in scenario.actors where scenario.deeds[actor - 1].isWrite {
      let others = scenario.actors.filter { $0 != actor }
      for call in 1...50 {
        for fault in [.dies, .diesBehind, .lost, .late(1 + random.below(60))] as [Schedule.Fault] {
          for other in [0, 1 + random.below(40), 1 + random.below(40)] {
            let runs = [
              Schedule.Run(actor: others[random.below(others.count)], calls: other),
              Schedule.Run(actor: actor, calls: call + random.below(4)),
            ]
            schedules.append(
              Schedule(
                name, other == 0 ? [] : runs, faults: [Schedule.Place(actor: actor, call: call): fault],
                isLastFirst: random.oneIn(2)))
          }
        }
      }
    }
    try await Campaign(name, schedules, atMost: 10).run()
  }

  @Test(arguments: Scenario.all.map(\.name))
  func deepOrdersByChance(name: String) async throws {
    let scenario = try #require(Scenario.named(name))
    let schedules = (0..<5_000).map { Schedule.random(scenario, seed: UInt64($0)) }
    try await Campaign(name, schedules, atMost: 10).run()
  }

  @Test(arguments: Scenario.all.map(\.name))
  func deepOrdersByChanceWhereRequestsOverlap(name: String) async throws {
    let scenario = try #require(Scenario.named(name))
    let schedules = (0..<5_000).map { number in
      var schedule = Schedule.random(scenario, seed: UInt64(number) + 10_000)
      schedule.overlaps = true
      return schedule
    }
    try await Campaign(name, schedules, atMost: 10).run()
  }

  /// Schedules that once showed a mistake.
  @Test(arguments: [
    // A data file that appears behind the back of who rolls its attempt back.
    "doubt 1x34.2x40", "doubts 1x16.2x4.1x18.2x18",
    // Another engine commits at the instant of a rollback.
    "crowd 1x16.4x4.2x4.3x6.4x12",
    // Another engine requests an instant just after the sign of life of a writer that then takes the next one.
    "crowd 4x3.4x2.4x3.2x1.3x2.3x2.2x2.4x1.4x3.3x1.4x1.4x3.2x1.4x2.2x2.1x1.4x3.4x3.3x3.3x1.4x1.2x3.2x2.3x3.1x2.3x1.2x2.4x1.4x2.2x2.4x3.4x3.4x2.4x1.2x2 torn",
    // A head is read again where a dead writer's attempt was rolled back, and what it names is not carried out.
    "four 4x8.1x10.4x19.2x17 1@56behind 4@26behind",
    "three 3x4.3x3.1x4.3x2.3x4.1x1.1x2.3x4.3x2.1x4.1x2.2x3.3x1.1x2.3x1.1x4.1x4.3x1.3x2.3x3.3x2.3x2.3x4.1x4.1x2.3x2 1@27dies",
    // A listing shows the content of a decision, and not yet its attempt.
    "tasks 1x3.2x6.1x6.2x42 2@43behind torn",
    // A slow commit of another engine is archived as it completes, before any decision has seen it completed.
    "archives 3x8 4@3dies torn",
    // A rollback is archived that the head still names, and the instant of what it removed is taken again.
    "archived 1x27.3x39 3@39dies",
    // A commit is archived between a look at the timeline and the reading of what it says.
    "archive 1x5.2x10000.3x10000 last torn",
    // A clean removes what a writer is about to read that has no attempt yet.
    "clean 3x10",
    // Another engine rolls back what is only requested, and finds no markers of a file that appears then.
    "undones 1x5.3x1.1x7.3x6.2x9 1@38behind torn beside",
    "undones 1x5.3x1.1x7.3x6.2x9 1@40behind torn beside",
  ])
  func aScheduleThatOnceShowedAMistakeShowsNoneNow(line: String) async throws {
    let schedule = try #require(Schedule(line))
    let exploration = try await Exploration()
    let outcome = try await OwnExecutor.run { try exploration.run(schedule, on: $0) }
    #expect(outcome.objection == nil, "\(outcome.log.joined(separator: "\n"))")
  }

  /// Who explores finds a broken promise, so that finding nothing means something.
  @Test(arguments: WeakStorage.Weakness.allCases)
  func aStorageThatBreaksAPromiseIsFoundOut(weakness: WeakStorage.Weakness) async throws {
    var exploration = try await Exploration()
    exploration.wrap = { WeakStorage($0, weakness) }
    let weak = exploration
    let names = weakness.scenarios
    let found = try await OwnExecutor.run { executor -> (Int, Schedule, String)? in
      for number in 0..<240 {
        guard let scenario = Scenario.named(names[number % names.count]) else { continue }
        var schedule = Schedule.random(scenario, seed: UInt64(number))
        schedule.faults = [:]
        // One sleeps through all that the others do.
        if number / names.count % 2 == 1 {
          schedule.isTorn = false
          schedule.runs = [Schedule.Run(actor: 1, calls: 1 + number / 2 % 60)]
          schedule.runs += scenario.actors.dropFirst().map { Schedule.Run(actor: $0, calls: 10_000) }
        }
        if let objection = try weak.run(schedule, on: executor).objection {
          return (number + 1, schedule, objection)
        }
      }
      return nil
    }
    let (count, schedule, objection) = try #require(found)
    print("➜ explored \(weakness.rawValue): found by schedule \(count), \(schedule): \(objection)")
  }
}
