/// Credentials of a role that is taken on, from the Security Token Service.
struct RoleCredentials: Sendable {
  let context: CredentialsContext
  /// The role's ARN.
  let role: String
  /// What the session is called in logs; nil for a name of the time.
  var sessionName: String?
  var externalID: String?
  /// For how long, in seconds.
  var duration: String?
  /// The region of the service that is asked; nil for that of the configuration.
  var region: String?

  private var place: String { "role \(role)" }

  /// Takes it on with other credentials.
  func assume(with credentials: AWSCredentials) async throws(AWSError) -> AWSCredentials {
    var form = form("AssumeRole")
    if let externalID { form.append(("ExternalId", externalID)) }
    if let duration { form.append(("DurationSeconds", duration)) }
    return try await ask(form, context.client(credentials), isSigned: true)
  }

  /// Takes it on with a token of another identity, which lies in a file and is read anew each time.
  func assume(withTokenIn file: String) async throws(AWSError) -> AWSCredentials {
    let token = try context.token(file, of: place)
    let form = form("AssumeRoleWithWebIdentity") + [("WebIdentityToken", token)]
    return try await ask(form, context.client(), isSigned: false)
  }

  private func form(_ action: String) -> [(name: String, value: String)] {
    let name = sessionName ?? "tarn-\(context.world.now() / 1_000)"
    return [("Action", action), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", name)]
  }

  private func ask(
    _ form: [(name: String, value: String)], _ client: AWSClient, isSigned: Bool
  ) async throws(AWSError) -> AWSCredentials {
    let region = self.region ?? context.configuration.region ?? "us-east-1"
    let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    let endpoint =
      try context.configuration.endpoint(for: .sts) ?? AWSEndpoint(host: "sts.\(region).\(domain)")
    var request = AWSRequest("POST", "/", of: .sts, in: region, at: endpoint)
    request.headers = ["content-type": "application/x-www-form-urlencoded; charset=utf-8"]
    request.body = HTTPBody(SigV4.canonicalQuery(form))
    request.isSigned = isSigned
    // The identity's token can be too new for a server whose clock is behind.
    request.repeatedCodes = ["IDPCommunicationError", "InvalidIdentityToken"]
    do throws(AWSError) {
      return try credentials(try await client.send(request).body)
    } catch {
      throw error.kind == .credentials ? error : CredentialsContext.failure(place, error)
    }
  }

  private func credentials(_ answer: [UInt8]) throws(AWSError) -> AWSCredentials {
    guard let found = (try? XMLElement(parsing: answer))?.first("Credentials"),
      let key = found["AccessKeyId"]?.text, let secret = found["SecretAccessKey"]?.text, !key.isEmpty,
      !secret.isEmpty
    else { throw CredentialsContext.failure(place, "the answer of the Security Token Service has none") }
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret),
      sessionToken: found["SessionToken"].map { Secret($0.text) },
      expiration: found["Expiration"].flatMap { WireTime.parse(iso: $0.text) })
  }
}
