/// Signature Version 4: what makes a service believe who sends a request.
package struct SigV4: Sendable {
  /// How a service takes the path into the signature.
  package enum PathRule: Sendable, Hashable {
    /// As it is sent: S3.
    case asSent
    /// With `.`, `..` and empty segments resolved, and encoded once more: every other service.
    case normalized
  }

  /// What the signature says of the body.
  package enum PayloadHash: Sendable, Hashable {
    /// SHA-256 of the body, as hexadecimal digits in lower case.
    case sha256(String)
    /// Nothing: the connection itself must keep the body as it is.
    case unsigned

    /// The hash of no body.
    package static let empty = PayloadHash.sha256(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

    /// The text that is signed.
    package var text: String {
      switch self {
      case .sha256(let digits): digits
      case .unsigned: "UNSIGNED-PAYLOAD"
      }
    }
  }

  /// A request as far as it is signed.
  package struct Subject: Sendable {
    /// The method.
    package var method: String
    /// The path as it is sent.
    package var path: String
    /// Names and values of the query, not encoded, in any order.
    package var query: [(name: String, value: String)] = []
    /// The headers that are signed; `host` must be one.
    package var headers: HTTPHeaders
    /// What is said of the body.
    package var payload: PayloadHash = .empty

    /// Makes a request to sign.
    package init(method: String, path: String, headers: HTTPHeaders) {
      self.method = method
      self.path = path
      self.headers = headers
    }
  }

  /// The region, such as `eu-central-1`.
  package var region: String
  /// The service's name in signatures, such as `s3`.
  package var service: String
  /// How the path goes in.
  package var pathRule: PathRule

  /// Makes a signer.
  package init(region: String, service: String, pathRule: PathRule) {
    self.region = region
    self.service = service
    self.pathRule = pathRule
  }

  /// The headers with `x-amz-date`, the session's token and `authorization` added.
  ///
  /// - Parameter time: Microseconds since 1970-01-01T00:00:00Z, by the server's clock.
  package func signed(_ subject: Subject, with credentials: AWSCredentials, at time: Int64) -> HTTPHeaders {
    var subject = subject
    let date = WireTime.basic(time)
    subject.headers["x-amz-date"] = date
    if let token = credentials.sessionToken { subject.headers["x-amz-security-token"] = token.text }
    let names = Self.signedNames(subject.headers)
    let signature = signature(subject, credentials, date)
    var headers = subject.headers
    headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(date)), SignedHeaders=\(names), "
      + "Signature=\(signature)"
    return headers
  }

  /// The query by which whoever has it may send the request until it expires, encoded and signed.
  ///
  /// - Parameter seconds: For how long it is good: 604,800 at most.
  package func presignedQuery(
    _ subject: Subject, with credentials: AWSCredentials, at time: Int64, expiringAfter seconds: Int
  ) -> String {
    var subject = subject
    let date = WireTime.basic(time)
    subject.query += [
      ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
      ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(date))"),
      ("X-Amz-Date", date), ("X-Amz-Expires", String(seconds)),
      ("X-Amz-SignedHeaders", Self.signedNames(subject.headers)),
    ]
    if let token = credentials.sessionToken { subject.query.append(("X-Amz-Security-Token", token.text)) }
    let signature = signature(subject, credentials, date)
    return Self.canonicalQuery(subject.query) + "&X-Amz-Signature=" + signature
  }

  // MARK: The steps

  /// The request in the one form that both sides hash.
  package func canonicalRequest(_ subject: Subject) -> String {
    let headers = Self.canonicalHeaders(subject.headers).map { "\($0.name):\($0.value)\n" }.joined()
    return [
      subject.method, canonicalPath(subject.path), Self.canonicalQuery(subject.query), headers,
      Self.signedNames(subject.headers), subject.payload.text,
    ].joined(separator: "\n")
  }

  /// What is signed of it.
  package func stringToSign(_ canonicalRequest: String, date: String) -> String {
    "AWS4-HMAC-SHA256\n\(date)\n\(scope(date))\n" + Digest.hex(Digest.sha256(Array(canonicalRequest.utf8)))
  }

  private func signature(_ subject: Subject, _ credentials: AWSCredentials, _ date: String) -> String {
    var key = Array(("AWS4" + credentials.secretAccessKey.text).utf8)
    for part in [String(date.prefix(8)), region, service, "aws4_request"] { key = Digest.hmac(key, part) }
    return Digest.hex(Digest.hmac(key, stringToSign(canonicalRequest(subject), date: date)))
  }

  private func scope(_ date: String) -> String { "\(date.prefix(8))/\(region)/\(service)/aws4_request" }

  private func canonicalPath(_ path: String) -> String {
    let path = path.isEmpty ? "/" : path
    return switch pathRule {
    case .asSent: path
    case .normalized: PercentEncoding.encode(path: Self.normalized(path))
    }
  }

  /// Names and values encoded, in the order of the encoded names and then values; as it is sent, too.
  package static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
    query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
      .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
      .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// The path without `.`, `..` and empty segments (RFC 3986, section 5.2.4).
  static func normalized(_ path: String) -> String {
    var kept: [Substring] = []
    for segment in path.split(separator: "/", omittingEmptySubsequences: true) {
      if segment == ".." {
        _ = kept.popLast()
      } else if segment != "." {
        kept.append(segment)
      }
    }
    let isFolder = path.hasSuffix("/") || path.hasSuffix("/.") || path.hasSuffix("/..")
    return "/" + kept.joined(separator: "/") + (isFolder && !kept.isEmpty ? "/" : "")
  }

  /// Each name once, in order, with its values joined by commas and their blanks made single.
  private static func canonicalHeaders(_ headers: HTTPHeaders) -> [(name: String, value: String)] {
    var values: [String: [String]] = [:]
    for field in headers.fields {
      let words = field.value.split(whereSeparator: { $0.isWhitespace })
      values[field.name, default: []].append(words.joined(separator: " "))
    }
    return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
  }

  private static func signedNames(_ headers: HTTPHeaders) -> String {
    canonicalHeaders(headers).map(\.name).joined(separator: ";")
  }
}
