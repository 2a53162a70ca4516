import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// A process is stopped at each of its storage calls, some of which are under way at once, as over a network.
///
/// In which order these come is not the same each time, so that a run goes on until no call was left to fail.
@Suite struct OverlappingCrashHeavyTests {
  @Test(arguments: [false, true])
  func aProcessKilledAtAnyCallLeavesWholeCommitsAndTheNextOneGoesOn(completesFaultedCall: Bool) async throws {
    try await forEachCall(completesFaultedCall, staysDown: true) { call, storage, clock, done in
      var done = done
      // Its sign of life is a heartbeat, which has stopped by now.
      clock.advance(seconds: 300)
      let next = Workload(storage: OverlappingStorage(storage), seed: 2)
      let stands = try await next.stepsThatStand()
      let visible = try await next.visibleSteps()
      guard stands >= done, stands <= done + 1, visible == stands || visible == stands - 1 else {
        Issue.record("killed at \(call): \(done) steps done, \(stands) stand, \(visible) are seen")
        return
      }
      if visible > 0, let why = try await next.objection(after: visible, leavesNothing: false) {
        Issue.record("killed at \(call): \(why)")
        return
      }
      done = stands
      do {
        // Where all is done, it changes nothing but that what was decided appears.
        try await next.take(min(done, Workload.firstSteps - 1))
      } catch {
        Issue.record("killed at \(call): the next process fails: \(error)")
        return
      }
      if done < Workload.firstSteps { done += 1 }
      if let why = try await next.objection(after: done, leavesNothing: true) {
        Issue.record("killed at \(call), after the next write: \(why)")
      }
    }
  }

  @Test(arguments: [false, true])
  func aCallThatFailsOnceFailsItsWriteAloneOrNotAtAll(completesFaultedCall: Bool) async throws {
    try await forEachCall(completesFaultedCall, staysDown: false) { call, storage, clock, done in
      guard done < Workload.firstSteps else {
        if let why = try await Workload(storage: storage).objection(after: done, leavesNothing: true) {
          Issue.record("\(call) failed once: \(why)")
        }
        return
      }
      let next = Workload(storage: OverlappingStorage(storage))
      if done > 0, let why = try await next.objection(after: done, leavesNothing: true) {
        Issue.record("\(call) failed once, behind a write that failed: \(why)")
      }
      clock.advance(seconds: 300)
      let from = max(try await next.stepsThatStand(), done)
      for step in from..<Workload.firstSteps {
        do { try await next.take(step) } catch {
          Issue.record("\(call) failed once, and step \(step) cannot be done again: \(error)")
          return
        }
      }
      if let why = try await next.objection(after: Workload.firstSteps, leavesNothing: true) {
        Issue.record("\(call) failed once, at the end: \(why)")
      }
    }
  }

  /// Fails one call of a run after the other, until there is none that could fail.
  private func forEachCall(
    _ completesFaultedCall: Bool, staysDown: Bool,
    _ check: (_ call: String, InMemoryStorage, StillClock, _ done: Int) async throws -> Void
  ) async throws {
    let pace = TestWorld.isLong ? 1 : 2
    var number = completesFaultedCall ? 1 : 0
    var calls = 0
    while true {
      number += pace
      let clock = StillClock()
      let storage = InMemoryStorage(pageSize: 7, clock: { clock.now() })
      let faulty = FaultStorage(
        wrapping: storage, crashAtCall: number, completesFaultedCall: completesFaultedCall,
        staysDown: staysDown)
      let workload = Workload(storage: OverlappingStorage(faulty))
      var done = 0
      while done < Workload.firstSteps {
        do { try await workload.take(done) } catch { break }
        done += 1
      }
      guard faulty.hasFailed else { break }
      calls += 1
      try await check("call \(number), \(faulty.calls[number - 1])", storage, clock, done)
    }
    #expect(calls > 30)
  }
}
