/// Credentials in variables.
enum EnvironmentCredentials {
  static func find(in world: AWSWorld) -> CredentialsFinding {
    guard let key = world.variable("AWS_ACCESS_KEY_ID") else {
      return .absent("AWS_ACCESS_KEY_ID is not set")
    }
    guard let secret = world.variable("AWS_SECRET_ACCESS_KEY") else {
      return .absent("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
    }
    return .found(
      AWSCredentials(
        accessKeyID: key, secretAccessKey: Secret(secret),
        sessionToken: world.variable("AWS_SESSION_TOKEN").map { Secret($0) },
        expiration: world.variable("AWS_CREDENTIAL_EXPIRATION").flatMap { WireTime.parse(iso: $0) }))
  }
}
