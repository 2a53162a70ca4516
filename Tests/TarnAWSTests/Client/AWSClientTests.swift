import Synchronization
import TarnAWS
import TarnBytes
import TarnTestSupport
import Testing

/// Requests that succeed, or are refused.
@Suite("AWS client") struct AWSClientTests {
  @Test("A request is signed, dated and counted, and its secrets are shown nowhere")
  func aRequestIsSigned() async throws {
    let test = try TestClient { _ in .status(200, [("Date", "Thu, 01 Jan 2026 00:00:01 GMT")], body: "hello")
    }
    var request = test.request("PUT", "/bucket/a%20b", body: "four")
    request.query = [("x-id", "Put Object"), ("uploadId", ""), ("X-Amz-Signature", "hush")]
    request.headers = ["x-amz-meta-one": "1"]
    let answer = try await test.client.send(request)
    #expect(answer.head.status == 200 && answer.body == Array("hello".utf8))
    #expect(answer.sending.attempts == 1 && !answer.sending.earlierMayHaveArrived)
    #expect(answer.date == 1_767_225_601_000_000)
    let seen = try #require(test.server.requests.first)
    #expect(seen.target == "/bucket/a%20b?X-Amz-Signature=hush&uploadId=&x-id=Put%20Object")
    #expect(seen["x-amz-date"] == "20260101T000000Z" && seen["x-amz-security-token"] == "hush-token")
    #expect(seen["x-amz-content-sha256"] == Digest.hex(Digest.sha256(Array("four".utf8))))
    let authorization = try #require(seen["authorization"])
    #expect(
      authorization.hasPrefix("AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/s3/aws4_request, "))
    #expect(
      authorization.contains(
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-one;x-amz-security-token, "))
    let event = try #require(test.events.all.first)
    #expect(
      event.contains("PUT \(test.server.url)/bucket/a%20b?") && event.contains(" 200, 4 B out, 5 B in, "))
    #expect(event.hasSuffix("try 1") && !event.contains("hush"))
    var counts = RequestCounts()
    (counts.requests, counts.sent, counts.received) = (1, 4, 5)
    #expect(test.client.counts == counts)
  }

  @Test("Without credentials nothing is signed, and on request neither")
  func unsigned() async throws {
    let test = try TestClient(credentials: StaticCredentials.anonymous) { _ in .status(200) }
    _ = try await test.client.send(test.request())
    let other = try TestClient { _ in .status(200) }
    var request = other.request()
    request.isSigned = false
    _ = try await other.client.send(request)
    for seen in test.server.requests + other.server.requests {
      #expect(
        seen["authorization"] == nil && seen["x-amz-date"] == nil && seen["x-amz-security-token"] == nil)
    }
  }

  @Test("Another host is named and signed where asked, and a path before all paths too")
  func hostAndBasePath() async throws {
    let test = try TestClient { _ in .status(200) }
    var request = AWSRequest(
      "GET", "/key", of: .s3, in: "r", at: try #require(AWSEndpoint(test.server.url + "/base")))
    request.headers["host"] = "bucket.localhost:\(test.server.port)"
    _ = try await test.client.send(request)
    let seen = try #require(test.server.requests.first)
    #expect(seen.target == "/base/key" && seen["host"] == "bucket.localhost:\(test.server.port)")
    #expect(seen.headers.filter { $0.name == "host" }.count == 1)
  }

  @Test(
    "The service's error is read, whatever it is written in",
    arguments: [
      (
        "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>gone\nfor good</Message>"
          + "<RequestId>r1</RequestId></Error>", [], "NoSuchKey", "gone\nfor good"
      ),
      (
        "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchKey</Code></Error>"
          + "<RequestId>r1</RequestId></ErrorResponse>", [], "NoSuchKey", ""
      ),
      (
        #"{"__type":"com.amazon.coral#NoSuchKey","message":"m"}"#, [("x-amzn-requestid", "r1")], "NoSuchKey",
        "m"
      ),
      (
        "{}", [("x-amzn-errortype", "NoSuchKey:http://internal/"), ("x-amz-request-id", "r1")], "NoSuchKey",
        ""
      ),
      ("<html><body><p>It works!</body></html>", [("x-amz-request-id", "r1")], "", ""),
      ("", [("x-amz-request-id", "r1")], "", ""),
    ])
  func serviceErrors(body: String, headers: [(String, String)], code: String, message: String) async throws {
    let test = try TestClient { _ in .status(404, headers, body: body) }
    let error = try await test.failure(test.request())
    #expect(error.kind == .refused && !error.mayHaveArrived && error.sending.attempts == 1)
    #expect(error.head?.status == 404)
    let service = try #require(error.service)
    #expect(service.status == 404 && service.code == code && service.message == message)
    #expect(service.requestID == "r1")
    let line = "\(error)"
    #expect(line.contains("/bucket/key") && line.contains("404") && !line.contains("\n"))
  }

  @Test(
    "A request of another region says which",
    arguments: [
      (301, [("x-amz-bucket-region", "us-west-2")], ""), (400, [("x-amz-bucket-region", "us-west-2")], ""),
      (307, [], "<Error><Code>TemporaryRedirect</Code><Region>us-west-2</Region></Error>"),
      (400, [], "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region></Error>"),
    ])
  func otherRegion(status: Int, headers: [(String, String)], body: String) async throws {
    let test = try TestClient { _ in .status(status, headers, body: body) }
    let error = try await test.failure(test.request())
    #expect(error.kind == .otherRegion && error.service?.region == "us-west-2" && !error.mayHaveArrived)
    var same = test.request()
    same.region = "us-west-2"
    #expect(try await test.failure(same).kind == .refused)
    #expect(test.server.requests.count == 2)
  }

  @Test("The server's clock is learnt, used once again at once, and for all that follows")
  func clockSkew() async throws {
    let test = try TestClient { request in
      let date = ("Date", "Thu, 01 Jan 2026 00:20:00 GMT")
      return request["x-amz-date"] == "20260101T002000Z"
        ? .status(200, [date])
        : .status(403, [date], body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    }
    #expect(try await test.client.send(test.request()).sending.attempts == 2)
    #expect(try await test.client.send(test.request()).sending.attempts == 1)
    #expect(test.client.serverTime == 1_767_225_600_000_000 + 1_200_000_000)
    #expect(test.time.waits.isEmpty)
  }

  @Test("A clock that a server finds wrong for no reason is not asked about twice")
  func clockSkewWithoutReason() async throws {
    let test = try TestClient { request in
      .status(
        403,
        [
          (
            "Date",
            request.number % 2 == 0 ? "Thu, 01 Jan 2026 05:00:00 GMT" : "Thu, 01 Jan 2026 00:00:00 GMT"
          )
        ],
        body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    }
    let error = try await test.failure(test.request())
    #expect(error.service?.code == "RequestTimeTooSkewed" && error.sending.attempts == 2)
    // A time out of a cache tells nothing.
    let cached = try TestClient { _ in
      .status(
        403, [("Date", "Thu, 01 Jan 2026 05:00:00 GMT"), ("Age", "60")],
        body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    }
    #expect(try await cached.failure(cached.request()).sending.attempts == 1)
  }

  /// Gives other credentials when they are said to have expired.
  private final class Replaced: AWSCredentialsProvider {
    let replaced = Mutex(0)

    func credentials() async throws(AWSError) -> AWSCredentials? {
      AWSCredentials(accessKeyID: "KEY\(replaced.withLock { $0 })", secretAccessKey: Secret("s"))
    }

    func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials? {
      replaced.withLock { $0 += 1 }
      return try await credentials()
    }
  }

  @Test(
    "Expired credentials are replaced once",
    arguments: [
      "ExpiredToken", "ExpiredTokenException", "InvalidToken",
    ])
  func expiredCredentials(code: String) async throws {
    let provider = Replaced()
    let test = try TestClient(credentials: provider) { request in
      request["authorization"]?.contains("KEY0") == true || request.method == "DELETE"
        ? .status(400, body: "<Error><Code>\(code)</Code></Error>") : .status(200)
    }
    #expect(try await test.client.send(test.request()).sending.attempts == 2)
    let error = try await test.failure(test.request("DELETE"))
    #expect(error.service?.code == code && error.sending.attempts == 2 && !error.mayHaveArrived)
    #expect(provider.replaced.withLock { $0 } == 2)
  }
}
