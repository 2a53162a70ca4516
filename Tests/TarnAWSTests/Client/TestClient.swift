import Synchronization
import TarnAWS
import TarnTestSupport
import Testing

extension AWSWorld {
  /// A world of manual time and seeded randomness, with these variables.
  static func manual(_ time: ManualTime, _ variables: [String: String] = [:], seed: UInt64 = 1) -> AWSWorld {
    let generator = SharedGenerator(seed)
    return AWSWorld(
      now: { time.now() }, elapsed: { time.elapsed() }, sleep: { try await time.sleep($0) },
      random: { generator.next() }, environment: { variables[$0] })
  }

  private final class SharedGenerator: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(_ seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    func next() -> UInt64 { generator.withLock { $0.next() } }
  }
}

/// A client of a scripted server, in manual time.
struct TestClient {
  static let credentials = AWSCredentials(
    accessKeyID: "AKID", secretAccessKey: Secret("hush-key"), sessionToken: Secret("hush-token"))

  let server: ScriptedServer
  let time = ManualTime()
  let client: AWSClient
  let endpoint: AWSEndpoint
  let events = Collected()

  init(
    credentials: any AWSCredentialsProvider = StaticCredentials(credentials),
    retry: RetryPolicy = RetryPolicy(),
    _ script: @escaping @Sendable (WireRequest) -> ScriptedServer.Answer
  ) throws {
    server = try ScriptedServer(script)
    endpoint = try #require(AWSEndpoint(server.url))
    let events = events
    client = AWSClient(
      http: HTTPClient(), credentials: credentials, retry: retry, world: .manual(time),
      observer: { events.add("\($0)") })
  }

  func request(_ method: String = "GET", _ path: String = "/bucket/key", body: String = "") -> AWSRequest {
    var request = AWSRequest(method, path, of: .s3, in: "eu-central-1", at: endpoint)
    request.body = HTTPBody(body)
    return request
  }

  func failure(
    _ request: AWSRequest, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> AWSError {
    do throws(AWSError) {
      let answer = try await client.send(request)
      Issue.record("answered with \(answer.head.status)", sourceLocation: sourceLocation)
      throw AWSError(.badAnswer, "no request", "no error")
    } catch {
      return error
    }
  }
}
