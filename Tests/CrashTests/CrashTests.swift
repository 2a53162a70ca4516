import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import Testing

/// A workload is stopped at its first storage call, then at its second, and so on to its last.
@Suite struct CrashTests {
  @Test(arguments: [false, true])
  func aProcessKilledAtAnyCallLeavesWholeCommitsAndTheNextOneGoesOn(completesFaultedCall: Bool) async throws {
    try await killAtEachCall(steps: Workload.firstSteps, completesFaultedCall) {
      InMemoryStorage(pageSize: 7)
    }
  }

  @Test(arguments: [false, true])
  func aCallThatFailsOnceFailsItsWriteAloneOrNotAtAll(completesFaultedCall: Bool) async throws {
    try await failOnceAtEachCall(steps: Workload.firstSteps, completesFaultedCall) {
      InMemoryStorage(pageSize: 7)
    }
  }

  /// An answer that is lost once is no failure, whatever it was the answer to.
  @Test(arguments: [".commit", ".inflight", "tarn/head"])
  func aChangeWhoseAnswerIsLostIsFoundOut(ending: String) async throws {
    let storage = InMemoryStorage()
    let lost = Mutex(false)
    let failing = HookStorage(inner: storage, before: { _ in }) { (path: String) throws(StorageError) in
      guard path.hasSuffix(ending), lost.withLock({ $0.exchange(true) }) == false else { return }
      throw StorageError(.unknown, path: path, "no answer came")
    }
    try await Workload(storage: storage).take(0)
    try await Workload(storage: failing).take(1)
    #expect(lost.withLock { $0 })
    #expect(try await Workload(storage: storage).objection(after: 2, leavesNothing: true) == nil)
  }

  @Test func aProcessKilledWhileItRemovesADeadAttemptLeavesTheRestToTheNext() async throws {
    try await killTwice(steps: Workload.firstSteps)
  }
}

@Suite struct CrashHeavyTests {
  @Test(arguments: [false, true])
  func aProcessKilledAtAnyCallOfALongerRunLeavesWholeCommits(completesFaultedCall: Bool) async throws {
    try await killAtEachCall(steps: Workload.allSteps, completesFaultedCall) { InMemoryStorage(pageSize: 7) }
  }

  @Test(arguments: [false, true])
  func aCallOfALongerRunThatFailsOnceFailsItsWriteAlone(completesFaultedCall: Bool) async throws {
    try await failOnceAtEachCall(steps: Workload.allSteps, completesFaultedCall) {
      InMemoryStorage(pageSize: 7)
    }
  }

  @Test func aProcessKilledWhileItRemovesAnyDeadAttemptOfALongerRunLeavesTheRestToTheNext() async throws {
    try await killTwice(steps: Workload.allSteps)
  }

  @Test(arguments: [false, true])
  func onTheLocalDiskAProcessKilledAtAnyCallLeavesWholeCommits(completesFaultedCall: Bool) async throws {
    try await TestWorld.withTemporaryFolder { folder in
      var number = 0
      try await killAtEachCall(steps: Workload.firstSteps, completesFaultedCall) {
        number += 1
        return LocalStorage(root: "\(folder)/\(number)", synchronizes: false)
      }
    }
  }

  @Test(arguments: [false, true])
  func onTheLocalDiskACallThatFailsOnceFailsItsWriteAlone(completesFaultedCall: Bool) async throws {
    try await TestWorld.withTemporaryFolder { folder in
      var number = 0
      try await failOnceAtEachCall(steps: Workload.firstSteps, completesFaultedCall) {
        number += 1
        return LocalStorage(root: "\(folder)/\(number)", synchronizes: false)
      }
    }
  }
}

/// Takes steps until one fails.
///
/// - Returns: The number of steps that are done.
private func run(_ storage: any Storage, _ steps: Range<Int>, seed: UInt64 = 1) async -> Int {
  let workload = Workload(storage: storage, seed: seed)
  for step in steps {
    do { try await workload.take(step) } catch { return step }
  }
  return steps.upperBound
}

/// The calls of the whole workload.
private func record(steps: Int, _ make: () -> any Storage) async throws -> [String] {
  let storage = make()
  let recording = FaultStorage(wrapping: storage)
  try #require(await run(recording, 0..<steps) == steps)
  let calls = recording.calls
  try #require(
    try await Workload(storage: storage).objection(after: steps, leavesNothing: true) == nil)
  return calls
}

/// The one call by which a commit is decided.
private func isDecision(_ call: String) -> Bool { call == "put .hoodie/tarn/head" }

extension Bool {
  /// Takes another value.
  fileprivate mutating func exchange(_ other: Bool) -> Bool {
    defer { self = other }
    return self
  }
}

/// Of so many calls one is failed: of all of them in a long run, and in a short one of steps.
private func pace(_ steps: Int) -> Int {
  if TestWorld.isLong { return 1 }
  #if DEBUG
    return 3
  #else
    return steps == Workload.allSteps ? 3 : 1
  #endif
}

/// The calls to fail, by number; of a short run without the writes in the middle of a file, one like another.
private func numbers(_ calls: [String], _ steps: Int, _ completesFaultedCall: Bool) -> [Int] {
  let pace = pace(steps)
  return (1...calls.count).filter { number in
    guard number % pace == (completesFaultedCall ? 1 : 0) % pace else { return false }
    guard steps < Workload.allSteps, number > 1, number < calls.count else { return true }
    return calls[number - 2] != calls[number - 1] || calls[number] != calls[number - 1]
  }
}

private func isCreation(_ call: String) -> Bool { call == "put .hoodie/hoodie.properties" }

/// Kills a process just before each commit is decided, and then the next one at each of its calls.
private func killTwice(steps: Int) async throws {
  let calls = try await record(steps: steps) { InMemoryStorage() }
  // The first head is made with the table.
  let completions = calls.indices.filter { isDecision(calls[$0]) }.dropFirst()
  #expect(completions.count == steps - 1)
  let pace = pace(steps)
  for (index, completion) in completions.enumerated() {
    var recovery = index % pace
    while true {
      recovery += pace
      let storage = InMemoryStorage()
      let step = await run(FaultStorage(wrapping: storage, crashAtCall: completion + 1), 0..<steps)
      try #require(step == index + 1)
      let second = FaultStorage(wrapping: storage, crashAtCall: recovery)
      _ = await run(second, step..<step + 1, seed: 2)
      let workload = Workload(storage: storage)
      let next = try await workload.stepsThatStand()
      let call =
        "killed at \(calls[completion]), then at \(second.calls.dropFirst(recovery - 1).first ?? "no call")"
      let visible = try await workload.visibleSteps()
      if let why = try await workload.objection(after: visible, leavesNothing: false) {
        Issue.record("\(call): \(why)")
      }
      #expect((next - 1...next).contains(visible), "\(call)")
      try #require(await run(storage, next..<steps, seed: 3) == steps)
      // What was decided last appears with the next write.
      if next == steps { _ = await run(storage, steps - 1..<steps, seed: 4) }
      if let why = try await workload.objection(after: steps, leavesNothing: next < steps) {
        Issue.record("\(call), and at the end \(why)")
      }
      if !second.hasFailed { break }
    }
    #expect(recovery > 20)
  }
}

private func killAtEachCall(
  steps: Int, _ completesFaultedCall: Bool, _ make: () -> any Storage
) async throws {
  let calls = try await record(steps: steps, make)
  for number in numbers(calls, steps, completesFaultedCall) {
    let call = "call \(number), \(calls[number - 1])"
    let storage = make()
    let faulty = FaultStorage(
      wrapping: storage, crashAtCall: number, completesFaultedCall: completesFaultedCall)
    var done = await run(faulty, 0..<steps)
    guard faulty.hasFailed, faulty.calls.prefix(number) == calls.prefix(number)[...] else {
      Issue.record("\(call): the run was not as the recorded one: \(faulty.calls.prefix(number))")
      continue
    }
    let next = Workload(storage: storage, seed: 2)
    let stands = try await next.stepsThatStand()
    let visible = try await next.visibleSteps()
    // Whatever was answered with success stands, and what is decided appears at the latest with the next write.
    guard stands >= done, stands <= done + 1, visible == stands || visible == stands - 1 else {
      Issue.record("killed at \(call): \(done) steps done, \(stands) stand, \(visible) are seen")
      continue
    }
    done = stands
    if visible > 0, let why = try await next.objection(after: visible, leavesNothing: false) {
      Issue.record("killed at \(call): \(why)")
      continue
    }
    if done == steps {
      // It changes nothing but that what was decided appears.
      do { try await next.take(steps - 1) } catch { Issue.record("killed at \(call): \(error)") }
    }
    // The next write, and what it leaves.
    if done < steps {
      do { try await next.take(done) } catch {
        Issue.record("killed at \(call): the next process fails: \(error)")
        continue
      }
      done += 1
    }
    if let why = try await next.objection(after: done, leavesNothing: true) {
      Issue.record("killed at \(call), after the next write: \(why)")
    }
  }
}

private func failOnceAtEachCall(
  steps: Int, _ completesFaultedCall: Bool, _ make: () -> any Storage
) async throws {
  let calls = try await record(steps: steps, make)
  for number in numbers(calls, steps, completesFaultedCall) {
    let call = "call \(number), \(calls[number - 1])"
    let storage = make()
    let faulty = FaultStorage(
      wrapping: storage, crashAtCall: number, completesFaultedCall: completesFaultedCall, staysDown: false)
    let workload = Workload(storage: faulty)
    var step = 0
    var failures = 0
    while step < steps {
      do {
        try await workload.take(step)
        step += 1
      } catch let error as TableError {
        failures += 1
        if !["failed, as the test wants it"].allSatisfy(error.message.contains) || error.code != .storage {
          Issue.record("\(call): an unclear error of code \(error.code): \(error)")
        }
        if failures > 1 { break }
        if step > 0, let why = try await workload.objection(after: step, leavesNothing: true) {
          Issue.record("\(call) failed once: \(why)")
        }
        if step == 0, completesFaultedCall, isCreation(calls[number - 1]) { step += 1 }
      }
    }
    if failures > 1 {
      Issue.record("\(call) failed once, and step \(step) cannot be done again")
    } else if let why = try await workload.objection(after: steps, leavesNothing: true) {
      Issue.record("\(call) failed once, at the end: \(why)")
    }
    if completesFaultedCall, isDecision(calls[number - 1]) {
      #expect(failures == 0, "a commit whose answer was lost counts: \(call)")
    }
  }
}
