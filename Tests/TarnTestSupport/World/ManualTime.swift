import Synchronization

/// Time that passes only where somebody waits, or a test says so.
public final class ManualTime: Sendable {
  private struct State {
    var passed: Duration = .zero
    var waits: [Duration] = []
  }

  private let start: Int64
  private let state = Mutex(State())

  /// Begins at a time, in microseconds since 1970-01-01T00:00:00Z.
  public init(at start: Int64 = 1_767_225_600_000_000) { self.start = start }

  /// The time now, in microseconds since 1970-01-01T00:00:00Z.
  public func now() -> Int64 { start + Int64(elapsed() / .microseconds(1)) }

  /// The time that has passed.
  public func elapsed() -> Duration { state.withLock { $0.passed } }

  /// Lets time pass.
  public func advance(by time: Duration) { state.withLock { $0.passed += time } }

  /// Lets time pass for one who waits for it.
  ///
  /// - Throws: `CancellationError` where the task is cancelled.
  public func sleep(_ time: Duration) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.passed += time
      state.waits.append(time)
    }
  }

  /// How long was waited, each time.
  public var waits: [Duration] { state.withLock { $0.waits } }
}
