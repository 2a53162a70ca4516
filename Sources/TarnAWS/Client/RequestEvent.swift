import Synchronization

/// One attempt of a request, told when it has ended.
public struct RequestEvent: Sendable, CustomStringConvertible {
  /// The method.
  public let method: String
  /// The URL, with what signs left out.
  public let url: String
  /// The number of the attempt, from 1 on.
  public let attempt: Int
  /// The answer's status; nil where there was none.
  public let status: Int?
  /// Why there was no answer, or not the whole of one.
  public let failure: HTTPError.Kind?
  /// Bytes of the request's body that were sent.
  public let sent: Int
  /// Bytes of the answer's body that came.
  public let received: Int
  /// How long it took.
  public let duration: Duration

  /// The attempt in a line.
  public var description: String {
    let outcome = status.map(String.init) ?? ""
    let end = [outcome, failure.map(\.description) ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    let milliseconds = duration.nanoseconds / 1_000_000
    return "\(method) \(url) \(end), \(sent) B out, \(received) B in, \(milliseconds) ms, try \(attempt)"
  }
}

/// How many requests were sent, and how many bytes went each way.
public struct RequestCounts: Sendable, Hashable {
  /// Attempts, failed ones too.
  public var requests = 0
  /// Attempts that were not the first of their request.
  public var repeated = 0
  /// Bytes of bodies that were sent.
  public var sent = 0
  /// Bytes of bodies that came.
  public var received = 0

  /// None.
  public init() {}

  mutating func add(_ event: RequestEvent) {
    requests += 1
    if event.attempt > 1 { repeated += 1 }
    sent += event.sent
    received += event.received
  }
}
