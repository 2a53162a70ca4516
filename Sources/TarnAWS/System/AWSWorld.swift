/// What a client asks of the world around it, as values, so that a test can give its own.
public struct AWSWorld: Sendable {
  /// The time, in microseconds since 1970-01-01T00:00:00Z.
  public var now: @Sendable () -> Int64
  /// Time since some moment, by a clock that nobody sets.
  public var elapsed: @Sendable () -> Duration
  /// Waits, and throws `CancellationError` as soon as the task is cancelled.
  public var sleep: @Sendable (Duration) async throws -> Void
  /// A random number, for waits that differ from process to process.
  public var random: @Sendable () -> UInt64
  /// A variable of the environment; nil where it is not set.
  public var environment: @Sendable (String) -> String?

  /// Makes a world.
  public init(
    now: @escaping @Sendable () -> Int64, elapsed: @escaping @Sendable () -> Duration,
    sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> UInt64,
    environment: @escaping @Sendable (String) -> String?
  ) {
    self.now = now
    self.elapsed = elapsed
    self.sleep = sleep
    self.random = random
    self.environment = environment
  }

  /// The system's own clocks, randomness and environment.
  public static let system = AWSWorld(
    now: { SystemCalls.microseconds() }, elapsed: { .nanoseconds(SystemCalls.monotonicNanoseconds()) },
    sleep: { try await Task.sleep(for: $0) }, random: { SystemCalls.random() },
    environment: { SystemCalls.environment($0) })

  /// A variable of the environment that is set to something.
  func variable(_ name: String) -> String? {
    guard let value = environment(name), !value.isEmpty else { return nil }
    return value
  }
}
