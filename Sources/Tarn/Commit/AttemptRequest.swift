import Synchronization
import TarnFileGroups
import TarnStorage
import TarnTimeline

/// Requests the attempt of one try of a write: ahead of the look-up where requests overlap, else once it is known that there
/// is something to write.
///
/// One that is requested ahead is taken by the commit, or withdrawn.
final class AttemptRequest: Sendable {
  private typealias Answer = Result<RequestedAttempt, TimelineError>

  private struct State {
    /// Requests; nil where that is still to be done.
    var requesting: Task<Answer, Never>?
    var isTaken = false
    var standsOnPresentProperties = true
  }

  /// What sign of life and inflight file say, by which they are known as this try's.
  let mark: UInt64
  private let table: PresentTable
  /// Whether the table's properties were read so early that they may have changed since.
  private let readsAgain: Bool
  private let state = Mutex(State())
  /// Renews the sign of life.
  private let beats: AsyncStream<any LifeSign>
  private let begun: AsyncStream<any LifeSign>.Continuation

  /// - Parameters:
  ///   - action: What the write does: of one that replaces file groups the request says which, so that it cannot be sent
  ///     ahead.
  ///   - readsAgain: Whether the table's properties are to be read once more behind the request, since they were read
  ///     when it was opened.
  init(ahead action: Action, of table: PresentTable, readingAgain readsAgain: Bool) {
    self.table = table
    self.readsAgain = readsAgain
    mark = table.settings.random()
    (beats, begun) = AsyncStream.makeStream()
    // The head is stored before the first attempt.
    guard table.reader.storage.costs.overlaps, action == .commit, let head = table.state.head, head.tag != nil
    else { return }
    let requesting = Task { await self.request(action, saying: [], on: head.head) }
    state.withLock { $0.requesting = requesting }
  }

  private func request(_ action: Action, saying request: [UInt8], on head: Head) async -> Answer {
    do throws(TimelineError) {
      let attempt = try await RequestedAttempt.begin(
        action, saying: request, mark: String(mark, radix: 16), after: table.state.timeline, head,
        now: { self.table.instantTime() }, in: table.reader.storage, beside: { await self.readAgain() })
      begun.yield(attempt.sign)
      return .success(attempt)
    } catch { return .failure(error) }
  }

  /// Whether the properties on which the write stands were still the table's when its request stood: an engine that
  /// upgrades a table meets the request from then on.
  ///
  /// It is known once the attempt is taken.
  var standsOnPresentProperties: Bool { state.withLock { $0.standsOnPresentProperties } }

  private func readAgain() async {
    guard readsAgain else { return }
    // What cannot be read, whoever begins again tells of.
    let present = try? await TableProperties.load(from: table.reader.storage)
    state.withLock { $0.standsOnPresentProperties = present == table.state.properties }
  }

  /// Renews the sign of life from when there is one, until the task is cancelled.
  func beat(every interval: Duration) async {
    for await sign in beats { return await sign.beat(every: interval) }
  }

  /// The attempt, for the commit to go on with.
  ///
  /// - Throws: ``TimelineError``, as ``RequestedAttempt/begin(_:saying:mark:after:_:now:in:)`` does.
  func taken(_ plan: AttemptPlan, on head: Head) async throws(TimelineError) -> RequestedAttempt {
    let requesting = state.withLock { state in
      state.isTaken = true
      return state.requesting
    }
    if let requesting { return try await requesting.value.get() }
    return try await request(plan.action, saying: plan.request, on: head).get()
  }

  /// Withdraws what was requested, if no commit has taken it.
  func withdraw() async {
    let requesting = state.withLock { state in
      defer { state.isTaken = true }
      return state.isTaken ? nil : state.requesting
    }
    guard case .success(let attempt)? = await requesting?.value else { return }
    await attempt.withdraw()
  }
}
