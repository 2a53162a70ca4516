import TarnTimeline

/// What a write did.
public struct CommitReport: Sendable, Hashable {
  /// The commit's instant; nil where there was nothing to write.
  public var instant: Instant?
  /// Rows that are new.
  public var inserted = 0
  /// Rows that replaced a stored one.
  public var updated = 0
  /// Stored rows that were deleted.
  public var deleted = 0
  /// Incoming rows older than what is stored, which were dropped.
  public var stale = 0
  /// Incoming rows equal to what is stored, which were dropped.
  public var duplicates = 0
  /// Incoming rows that lost to a newer one of the same batch.
  public var superseded = 0
  /// Deletions of keys that are not stored.
  public var notFound = 0
  /// Base files written.
  public var files = 0
  /// Bytes of base files written.
  public var bytesWritten = 0
  /// Wall time.
  public var duration: Duration = .zero

  /// A report of nothing.
  public init() {}
}
