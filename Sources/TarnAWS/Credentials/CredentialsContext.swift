/// What every source of credentials needs.
struct CredentialsContext: Sendable {
  let configuration: AWSConfiguration
  let http: HTTPClient
  let observer: (@Sendable (RequestEvent) -> Void)?

  var world: AWSWorld { configuration.world }

  /// A client that signs with these, or not at all.
  func client(_ credentials: AWSCredentials? = nil, _ retry: RetryPolicy = RetryPolicy()) -> AWSClient {
    let provider = credentials.map { StaticCredentials($0) } ?? .anonymous
    return AWSClient(http: http, credentials: provider, retry: retry, world: world, observer: observer)
  }

  /// The text of a file, without blanks at its ends: a token.
  func token(_ path: String, of place: String) throws(AWSError) -> String {
    switch world.readFile(Profiles.expanded(path, home: world.variable("HOME"))) {
    case .bytes(let bytes):
      let text = String(decoding: bytes, as: UTF8.self)
      guard let first = text.firstIndex(where: { !$0.isWhitespace }),
        let last = text.lastIndex(where: { !$0.isWhitespace })
      else { throw Self.failure(place, "the file \(path) is empty") }
      return String(text[first...last])
    case .absent: throw Self.failure(place, "the file \(path) is not there")
    case .unreadable(let why): throw Self.failure(place, "the file \(path) cannot be read: \(why)")
    }
  }

  /// The error of a source that is meant to have credentials and gives none.
  static func failure(_ place: String, _ what: String) -> AWSError {
    AWSError(.credentials, "credentials of \(place)", what)
  }

  /// The same of what a request ended with.
  static func failure(_ place: String, _ error: AWSError) -> AWSError {
    if error.kind == .cancelled { return error }
    // How often it was tried, the error's own text tells.
    return AWSError(
      .credentials, "credentials of \(place)", service: error.service, http: error.http,
      head: error.head, "\(error)")
  }
}

/// What a source of credentials has.
enum CredentialsFinding: Sendable {
  /// These.
  case found(AWSCredentials)
  /// Nothing, since nothing is set up there: what was looked for, for people.
  case absent(String)
}
