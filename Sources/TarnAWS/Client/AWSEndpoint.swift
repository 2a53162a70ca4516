/// Where a service is reached.
public struct AWSEndpoint: Sendable, Hashable, CustomStringConvertible {
  /// Whether TLS is spoken.
  public let isSecure: Bool
  /// The server's name, and its port where it is not the scheme's own, as `Host` names it.
  public let host: String
  /// What comes before each request's path: empty, or with a slash at its begin and none at its end.
  public let basePath: String

  /// Makes the endpoint of a server's name, over TLS.
  public init(host: String) {
    isSecure = true
    self.host = host
    basePath = ""
  }

  /// Parses `http://name:port/path` or the same with `https`; nil where the text is no such URL.
  public init?(_ url: String) {
    guard let mark = url.firstRange(of: "://") else { return nil }
    switch url[..<mark.lowerBound].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    default: return nil
    }
    let rest = url[mark.upperBound...]
    let authority = rest.prefix { $0 != "/" }
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3f && $0 != 0x23 }),
      let host = Self.host(authority.lowercased(), isSecure: isSecure)
    else { return nil }
    self.host = host
    var path = rest[authority.endIndex...]
    while path.hasSuffix("/") { path.removeLast() }
    basePath = String(path)
  }

  /// Name and port without the scheme's own port; nil where it is none, or has a user's name.
  private static func host(_ authority: String, isSecure: Bool) -> String? {
    guard !authority.isEmpty, !authority.contains("@") else { return nil }
    let nameEnd = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
    guard let colon = authority[nameEnd...].lastIndex(of: ":") else { return authority }
    guard colon > authority.startIndex, let port = UInt16(authority[authority.index(after: colon)...]),
      port > 0
    else { return nil }
    return port == (isSecure ? 443 : 80) ? String(authority[..<colon]) : authority
  }

  /// The same endpoint with another name before the server's own, as `bucket.` for a virtual host.
  public func prefixed(by label: String) -> AWSEndpoint {
    AWSEndpoint(isSecure: isSecure, host: label + "." + host, basePath: basePath)
  }

  private init(isSecure: Bool, host: String, basePath: String) {
    self.isSecure = isSecure
    self.host = host
    self.basePath = basePath
  }

  /// The URL, without a slash at its end.
  public var description: String { (isSecure ? "https://" : "http://") + host + basePath }
}
