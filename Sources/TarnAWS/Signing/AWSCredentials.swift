/// What a request is signed with.
public struct AWSCredentials: Sendable, Hashable {
  /// The name of the key, which requests carry in the open.
  public var accessKeyID: String
  /// The key itself.
  public var secretAccessKey: Secret
  /// What goes with a key that is good for a session only.
  public var sessionToken: Secret?
  /// When they expire, in microseconds since 1970-01-01T00:00:00Z; nil where they do not.
  public var expiration: Int64?

  /// Makes credentials.
  public init(
    accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil, expiration: Int64? = nil
  ) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }
}
