import TarnTimeline

extension Table {
  /// Removes versions of files that nobody needs any more.
  ///
  /// The latest version of each file group stays, what the latest commits wrote, as many as are kept, and of each file group
  /// one version before them; and what a savepoint of another engine holds. What a commit replaced goes with it. Reading as of
  /// an older commit is an error then. It is a decision as each commit is one, and stands on the timeline as Hudi's cleans do:
  /// one that dies in the middle is brought to its end by the next writer.
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
      let service = CleanService(recovery, kept)
      return isPlan ? try await service.plan() : try await service.run()
    } catch { throw error.of(properties.name) }
  }
}
