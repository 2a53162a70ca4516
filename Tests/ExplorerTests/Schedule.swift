import TarnTestSupport

/// An order of the storage calls of a scenario's actors, and what goes wrong: all that decides what happens.
struct Schedule: Sendable, Hashable, CustomStringConvertible {
  /// So many calls of an actor, one after the other.
  struct Run: Sendable, Hashable {
    var actor: Int
    var calls: Int
  }

  /// What goes wrong at a call.
  enum Fault: Sendable, Hashable {
    /// The process dies before it.
    case dies
    /// The process dies behind it.
    case diesBehind
    /// It takes effect, and the answer is lost.
    case lost
    /// It takes effect so many calls later, and no answer comes: for puts, which others are taken for lost.
    case late(Int)
  }

  /// The scenario's name.
  var scenario: String
  /// The order; what is left then is done by one actor after the other.
  var runs: [Run]
  /// What goes wrong, by the actor and the number of its call, the first being 1.
  var faults: [Place: Fault] = [:]
  /// Whether, of several calls of one actor, the one that came last goes first.
  var isLastFirst = false

  /// Whether a listing is walked while others write: of what comes or goes meanwhile it has some.
  var isTorn = false

  /// Whether the storage says that requests had better be under way at once, as over a network.
  var overlaps = false

  /// A call of an actor.
  struct Place: Sendable, Hashable {
    var actor: Int
    var call: Int
  }

  /// One line, of which ``init(_:)`` makes the schedule again.
  var description: String {
    let order = runs.map { "\($0.actor)x\($0.calls)" }.joined(separator: ".")
    let wrong = faults.sorted { ($0.key.actor, $0.key.call) < ($1.key.actor, $1.key.call) }.map {
      "\($0.key.actor)@\($0.key.call)\(Self.text($0.value))"
    }
    return
      ([scenario, order.isEmpty ? "-" : order] + wrong + (isLastFirst ? ["last"] : [])
      + (isTorn ? ["torn"] : []) + (overlaps ? ["beside"] : []))
      .joined(separator: " ")
  }

  private static func text(_ fault: Fault) -> String {
    switch fault {
    case .dies: "dies"
    case .diesBehind: "behind"
    case .lost: "lost"
    case .late(let calls): "late\(calls)"
    }
  }

  init(_ scenario: String, _ runs: [Run], faults: [Place: Fault] = [:], isLastFirst: Bool = false) {
    self.scenario = scenario
    self.runs = runs
    self.faults = faults
    self.isLastFirst = isLastFirst
  }

  /// Reads a line; nil for what is none.
  init?(_ line: String) {
    let parts = line.split(separator: " ")
    guard parts.count > 1 else { return nil }
    var runs: [Run] = []
    for text in parts[1].split(separator: ".") where text != "-" {
      let numbers = text.split(separator: "x").compactMap { Int($0) }
      guard numbers.count == 2 else { return nil }
      runs.append(Run(actor: numbers[0], calls: numbers[1]))
    }
    self.init(String(parts[0]), runs)
    for part in parts.dropFirst(2) {
      if part == "last" {
        isLastFirst = true
        continue
      }
      if part == "torn" {
        isTorn = true
        continue
      }
      if part == "beside" {
        overlaps = true
        continue
      }
      let halves = part.split(separator: "@")
      guard halves.count == 2, let actor = Int(halves[0]), let call = Int(halves[1].prefix { $0.isNumber })
      else { return nil }
      let word = halves[1].drop { $0.isNumber }
      switch word {
      case "dies": faults[Place(actor: actor, call: call)] = .dies
      case "behind": faults[Place(actor: actor, call: call)] = .diesBehind
      case "lost": faults[Place(actor: actor, call: call)] = .lost
      default:
        guard word.hasPrefix("late"), let calls = Int(word.dropFirst(4)) else { return nil }
        faults[Place(actor: actor, call: call)] = .late(calls)
      }
    }
  }
}

extension Schedule {
  /// A long order with some faults, which depends on the seed alone.
  static func random(_ scenario: Scenario, seed: UInt64) -> Schedule {
    var random = SeededGenerator(seed: seed)
    let longest = 1 + random.below(12)
    var schedule = Schedule(scenario.name, [], isLastFirst: random.oneIn(2))
    schedule.isTorn = random.oneIn(2)
    // Every other time one of them sleeps much.
    let sleeper = random.oneIn(2) ? scenario.actors[random.below(scenario.actors.count)] : 0
    for _ in 0..<(200 / longest) {
      let actor = scenario.actors[random.below(scenario.actors.count)]
      if actor == sleeper, !random.oneIn(4) { continue }
      schedule.runs.append(Run(actor: actor, calls: 1 + random.below(longest)))
    }
    for _ in 0..<random.below(4) {
      let actor = scenario.actors[random.below(scenario.actors.count)]
      guard scenario.deeds[actor - 1].isWrite else { continue }
      let faults: [Fault] = [.dies, .diesBehind, .lost, .late(1 + random.below(100))]
      schedule.faults[Place(actor: actor, call: 1 + random.below(60))] = faults[random.below(faults.count)]
    }
    return schedule
  }

  /// Schedules that are simpler by one thing.
  var simpler: [Schedule] {
    var simpler: [Schedule] = []
    for place in faults.keys {
      var one = self
      one.faults[place] = nil
      simpler.append(one)
    }
    for count in [runs.count / 2, runs.count / 4, 1] where count > 0 {
      for start in stride(from: 0, to: runs.count, by: count) {
        var one = self
        one.runs.removeSubrange(start..<Swift.min(start + count, runs.count))
        simpler.append(one)
      }
    }
    for index in runs.indices.dropLast() where runs[index].actor == runs[index + 1].actor {
      var one = self
      one.runs[index].calls += one.runs.remove(at: index + 1).calls
      simpler.append(one)
    }
    if isTorn {
      var one = self
      one.isTorn = false
      simpler.append(one)
    }
    if isLastFirst {
      var one = self
      one.isLastFirst = false
      simpler.append(one)
    }
    return simpler
  }
}
