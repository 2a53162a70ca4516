import TarnTimeline

extension Table {
  /// Removes versions of files that nobody needs any more.
  ///
  /// The latest version of each file group stays, what the latest commits wrote, as many as are kept, and of each file group
  /// one version before them; what a savepoint of any engine holds, what attempts under way build on, and what readers declared
  /// that they need (``readers()``). What a commit replaced goes with it. Reading as of
  /// an older commit is an error then. It is a decision as each commit is one, and stands on the timeline as Hudi's cleans do:
  /// one that dies in the middle is brought to its end by the next writer. So is one that another engine began and left.
  /// Deletions that have expired go with it.
  ///
  /// - Parameters:
  ///   - retention: What is kept; nil for what the table's options say (``TarnOptions/retention``).
  ///   - isPlan: Whether it is only told what would be removed.
  /// - Returns: What was removed.
  /// - Throws: ``TableError``: `conflict` where other writers are faster again and again; `damaged` where a savepoint or a
  ///   commit cannot be read: nothing is removed then.
  @discardableResult
  public func clean(keeping retention: Retention? = nil, isPlan: Bool = false) async throws(TableError)
    -> CleanReport
  {
    do throws(TableError) {
      var kept = try TarnOptions(properties).retention
      if let retention { kept = retention }
      let service = CleanService(recovery, kept, services)
      return isPlan ? try await service.plan() : try await service.run()
    } catch { throw error.of(properties.name) }
  }

  /// Moves the oldest of the timeline into Hudi's archive, of which nobody needs it there any more.
  ///
  /// What was done stays readable there, as by `tarn timeline --all`. On the timeline stay ``TarnOptions/keptCommits`` commits,
  /// all that a clean or a savepoint holds, the newest commit with the checkpoint of a stream, and whatever came since an
  /// attempt that is under way or was rolled back less than two days ago. It is a decision as each commit is one: one that
  /// dies in the middle is brought to its end by the next writer.
  ///
  /// - Parameter isPlan: Whether it is only told what would be archived.
  /// - Returns: What was archived.
  /// - Throws: ``TableError``: `conflict` where other writers are faster again and again; `damaged` where an action cannot be
  ///   read: nothing is archived then.
  @discardableResult
  public func archive(isPlan: Bool = false) async throws(TableError) -> ArchiveReport {
    do throws(TableError) {
      let service = ArchiveService(recovery)
      return isPlan ? try await service.plan() : try await service.run()
    } catch { throw error.of(properties.name) }
  }

  /// What keeps actions on the timeline that would be archived otherwise; nil where nothing does.
  ///
  /// Nothing is changed.
  package func archiveHolder() async throws(TableError) -> ArchiveReport.Holder? {
    do throws(TableError) {
      return try await ArchiveService(recovery).holder(on: try await presentState())
    } catch { throw error.of(properties.name) }
  }
}
