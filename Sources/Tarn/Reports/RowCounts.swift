/// What a write did with rows; each stage counts its own, and the report has all.
struct RowCounts: Sendable, Hashable {
  /// Rows that are new.
  var inserted = 0
  /// Rows that replaced a stored one.
  var updated = 0
  /// Stored rows that were deleted.
  var deleted = 0
  /// Incoming rows older than what is stored, or not newer than their key's deletion.
  var stale = 0
  /// Incoming rows equal to what is stored.
  var duplicates = 0
  /// Incoming rows that lost to a newer one of the same batch.
  var superseded = 0
  /// Deletions, and updates of stored rows only, whose keys are not stored.
  var notFound = 0
}
