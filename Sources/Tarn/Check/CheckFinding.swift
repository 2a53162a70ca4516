/// Something that a check of a table found; see ``Table/check()``.
public struct CheckFinding: Sendable, Hashable, CustomStringConvertible {
  /// The kinds; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `gone`.
    public var description: String { name }

    /// A data file is gone that a commit wrote and that is still the latest of its file group.
    public static let gone = Code("gone")
    /// A file cannot be read, or does not hold what is said of it.
    public static let damaged = Code("damaged")
    /// A data file is of no commit that stands, and of none that is under way.
    public static let orphan = Code("orphan")
    /// A record key stands in a partition more than once.
    public static let duplicateKey = Code("duplicateKey")
    /// The table's head does not agree with the timeline.
    public static let head = Code("head")
    /// An action stands on the timeline that does not belong there.
    public static let timeline = Code("timeline")
    /// Something that a writer left which died, and that does no harm.
    public static let leftover = Code("leftover")
  }

  /// The kind.
  public let code: Code
  /// The path of the file that it concerns, relative to the table; nil where it concerns none.
  public let path: String?
  /// What was found, for people.
  public let message: String

  init(_ code: Code, _ path: String?, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  /// Whether it only tells of something that does no harm.
  public var isNote: Bool { code == .leftover }

  /// The path and what was found.
  public var description: String { path.map { "\($0): \(message)" } ?? message }
}
