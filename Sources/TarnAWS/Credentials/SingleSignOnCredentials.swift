internal import TarnBytes

/// Credentials for the token that `aws sso login` has left in its cache.
struct SingleSignOnCredentials: Sendable {
  let context: CredentialsContext
  /// The profile's name.
  let profile: String
  let settings: ProfileSettings

  private var place: String { "profile \(profile), single sign-on" }

  func load() async throws(AWSError) -> AWSCredentials {
    let name = settings["sso_session"]
    var session = settings
    if let name {
      guard let section = context.configuration.profiles.section("sso-session", name) else {
        throw CredentialsContext.failure(place, "there is no section [sso-session \(name)]")
      }
      session = section.completed(by: settings)
    }
    guard let account = session["sso_account_id"], let role = session["sso_role_name"],
      let region = session["sso_region"], let source = name ?? session["sso_start_url"]
    else {
      throw CredentialsContext.failure(
        place, "sso_account_id, sso_role_name, sso_region or sso_start_url is missing")
    }
    let token = try token(named: Digest.hex(Digest.sha1(source)))
    let endpoint =
      try context.configuration.endpoint(for: .sso)
      ?? AWSEndpoint(host: "portal.sso.\(region).amazonaws.com")
    var request = AWSRequest("GET", "/federation/credentials", of: .sso, in: region, at: endpoint)
    request.query = [("role_name", role), ("account_id", account)]
    request.headers = ["x-amz-sso_bearer_token": token.text]
    request.isSigned = false
    let names = CredentialsDocument.Names(
      key: "accessKeyId", secret: "secretAccessKey", token: "sessionToken", expiration: "expiration")
    do throws(AWSError) {
      let answer = try await context.client().send(request)
      return try CredentialsDocument.parse(answer.body, in: "roleCredentials", names, of: place)
    } catch {
      throw error.kind == .credentials ? error : CredentialsContext.failure(place, error)
    }
  }

  /// The token, which must still be good.
  private func token(named name: String) throws(AWSError) -> Secret {
    let login = "run: aws sso login --profile \(profile)"
    guard let home = context.world.variable("HOME") else {
      throw CredentialsContext.failure(place, "HOME is not set, so that the token's file cannot be found")
    }
    let path = "\(home)/.aws/sso/cache/\(name).json"
    guard case .bytes(let bytes) = context.world.readFile(path) else {
      throw CredentialsContext.failure(place, "there is no token in \(path); \(login)")
    }
    guard let document = try? JSONValue(parsing: bytes), let token = document["accessToken"]?.string,
      let expiry = document["expiresAt"]?.string.flatMap({ WireTime.parse(iso: $0) })
    else { throw CredentialsContext.failure(place, "\(path) has no token; \(login)") }
    guard expiry > context.world.now() else {
      throw CredentialsContext.failure(place, "the token in \(path) has expired; \(login)")
    }
    return Secret(token)
  }
}
