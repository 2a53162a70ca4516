/// Credentials of a profile of the shared files, whichever way it has them.
struct ProfileCredentials: Sendable {
  let context: CredentialsContext
  /// As the files have them now: who renews keys there writes them anew.
  private let profiles: Profiles

  init(context: CredentialsContext) {
    self.context = context
    profiles = context.configuration.presentProfiles
  }

  private var world: AWSWorld { context.world }

  /// Those of the profile that is chosen.
  func find() async throws(AWSError) -> CredentialsFinding {
    let name = profiles.chosenName
    guard let settings = profiles[name] else {
      let findings = profiles.findings
      let missing = findings.count < 2 ? ["the shared files have no profile \(name)"] : []
      return .absent((missing + findings).joined(separator: ", "))
    }
    if let found = try await load(name, settings, leadingFrom: []) { return .found(found) }
    return .absent("the profile \(name) has none")
  }

  /// - Parameter before: The profiles that led here, each by its `source_profile`.
  private func load(
    _ name: String, _ settings: ProfileSettings, leadingFrom before: [String]
  ) async throws(AWSError) -> AWSCredentials? {
    let place = "profile \(name)"
    if let role = settings["role_arn"], before.last != name {
      return try await load(role, of: name, settings, leadingFrom: before)
    }
    if let key = settings["aws_access_key_id"] {
      guard let secret = settings["aws_secret_access_key"], !key.isEmpty, !secret.isEmpty else {
        throw CredentialsContext.failure(place, "aws_access_key_id is there, but no aws_secret_access_key")
      }
      return AWSCredentials(
        accessKeyID: key, secretAccessKey: Secret(secret),
        sessionToken: settings["aws_session_token"].flatMap { $0.isEmpty ? nil : Secret($0) })
    }
    if settings["sso_session"] != nil || settings["sso_start_url"] != nil, settings["sso_account_id"] != nil {
      return try await SingleSignOnCredentials(context: context, profile: name, settings: settings).load()
    }
    guard let command = settings["credential_process"] else { return nil }
    switch await world.run(command) {
    case .output(let bytes):
      var names = CredentialsDocument.Names()
      names.token = "SessionToken"
      return try CredentialsDocument.parse(bytes, names, of: place + ", credential_process")
    case .failure(let how):
      throw CredentialsContext.failure(place + ", credential_process", "the command \(how)")
    }
  }

  /// Those of a role that a profile names.
  private func load(
    _ role: String, of name: String, _ settings: ProfileSettings, leadingFrom before: [String]
  ) async throws(AWSError) -> AWSCredentials {
    let place = "profile \(name)"
    guard !before.contains(name) else {
      throw CredentialsContext.failure(
        place, "its source_profile leads back to it: " + (before + [name]).joined(separator: ", "))
    }
    guard settings["mfa_serial"] == nil else {
      throw CredentialsContext.failure(
        place, "mfa_serial asks for a code each time; get credentials beforehand, or by credential_process")
    }
    let taken = RoleCredentials(
      context: context, role: role, sessionName: settings["role_session_name"],
      externalID: settings["external_id"], duration: settings["duration_seconds"], region: settings["region"])
    if let file = settings["web_identity_token_file"] { return try await taken.assume(withTokenIn: file) }
    if let source = settings["source_profile"] {
      guard let next = profiles[source] else {
        throw CredentialsContext.failure(place, "its source_profile \(source) is in no shared file")
      }
      guard let found = try await load(source, next, leadingFrom: before + [name]) else {
        throw CredentialsContext.failure(place, "its source_profile \(source) has no credentials")
      }
      return try await taken.assume(with: found)
    }
    guard let source = settings["credential_source"] else {
      throw CredentialsContext.failure(place, "role_arn needs a source_profile or a credential_source")
    }
    switch try await find(source, of: place) {
    case .found(let found): return try await taken.assume(with: found)
    case .absent(let why): throw CredentialsContext.failure(place, "its credential_source \(source): \(why)")
    }
  }

  private func find(_ source: String, of place: String) async throws(AWSError) -> CredentialsFinding {
    switch source {
    case "Environment": return EnvironmentCredentials.find(in: world)
    case "EcsContainer": return try await ContainerCredentials.find(context)
    case "Ec2InstanceMetadata": return try await InstanceCredentials.find(context)
    default: throw CredentialsContext.failure(place, "there is no credential_source \(source)")
    }
  }
}
