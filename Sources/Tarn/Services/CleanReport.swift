import TarnTimeline

/// What a clean removed, or would remove.
public struct CleanReport: Sendable, Hashable {
  /// The clean's instant; nil where there was nothing to do, and for a plan.
  public internal(set) var instant: Instant?
  /// The oldest commit that is kept whole; nil where none is counted from.
  public internal(set) var earliest: Instant?
  /// The files, by their paths relative to the table.
  public internal(set) var files: [String] = []
  /// Their bytes, but for those that ``finished`` cleans remove.
  public internal(set) var bytes = 0
  /// Cleans that another engine began, and that were brought to their end; for a plan those that would be, whose files come
  /// first among ``files`` then.
  public internal(set) var finished: [Instant] = []
  /// The partitions that were looked into.
  public internal(set) var partitions = 0
}
