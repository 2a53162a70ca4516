/// Where credentials come from; all requests of a client ask one.
public protocol AWSCredentialsProvider: Sendable {
  /// Credentials to sign with now; nil to send requests unsigned.
  ///
  /// - Throws: ``AWSError`` of the kind `credentials` where there are none.
  func credentials() async throws(AWSError) -> AWSCredentials?

  /// Other credentials, since a service says that these have expired.
  ///
  /// - Returns: What there is now; the same where there is nothing else.
  /// - Throws: ``AWSError`` of the kind `credentials` where there are none.
  func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials?
}

/// Credentials that never change; or none, for requests that are not signed.
public struct StaticCredentials: AWSCredentialsProvider {
  private let value: AWSCredentials?

  /// Always these.
  public init(_ credentials: AWSCredentials) { value = credentials }

  private init() { value = nil }

  /// None: requests are not signed.
  public static let anonymous = StaticCredentials()

  /// These.
  public func credentials() async throws(AWSError) -> AWSCredentials? { value }

  /// The same, as there is nothing else.
  public func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials? { value }
}
