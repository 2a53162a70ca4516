import Synchronization
import TarnAWS
import TarnBytes
import TarnTestSupport
import Testing

/// Requests that fail, and may be sent again.
@Suite("Retries") struct RetryTests {
  @Test(
    "What may pass is tried again, and each attempt dated and signed anew",
    arguments: [
      (500, "", true), (502, "", true), (503, "", true), (504, "", true), (520, "", true), (524, "", true),
      (599, "", true), (429, "", false), (408, "", false),
      (503, "SlowDown", false), (400, "ThrottlingException", false), (400, "RequestTimeout", false),
    ])
  func transientAnswers(status: Int, code: String, mayHaveArrived: Bool) async throws {
    let test = try TestClient { request in
      request.number < 3
        ? .status(status, body: code.isEmpty ? "" : "<Error><Code>\(code)</Code></Error>") : .status(200)
    }
    let answer = try await test.client.send(test.request("PUT", body: "x"))
    #expect(answer.sending.attempts == 4 && answer.sending.earlierMayHaveArrived == mayHaveArrived)
    #expect(test.time.waits.count == 3)
    #expect(zip(test.time.waits, [100, 200, 400]).allSatisfy { $0 <= .milliseconds($1) })
    #expect(test.server.requests.map(\.text) == ["x", "x", "x", "x"])
    #expect(
      test.client.counts.requests == 4 && test.client.counts.repeated == 3 && test.client.counts.sent == 4)
    let once = try await test.failure(failing: status, code)
    #expect(once.kind == .refused && once.mayHaveArrived == mayHaveArrived)
  }

  @Test("Later attempts have later dates")
  func laterDates() async throws {
    let test = try TestClient { request in
      request.number == 0 ? .status(503, [("Retry-After", "7")]) : .status(200)
    }
    _ = try await test.client.send(test.request())
    #expect(test.server.requests.map { $0["x-amz-date"] } == ["20260101T000000Z", "20260101T000007Z"])
    #expect(test.server.requests[0]["authorization"] != test.server.requests[1]["authorization"])
    #expect(test.time.waits == [.seconds(7)])
  }

  @Test("Other errors are not tried again", arguments: [400, 403, 404, 409, 412, 416, 501, 505, 507, 304])
  func finalAnswers(status: Int) async throws {
    let test = try TestClient { _ in .status(status) }
    #expect(try await test.failure(test.request()).sending.attempts == 1)
    var request = test.request()
    request.repeatedCodes = ["OperationAborted"]
    #expect(try await test.failure(request).sending.attempts == 1)
  }

  @Test(
    "A success whose body is an error is one where the caller says so",
    arguments: [("InternalError", 2, true), ("SlowDown", 2, false), ("AccessDenied", 1, false)])
  func errorsInSuccess(code: String, attempts: Int, mayHaveArrived: Bool) async throws {
    let test = try TestClient { request in
      request.number == 0 ? .status(200, body: "\n\n<Error><Code>\(code)</Code></Error>") : .status(200)
    }
    var request = test.request("POST", body: "x")
    #expect(try await test.client.send(request).sending.attempts == 1)
    request.mayFailInSuccess = true
    let again = try TestClient { request in
      request.number < attempts - 1 || attempts == 1
        ? .status(200, body: "\n\n<Error><Code>\(code)</Code></Error>") : .status(200, body: "<Done/>")
    }
    request.endpoint = again.endpoint
    let parts = try TestClient { _ in
      .status(200, body: "<Result><Error><Code>\(code)</Code></Error></Result>")
    }
    var partial = parts.request("POST", body: "x")
    partial.mayFailInSuccess = true
    #expect(try await parts.client.send(partial).sending.attempts == 1)
    if attempts == 1 {
      #expect(try await again.failure(request).service?.code == code)
    } else {
      let answer = try await again.client.send(request)
      #expect(answer.sending.attempts == attempts && answer.sending.earlierMayHaveArrived == mayHaveArrived)
    }
  }

  @Test("A code that the caller names is tried again")
  func namedCodes() async throws {
    let test = try TestClient { request in
      request.number == 0 ? .status(409, body: "<Error><Code>OperationAborted</Code></Error>") : .status(200)
    }
    var request = test.request()
    request.repeatedCodes = ["OperationAborted"]
    let answer = try await test.client.send(request)
    #expect(answer.sending.attempts == 2 && !answer.sending.earlierMayHaveArrived)
  }

  @Test("Attempts and time have an end")
  func budgets() async throws {
    let test = try TestClient { _ in .status(503) }
    let error = try await test.failure(test.request())
    #expect(error.sending.attempts == 8 && error.service?.status == 503)
    #expect("\(error)".contains("tried 8 times"))
    #expect(test.time.waits.count == 7)
    let slow = try TestClient { _ in .status(503, [("Retry-After", "40")]) }
    #expect(try await slow.failure(slow.request()).sending.attempts == 3)
    #expect(slow.time.waits == [.seconds(40), .seconds(40)])
    let never = try TestClient(retry: .never) { _ in .status(503) }
    #expect(try await never.failure(never.request()).sending.attempts == 1)
  }

  @Test("Waits are random, grow, and have a longest")
  func waits() async throws {
    var policy = RetryPolicy()
    policy.attempts = 60
    policy.time = .seconds(100_000)
    let test = try TestClient(retry: policy) { _ in .status(500) }
    _ = try await test.failure(test.request())
    let waits = test.time.waits
    #expect(waits.count == 59 && Set(waits).count == 59)
    #expect(waits.allSatisfy { $0 >= .zero && $0 <= policy.longestWait })
    let late = waits[10...].reduce(Duration.zero, +) / 49
    #expect(late > .seconds(6) && late < .seconds(14))
  }

  @Test("Where nobody listens it is tried again, and nothing was sent")
  func connectErrors() async throws {
    let test = try TestClient { _ in .status(200) }
    test.server.stop()
    var request = test.request("PUT")
    request.repetition = .unlessItMayHaveArrived
    let error = try await test.failure(request)
    #expect(error.kind == .noAnswer && error.http?.kind == .couldNotConnect)
    #expect(error.sending.attempts == 8 && !error.mayHaveArrived)
  }

  @Test("A connection that breaks is tried again, and what comes of it told apart")
  func resets() async throws {
    let test = try TestClient { request in
      request.number < 2 ? .dropped : .status(412)
    }
    // As a put on a condition, which may have met its own earlier self.
    let error = try await test.failure(test.request("PUT", body: "mine"))
    #expect(error.service?.status == 412 && error.sending.attempts == 3)
    #expect(error.sending.earlierMayHaveArrived && error.mayHaveArrived)
    let first = try TestClient { _ in .status(412) }
    let lost = try await first.failure(first.request("PUT"))
    #expect(!lost.sending.earlierMayHaveArrived && !lost.mayHaveArrived)
  }

  @Test("Whoever settles doubt alone gets the first one, and what is none is tried again")
  func doubtGoesToTheCaller() async throws {
    let test = try TestClient { request in
      switch request.number {
      case 0: .status(429)
      case 1: .status(503, body: "<Error><Code>SlowDown</Code></Error>")
      case 2: .dropped
      default: .status(200)
      }
    }
    var request = test.request("PUT")
    request.repetition = .unlessItMayHaveArrived
    var error = try await test.failure(request)
    #expect(error.http?.kind == .connectionBroken && error.sending.attempts == 3)
    #expect(error.mayHaveArrived && !error.sending.earlierMayHaveArrived)
    let failing = try TestClient { _ in .status(500) }
    request.endpoint = failing.endpoint
    error = try await failing.failure(request)
    #expect(error.service?.status == 500 && error.sending.attempts == 1 && error.mayHaveArrived)
  }

  @Test("A silent server and one that sends no HTTP are tried again")
  func stallsAndGarbage() async throws {
    let test = try TestClient { request in
      switch request.number {
      case 0: .init([.hang])
      case 1: .init([.send(Array("what?\r\n\r\n".utf8)), .close])
      default: .status(200)
      }
    }
    var request = test.request()
    request.timeouts.stall = .seconds(1)
    let answer = try await test.client.send(request)
    #expect(answer.sending.attempts == 3 && answer.sending.earlierMayHaveArrived)
    #expect(test.events.all[0].contains(" stalled,") && test.events.all[1].contains(" badAnswer,"))
  }

  @Test("A body that breaks off is asked for again, unless it went into the caller's memory")
  func brokenBodies() async throws {
    let test = try TestClient { request in
      switch request.number {
      case 1: .status(200, body: "whole")
      case 3: .init([.send(ScriptedServer.Answer.head(200, length: 5) + [1]), .hang])
      default: .brokenOff(200, [("etag", "e")], length: 5, after: [1, 2])
      }
    }
    #expect(try await test.client.send(test.request()).body == Array("whole".utf8))
    var request = test.request()
    request.receiving = .memory(ResponseMemory(ByteBuffer(), count: 5), offset: 0, count: 5)
    var error = try await test.failure(request)
    #expect(
      error.http?.kind == .bodyBrokenOff && error.http?.received == 2 && error.head?.headers["etag"] == "e")
    #expect(error.sending.attempts == 1)
    request.timeouts.stall = .seconds(1)
    error = try await test.failure(request)
    #expect(error.http?.kind == .stalled && error.http?.received == 1 && error.sending.attempts == 1)
  }

  @Test("A refusal whose reason is cut off is asked for again, and leaves no doubt")
  func brokenRefusals() async throws {
    let test = try TestClient { request in
      request.number == 0 ? .brokenOff(412, length: 500, after: Array("<Error><Co".utf8)) : .status(412)
    }
    let error = try await test.failure(test.request("PUT"))
    #expect(error.service?.status == 412 && error.sending.attempts == 2 && !error.mayHaveArrived)
  }

  /// Gives credentials once.
  private final class Fleeting: AWSCredentialsProvider {
    private let given = Atomic(false)

    func credentials() async throws(AWSError) -> AWSCredentials? {
      guard !given.exchange(true, ordering: .relaxed) else { throw AWSError(.credentials, "test", "gone") }
      return TestClient.credentials
    }

    func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials? {
      try await credentials()
    }
  }

  @Test("Where credentials end in the middle, the error still tells of the attempts before")
  func credentialsEnd() async throws {
    let test = try TestClient(credentials: Fleeting()) { _ in .dropped }
    let error = try await test.failure(test.request("PUT"))
    #expect(error.kind == .credentials && error.mayHaveArrived && error.sending.attempts == 1)
    let refused = try TestClient(credentials: Fleeting()) { _ in
      .status(400, body: "<Error><Code>ExpiredToken</Code></Error>")
    }
    let other = try await refused.failure(refused.request("PUT"))
    #expect(other.kind == .credentials && !other.mayHaveArrived && other.sending.attempts == 1)
  }

  @Test("A server may name the time at which to come back")
  func retryAfterTime() async throws {
    let date = ("Date", "Thu, 01 Jan 2026 00:00:01 GMT")
    let test = try TestClient { request in
      request.number == 0
        ? .status(503, [date, ("Retry-After", "Thu, 01 Jan 2026 00:00:10 GMT")]) : .status(200)
    }
    _ = try await test.client.send(test.request())
    #expect(test.time.waits == [.seconds(9)])
  }

  @Test("An answer beyond its limit, and a server that is not trusted, are not tried again")
  func finalFailures() async throws {
    let test = try TestClient { _ in .status(200, body: "too long") }
    var request = test.request()
    request.answerLimit = 3
    let error = try await test.failure(request)
    #expect(error.http?.kind == .tooLarge && error.sending.attempts == 1)
  }

  @Test("Cancelling the task ends a wait as well as a request")
  func cancellation() async throws {
    let waiting = try TestClient { _ in .status(503) }
    let hanging = try TestClient { _ in .init([.hang]) }
    let first = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await waiting.failure(waiting.request())
    }
    #expect(try await first.value.kind == .cancelled)
    let second = Task { try await hanging.failure(hanging.request()) }
    while hanging.server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    second.cancel()
    let error = try await second.value
    #expect(error.kind == .cancelled && error.mayHaveArrived && error.sending.attempts == 1)
  }
}

extension TestClient {
  /// The error of one attempt that is answered so.
  fileprivate func failure(failing status: Int, _ code: String) async throws -> AWSError {
    let test = try TestClient(retry: .never) { _ in
      .status(status, body: code.isEmpty ? "" : "<Error><Code>\(code)</Code></Error>")
    }
    return try await test.failure(test.request())
  }
}
