import TarnTimeline

extension Table {
  /// Holds the files of a commit, so that no clean of any engine removes them, and ``restore(to:isPlan:)`` can go back to it.
  ///
  /// - Parameters:
  ///   - instant: The commit; nil for the latest.
  ///   - user: Who asks for it; other engines show it.
  ///   - comments: Why; other engines show it.
  ///   - isPlan: Whether it is only told what would be held.
  /// - Throws: ``TableError``: `mismatch` where there is no such commit on the timeline, or it is held already; `cleaned`
  ///   where a clean has removed files of it; `conflict` where a savepoint of it was deleted less than two days ago, a clean
  ///   or restore of another engine is under way, or other writers are faster again and again.
  @discardableResult
  public func savepoint(
    _ instant: Instant? = nil, by user: String = "tarn", comments: String = "", isPlan: Bool = false
  ) async throws(TableError) -> SavepointReport {
    let words = SavepointService.Words(user: user, comments: comments)
    do { return try await SavepointService(recovery).create(instant, words, isPlan: isPlan) } catch {
      throw error.of(properties.name)
    }
  }

  /// Lets the files of a commit go that a savepoint of any engine holds.
  ///
  /// - Parameters:
  ///   - instant: The commit.
  ///   - isPlan: Whether it is only told what would be let go.
  /// - Throws: ``TableError``: `mismatch` where there is no savepoint of it; `conflict` where other writers are faster again
  ///   and again.
  @discardableResult
  public func deleteSavepoint(
    _ instant: Instant, isPlan: Bool = false
  ) async throws(TableError) -> SavepointReport {
    do { return try await SavepointService(recovery).delete(instant, isPlan: isPlan) } catch {
      throw error.of(properties.name)
    }
  }

  /// Makes the table what it was as of a commit: those behind it are taken back, the newest first, with their files.
  ///
  /// It is a decision as each commit is one, and from then on the table is that of the commit, for every reader of Tarn's, and
  /// nothing else is decided until all is removed; where this process dies, whoever writes next goes on. A writer under way
  /// begins again on what is left, and so does who follows by positions (``TableError/Code/positionLost``). Transactions of
  /// the commits that go may be written again. It cannot be taken back itself.
  ///
  /// - Parameters:
  ///   - instant: The commit, held by a savepoint or not.
  ///   - isPlan: Whether it is only told what would be taken back.
  /// - Returns: What was taken back; nothing where it is the latest commit.
  /// - Throws: ``TableError``; the table is as it was then. `mismatch` where there is no such commit on the timeline; `cleaned`
  ///   where files of the table as of then are gone; `unsupported` where commits behind it were archived; `conflict` where a
  ///   savepoint holds one of those that would go, another engine has something under way, or other writers are faster again
  ///   and again.
  @discardableResult
  public func restore(to instant: Instant, isPlan: Bool = false) async throws(TableError) -> RestoreReport {
    do { return try await RestoreService(recovery).restore(to: instant, isPlan: isPlan) } catch {
      throw error.of(properties.name)
    }
  }

  /// Takes the latest commit back, with its files; what it replaced comes back.
  ///
  /// All that is said of ``restore(to:isPlan:)`` goes for it too.
  ///
  /// - Parameters:
  ///   - instant: The commit, so that no other is taken back which came meanwhile; nil for the latest.
  ///   - isPlan: Whether it is only told what would be taken back.
  /// - Throws: ``TableError``; the table is as it was then. `mismatch` where there is no such commit on the timeline;
  ///   `conflict` where a later one stands on it, a savepoint holds it, another engine has something under way, or other
  ///   writers are faster again and again; `cleaned` where a clean removed a version that it had made a newer one of;
  ///   `unsupported` where it is the only commit that was not archived.
  @discardableResult
  public func rollBackCompleted(
    _ instant: Instant? = nil, isPlan: Bool = false
  ) async throws(TableError) -> RestoreReport {
    do { return try await RestoreService(recovery).rollBack(instant, isPlan: isPlan) } catch {
      throw error.of(properties.name)
    }
  }
}
