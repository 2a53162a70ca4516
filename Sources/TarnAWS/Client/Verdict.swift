/// What is to be made of one attempt.
enum Verdict: Equatable {
  /// It succeeded.
  case success
  /// Another attempt may succeed.
  ///
  /// - Parameters:
  ///   - mayHaveArrived: Whether this one may have been acted on all the same.
  ///   - asked: The wait that the server asks for.
  case transient(mayHaveArrived: Bool, asked: Duration?)
  /// The credentials have expired.
  case expired
  /// The time it was signed with is too far from the server's.
  case skewed
  /// It belongs to another region.
  case otherRegion
  /// No other attempt will do better.
  case final

  private static let throttling: Set = [
    "SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
    "RequestThrottledException", "TooManyRequestsException", "ProvisionedThroughputExceededException",
    "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException",
    "TransactionInProgressException",
    "EC2ThrottledException", "PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException",
  ]
  private static let expiry: Set = [
    "ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired",
  ]
  /// Told by the clock only where an answer has just set it: the last has other causes, too.
  private static let skew: Set = [
    "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException",
  ]
  /// Failures of the service itself, by whatever status it says so.
  private static let failure: Set = ["InternalError", "InternalServerError", "ServiceUnavailable"]
  /// Longer waits are no waits.
  private static let longestAsked = 3_600

  /// Of an answer, and the error that it has, unless it is a success.
  init(_ head: HTTPHead, _ error: ServiceError?, of request: AWSRequest) {
    guard let error else {
      self = .success
      return
    }
    let asked = Self.wait(asked: head.headers)
    let isElsewhere = error.region.map { !$0.isEmpty && $0 != request.region } ?? false
    if Self.throttling.contains(error.code) || request.repeatedCodes.contains(error.code) {
      // By these the service says that it did not act.
      self = .transient(mayHaveArrived: false, asked: asked)
    } else if Self.expiry.contains(error.code) {
      self = .expired
    } else if Self.skew.contains(error.code) {
      self = .skewed
    } else if isElsewhere, [301, 307, 400].contains(head.status) {
      self = .otherRegion
    } else {
      switch head.status {
      case 408, 429: self = .transient(mayHaveArrived: false, asked: asked)
      // What the service does not do, and what it has no room for, it says itself.
      case 501, 505, 507: self = .final
      // Those beyond 504 come from what stands before a service, which may have acted all the same.
      case 500...599: self = .transient(mayHaveArrived: true, asked: asked)
      case _ where Self.failure.contains(error.code): self = .transient(mayHaveArrived: true, asked: asked)
      default: self = .final
      }
    }
  }

  /// How long a server asks to wait, as seconds or as a time by its own clock.
  private static func wait(asked headers: HTTPHeaders) -> Duration? {
    guard let text = headers["retry-after"] else { return nil }
    if let seconds = UInt16(text) { return .seconds(min(Int(seconds), longestAsked)) }
    guard let end = WireTime.parse(header: text),
      let now = headers["date"].flatMap({ WireTime.parse(header: $0) }), end > now
    else { return nil }
    return min(.microseconds(end - now), .seconds(longestAsked))
  }

  /// Whether the attempt may have been acted on; nil where that is not for the verdict to tell.
  var mayHaveArrived: Bool? {
    if case .transient(let mayHaveArrived, _) = self { mayHaveArrived } else { nil }
  }

  /// Of an attempt without an answer.
  init(_ error: HTTPError, of request: AWSRequest) {
    switch error.kind {
    case .couldNotConnect, .connectionBroken, .stalled, .timedOut, .badAnswer, .bodyBrokenOff:
      guard let head = error.head else {
        self = .transient(mayHaveArrived: error.mayHaveArrived, asked: nil)
        return
      }
      if !head.isSuccess {
        // Of a refusal only the reason is lost.
        self = .transient(mayHaveArrived: head.status >= 500, asked: nil)
      } else if case .memory = request.receiving {
        // Who gave memory goes on where it broke.
        self = .final
      } else {
        self = .transient(mayHaveArrived: error.mayHaveArrived, asked: nil)
      }
    default: self = .final
    }
  }
}
