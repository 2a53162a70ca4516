/// A successful answer of a service.
public struct AWSAnswer: Sendable {
  /// Status and headers.
  public let head: HTTPHead
  /// The body, unless it went into the caller's memory.
  public let body: [UInt8]
  /// Bytes of the body, wherever they went.
  public let received: Int
  /// How the request came to it.
  public let sending: Sending

  /// The time by the server's clock, in microseconds since 1970-01-01T00:00:00Z, by the second; nil where the answer
  /// does not tell.
  public var date: Int64? { head.headers["date"].flatMap { WireTime.parse(header: $0) } }
}

/// How often a request was sent.
public struct Sending: Sendable, Hashable {
  /// How often it was sent, or was tried to be.
  public internal(set) var attempts = 0
  /// Whether an attempt before the last may have been acted on: its connection broke or fell silent after the
  /// request was on its way, or the server failed.
  ///
  /// Then "it exists already" may tell of one's own success.
  public internal(set) var earlierMayHaveArrived = false

  /// Nothing was sent.
  package init() {}
}
