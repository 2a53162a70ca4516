import Synchronization

/// Sends requests to services: signed, and tried again where that may help.
///
/// Each attempt is dated and signed anew, by the server's clock as far as answers have told of it.
public final class AWSClient: Sendable {
  private let http: HTTPClient
  private let provider: any AWSCredentialsProvider
  private let retry: RetryPolicy
  private let world: AWSWorld
  private let observer: (@Sendable (RequestEvent) -> Void)?
  private let clock = ServerClock()
  private let counted = Mutex(RequestCounts())

  /// Makes a client.
  ///
  /// - Parameters:
  ///   - http: What sends; several clients may share it.
  ///   - credentials: What signs.
  ///   - retry: When it gives up.
  ///   - world: Clock, waits and randomness.
  ///   - observer: Told of each attempt when it has ended.
  public init(
    http: HTTPClient, credentials: any AWSCredentialsProvider, retry: RetryPolicy = RetryPolicy(),
    world: AWSWorld = .system, observer: (@Sendable (RequestEvent) -> Void)? = nil
  ) {
    self.http = http
    provider = credentials
    self.retry = retry
    self.world = world
    self.observer = observer
  }

  /// What was sent so far.
  public var counts: RequestCounts { counted.withLock { $0 } }

  /// The time by the server's clock, as far as it has told: in microseconds since 1970-01-01T00:00:00Z.
  public var serverTime: Int64 { clock.time(at: world.now()) }

  /// Sends a request until it succeeds, or another attempt cannot help, or may not be made.
  ///
  /// - Returns: The answer, of a status of the 200s.
  /// - Throws: ``AWSError``: `refused` with the service's own error for any other status, `otherRegion`, `noAnswer`,
  ///   `credentials`, `cancelled`. It tells whether the request may have been acted on.
  public func send(_ request: AWSRequest) async throws(AWSError) -> AWSAnswer {
    try await send(request, after: Sending())
  }

  /// Sends a request as ``send(_:)`` does, that went to another place before.
  ///
  /// - Parameters:
  ///   - earlier: What was sent there, of which answer and error tell as of their own attempts.
  ///   - note: Told of each attempt too, in the task that sends.
  package func send(
    _ request: AWSRequest, after earlier: Sending, _ note: (@Sendable (RequestEvent) -> Void)? = nil
  ) async throws(AWSError) -> AWSAnswer {
    guard !request.isSigned || Digest.isAvailable else {
      throw AWSError(
        .configuration, "\(request.method) \(request.shownURL)", sending: earlier, CryptoLibrary.missing)
    }
    let hasHash = request.payload != nil || !request.isSigned
    let payload =
      hasHash ? request.payload ?? .unsigned : .sha256(Digest.hex(Digest.sha256(request.body)))
    var course = SendingCourse(began: world.elapsed(), after: earlier)
    var credentials = try await credentials(for: request, course.sending)
    while true {
      course.sending.attempts += 1
      let attempt = await attempt(request, payload, credentials, course.sending.attempts, note)
      switch attempt.verdict {
      case .success:
        guard let response = attempt.response else { throw attempt.error(request, course.sending) }
        return AWSAnswer(
          head: response.head, body: response.body, received: response.received, sending: course.sending)
      case .transient(let mayHaveArrived, let asked):
        let isSettledByCaller = mayHaveArrived && request.repetition == .unlessItMayHaveArrived
        let wait = retry.wait(
          after: course.sending.attempts, passed: world.elapsed() - course.began, asked: asked,
          random: world.random())
        guard let wait, !isSettledByCaller else { throw attempt.error(request, course.sending) }
        if mayHaveArrived { course.sending.earlierMayHaveArrived = true }
        try await pause(wait, request, course.sending)
        credentials = try await self.credentials(for: request, course.sending)
      case .expired:
        guard let old = credentials, !course.hasRefreshed else {
          throw attempt.error(request, course.sending)
        }
        course.hasRefreshed = true
        credentials = try await self.credentials(for: request, replacing: old, course.sending)
      case .skewed:
        guard attempt.hasLearntClock, !course.hasSetClock else {
          throw attempt.error(request, course.sending)
        }
        course.hasSetClock = true
      case .otherRegion, .final:
        throw attempt.error(request, course.sending)
      }
    }
  }

  /// What a request is signed with; an error tells what became of its attempts so far.
  private func credentials(
    for request: AWSRequest, replacing old: AWSCredentials? = nil, _ sending: Sending
  ) async throws(AWSError) -> AWSCredentials? {
    guard request.isSigned else { return nil }
    do throws(AWSError) {
      guard let old else { return try await provider.credentials() }
      return try await provider.credentials(replacing: old)
    } catch {
      throw error.of(sending)
    }
  }

  private func pause(_ time: Duration, _ request: AWSRequest, _ sending: Sending) async throws(AWSError) {
    do {
      try await world.sleep(time)
    } catch {
      throw AWSError(.cancelled, "\(request.method) \(request.shownURL)", sending: sending, "cancelled")
    }
  }

  private func attempt(
    _ request: AWSRequest, _ payload: SigV4.PayloadHash, _ credentials: AWSCredentials?, _ number: Int,
    _ note: (@Sendable (RequestEvent) -> Void)?
  ) async -> SendingAttempt {
    let ahead = clock.ahead
    let signed = signed(request, payload, credentials, at: world.now() &+ ahead)
    let began = world.elapsed()
    var result: Result<HTTPResponse, HTTPError>
    do throws(HTTPError) {
      result = .success(try await http.send(signed))
    } catch {
      result = .failure(error)
    }
    let event = event(request, number, result, world.elapsed() - began)
    counted.withLock { $0.add(event) }
    observer?(event)
    note?(event)
    return SendingAttempt(result, of: request) { headers in
      self.clock.learn(from: headers, at: self.world.now())
      return self.clock.differs(from: ahead)
    }
  }

  private func signed(
    _ request: AWSRequest, _ payload: SigV4.PayloadHash, _ credentials: AWSCredentials?, at time: Int64
  ) -> HTTPRequest {
    var http = HTTPRequest(request.method, request.url)
    http.body = request.body
    http.receiving = request.receiving
    http.timeouts = request.timeouts
    http.usesProxy = request.usesProxy
    http.headers = request.headers
    guard let credentials else { return http }
    var subject = SigV4.Subject(
      method: request.method, path: request.endpoint.basePath + request.path, headers: request.headers)
    subject.query = request.query
    subject.payload = payload
    if subject.headers["host"] == nil { subject.headers["host"] = request.endpoint.host }
    if request.service.signsAsSent { subject.headers["x-amz-content-sha256"] = payload.text }
    http.headers = request.service.signer(region: request.region)
      .signed(subject, with: credentials, at: time)
    return http
  }

  private func event(
    _ request: AWSRequest, _ number: Int, _ result: Result<HTTPResponse, HTTPError>, _ duration: Duration
  ) -> RequestEvent {
    switch result {
    case .success(let response):
      RequestEvent(
        method: request.method, url: request.shownURL, attempt: number, status: response.head.status,
        failure: nil, sent: response.sent, received: response.received, duration: duration)
    case .failure(let error):
      RequestEvent(
        method: request.method, url: request.shownURL, attempt: number, status: error.head?.status,
        failure: error.kind, sent: error.sent, received: error.received, duration: duration)
    }
  }
}
