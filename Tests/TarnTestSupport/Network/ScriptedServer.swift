import Foundation
import Synchronization

/// An HTTP server over loopback that answers as a test says.
///
/// ```swift
/// let server = try ScriptedServer { request in
///   request.number == 0 ? .dropped : .status(200, body: "hello")
/// }
/// ```
public final class ScriptedServer: Sendable {
  /// What a server does with a request.
  public struct Answer: Sendable {
    /// One thing that it does.
    public enum Step: Sendable {
      /// Sends bytes as they are.
      case send([UInt8])
      /// Waits.
      case pause(Duration)
      /// Does nothing until the client goes away.
      case hang
      /// Closes the connection in order.
      case close
      /// Closes the connection so that the client finds it broken.
      case reset
    }

    /// What it does, in turn; then it waits for the next request on the connection.
    public var steps: [Step]

    /// Makes an answer of steps.
    public init(_ steps: [Step]) { self.steps = steps }

    /// A whole answer, of which the connection is kept.
    public static func status(
      _ status: Int, _ headers: [(String, String)] = [], body: String = ""
    ) -> Answer {
      self.status(status, headers, bytes: Array(body.utf8))
    }

    /// A whole answer, of which the connection is kept.
    public static func status(
      _ status: Int, _ headers: [(String, String)] = [], bytes: [UInt8]
    ) -> Answer {
      Answer([.send(head(status, headers, length: bytes.count) + bytes)])
    }

    /// The head of an answer that says how long its body is, whatever follows.
    public static func head(_ status: Int, _ headers: [(String, String)] = [], length: Int) -> [UInt8] {
      var text = "HTTP/1.1 \(status) Said\r\ncontent-length: \(length)\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      return Array((text + "\r\n").utf8)
    }

    /// The connection breaks once the request was read: who sent it cannot know whether it was acted on.
    public static let dropped = Answer([.reset])

    /// A head that says how long its body is, some of the body, and then the connection ends.
    public static func brokenOff(
      _ status: Int, _ headers: [(String, String)] = [], length: Int, after bytes: [UInt8]
    ) -> Answer {
      Answer([.send(head(status, headers, length: length) + bytes), .pause(.milliseconds(20)), .close])
    }
  }

  private let seen: SeenRequests
  private let listener: LoopbackListener

  /// Starts a server.
  ///
  /// - Parameters:
  ///   - accepts: Whether a connection is served, by its number from 0 on; one that is not is reset unread.
  ///   - script: What is done with each request, once the whole of it was read.
  /// - Throws: Where the system has no port left.
  public init(
    accepting accepts: @escaping @Sendable (Int) -> Bool = { _ in true },
    _ script: @escaping @Sendable (WireRequest) -> Answer
  ) throws {
    let seen = SeenRequests()
    self.seen = seen
    listener = try LoopbackListener { connection, number in
      guard accepts(number) else { return connection.reset() }
      var reader = WireReader(connection)
      while var request = reader.readRequest() {
        request.connection = number
        request = seen.add(request)
        guard Self.perform(script(request), on: connection) else { return }
      }
    }
  }

  /// Stops it, connections under way too.
  public func stop() { listener.stop() }

  /// The port.
  public var port: Int { listener.port }

  /// Where it is, as `http://127.0.0.1:port`.
  public var url: String { "http://127.0.0.1:\(port)" }

  /// What was asked so far, in the order in which it was read.
  public var requests: [WireRequest] { seen.all }

  /// How many connections there were so far.
  public var connectionCount: Int { listener.connectionCount }

  /// Does what an answer says; false where the connection has ended.
  private static func perform(_ answer: Answer, on connection: LoopbackConnection) -> Bool {
    for step in answer.steps {
      switch step {
      case .send(let bytes): if !connection.write(bytes) { return false }
      case .pause(let time): Thread.sleep(forTimeInterval: time / .seconds(1))
      case .hang:
        while !connection.read().isEmpty {}
        return false
      case .close:
        connection.close()
        return false
      case .reset:
        connection.reset()
        return false
      }
    }
    return true
  }
}
