/// What became of a commit that a process began; see ``Table/outcome(of:)``.
public struct CommitOutcome: Sendable, Hashable, CustomStringConvertible {
  private let name: String

  private init(_ name: String) { self.name = name }

  /// The outcome's name, as `stands`; more may come, so that a `switch` needs a `default`.
  public var description: String { name }

  /// It stands: its rows are in the table, or appear with the next write of Tarn's.
  ///
  /// Do not write them again.
  public static let stands = CommitOutcome("stands")
  /// It is not decided yet, and its writer lives: ask again later.
  public static let underWay = CommitOutcome("underWay")
  /// It does not stand, nor will it: its rows may be written again.
  public static let doesNotStand = CommitOutcome("doesNotStand")
  /// It is not decided as far as the table tells, and may be yet; ``Table/rollBack(_:force:)`` settles it.
  public static let unknown = CommitOutcome("unknown")
}
