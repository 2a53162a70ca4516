import TarnAWS
import TarnTestSupport
import Testing

/// Whatever makes texts of values finds no secret.
@Suite("Secrets") struct SecretsTests {
  private func texts(of value: Any) -> [String] {
    var dumped = ""
    dump(value, to: &dumped)
    return [String(describing: value), String(reflecting: value), "\(value)", dumped]
  }

  @Test("No value shows a secret, and no error or event of requests that carried one does")
  func noSecretIsShown() async throws {
    let server = try ScriptedServer { request in
      request.path == "/fails"
        ? .status(403, body: "<Error><Code>AccessDenied</Code></Error>") : .status(200, body: "fine")
    }
    let endpoint = try #require(AWSEndpoint(server.url))
    var surroundings = TestSurroundings()
    surroundings.variables["AWS_SESSION_TOKEN"] = "hush-variable"
    surroundings.files = [
      "/h/.aws/config": "[profile p]\nservices = s\naws_secret_access_key = hush-config\n",
      "/h/.aws/credentials":
        "[default]\naws_access_key_id = K\naws_secret_access_key = hush-file\naws_session_token = hush-session",
    ]
    let configuration = try surroundings.configuration()
    let chain = try surroundings.chain()
    let credentials = try #require(await chain.credentials())
    let events = Collected()
    let client = AWSClient(
      http: HTTPClient(), credentials: chain, world: surroundings.world, observer: { events.add("\($0)") })
    var request = AWSRequest("PUT", "/works", of: .s3, in: "r", at: endpoint)
    request.body = HTTPBody("hush-body")
    request.headers = ["x-amz-security-token": "hush-header", "authorization": "hush-other"]
    request.query = [("X-Amz-Security-Token", "hush-query")]
    let answer = try await client.send(request)
    request.path = "/fails"
    var options = AWSConfiguration.Options()
    options.credentials = credentials
    var values: [Any] = [
      configuration, chain, credentials, client, answer, request.headers, request.body, options, endpoint,
      surroundings.world, StaticCredentials(credentials), RetryPolicy(),
      HTTPOptions(world: surroundings.world),
      events.all, client.counts,
    ]
    do throws(AWSError) {
      _ = try await client.send(request)
      Issue.record("it does not fail")
    } catch {
      values.append(error)
    }
    server.stop()
    let broken = AWSClient(http: HTTPClient(), credentials: chain, retry: .never, world: surroundings.world)
    do throws(AWSError) {
      _ = try await broken.send(request)
      Issue.record("it does not fail")
    } catch {
      values.append(error)
      values.append(try #require(error.http))
    }
    for value in values {
      for text in texts(of: value) { #expect(!text.contains("hush"), "\(type(of: value)): \(text)") }
    }
    #expect(server.requests.first?["x-amz-security-token"] == "hush-session")
    #expect(events.all.count == 2 && texts(of: credentials)[0].contains("K"))
  }
}
