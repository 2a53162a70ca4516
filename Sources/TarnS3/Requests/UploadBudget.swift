internal import Synchronization

/// The bytes that all uploads of a client may have on their way at once; those that come later wait their turn.
final class UploadBudget: Sendable {
  private struct Waiting {
    let cost: Int
    let go: CheckedContinuation<Void, Never>
  }

  private struct State {
    var used = 0
    var waiting: [Waiting] = []
  }

  private let limit: Int
  private let state = Mutex(State())

  init(_ limit: Int) { self.limit = max(limit, 1) }

  /// Waits until there is room; one that alone is too large goes when nothing else is under way.
  func take(_ cost: Int) async {
    await withCheckedContinuation { continuation in
      let goesNow = state.withLock { state in
        guard state.waiting.isEmpty, state.used == 0 || cost <= limit - state.used else {
          state.waiting.append(Waiting(cost: cost, go: continuation))
          return false
        }
        state.used += cost
        return true
      }
      if goesNow { continuation.resume() }
    }
  }

  func giveBack(_ cost: Int) {
    let ready = state.withLock { state in
      state.used -= cost
      var ready: [CheckedContinuation<Void, Never>] = []
      while let next = state.waiting.first, state.used == 0 || next.cost <= limit - state.used {
        state.used += next.cost
        ready.append(state.waiting.removeFirst().go)
      }
      return ready
    }
    for continuation in ready { continuation.resume() }
  }
}
