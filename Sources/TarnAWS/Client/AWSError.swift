/// Why a request to a service did not succeed.
public struct AWSError: Error, Sendable, CustomStringConvertible {
  /// The kinds that a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Kind: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `refused`.
    public var description: String { name }

    /// The service answered with an error: ``AWSError/service`` has it.
    public static let refused = Kind("refused")
    /// The service says that the request belongs to another region, which ``ServiceError/region`` names.
    public static let otherRegion = Kind("otherRegion")
    /// There is no answer, or not the whole of one: ``AWSError/http`` tells why.
    public static let noAnswer = Kind("noAnswer")
    /// The answer was not what the service's protocol says.
    public static let badAnswer = Kind("badAnswer")
    /// There are no credentials, or they could not be had.
    public static let credentials = Kind("credentials")
    /// The configuration cannot be used: a profile that is not there, say.
    public static let configuration = Kind("configuration")
    /// The task was cancelled.
    public static let cancelled = Kind("cancelled")
  }

  /// The kind.
  public let kind: Kind
  /// What was asked, as `GET https://..`, without what signs it; or which credentials were sought.
  public let request: String
  /// How often it was sent.
  public let sending: Sending
  /// What the service said.
  public let service: ServiceError?
  /// What the connection said.
  public let http: HTTPError?
  /// Status and headers, where they have come.
  public let head: HTTPHead?
  /// Whether some attempt may have been acted on by the service, the last one too; where false, none was.
  ///
  /// An answer with a status of the 400s, or with a code of throttling, is a refusal: that attempt was not.
  public let mayHaveArrived: Bool
  private let what: String

  package init(
    _ kind: Kind, _ request: String, sending: Sending = Sending(), service: ServiceError? = nil,
    http: HTTPError? = nil, head: HTTPHead? = nil, lastMayHaveArrived: Bool = false, _ what: String
  ) {
    self.kind = kind
    self.request = request
    self.sending = sending
    self.service = service
    self.http = http
    self.head = head
    mayHaveArrived = lastMayHaveArrived || sending.earlierMayHaveArrived
    self.what = what
  }

  /// The same error, met by a request after some attempts.
  func of(_ sending: Sending) -> AWSError {
    AWSError(kind, request, sending: sending, service: service, http: http, head: head, what)
  }

  /// What was asked, what came of it, and how often it was tried.
  public var description: String {
    let tries = sending.attempts > 1 ? " (tried \(sending.attempts) times)" : ""
    return "\(request): \(what)\(tries)"
  }
}
