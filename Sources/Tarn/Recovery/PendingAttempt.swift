import TarnTimeline

/// An action on a table's timeline that has not come to its end; see ``Table/attempts()``.
public struct PendingAttempt: Sendable, Hashable {
  /// How it stands with an attempt; more may come, so that a `switch` needs a `default`.
  public struct State: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The state's name, as `alive`.
    public var description: String { name }

    /// It stands, and appears with the next write of Tarn's.
    public static let decided = State("decided")
    /// Its writer is Tarn's, and lives.
    public static let alive = State("alive")
    /// Its writer is Tarn's, and dead: the next write rolls it back.
    public static let dead = State("dead")
    /// Its writer is Tarn's, and dead; whether it was decided by a head that was lost is not known, so that no write rolls
    /// it back: do so by hand.
    public static let doubtful = State("doubtful")
    /// Another engine's, which does not say whether its writer lives.
    public static let foreign = State("foreign")
  }

  /// The action, in its highest state.
  public let entry: TimelineEntry
  /// How it stands with it.
  public let state: State
  /// How long ago its file was written.
  public let age: Duration
}

/// An attempt that a rollback would remove; see ``Table/rollbackPlan(of:force:)``.
public struct AttemptRemoval: Sendable, Hashable {
  /// The action, in its highest state.
  public let entry: TimelineEntry
  /// The base files that it left, by their paths relative to the table.
  public let files: [String]
}
