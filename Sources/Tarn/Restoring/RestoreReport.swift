import TarnTimeline

/// What a restore, or the rollback of a completed commit, took back, or would take back.
public struct RestoreReport: Sendable, Hashable {
  /// The instant of the restore or rollback; nil where there was nothing to do, and for a plan.
  public internal(set) var instant: Instant?
  /// The commit that is the latest then; nil where none is left.
  public internal(set) var target: Instant?
  /// The commits that were taken back, the newest first, as they are removed.
  public internal(set) var commits: [TimelineEntry] = []
  /// Their base files, by their paths relative to the table, those of the newest first.
  public internal(set) var files: [String] = []
  /// The bytes of these.
  public internal(set) var bytes = 0
  /// Cleans that another engine began, and that were brought to their end before; for a plan those that would be.
  public internal(set) var finished: [Instant] = []
}

/// What a savepoint holds, or would hold, or held until it was deleted.
public struct SavepointReport: Sendable, Hashable {
  /// The commit.
  public internal(set) var instant: Instant
  /// The base files, by their paths relative to the table.
  public internal(set) var files: [String] = []
  /// Cleans that another engine began, and that were brought to their end before; for a plan those that would be.
  public internal(set) var finished: [Instant] = []
  /// Whether it was only told what would be done.
  public internal(set) var isPlan: Bool
}
