import TarnTimeline

extension Table {
  /// What became of a commit, as after ``TableError/Code/outcomeUnknown``, whose message names it.
  ///
  /// It stands where it is completed, on the timeline or in its archive, and where the table's head has decided it: then
  /// its rows appear with the next write, whoever makes it. It does not stand where nothing of it is on the timeline,
  /// also if the swap that would decide it arrives yet, since only an attempt whose inflight file stands is completed.
  ///
  /// Between them is an attempt that stands undecided. While its writer lives it is under way. Where the writer is dead
  /// and had come so far that it may have sent the swap, nobody can tell from outside whether that arrives yet: it is
  /// unknown, until the next write or ``rollBack(_:force:)`` rolls it back or finds it decided. So is an attempt of
  /// another engine, which does not say whether its writer lives, and one that a lost head may have decided.
  ///
  /// Nothing is changed, and nothing of the attempt removed. A writer that has a transaction to ask by need not ask here:
  /// it writes again with the same one, see ``WriteOptions/transaction``.
  ///
  /// - Parameter instant: The commit's instant.
  /// - Throws: ``TableError`` where the table cannot be read.
  public func outcome(of instant: Instant) async throws(TableError) -> CommitOutcome {
    let search = OutcomeSearch(
      storage: storage, heads: HeadStore(storage, random: settings.random),
      archiveFolder: properties.archiveFolder)
    do { return try await search.outcome(of: instant) } catch {
      throw TableError(error).of(properties.name)
    }
  }
}
