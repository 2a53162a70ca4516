internal import TarnAWS

/// Credentials of the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
struct EnvironmentCredentials: AWSCredentialsProvider {
  let world: AWSWorld

  func credentials() async throws(AWSError) -> AWSCredentials? {
    guard let id = world.environment("AWS_ACCESS_KEY_ID"), !id.isEmpty,
      let secret = world.environment("AWS_SECRET_ACCESS_KEY"), !secret.isEmpty
    else {
      throw AWSError(
        .credentials, "credentials",
        "none found in the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; set them, give credentials as an "
          + "option, or ask anonymously")
    }
    let token = world.environment("AWS_SESSION_TOKEN").flatMap { $0.isEmpty ? nil : Secret($0) }
    return AWSCredentials(accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: token)
  }

  func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials? {
    try await credentials()
  }
}
