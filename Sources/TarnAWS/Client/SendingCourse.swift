/// What has been done about one request so far.
struct SendingCourse {
  /// When the first attempt began, by a clock that nobody sets.
  let began: Duration
  var sending: Sending
  /// Whether credentials were asked for anew, which is done once.
  var hasRefreshed = false
  /// Whether it was sent again because of the clock, which is done once.
  var hasSetClock = false

  /// - Parameter earlier: What was sent elsewhere before.
  init(began: Duration, after earlier: Sending) {
    self.began = began
    sending = earlier
  }
}

/// One attempt that has ended.
struct SendingAttempt {
  private let result: Result<HTTPResponse, HTTPError>
  private let service: ServiceError?
  let verdict: Verdict
  /// Whether it was signed by another difference of the clocks than is known now.
  let hasLearntClock: Bool

  /// - Parameter learn: Tells the clock of an answer's headers, and gives whether it was signed by another difference.
  init(
    _ result: Result<HTTPResponse, HTTPError>, of request: AWSRequest, learning learn: (HTTPHeaders) -> Bool
  ) {
    self.result = result
    switch result {
    case .success(let response):
      service = Self.error(of: response, to: request)
      verdict = Verdict(response.head, service, of: request)
      hasLearntClock = learn(response.head.headers)
    case .failure(let error):
      service = nil
      verdict = Verdict(error, of: request)
      hasLearntClock = error.head.map { learn($0.headers) } ?? false
    }
  }

  /// The error that an answer is; nil for a success.
  private static func error(of response: HTTPResponse, to request: AWSRequest) -> ServiceError? {
    guard response.head.isSuccess else { return ServiceError(response.head, body: response.body) }
    // An answer about many things may have errors of some of them within.
    guard request.mayFailInSuccess, (try? XMLElement(parsing: response.body))?.name == "Error" else {
      return nil
    }
    return ServiceError(response.head, body: response.body)
  }

  var response: HTTPResponse? { try? result.get() }

  /// The error that goes to the caller.
  func error(_ request: AWSRequest, _ sending: Sending) -> AWSError {
    let name = "\(request.method) \(request.shownURL)"
    switch result {
    case .failure(let error):
      let kind: AWSError.Kind =
        switch error.kind {
        case .cancelled: .cancelled
        case .badAnswer: .badAnswer
        default: .noAnswer
        }
      return AWSError(
        kind, name, sending: sending, http: error, head: error.head,
        lastMayHaveArrived: verdict.mayHaveArrived ?? error.mayHaveArrived, error.message)
    case .success(let response):
      let kind = verdict == .otherRegion ? AWSError.Kind.otherRegion : .refused
      return AWSError(
        kind, name, sending: sending, service: service, head: response.head,
        lastMayHaveArrived: verdict.mayHaveArrived ?? false, service?.description ?? "no error")
    }
  }
}
