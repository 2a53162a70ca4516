import Foundation

/// A proxy over loopback between a client and a server of HTTP, which spoils what a test says.
///
/// Names and signatures stay as they are: the client connects to the proxy in place of the server.
public final class FaultProxy: Sendable {
  /// What becomes of one request.
  public enum Fault: Sendable, Equatable {
    /// Nothing: it is passed on, and so is its answer.
    case none
    /// The connection breaks before the server has heard of it.
    case dropBefore
    /// The server acts, and the connection breaks before the answer.
    case dropAfter
    /// It is passed on later.
    case delay(Duration)
    /// The server does not hear of it, and this is the answer.
    case answer(status: Int, headers: [String: String] = [:], body: String = "")
    /// The server acts, and this is the answer.
    case answerAfter(status: Int, headers: [String: String] = [:], body: String = "")
    /// The answer ends after so many bytes of its body.
    case truncate(after: Int)
    /// The answer falls silent after so many bytes of its body, and then the connection ends.
    case stall(after: Int, Duration)
    /// The answer falls silent after so many bytes of its body, and nothing more happens until the client goes away.
    case hang(after: Int)
  }

  private let listener: LoopbackListener

  /// Starts a proxy.
  ///
  /// - Parameters:
  ///   - port: The server's port on this machine.
  ///   - fault: What becomes of a request, once the whole of it was read.
  /// - Throws: Where the system has no port left.
  public init(toPort port: Int, _ fault: @escaping @Sendable (WireRequest) -> Fault) throws {
    listener = try LoopbackListener { client, _ in
      guard let server = LoopbackConnection.connect(toPort: port) else { return client.reset() }
      defer { server.close() }
      var requests = WireReader(client)
      var answers = WireReader(server)
      while let request = requests.readRequest() {
        guard Self.perform(fault(request), request, client, server, &answers) else { return }
      }
    }
  }

  /// Where clients find it.
  public var url: String { "http://127.0.0.1:\(listener.port)" }

  /// Stops it, connections under way too.
  public func stop() { listener.stop() }

  /// Passes a request on, or spoils it; false where the connection has ended.
  private static func perform(
    _ fault: Fault, _ request: WireRequest, _ client: LoopbackConnection, _ server: LoopbackConnection,
    _ answers: inout WireReader
  ) -> Bool {
    switch fault {
    case .dropBefore:
      client.reset()
      return false
    case .answer(let status, let headers, let body):
      return client.write(made(status, headers, body, for: request))
    case .delay(let time): Thread.sleep(forTimeInterval: time / .seconds(1))
    default: break
    }
    guard server.write(bytes(of: request)), let answer = Answer(&answers, to: request) else {
      client.reset()
      return false
    }
    switch fault {
    case .dropAfter:
      client.reset()
      return false
    case .answerAfter(let status, let headers, let body):
      return client.write(made(status, headers, body, for: request))
    case .truncate(let count) where count < answer.body.count:
      client.write(answer.head + answer.body.prefix(count))
      // What was sent is to arrive before the end does.
      Thread.sleep(forTimeInterval: 0.02)
      client.close()
      return false
    case .stall(let count, let time) where count < answer.body.count:
      client.write(answer.head + answer.body.prefix(count))
      Thread.sleep(forTimeInterval: time / .seconds(1))
      client.close()
      return false
    case .hang(let count) where count < answer.body.count:
      client.write(answer.head + answer.body.prefix(count))
      while !client.read().isEmpty {}
      return false
    default: return client.write(answer.head + answer.body)
    }
  }

  private static func made(
    _ status: Int, _ headers: [String: String], _ body: String, for request: WireRequest
  ) -> [UInt8] {
    let head = ScriptedServer.Answer.head(
      status, headers.map { ($0.key, $0.value) }, length: body.utf8.count)
    return request.method == "HEAD" ? head : head + Array(body.utf8)
  }

  private static func bytes(of request: WireRequest) -> [UInt8] {
    var text = "\(request.method) \(request.target) HTTP/1.1\r\n"
    for (name, value) in request.headers { text += "\(name): \(value)\r\n" }
    return Array((text + "\r\n").utf8) + request.body
  }

  /// A whole answer as it came.
  private struct Answer {
    let head: [UInt8]
    let body: [UInt8]

    /// Nil where the server is gone.
    init?(_ reader: inout WireReader, to request: WireRequest) {
      var lines: [String]
      var status: Int
      repeat {
        guard let next = reader.readHead() else { return nil }
        lines = next
        status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
      } while (100..<200).contains(status)
      head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
      func header(_ name: String) -> String? {
        lines.first { $0.lowercased().hasPrefix(name + ":") }
          .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
      }
      if request.method == "HEAD" || status == 204 || status == 304 {
        body = []
      } else if header("transfer-encoding")?.lowercased() == "chunked" {
        guard let chunks = reader.readChunks() else { return nil }
        body = chunks
      } else {
        let count = header("content-length").flatMap { Int($0) } ?? 0
        body = reader.readBody(count)
        if body.count < count { return nil }
      }
    }
  }
}
