/// One request, as it goes over the wire.
package struct HTTPRequest: Sendable {
  /// The method, such as `GET`.
  package var method: String
  /// The whole URL, percent-encoded.
  package var url: String
  /// The headers; `content-length` is added.
  package var headers: HTTPHeaders = [:]
  /// The body.
  package var body: HTTPBody = .empty
  /// Where the body of a successful answer goes.
  package var receiving: HTTPReceiving = .bytes(limit: 1 << 20)
  /// How long it may take.
  package var timeouts = HTTPTimeouts()
  /// Whether a proxy of the environment is used: not for servers of the machine's own link.
  package var usesProxy = true

  /// Makes a request.
  package init(_ method: String, _ url: String) {
    self.method = method
    self.url = url
  }
}

/// Where the body of an answer goes, when its status is of the 200s.
///
/// Of any other answer, the first 64 KiB of the
/// body come as bytes.
package enum HTTPReceiving: Sendable {
  /// Into the answer, up to so many bytes; `tooLarge` beyond them.
  case bytes(limit: Int)
  /// Straight into a part of memory: at most `count` bytes from `offset` on; `tooLarge` beyond them.
  case memory(ResponseMemory, offset: Int, count: Int)
}

/// How long a request may take.
public struct HTTPTimeouts: Sendable, Hashable {
  /// Until the connection is there, TLS included.
  public var connect: Duration = .seconds(10)
  /// During which neither side sends anything, once connected: a server that works for longer in silence fails.
  public var stall: Duration = .seconds(30)
  /// In all; nil for as long as something moves.
  public var total: Duration?

  /// The defaults: 10 s, 30 s, and no limit in all.
  public init() {}
}

/// The head of an answer.
public struct HTTPHead: Sendable, Hashable {
  /// The status, such as 200.
  public var status: Int
  /// The headers.
  public var headers: HTTPHeaders

  /// Makes a head.
  public init(status: Int, headers: HTTPHeaders = [:]) {
    self.status = status
    self.headers = headers
  }

  /// Whether the status is of the 200s.
  public var isSuccess: Bool { (200..<300).contains(status) }
}

/// An answer, whatever its status.
package struct HTTPResponse: Sendable {
  /// Status and headers.
  package var head: HTTPHead
  /// The body, where it was to come as bytes.
  package var body: [UInt8]
  /// Bytes of the body, wherever they went.
  package var received: Int
  /// Bytes of the request's body that were sent.
  package var sent: Int
}
