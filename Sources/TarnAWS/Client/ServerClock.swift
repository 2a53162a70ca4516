import Synchronization

/// How far the server's clock is from ours, learnt from its answers.
final class ServerClock: Sendable {
  /// Smaller differences do not matter to a signature, and may be the way of the answer.
  private static let tolerance: Int64 = 30_000_000

  private let difference = Mutex<Int64>(0)

  /// The server's time, by ours.
  func time(at now: Int64) -> Int64 { now &+ difference.withLock { $0 } }

  /// Learns from an answer that came just now; true where signatures were wrong by it so far.
  @discardableResult
  func learn(from headers: HTTPHeaders, at now: Int64) -> Bool {
    // An answer out of a cache has the time at which it was made.
    guard headers["age"] == nil, let date = headers["date"].flatMap({ WireTime.parse(header: $0) }) else {
      return false
    }
    let seen = date &- now
    let found = abs(seen) < Self.tolerance ? 0 : seen
    return difference.withLock { difference in
      let change = abs(found &- difference)
      difference = found
      return change >= Self.tolerance
    }
  }
}
