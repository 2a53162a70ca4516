/// The profiles of the shared files, `config` and `credentials`.
struct Profiles: Sendable {
  /// The profile that is meant where none is named.
  let chosenName: String
  private let config: ProfileText
  private let credentials: ProfileText
  /// What became of each file, for people.
  let findings: [String]

  /// Reads the files that the environment names.
  ///
  /// - Parameter name: The profile; nil for that of the environment.
  init(named name: String?, in world: AWSWorld) {
    chosenName = name ?? world.variable("AWS_PROFILE") ?? "default"
    let home = world.variable("HOME")
    var findings: [String] = []
    func read(_ variable: String, _ usual: String) -> ProfileText {
      guard let path = world.variable(variable) ?? home.map({ $0 + usual }) else {
        findings.append("~\(usual) cannot be found, since HOME is not set")
        return ProfileText([])
      }
      switch world.readFile(Self.expanded(path, home: home)) {
      case .bytes(let bytes): return ProfileText(bytes)
      case .absent: findings.append("\(path) is not there")
      case .unreadable(let why): findings.append("\(path) cannot be read: \(why)")
      }
      return ProfileText([])
    }
    config = read("AWS_CONFIG_FILE", "/.aws/config")
    credentials = read("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials")
    self.findings = findings
  }

  /// The settings of a profile: what both files say of it, the one for credentials first; nil where neither has it.
  subscript(_ name: String) -> ProfileSettings? {
    let titles = name == "default" ? ["profile default", "default"] : ["profile " + name]
    let general = titles.lazy.compactMap { config.sections[$0] }.first
    let own = credentials.sections[name]
    guard general != nil || own != nil else { return nil }
    let none = ProfileSettings()
    return (own ?? none).completed(by: general ?? none)
  }

  /// The settings of a section of another kind, such as `sso-session work`.
  func section(_ kind: String, _ name: String) -> ProfileSettings? { config.sections["\(kind) \(name)"] }

  /// A path with the home folder for a leading `~`.
  static func expanded(_ path: String, home: String?) -> String {
    guard path == "~" || path.hasPrefix("~/"), let home else { return path }
    return home + path.dropFirst()
  }
}
