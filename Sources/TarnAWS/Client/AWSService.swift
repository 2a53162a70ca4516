/// A service, as far as signing and configuration know it.
public struct AWSService: Sendable, Hashable {
  /// The name in variables and profiles, such as `S3` in `AWS_ENDPOINT_URL_S3`; in lower case, with `_` for blanks.
  public let id: String
  /// The name in signatures.
  public let signingName: String
  /// Whether the path is signed as it is sent, as S3 does, and the payload's hash sent with it.
  let signsAsSent: Bool

  /// Makes a service that signs as all but S3 do.
  public init(id: String, signingName: String) {
    self.id = id
    self.signingName = signingName
    signsAsSent = false
  }

  private init(signingAsSent id: String, signingName: String) {
    self.id = id
    self.signingName = signingName
    signsAsSent = true
  }

  /// Simple Storage Service.
  public static let s3 = AWSService(signingAsSent: "s3", signingName: "s3")
  /// Security Token Service.
  public static let sts = AWSService(id: "sts", signingName: "sts")
  /// The part of single sign-on that gives credentials for its tokens.
  static let sso = AWSService(id: "sso", signingName: "awsssoportal")

  func signer(region: String) -> SigV4 {
    SigV4(region: region, service: signingName, pathRule: signsAsSent ? .asSent : .normalized)
  }
}
