/// How an ``HTTPClient`` connects.
public struct HTTPOptions: Sendable {
  /// Requests under way at once; others wait their turn.
  ///
  /// As many connections are kept.
  public var requests = 128
  /// Requests under way at once to one server.
  public var requestsPerServer = 64
  /// A file of certificates to trust in place of the system's own, in PEM.
  public var certificates: String?
  /// The proxy for `http` URLs, as `http://name:port`.
  public var proxy: String?
  /// The proxy for `https` URLs.
  public var secureProxy: String?
  /// Names of servers, and domains, that are reached without a proxy, joined by commas; `*` for all.
  public var withoutProxy = ""
  /// What a request says of its sender.
  public var userAgent = "tarn/0.1"

  /// Connects directly, and trusts what the system trusts.
  public init() {}

  /// Follows the usual variables: `AWS_CA_BUNDLE` or `SSL_CERT_FILE`; `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
  /// `NO_PROXY`, in lower case first.
  ///
  /// A request that a web server hands to a script can set `HTTP_PROXY` by a header, so that the variable means
  /// nothing where `REQUEST_METHOD` is set.
  public init(world: AWSWorld) {
    func either(_ name: String) -> String? { world.variable(name.lowercased()) ?? world.variable(name) }
    let all = either("ALL_PROXY")
    certificates = world.variable("AWS_CA_BUNDLE") ?? world.variable("SSL_CERT_FILE")
    secureProxy = either("HTTPS_PROXY") ?? all
    proxy =
      world.variable("http_proxy")
      ?? (world.variable("REQUEST_METHOD") == nil ? world.variable("HTTP_PROXY") : nil) ?? all
    withoutProxy = either("NO_PROXY") ?? ""
  }
}
