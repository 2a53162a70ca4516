/// Which versions of file groups a clean keeps; the latest always, and those that a savepoint holds.
///
/// What a kept commit wrote can be read by time travel as of it, and so can one version before: who reads it now goes on.
public enum Retention: Sendable, Hashable, CustomStringConvertible {
  /// What the latest commits wrote, so many of them; Hudi's `KEEP_LATEST_COMMITS`.
  case commits(Int)
  /// So many of the latest versions of each file group; Hudi's `KEEP_LATEST_FILE_VERSIONS`.
  case versions(Int)
  /// What was written in so many hours; Hudi's `KEEP_LATEST_BY_HOURS`.
  case hours(Int)

  /// The number and what it counts, as `10commits`.
  public var description: String { "\(count)\(name)" }

  /// Hudi's name of the policy.
  var policy: String {
    switch self {
    case .commits: "KEEP_LATEST_COMMITS"
    case .versions: "KEEP_LATEST_FILE_VERSIONS"
    case .hours: "KEEP_LATEST_BY_HOURS"
    }
  }

  /// What it counts.
  var name: String {
    switch self {
    case .commits: "commits"
    case .versions: "versions"
    case .hours: "hours"
    }
  }

  /// One of what it counts, and how many; nil for another.
  package init?(named name: String, _ count: Int) {
    switch name {
    case "commits": self = .commits(count)
    case "versions": self = .versions(count)
    case "hours": self = .hours(count)
    default: return nil
    }
  }

  /// The number that it counts to.
  var count: Int {
    switch self {
    case .commits(let count), .versions(let count), .hours(let count): count
    }
  }

  /// Checks the number.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where nothing would be kept.
  func check() throws(TableError) {
    guard count >= 1 else {
      throw TableError(
        .mismatch, "a clean that keeps \(count) commits, versions or hours: at least 1 is kept")
    }
  }
}
