/// Credentials of a container's role, from the server that its platform runs beside it.
enum ContainerCredentials {
  private static let place = "the container's endpoint"
  private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  /// The servers that may be asked without TLS beside the machine's own: those of ECS and EKS.
  private static let known: Set = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]

  static func find(_ context: CredentialsContext) async throws(AWSError) -> CredentialsFinding {
    let url: String
    if let path = context.world.variable(relative) {
      url = "http://169.254.170.2" + (path.hasPrefix("/") ? path : "/" + path)
    } else if let whole = context.world.variable(full) {
      url = whole
    } else {
      return .absent("neither \(relative) nor \(full) is set")
    }
    return .found(try await load(url, context))
  }

  private static func load(_ url: String, _ context: CredentialsContext) async throws(AWSError)
    -> AWSCredentials
  {
    let (server, rest) = parts(url)
    guard let address = AWSEndpoint(server) else {
      throw CredentialsContext.failure(place, "\(full) is no URL")
    }
    guard address.isSecure || isNear(address.host) else {
      throw CredentialsContext.failure(
        place,
        "\(full) names \(address.host), which is asked over https only: it is no address of this machine")
    }
    // As it stands, with its query: nothing of it is signed.
    var request = AWSRequest("GET", rest, of: .sts, in: "", at: address)
    if let file = context.world.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      request.headers = ["authorization": try context.token(file, of: place)]
    } else if let token = context.world.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
      request.headers = ["authorization": token]
    }
    request.isSigned = false
    request.usesProxy = false
    request.timeouts.connect = .seconds(2)
    request.timeouts.stall = .seconds(5)
    var retry = RetryPolicy()
    retry.attempts = 4
    do throws(AWSError) {
      let answer = try await context.client(nil, retry).send(request)
      return try CredentialsDocument.parse(answer.body, of: place)
    } catch {
      throw error.kind == .credentials ? error : CredentialsContext.failure(place, error)
    }
  }

  /// A URL's server, and the rest of it from the path on.
  private static func parts(_ url: String) -> (server: String, rest: String) {
    guard let mark = url.firstRange(of: "://") else { return (url, "/") }
    let end = url[mark.upperBound...].firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex
    let rest = String(url[end...])
    return (String(url[..<end]), rest.hasPrefix("/") ? rest : "/" + rest)
  }

  /// Whether a host is this machine, or known to be on its own link.
  private static func isNear(_ host: String) -> Bool {
    let end =
      host.hasPrefix("[") ? host.firstIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":")
    let name = String(host[..<(end ?? host.endIndex)])
    if known.contains(name) || name == "localhost" || name == "[::1]" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
