/// What options, environment and shared files say of region, endpoints and credentials.
public struct AWSConfiguration: Sendable {
  /// What a program says itself, before anything else counts.
  public struct Options: Sendable {
    /// The region.
    public var region: String?
    /// The profile of the shared files.
    ///
    /// Naming one also takes credentials from it rather than from the environment.
    public var profile: String?
    /// Credentials.
    public var credentials: AWSCredentials?
    /// Whether requests are not signed at all.
    public var isAnonymous = false

    /// Nothing is said.
    public init() {}
  }

  /// The region; nil where nothing names one.
  public let region: String?
  let options: Options
  let profiles: Profiles
  let world: AWSWorld
  private let profile: ProfileSettings

  /// Reads environment and files.
  ///
  /// - Throws: ``AWSError`` of the kind `configuration` where a profile is named that no file has.
  public init(_ options: Options = Options(), world: AWSWorld = .system) throws(AWSError) {
    self.options = options
    self.world = world
    profiles = Profiles(named: options.profile, in: world)
    let found = profiles[profiles.chosenName]
    if found == nil, options.profile != nil || world.variable("AWS_PROFILE") != nil {
      let findings = profiles.findings.isEmpty ? "" : ": " + profiles.findings.joined(separator: ", ")
      throw AWSError(
        .configuration, "profile \(profiles.chosenName)", "no shared file has this profile" + findings)
    }
    profile = found ?? ProfileSettings()
    let regions = [
      options.region, world.variable("AWS_REGION"), world.variable("AWS_DEFAULT_REGION"), profile["region"],
    ]
    region = regions.lazy.compactMap(\.self).first { !$0.isEmpty }
  }

  /// The profiles as the shared files have them now.
  var presentProfiles: Profiles { Profiles(named: options.profile, in: world) }

  /// Where a service is reached, where something says so: `AWS_ENDPOINT_URL_S3` (with the service's
  /// name), `AWS_ENDPOINT_URL`, the profile's services and then the profile itself.
  ///
  /// - Throws: ``AWSError`` of the kind `configuration` where what is said is no URL.
  public func endpoint(for service: AWSService) throws(AWSError) -> AWSEndpoint? {
    guard
      !isTrue(
        world.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") ?? profile["ignore_configured_endpoint_urls"])
    else { return nil }
    let name = "AWS_ENDPOINT_URL"
    let own = name + "_" + service.id.uppercased()
    if let url = world.variable(own) { return try endpoint(url, of: own) }
    if let url = world.variable(name) { return try endpoint(url, of: name) }
    let services = profile["services"].flatMap { profiles.section("services", $0) }
    if let url = services?[service.id + ".endpoint_url"] {
      return try endpoint(url, of: "endpoint_url of the profile's services")
    }
    guard let url = profile["endpoint_url"] else { return nil }
    return try endpoint(url, of: "endpoint_url of the profile")
  }

  /// A setting of the profile, such as `s3.addressing_style`.
  package func setting(_ name: String) -> String? { profile[name] }

  private func endpoint(_ url: String, of name: String) throws(AWSError) -> AWSEndpoint {
    if let endpoint = AWSEndpoint(url) { return endpoint }
    throw AWSError(.configuration, name, "it is no URL such as https://name:port")
  }

  private func isTrue(_ text: String?) -> Bool { text?.lowercased() == "true" }
}
