import Foundation
import Synchronization
import TarnStorage

/// Lets the storage calls of actors go, one at a time, as a schedule has them.
final class Scheduler: Sendable {
  /// What becomes of a call that was let go.
  enum Fate: Sendable {
    case goes
    /// It takes effect, and its process is gone.
    case diesBehind
    case lost
    case late(calls: Int)
    /// Its process is gone, and what is left of it ends.
    case ends
  }

  private struct Call {
    let actor: Int
    let text: String
    let isFromElsewhere: Bool
    let continuation: UnsafeContinuation<Fate, Never>
  }

  private struct LateEffect {
    let due: Int
    let text: String
    let effect: @Sendable () async -> Void
  }

  private struct State {
    var waiting: [Call] = []
    var alive: Set<Int> = []
    var dead: Set<Int> = []
    var parked: [UnsafeContinuation<Fate, Never>] = []
    var counts: [Int: Int] = [:]
    var log: [String] = []
    var late: [LateEffect] = []
    var isOver = false
  }

  /// What is wrong with a run of a schedule, rather than with the table.
  struct Stuck: Error, CustomStringConvertible {
    let description: String
  }

  private let state = Mutex(State())
  private let executor: OwnExecutor
  private let schedule: Schedule
  private let thread = pthread_self()
  private let onDeath: @Sendable (Int) -> Void

  /// Schedules actors on the present thread.
  ///
  /// - Parameter onDeath: Lets go of what a process held that dies.
  init(_ schedule: Schedule, on executor: OwnExecutor, onDeath: @escaping @Sendable (Int) -> Void) {
    self.schedule = schedule
    self.executor = executor
    self.onDeath = onDeath
  }

  /// Whether listings are walked while others write.
  var tearsListings: Bool { schedule.isTorn }
  /// Whether calls of one actor are under way at once.
  var overlaps: Bool { schedule.overlaps }
  /// The calls so far, each with its actor.
  var log: [String] { state.withLock { $0.log } }
  /// How many calls each actor has made.
  var counts: [Int: Int] { state.withLock { $0.counts } }
  /// Those whose processes died.
  var dead: Set<Int> { state.withLock { $0.dead } }

  // MARK: - For actors

  /// Begins an actor.
  func begin(_ actor: Int, _ body: @escaping @Sendable () async -> Void) {
    state.withLock { _ = $0.alive.insert(actor) }
    Task {
      await body()
      self.state.withLock { _ = $0.alive.remove(actor) }
    }
  }

  /// Waits until a call may go.
  func gate(_ actor: Int, _ text: String) async -> Fate {
    await withUnsafeContinuation { continuation in
      let isOver = state.withLock { state in
        if state.isOver { return true }
        if state.dead.contains(actor) {
          state.parked.append(continuation)
        } else {
          let isFromElsewhere = pthread_equal(pthread_self(), thread) == 0
          state.waiting.append(
            Call(actor: actor, text: text, isFromElsewhere: isFromElsewhere, continuation: continuation))
        }
        return false
      }
      if isOver { continuation.resume(returning: .ends) }
    }
  }

  /// Lets a call take effect later.
  func delay(_ text: String, calls: Int, _ effect: @escaping @Sendable () async -> Void) {
    state.withLock { state in
      state.late.append(LateEffect(due: state.log.count + calls, text: text, effect: effect))
    }
  }

  /// Never comes back, but at the end of all.
  func die(_ actor: Int) async -> Fate {
    kill(actor)
    return await gate(actor, "")
  }

  private func kill(_ actor: Int) {
    onDeath(actor)
    state.withLock { state in
      state.dead.insert(actor)
      state.alive.remove(actor)
      state.log.append("\(actor) dies")
      state.parked += state.waiting.filter { $0.actor == actor }.map(\.continuation)
      state.waiting.removeAll { $0.actor == actor }
    }
  }

  // MARK: - The order

  /// Carries the schedule out, and then lets one actor after the other come to its end.
  func run() throws {
    try settle()
    for run in schedule.runs {
      for _ in 0..<run.calls { guard try step(run.actor) else { break } }
    }
    while let actor = state.withLock({ state in state.waiting.map(\.actor).min() }) { _ = try step(actor) }
    try arrive(all: true)
  }

  /// Lets what is left of dead processes end, without effect.
  func end() {
    let parked = state.withLock { state in
      state.isOver = true
      defer { state.parked = [] }
      return state.parked + state.waiting.map(\.continuation)
    }
    for continuation in parked { continuation.resume(returning: .ends) }
    executor.drain()
  }

  /// Lets one call of an actor go; false where it has none.
  private func step(_ actor: Int) throws -> Bool {
    let found = state.withLock { state -> (Call, Schedule.Fault?)? in
      let index =
        schedule.isLastFirst
        ? state.waiting.lastIndex { $0.actor == actor } : state.waiting.firstIndex { $0.actor == actor }
      guard let index else { return nil }
      let call = state.waiting.remove(at: index)
      let number = state.counts[actor, default: 0] + 1
      state.counts[actor] = number
      state.log.append("\(actor) \(call.text)")
      return (call, schedule.faults[Schedule.Place(actor: actor, call: number)])
    }
    guard let (call, fault) = found else { return false }
    // It may not have suspended quite yet.
    if call.isFromElsewhere { usleep(100) }
    switch fault {
    case nil: call.continuation.resume(returning: .goes)
    case .dies:
      kill(actor)
      state.withLock { $0.parked.append(call.continuation) }
    case .diesBehind: call.continuation.resume(returning: .diesBehind)
    case .lost: call.continuation.resume(returning: .lost)
    case .late(let calls): call.continuation.resume(returning: .late(calls: calls))
    }
    try settle()
    try arrive(all: false)
    return true
  }

  /// Waits until each actor waits for a call to go, or is at its end.
  private func settle() throws {
    var looks = 0
    while true {
      executor.drain()
      let asleep = state.withLock { state in state.alive.subtracting(state.waiting.map(\.actor)) }
      if asleep.isEmpty { return }
      looks += 1
      guard looks < 500_000 else {
        throw Stuck(description: "actors \(asleep.sorted()) wait for nothing")
      }
      usleep(20)
    }
  }

  /// Lets take effect what is due.
  private func arrive(all: Bool) throws {
    while true {
      let effect = state.withLock { state -> LateEffect? in
        guard let index = state.late.firstIndex(where: { all || $0.due <= state.log.count }) else {
          return nil
        }
        let effect = state.late.remove(at: index)
        state.log.append("arrives: \(effect.text)")
        return effect
      }
      guard let effect else { return }
      try executor.finish(effect.effect)
    }
  }
}
