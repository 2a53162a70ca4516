/// A request to a service, as the layer that knows the service wants it.
public struct AWSRequest: Sendable {
  /// Whether a request may be sent again after an attempt of which nobody knows whether it was acted on.
  public enum Repetition: Sendable, Hashable {
    /// Sent again until it has an answer: what does no harm twice. The answer tells if there may have been an
    /// earlier one.
    case always
    /// Sent again only where no earlier attempt can have been acted on; else the error goes to the caller, who finds
    /// out what became of it.
    case unlessItMayHaveArrived
  }

  /// The service.
  public var service: AWSService
  /// The region whose name is signed.
  public var region: String
  /// Where it is sent.
  public var endpoint: AWSEndpoint
  /// The method, such as `GET`.
  public var method: String
  /// The path, percent-encoded, from a slash on.
  public var path: String
  /// Names and values of the query, not encoded.
  public var query: [(name: String, value: String)] = []
  /// The headers, all of which are signed; `host` replaces the endpoint's own.
  public var headers: HTTPHeaders = [:]
  /// The body.
  public var body: HTTPBody = .empty
  /// Whether it is signed, where there are credentials.
  public var isSigned = true
  /// Whether a proxy of the environment is used.
  public var usesProxy = true
  /// How long one attempt may take.
  public var timeouts = HTTPTimeouts()
  /// When it may be sent again.
  public var repetition = Repetition.always
  /// Codes of the service by which it says that it did not act, and that the same may be tried again: beside those
  /// of throttling, which always count.
  public var repeatedCodes: Set<String> = []
  /// Whether an answer of a status of the 200s is an error all the same where its body is one: S3 begins to answer
  /// some calls before it knows how they end.
  public var mayFailInSuccess = false
  /// Where the body of a successful answer goes.
  package var receiving: HTTPReceiving = .bytes(limit: 1 << 20)
  /// What is signed of the body; nil for its hash, which is made then.
  package var payload: SigV4.PayloadHash?

  /// Makes a request.
  ///
  /// - Parameter path: Percent-encoded, from a slash on.
  public init(
    _ method: String, _ path: String, of service: AWSService, in region: String, at endpoint: AWSEndpoint
  ) {
    self.method = method
    self.path = path
    self.service = service
    self.region = region
    self.endpoint = endpoint
  }

  /// How many bytes the body of a successful answer may have.
  public var answerLimit: Int {
    get {
      switch receiving {
      case .bytes(let limit): limit
      case .memory(_, _, let count): count
      }
    }
    set { receiving = .bytes(limit: max(0, newValue)) }
  }

  /// The whole URL.
  var url: String {
    let query = SigV4.canonicalQuery(query)
    return endpoint.description + path + (query.isEmpty ? "" : "?" + query)
  }

  /// Method and URL for people: what signs is hidden, and so is what is long.
  var shownURL: String {
    let shown = query.map { pair in
      (name: pair.name, value: pair.name.lowercased().hasPrefix("x-amz-") ? "..." : pair.value)
    }
    let text = SigV4.canonicalQuery(shown)
    return endpoint.description + path + (text.isEmpty ? "" : "?" + text)
  }
}
