/// How often, and for how long, a request is tried again.
public struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all, the first among them.
  public var attempts = 8
  /// No attempt begins later than this after the first one did.
  public var time: Duration = .seconds(90)
  /// The first wait is a random time up to this; each later one up to twice as much.
  public var firstWait: Duration = .milliseconds(100)
  /// No wait is longer, but where the server asks for it.
  public var longestWait: Duration = .seconds(20)

  /// The defaults: eight attempts within 90 seconds.
  public init() {}

  /// One attempt.
  public static let never: RetryPolicy = {
    var policy = RetryPolicy()
    policy.attempts = 1
    return policy
  }()

  /// How long to wait before the next attempt; nil to give up.
  ///
  /// - Parameters:
  ///   - attempts: Attempts so far, at least one.
  ///   - passed: Time since the first began.
  ///   - asked: The wait that the server asks for.
  ///   - random: A random number.
  func wait(after attempts: Int, passed: Duration, asked: Duration?, random: UInt64) -> Duration? {
    guard attempts < self.attempts else { return nil }
    let doubled = firstWait * (1 << min(max(attempts - 1, 0), 20))
    // All of the wait is random, so that those who failed together do not come back together.
    let share = Double(random >> 11) / Double(1 << 53)
    let wait = max(min(doubled, longestWait) * share, asked ?? .zero)
    return passed + wait <= time ? wait : nil
  }
}
