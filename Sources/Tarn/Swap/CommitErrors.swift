import TarnTimeline

extension TableError {
  /// The error of a write whose file groups or columns another commit changed.
  static func conflict(_ other: Instant, _ what: String) -> TableError {
    TableError(.conflict, "commit \(other.text) of another writer \(what) meanwhile: try again")
  }

  /// The error of a write whose file groups another engine clusters or replaces.
  ///
  /// - Parameters:
  ///   - entry: The replacement's, on the timeline.
  ///   - what: What it names of the write.
  static func replacing(_ entry: TimelineEntry, _ what: String) -> TableError {
    TableError(
      .conflict,
      "\(entry.path): another engine clusters or replaces \(what), or died while it did: let it finish, or roll instant "
        + "\(entry.instant.text) back with that engine or with tarn rollback, and try again", path: entry.path
    )
  }

  /// The error of a write that found other rows when it looked again.
  static let overtaken = TableError(
    .conflict, "another writer changed or inserted rows that this write is about meanwhile: try again")

  /// The error of a write whose attempt another removed.
  static func rolledBack(_ instant: Instant) -> TableError {
    TableError(
      .conflict,
      "attempt \(instant.text) was rolled back by another writer, who took it for a dead one's: nothing of it stands; "
        + "try again")
  }

  /// The error of a commit that was taken back.
  static func undone(_ instant: Instant) -> TableError {
    TableError(
      .conflict,
      "commit \(instant.text) was undone while it completed, by a restore or by another engine: nothing of it stands. Spark "
        + "beside Tarn needs optimistic concurrency (hoodie.write.concurrency.mode=OPTIMISTIC_CONCURRENCY_CONTROL) and lazy cleaning "
        + "(hoodie.cleaner.policy.failed.writes=LAZY)")
  }

  /// The error of a version that is older than its application's last.
  static func stale(_ transaction: WriteTransaction, _ last: ApplicationVersion) -> TableError {
    TableError(
      .staleTransaction,
      "application \(transaction.application) has written version \(last.version) in commit \(last.instant.text), and "
        + "this is version \(transaction.version): nothing is written")
  }

  /// The error of one application too many.
  static let tooManyApplications = TableError(
    .mismatch,
    "\(Head.mostApplications) applications write this table with transactions, and there can be no more: use one name "
      + "for each pipeline, not one for each run")

  /// The error of a write of which nobody can say whether it stands.
  static func unknown(_ error: TimelineError, _ instant: Instant) -> TableError {
    TableError(
      .outcomeUnknown,
      "whether commit \(instant.text) stands is not known: \(error.message); nothing of it was removed. Ask "
        + "outcome(of:), or look for \(instant.text) on the table's timeline (tarn timeline), before these rows are "
        + "written again", path: error.path, cause: error.cause ?? error)
  }
}
