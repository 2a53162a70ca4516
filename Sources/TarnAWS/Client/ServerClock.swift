import Synchronization

/// How far the server's clock is from ours, learnt from its answers.
final class ServerClock: Sendable {
  /// Smaller differences do not matter to a signature, and may be the way of the answer.
  private static let tolerance: Int64 = 30_000_000

  private let difference = Mutex<Int64>(0)

  /// How many microseconds the server's clock is ahead of ours, as far as it has told.
  var ahead: Int64 { difference.withLock { $0 } }

  /// The server's time, by ours.
  func time(at now: Int64) -> Int64 { now &+ ahead }

  /// Learns from an answer that came just now.
  func learn(from headers: HTTPHeaders, at now: Int64) {
    // An answer out of a cache has the time at which it was made.
    guard headers["age"] == nil, let date = headers["date"].flatMap({ WireTime.parse(header: $0) }) else {
      return
    }
    let seen = date &- now
    difference.withLock { $0 = abs(seen) < Self.tolerance ? 0 : seen }
  }

  /// Whether a signature that was made with a difference would be another now: this answer's or another's has told.
  func differs(from ahead: Int64) -> Bool { abs(self.ahead &- ahead) >= Self.tolerance }
}
