import TarnAWS
import TarnBytes
import TarnTestSupport
import Testing

/// The HTTP client against a server that answers as each test says.
@Suite("HTTP client") struct HTTPClientTests {
  private func failure(
    _ client: HTTPClient, _ request: HTTPRequest, sourceLocation: SourceLocation = #_sourceLocation
  ) async -> HTTPError? {
    do throws(HTTPError) {
      let response = try await client.send(request)
      Issue.record("answered with \(response.head.status)", sourceLocation: sourceLocation)
      return nil
    } catch {
      return error
    }
  }

  @Test("What is sent arrives as it is, and so does what is answered")
  func aRequestArrivesAsItIs() async throws {
    let server = try ScriptedServer { request in
      .status(201, [("X-One", " a b "), ("x-two", "1"), ("X-Two", "2")], body: "<\(request.text)>")
    }
    let client = HTTPClient()
    var request = HTTPRequest("PUT", server.url + "/a/../b//c%2Fd?x=%20&y=")
    request.headers = ["X-Empty": "", "x-amz-test": "v"]
    request.body = HTTPBody([[1, 2, 3][1...], [], Array("two".utf8)[...]])
    let response = try await client.send(request)
    #expect(response.head.status == 201)
    #expect(response.head.headers["X-ONE"] == "a b")
    #expect(response.head.headers.fields.filter { $0.name == "x-two" }.map(\.value) == ["1", "2"])
    #expect(response.body == Array("<\u{2}\u{3}two>".utf8) && response.received == 7)
    let seen = try #require(server.requests.first)
    #expect(seen.method == "PUT" && seen.target == "/a/../b//c%2Fd?x=%20&y=")
    #expect(seen["x-empty"] == "" && seen["x-amz-test"] == "v" && seen["content-length"] == "5")
    #expect(seen["expect"] == nil && seen["accept"] == nil && seen["content-type"] == nil)
    #expect(seen["host"] == "127.0.0.1:\(server.port)" && seen["user-agent"]?.hasPrefix("tarn/") == true)
  }

  @Test("All methods frame their bodies, and HEAD waits for none")
  func methodsFrameTheirBodies() async throws {
    let server = try ScriptedServer { request in
      request.method == "HEAD"
        ? .init([.send(ScriptedServer.Answer.head(200, length: 77))])
        : .status(200, body: request.method)
    }
    let client = HTTPClient()
    for (method, body, length) in [
      ("GET", "", nil), ("HEAD", "", nil), ("DELETE", "", nil), ("PUT", "", "0"), ("POST", "", "0"),
      ("POST", "abc", "3"), ("DELETE", "x", "1"),
    ] {
      var request = HTTPRequest(method, server.url + "/")
      request.body = HTTPBody(body)
      let response = try await client.send(request)
      #expect(response.body == (method == "HEAD" ? [] : Array(method.utf8)))
      if method == "HEAD" { #expect(response.head.headers["content-length"] == "77") }
      let seen = try #require(server.requests.last)
      #expect(seen.method == method && seen.text == body && seen["content-length"] == length)
    }
    #expect(server.connectionCount == 1)
  }

  @Test("A body of megabytes goes out and comes back whole")
  func largeBodies() async throws {
    let server = try ScriptedServer { .status(200, bytes: $0.body) }
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
    var request = HTTPRequest("PUT", server.url)
    request.body = HTTPBody([bytes[..<1_000_001], bytes[1_000_001...]])
    let memory = ResponseMemory(ByteBuffer(), count: 3_000_010)
    request.receiving = .memory(memory, offset: 7, count: bytes.count)
    let response = try await HTTPClient().send(request)
    #expect(response.body == [] && response.received == bytes.count)
    let filled = memory.take(filled: 3_000_007)
    #expect(Array(filled.copied()[7...]) == bytes)
  }

  @Test("Several transfers fill their own parts of one memory")
  func partsOfOneMemory() async throws {
    let server = try ScriptedServer {
      .status(206, bytes: [UInt8](repeating: UInt8($0.path.utf8.count), count: 1_000))
    }
    let client = HTTPClient()
    let memory = ResponseMemory(ByteBuffer(), count: 8_000)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for part in 0..<8 {
        group.addTask {
          var request = HTTPRequest("GET", server.url + "/" + String(repeating: "x", count: part))
          request.receiving = .memory(memory, offset: part * 1_000, count: 1_000)
          _ = try await client.send(request)
        }
      }
      try await group.waitForAll()
    }
    let bytes = memory.take(filled: 8_000).copied()
    let expected = (1...8).flatMap { [UInt8](repeating: UInt8($0), count: 1_000) }
    #expect(bytes == expected)
  }

  @Test("A body beyond its limit, or a head beyond 64 KiB, is an error and not memory")
  func tooLarge() async throws {
    let server = try ScriptedServer { request in
      request.path == "/head"
        ? .status(200, [("x-long", String(repeating: "h", count: 70_000))])
        : .status(request.path == "/error" ? 500 : 200, bytes: [UInt8](repeating: 0x61, count: 100_000))
    }
    let client = HTTPClient()
    var request = HTTPRequest("GET", server.url + "/body")
    request.receiving = .bytes(limit: 99_999)
    var error = try #require(await failure(client, request))
    #expect(error.kind == .tooLarge && error.mayHaveArrived && error.head?.status == 200)
    request.receiving = .bytes(limit: 100_000)
    #expect(try await client.send(request).body.count == 100_000)
    request.receiving = .memory(ResponseMemory(ByteBuffer(), count: 200_000), offset: 0, count: 99_999)
    error = try #require(await failure(client, request))
    #expect(error.kind == .tooLarge)
    request.url = server.url + "/head"
    error = try #require(await failure(client, request))
    #expect(error.kind == .tooLarge && error.description.contains("head"))
    // Of an unsuccessful answer the begin is enough, and does not go into the caller's memory.
    request.url = server.url + "/error"
    let response = try await client.send(request)
    #expect(response.head.status == 500 && response.body.count == 65_536)
  }

  @Test("Where nobody listens nothing was sent")
  func couldNotConnect() async throws {
    let server = try ScriptedServer { _ in .status(200) }
    server.stop()
    for url in [server.url, "http://no-such-name.invalid/", "https://127.0.0.1:\(server.port)/"] {
      let error = try #require(await failure(HTTPClient(), HTTPRequest("PUT", url)))
      #expect(error.kind == .couldNotConnect && !error.mayHaveArrived, "\(error)")
    }
  }

  @Test("A connection that breaks after the request was sent may have carried it")
  func connectionBroken() async throws {
    let server = try ScriptedServer { request in
      request.path == "/close" ? .init([.close]) : .dropped
    }
    for path in ["/close", "/reset"] {
      let error = try #require(await failure(HTTPClient(), HTTPRequest("GET", server.url + path)))
      #expect(error.kind == .connectionBroken && error.mayHaveArrived && error.head == nil)
    }
    let unread = try ScriptedServer(accepting: { _ in false }) { _ in .status(200) }
    let error = try #require(await failure(HTTPClient(), HTTPRequest("GET", unread.url)))
    // Once the connection is there, nobody can tell; it may break so early that it never is.
    #expect([.connectionBroken, .couldNotConnect].contains(error.kind))
    #expect(error.mayHaveArrived == (error.kind == .connectionBroken))
  }

  @Test("A request is never sent twice behind the caller's back")
  func neverSentTwice() async throws {
    let server = try ScriptedServer { request in
      request.method == "GET" ? .status(200) : .init([.close])
    }
    let client = HTTPClient()
    for (count, (method, body)) in [("DELETE", ""), ("PUT", ""), ("POST", ""), ("PUT", "once")].enumerated() {
      // So that there is a connection to keep.
      _ = try await client.send(HTTPRequest("GET", server.url))
      var request = HTTPRequest(method, server.url)
      request.body = HTTPBody(body)
      // libcurl itself would send it again, since the kept connection ended without a byte.
      let error = try #require(await failure(client, request))
      #expect(error.kind == .connectionBroken && error.mayHaveArrived, "\(method) \(body)")
      #expect(server.requests.filter { $0.method != "GET" }.count == count + 1, "\(method) \(body)")
    }
  }

  @Test("A body that breaks off says how much of it came, and of what")
  func bodyBrokenOff() async throws {
    let server = try ScriptedServer { _ in
      .brokenOff(206, [("etag", "\"t\"")], length: 10_000, after: [UInt8](repeating: 7, count: 4_000))
    }
    let memory = ResponseMemory(ByteBuffer(), count: 10_000)
    var request = HTTPRequest("GET", server.url)
    request.receiving = .memory(memory, offset: 0, count: 10_000)
    let error = try #require(await failure(HTTPClient(), request))
    #expect(error.kind == .bodyBrokenOff && error.received == 4_000)
    #expect(error.head?.status == 206 && error.head?.headers["etag"] == "\"t\"")
    #expect(memory.take(filled: error.received).copied() == [UInt8](repeating: 7, count: 4_000))
  }

  @Test("A server that falls silent is left after the stall timeout, and one that drips is not")
  func stalls() async throws {
    let server = try ScriptedServer { request in
      let head = ScriptedServer.Answer.head(200, length: 6)
      return switch request.path {
      case "/silent": .init([.hang])
      case "/middle": .init([.send(head + [1]), .hang])
      default: .init([.send(head)] + (0..<6).flatMap { _ in [.pause(.milliseconds(250)), .send([1])] })
      }
    }
    let client = HTTPClient()
    func request(_ path: String) -> HTTPRequest {
      var request = HTTPRequest("GET", server.url + path)
      request.timeouts.stall = .seconds(1)
      return request
    }
    var error = try #require(await failure(client, request("/silent")))
    #expect(error.kind == .stalled && error.mayHaveArrived && error.head == nil)
    error = try #require(await failure(client, request("/middle")))
    #expect(error.kind == .stalled && error.received == 1 && error.head?.status == 200)
    #expect(try await client.send(request("/drip")).body.count == 6)
    var short = request("/drip")
    short.timeouts.total = .milliseconds(600)
    error = try #require(await failure(client, short))
    #expect(error.kind == .timedOut)
  }

  @Test("Cancelling the task ends the request at once, also one that waits its turn")
  func cancellation() async throws {
    let server = try ScriptedServer { _ in .init([.hang]) }
    var options = HTTPOptions()
    options.requestsPerServer = 1
    let client = HTTPClient(options)
    let first = Task { await failure(client, HTTPRequest("GET", server.url)) }
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    let second = Task { await failure(client, HTTPRequest("GET", server.url)) }
    try await Task.sleep(for: .milliseconds(20))
    second.cancel()
    var error = try #require(await second.value)
    #expect(error.kind == .cancelled && !error.mayHaveArrived)
    first.cancel()
    error = try #require(await first.value)
    #expect(error.kind == .cancelled && error.mayHaveArrived)
    #expect(server.requests.count == 1)
    let early = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await failure(client, HTTPRequest("GET", server.url))
    }
    error = try #require(await early.value)
    #expect(error.kind == .cancelled && !error.mayHaveArrived)
  }

  @Test("Connections are kept, and no more are made than allowed")
  func connectionsAreBounded() async throws {
    let server = try ScriptedServer { _ in
      .init([.pause(.milliseconds(5)), .send(ScriptedServer.Answer.head(200, length: 0))])
    }
    var options = HTTPOptions()
    options.requestsPerServer = 3
    let client = HTTPClient(options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<30 { group.addTask { _ = try await client.send(HTTPRequest("GET", server.url)) } }
      try await group.waitForAll()
    }
    #expect(server.requests.count == 30)
    #expect((1...3).contains(server.connectionCount))
  }

  @Test("What is no HTTP is a bad answer, and what cannot be sent a bad request")
  func garbage() async throws {
    let server = try ScriptedServer { _ in .init([.send(Array("!!! what?\r\n\r\n".utf8)), .close]) }
    let client = HTTPClient()
    var error = try #require(await failure(client, HTTPRequest("GET", server.url)))
    #expect(error.kind == .badAnswer && error.mayHaveArrived)
    for url in ["ftp://127.0.0.1/", "http://127.0.0.1:99999/", "nonsense\r\nhost: x", ""] {
      error = try #require(await failure(client, HTTPRequest("GET", url)))
      #expect(error.kind == .badRequest && !error.mayHaveArrived, "\(url): \(error.kind) \(error)")
    }
    var request = HTTPRequest("GET", server.url)
    request.headers = ["x-evil": "a\r\nx-other: b"]
    error = try #require(await failure(client, request))
    #expect(error.kind == .badRequest)
    #expect(server.requests.count == 1)
  }

  @Test("An interim answer is passed over, and a redirect is not followed")
  func interimAndRedirect() async throws {
    let server = try ScriptedServer { request in
      let redirect = ScriptedServer.Answer.head(301, [("location", "/elsewhere")], length: 0)
      return .init([.send(Array("HTTP/1.1 103 Early\r\nlink: x\r\n\r\n".utf8) + redirect)])
    }
    let response = try await HTTPClient().send(HTTPRequest("GET", server.url))
    #expect(response.head.status == 301 && response.head.headers["location"] == "/elsewhere")
    #expect(response.head.headers["link"] == nil && server.requests.count == 1)
  }

  @Test("An early refusal of a large body is an answer")
  func earlyRefusal() async throws {
    let listener = try LoopbackListener { connection, _ in
      var reader = WireReader(connection)
      _ = reader.readRequestHead()
      connection.write(ScriptedServer.Answer.head(412, length: 0))
      // Reads on, as servers do for a while, so that the answer is not lost to a reset.
      while !connection.read().isEmpty {}
    }
    var request = HTTPRequest("PUT", "http://127.0.0.1:\(listener.port)/")
    request.body = HTTPBody([UInt8](repeating: 1, count: 20_000_000))
    let response = try await HTTPClient().send(request)
    #expect(response.head.status == 412)
  }

  @Test("A proxy is used where the environment says so, and not for its exceptions or the machine's own link")
  func proxies() async throws {
    let proxy = try ScriptedServer { _ in .status(200, body: "proxy") }
    let server = try ScriptedServer { _ in .status(200, body: "server") }
    func answer(_ variables: [String: String], usesProxy: Bool = true) async throws -> String {
      var world = AWSWorld.system
      world.environment = { variables[$0] }
      var request = HTTPRequest("GET", server.url + "/x")
      request.usesProxy = usesProxy
      return String(
        decoding: try await HTTPClient(HTTPOptions(world: world)).send(request).body, as: UTF8.self)
    }
    #expect(try await answer([:]) == "server")
    #expect(try await answer(["HTTP_PROXY": proxy.url]) == "proxy")
    #expect(proxy.requests.first?.target == server.url + "/x")
    #expect(try await answer(["ALL_PROXY": proxy.url]) == "proxy")
    #expect(try await answer(["http_proxy": proxy.url, "NO_PROXY": "127.0.0.1"]) == "server")
    #expect(try await answer(["HTTP_PROXY": proxy.url, "REQUEST_METHOD": "GET"]) == "server")
    #expect(try await answer(["HTTPS_PROXY": proxy.url]) == "server")
    #expect(try await answer(["HTTP_PROXY": proxy.url], usesProxy: false) == "server")
  }

  @Test("A client that is gone ends its requests")
  func clientIsGone() async throws {
    let server = try ScriptedServer { _ in .status(200) }
    for _ in 0..<20 {
      #expect(try await HTTPClient().send(HTTPRequest("GET", server.url)).head.status == 200)
    }
  }
}
