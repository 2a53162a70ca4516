/// Credentials from wherever they usually are, renewed before they expire.
///
/// In this order: ``AWSConfiguration/Options``; variables of the environment; the shared files (keys, a role to take
/// on, single sign-on, a process), first of all where the options name a profile; a web identity; the container's
/// endpoint; the instance's metadata. What is set up and fails is an error: nobody is to act as somebody else because
/// of it.
public struct AWSCredentialsChain: AWSCredentialsProvider {
  private let cache: CredentialsCache?

  /// Makes a chain; nothing is looked up yet.
  ///
  /// - Parameters:
  ///   - configuration: What options, environment and files say.
  ///   - http: What sends requests for credentials.
  ///   - observer: Told of these requests, too.
  public init(
    _ configuration: AWSConfiguration, http: HTTPClient, observer: (@Sendable (RequestEvent) -> Void)? = nil
  ) {
    guard !configuration.options.isAnonymous else {
      cache = nil
      return
    }
    let search = CredentialsSearch(
      context: CredentialsContext(configuration: configuration, http: http, observer: observer))
    cache = CredentialsCache(search, configuration.world)
  }

  /// Credentials that have not expired; nil where requests are to go unsigned.
  ///
  /// - Throws: ``AWSError`` of the kind `credentials`. Where there are none anywhere, it tells where was looked, and
  ///   what was found there.
  public func credentials() async throws(AWSError) -> AWSCredentials? { try await cache?.credentials() }

  /// Others than these, which a service does not take any more.
  public func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials? {
    try await cache?.credentials(replacing: old)
  }
}

/// Looks for credentials, source by source.
struct CredentialsSearch: Sendable {
  let context: CredentialsContext

  private enum Source: String {
    case environment, profile
    case webIdentity = "web identity"
    case container
    case instance = "instance metadata"
  }

  func load() async throws(AWSError) -> AWSCredentials {
    let options = context.configuration.options
    if let given = options.credentials { return given }
    var sources: [Source] = [.environment, .profile, .webIdentity, .container, .instance]
    // Who names a profile means it.
    if options.profile != nil { sources.removeAll { $0 == .environment } }
    var missing: [String] = []
    for source in sources {
      switch try await find(source) {
      case .found(let credentials): return credentials
      case .absent(let why): missing.append("\(source.rawValue): \(why)")
      }
    }
    throw AWSError(.credentials, "credentials", "there are none. " + missing.joined(separator: "; "))
  }

  private func find(_ source: Source) async throws(AWSError) -> CredentialsFinding {
    switch source {
    case .environment: return EnvironmentCredentials.find(in: context.world)
    case .profile: return try await ProfileCredentials(context: context).find()
    case .webIdentity: return try await findWebIdentity()
    case .container: return try await ContainerCredentials.find(context)
    case .instance: return try await InstanceCredentials.find(context)
    }
  }

  private func findWebIdentity() async throws(AWSError) -> CredentialsFinding {
    guard let file = context.world.variable("AWS_WEB_IDENTITY_TOKEN_FILE") else {
      return .absent("AWS_WEB_IDENTITY_TOKEN_FILE is not set")
    }
    guard let role = context.world.variable("AWS_ROLE_ARN") else {
      return .absent("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not")
    }
    let taken = RoleCredentials(
      context: context, role: role, sessionName: context.world.variable("AWS_ROLE_SESSION_NAME"))
    return .found(try await taken.assume(withTokenIn: file))
  }
}
