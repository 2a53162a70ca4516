/// Why a request has no answer, or not the whole of one.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
  /// The kinds that a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Kind: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `couldNotConnect`.
    public var description: String { name }

    /// No connection came about, to the server or its proxy: nothing was sent.
    public static let couldNotConnect = Kind("couldNotConnect")
    /// The server's certificate is not trusted, or the certificates to trust cannot be read: nothing was sent.
    public static let tls = Kind("tls")
    /// The connection broke before the answer's head had come.
    public static let connectionBroken = Kind("connectionBroken")
    /// Neither side sent anything for as long as ``HTTPTimeouts/stall``.
    public static let stalled = Kind("stalled")
    /// The request took as long as ``HTTPTimeouts/total``.
    public static let timedOut = Kind("timedOut")
    /// The task was cancelled, or the client is gone.
    public static let cancelled = Kind("cancelled")
    /// The answer's body ended before its end; ``HTTPError/received`` bytes of it are there.
    public static let bodyBrokenOff = Kind("bodyBrokenOff")
    /// The answer's head or body is larger than the caller has room for.
    public static let tooLarge = Kind("tooLarge")
    /// What came is no HTTP.
    public static let badAnswer = Kind("badAnswer")
    /// The request cannot be sent as it is: a header with a line end, say.
    public static let badRequest = Kind("badRequest")
  }

  /// The kind.
  public let kind: Kind
  /// Whether the request, or a part of it, may have reached the server; where false, it certainly has not.
  public let mayHaveArrived: Bool
  /// Status and headers, where they have come.
  public let head: HTTPHead?
  /// Bytes of the body that had come, and lie where the caller wanted them.
  public let received: Int
  /// Bytes of the request's body that were handed to the connection.
  public let sent: Int
  /// The server, as `https://name:port`.
  public let server: String
  /// What happened, for people.
  public let message: String

  init(
    _ kind: Kind, mayHaveArrived: Bool = false, head: HTTPHead? = nil, received: Int = 0,
    sent: Int = 0, server: String, _ message: String
  ) {
    self.kind = kind
    self.mayHaveArrived = mayHaveArrived
    self.head = head
    self.received = received
    self.sent = sent
    self.server = server
    self.message = message
  }

  /// The server, and what happened.
  public var description: String { "\(server): \(message)" }
}
