import Synchronization
import TarnAWS
import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
import Testing

/// A real server behind a proxy that spoils requests.
@Suite("S3 over a faulty network") struct FaultTests {
  /// Spoils each request once: the first of its method and target.
  private final class Once: Sendable {
    private let fault: FaultProxy.Fault
    private let seen = Mutex<Set<String>>([])

    init(_ fault: FaultProxy.Fault) { self.fault = fault }

    var count: Int { seen.withLock { $0.count } }

    func next(_ request: WireRequest) -> FaultProxy.Fault {
      // What tells one condition of the trial from another is in the headers.
      let name = [
        request.method, request.target, request["if-match"] ?? "", request["if-none-match"] ?? "",
        request["range"] ?? "",
      ].joined(separator: " ")
      return seen.withLock { $0.insert(name).inserted } ? fault : .none
    }
  }

  private static func storage(
    _ server: RealServer, _ location: S3Location, behind proxy: FaultProxy, stall: Duration = .seconds(5)
  ) throws -> S3Storage {
    let client = try S3Client(
      server.options { options in
        options.endpoint = proxy.url
        options.http = HTTPClient()
        options.partSize = 5 << 20
        options.timeouts.stall = stall
        options.world.sleep = { try await Task.sleep(for: min($0, .milliseconds(5))) }
      })
    return try S3Storage(location, client: client)
  }

  private static func port(_ server: RealServer) throws -> Int {
    try #require(server.endpoint.split(separator: ":").last.flatMap { Int($0) })
  }

  private static let internalError = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"

  @Test(
    "Where each request fails once, everything is done all the same",
    arguments: [
      .dropBefore, .dropAfter, .delay(.milliseconds(2)), .answer(status: 500, body: internalError),
      .answer(status: 503, headers: ["Retry-After": "1"]), .answer(status: 429),
      .answerAfter(status: 500, body: internalError), .answerAfter(status: 503), .answerAfter(status: 502),
      .truncate(after: 7), .stall(after: 7, .milliseconds(30)),
    ] as [FaultProxy.Fault])
  func eachRequestOnce(fault: FaultProxy.Fault) async throws {
    let server = try await RealServer()
    let location = try server.location()
    let faults = Once(fault)
    let proxy = try FaultProxy(toPort: Self.port(server)) { faults.next($0) }
    defer { proxy.stop() }
    let storage = try Self.storage(server, location, behind: proxy)
    let first = try await storage.put(Array("first content".utf8), at: "a/one", if: .ifAbsent)
    let second = try await storage.put(Array("second content".utf8), at: "a/one", if: .ifMatches(first))
    #expect(
      try await storage.get("a/one", limit: 100)
        == StoredObject(bytes: Array("second content".utf8), tag: second))
    #expect(try await storage.read("a/one", range: 3..<14) == Array("ond content".utf8))
    try await storage.put(Array("moved content".utf8), at: "from", if: .always)
    try await storage.move("from", to: "a/to")
    let large = [UInt8](repeating: 7, count: 6 << 20) + [8]
    let writer = try await storage.writer(at: "a/large")
    try await writer.write(large)
    let tag = try await writer.finish(if: .always)
    let copy = try await storage.writer(at: "a/copy")
    try await copy.copy(0..<large.count, of: "a/large", tag: tag)
    _ = try await copy.finish(if: .always)
    for number in 0..<3 { try await storage.put([1, UInt8(number)], at: "gone/\(number)", if: .always) }
    #expect(await storage.delete((0..<3).map { "gone/\($0)" }).isEmpty)
    #expect(
      try await storage.listAll(prefix: "").objects.map(\.path) == ["a/copy", "a/large", "a/one", "a/to"])
    #expect(faults.count > 15)
    // Without the proxy it is the same.
    let plain = try S3Storage(location, client: S3Client(server.options()))
    #expect(try await plain.get("a/copy", limit: 1 << 30).bytes == large)
    #expect(try await plain.get("a/to", limit: 100).bytes == Array("moved content".utf8))
    #expect(try await plain.get("a/one", limit: 100).bytes == Array("second content".utf8))
  }

  @Test("An answer that falls silent in the middle, and whose connection stays, is given up and gone on with")
  func hangingAnswers() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 256) }
    let plain = try S3Storage(location, client: S3Client(server.options()))
    try await plain.put(content, at: "object", if: .always)
    let faults = Once(.hang(after: 100_000))
    let ranges = Mutex<[String]>([])
    let proxy = try FaultProxy(toPort: Self.port(server)) { request in
      if request.method == "GET", request.path.hasSuffix("object") {
        ranges.withLock { $0.append(request["range"] ?? "whole") }
      }
      return faults.next(request)
    }
    defer { proxy.stop() }
    let storage = try Self.storage(server, location, behind: proxy, stall: .seconds(1))
    let begun = ContinuousClock.now
    #expect(try await storage.read("object", range: 0..<content.count) == content)
    #expect(try await storage.get("object", limit: content.count).bytes == content)
    let asked = ranges.withLock { $0 }
    // A range is gone on with where it fell silent, and what is left is short enough to come whole.
    #expect(asked.first == "bytes=0-299999" && asked.contains("bytes=100000-299999"))
    #expect(asked.filter { $0 == "whole" }.count == 2)
    // Two or three silences of a second each.
    #expect(ContinuousClock.now - begun > .seconds(1))
  }

  @Test(
    "Racers whose first answers are lost learn how it ended, and one of them won", arguments: [true, false])
  func racersWithLostAnswers(creates: Bool) async throws {
    let server = try await RealServer()
    let location = try server.location()
    let plain = try S3Storage(location, client: S3Client(server.options()))
    var tag = try await plain.put(Array("before".utf8), at: "swapped", if: .ifAbsent)
    // An answer of each client and object is lost, whatever it was.
    let faults = Mutex<Set<String>>([])
    let proxy = try FaultProxy(toPort: Self.port(server)) { request in
      guard request.method == "PUT", !request.path.contains("tarn-conditions-") else { return .none }
      return faults.withLock { $0.insert(request.path + request.text).inserted } ? .dropAfter : .none
    }
    defer { proxy.stop() }
    let storages = try (0..<20).map { _ in try Self.storage(server, location, behind: proxy) }
    for round in 0..<3 {
      let path = creates ? "created\(round)" : "swapped"
      let condition = creates ? PutCondition.ifAbsent : .ifMatches(tag)
      let outcomes = await withTaskGroup(of: (Int, StorageError.Code?).self) { group in
        for (number, storage) in storages.enumerated() {
          group.addTask {
            do throws(StorageError) {
              try await storage.put(Array("client \(number) in \(round)".utf8), at: path, if: condition)
              return (number, nil)
            } catch { return (number, error.code) }
          }
        }
        return await group.reduce(into: [Int: StorageError.Code?]()) { $0[$1.0] = .some($1.1) }
      }
      let stored = try await plain.get(path, limit: 100)
      let winners = outcomes.filter { $0.value == nil }.map(\.key)
      #expect(winners.map { Array("client \($0) in \(round)".utf8) } == [stored.bytes])
      // A put that was sent twice is never lost by the storage's word: what is there settles it.
      #expect(outcomes.values.allSatisfy { $0 == nil || $0 == .unknown || $0 == .preconditionFailed })
      tag = stored.tag
    }
  }
}
