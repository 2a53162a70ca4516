import Synchronization

/// A clock that moves only when it is read, by a fixed step.
public final class SteppedClock: Sendable {
  private let time: Mutex<Int64>
  private let step: Int64

  /// Begins at a time, in microseconds since 1970-01-01T00:00:00Z.
  public init(at start: Int64 = 1_767_225_600_000_000, step: Int64 = 1_000_000) {
    time = Mutex(start)
    self.step = step
  }

  /// The time now; the next reading is a step later.
  public func now() -> Int64 {
    time.withLock { time in
      defer { time += step }
      return time
    }
  }
}

/// A clock that a test sets forward, and that moves by a second when it is read.
public final class SettableClock: Sendable {
  private let time = Mutex<Int64>(1_767_225_600_000_000)

  /// Begins with the year 2026.
  public init() {}

  /// The time now, in microseconds since 1970-01-01T00:00:00Z.
  public func now() -> Int64 {
    time.withLock { time in
      defer { time += 1_000_000 }
      return time
    }
  }

  /// Sets the clock forward.
  public func advance(hours: Int64) { time.withLock { $0 += hours * 3_600_000_000 } }
}

/// A clock that stands still but where a test moves it.
public final class StillClock: Sendable {
  private let time: Mutex<Int64>

  /// Begins at a time, in microseconds since 1970-01-01T00:00:00Z.
  public init(at start: Int64 = 1_767_225_600_000_000) { time = Mutex(start) }

  /// The time now.
  public func now() -> Int64 { time.withLock { $0 } }

  /// Sets the clock forward, or back.
  public func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
}
