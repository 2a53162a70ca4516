import Synchronization
import TarnAWS
import TarnTestSupport
import Testing

/// How credentials are kept and renewed.
@Suite("Renewal of credentials") struct CredentialsCacheTests {
  /// A container's endpoint that numbers the keys which it gives, each good for an hour of the test's time.
  private final class Endpoint: Sendable {
    let server: ScriptedServer
    let isFailing: Flag

    final class Flag: Sendable {
      private let value = Atomic(false)

      var isSet: Bool {
        get { value.load(ordering: .sequentiallyConsistent) }
        set { value.store(newValue, ordering: .sequentiallyConsistent) }
      }
    }

    init(_ time: ManualTime, pause: Duration = .zero) throws {
      let isFailing = Flag()
      self.isFailing = isFailing
      server = try ScriptedServer { request in
        if isFailing.isSet { return .status(400) }
        let end = (time.now() / 1_000_000 + 3_600) * 1_000
        let body = TestSurroundings.document(key: "KEY\(request.number)").replacing(
          "\"2026-01-01T01:00:00Z\"", with: "\(end)")
        return .init([
          .pause(pause), .send(ScriptedServer.Answer.head(200, length: body.utf8.count) + Array(body.utf8)),
        ])
      }
    }
  }

  private func surroundings(_ make: (ManualTime) throws -> Endpoint) throws -> (TestSurroundings, Endpoint) {
    var surroundings = TestSurroundings()
    let endpoint = try make(surroundings.time)
    surroundings.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = endpoint.server.url
    return (surroundings, endpoint)
  }

  private func key(_ chain: AWSCredentialsChain) async throws(AWSError) -> String? {
    try await chain.credentials()?.accessKeyID
  }

  /// Waits until a server was asked so often.
  private func wait(for count: Int, _ endpoint: Endpoint) async throws {
    for _ in 0..<1_000 where endpoint.server.requests.count < count {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(endpoint.server.requests.count == count)
    // The answer is on its way.
    try await Task.sleep(for: .milliseconds(50))
  }

  @Test("Many who ask at once wait for one request")
  func oneRequestForAll() async throws {
    let (surroundings, endpoint) = try surroundings { try Endpoint($0, pause: .milliseconds(50)) }
    let chain = try surroundings.chain()
    let keys = try await withThrowingTaskGroup(of: String?.self) { group in
      for _ in 0..<50 { group.addTask { try await key(chain) } }
      return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(keys == ["KEY0"] && endpoint.server.requests.count == 1)
  }

  @Test("They are renewed before they expire, and given out meanwhile")
  func renewedEarly() async throws {
    let (surroundings, endpoint) = try surroundings { try Endpoint($0) }
    let chain = try surroundings.chain()
    #expect(try await key(chain) == "KEY0")
    surroundings.time.advance(by: .seconds(54 * 60))
    #expect(try await key(chain) == "KEY0")
    #expect(endpoint.server.requests.count == 1)
    surroundings.time.advance(by: .seconds(90))
    #expect(try await key(chain) == "KEY0")
    try await wait(for: 2, endpoint)
    #expect(try await key(chain) == "KEY1")
    // In the last minute nobody gets the old ones.
    surroundings.time.advance(by: .seconds(59 * 60 + 30))
    #expect(try await key(chain) == "KEY2")
    #expect(endpoint.server.requests.count == 3)
  }

  @Test("A renewal that fails harms nobody while the old ones are good, and is tried again soon")
  func failedRenewal() async throws {
    let (surroundings, endpoint) = try surroundings { try Endpoint($0) }
    let chain = try surroundings.chain()
    #expect(try await key(chain) == "KEY0")
    endpoint.isFailing.isSet = true
    surroundings.time.advance(by: .seconds(59 * 60 + 20))
    #expect(try await key(chain) == "KEY0")
    #expect(try await key(chain) == "KEY0")
    #expect(endpoint.server.requests.count == 2)
    surroundings.time.advance(by: .seconds(11))
    #expect(try await key(chain) == "KEY0")
    #expect(endpoint.server.requests.count == 3)
    surroundings.time.advance(by: .seconds(60))
    await #expect(throws: AWSError.self) { try await key(chain) }
    endpoint.isFailing.isSet = false
    #expect(try await key(chain) == "KEY4")
  }

  @Test("Credentials that a service does not take are replaced once for all who have them")
  func replaced() async throws {
    let (surroundings, endpoint) = try surroundings { try Endpoint($0) }
    let chain = try surroundings.chain()
    let old = try #require(await chain.credentials())
    #expect(try await chain.credentials(replacing: old)?.accessKeyID == "KEY1")
    #expect(try await chain.credentials(replacing: old)?.accessKeyID == "KEY1")
    #expect(endpoint.server.requests.count == 2)
  }

  @Test("Who is cancelled does not wait, and takes nothing from those who do")
  func cancelledWaiters() async throws {
    let (surroundings, endpoint) = try surroundings { try Endpoint($0, pause: .milliseconds(300)) }
    let chain = try surroundings.chain()
    let first = Task { try await key(chain) }
    while endpoint.server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    let second = Task { try await key(chain) }
    first.cancel()
    // Where the machine is busy, the answer may come before it is heard that nobody waits for it.
    switch await first.result {
    case .success(let key): #expect(key == "KEY0")
    case .failure(let error): #expect((error as? AWSError)?.kind == .cancelled)
    }
    #expect(try await second.value?.hasPrefix("KEY") == true)
  }

  @Test("An expired token in the middle is replaced by the client, from the source")
  func expiredInTheMiddle() async throws {
    let (surroundings, endpoint) = try surroundings { try Endpoint($0) }
    let service = try ScriptedServer { request in
      request["authorization"]?.contains("KEY1/") == true
        ? .status(200) : .status(400, body: "<Error><Code>ExpiredToken</Code></Error>")
    }
    let client = AWSClient(
      http: HTTPClient(), credentials: try surroundings.chain(), world: surroundings.world)
    let request = AWSRequest("GET", "/", of: .s3, in: "r", at: try #require(AWSEndpoint(service.url)))
    #expect(try await client.send(request).sending.attempts == 2)
    #expect(endpoint.server.requests.count == 2)
  }
}
