import TarnStorage

/// Puts on the timeline what was decided: moves contents to their places, in the order of the decisions.
///
/// Whoever finds a decision that is not carried out does it. Moved, never put: a file that came back after it was
/// archived would hide all that is older, since what lies before the first instant of the timeline counts as committed.
package struct RollForward: Sendable {
  private let storage: any Storage
  private let lock: HudiLock?

  /// Works on a table.
  ///
  /// - Parameter lock: What must be held where something is moved; nil for nothing.
  package init(_ storage: any Storage, holding lock: HudiLock?) {
    self.storage = storage
    self.lock = lock
  }

  /// What came of a commit that was decided.
  package enum Outcome: Sendable {
    /// Its completed file stands, or did before it was archived.
    case stands
    /// There is nothing left of it to be moved: another engine undid it, or it was archived long ago.
    case gone
  }

  /// Carries out decisions that others made, as far as that is still to be done.
  ///
  /// - Parameters:
  ///   - decisions: In their order.
  ///   - timeline: As it was listed after the head was read.
  /// - Returns: Those of which there was something to do.
  /// - Throws: ``TimelineError`` with code `storage`.
  @discardableResult
  package func carryOut(
    _ decisions: [NamedDecision], listed timeline: Timeline
  ) async throws(TimelineError) -> [NamedDecision] {
    let left = decisions.filter { !$0.isCarriedOut(on: timeline) }
    for decision in left {
      switch decision.kind {
      case .commit(let content, let action):
        let files = InstantFiles(decision.instant, action)
        guard try await isWhole(files, timeline) else { continue }
        _ = try await complete(files, content)
      case .rollback(let target, let contents):
        try await RollbackExecution(
          target, by: decision.instant, contents, in: storage, holding: lock
        ).run()
      case .clean(let contents):
        try await CleanExecution(at: decision.instant, contents, in: storage, holding: lock).run()
      case .savepoint(let commit, let contents):
        try await SavepointExecution(of: commit, in: storage, holding: lock).create(contents)
      case .savepointDeletion(let commit):
        try await SavepointExecution(of: commit, in: storage, holding: lock).delete()
      case .restore(_, let contents):
        try await RetractionExecution(
          .restore, at: decision.instant, contents, in: storage, holding: lock
        ).run()
      case .commitRollback(_, let contents):
        try await RetractionExecution(
          .rollback, at: decision.instant, contents, in: storage, holding: lock
        ).run()
      case .archive(let archived): try await ArchiveExecution(archived, in: storage, holding: lock).run()
      }
    }
    return left
  }

  /// Whether no other engine undoes an attempt of another writer's: it takes data files first, and the files on the
  /// timeline last.
  private func isWhole(_ files: InstantFiles, _ timeline: Timeline) async throws(TimelineError) -> Bool {
    do {
      guard try await storage.exists(files.requested.path) else { return false }
    } catch { throw TimelineError(error) }
    return try await !RollbackNotices(timeline, in: storage).nameFromBehind(files.instant)
  }

  /// Gives a commit that was decided its completed file.
  ///
  /// - Parameters:
  ///   - files: The commit's.
  ///   - content: Where it lies.
  ///   - leaves: Whether it may stay there, for the caller to delete.
  /// - Throws: ``TimelineError`` with code `storage`: the decision stands all the same.
  package func complete(
    _ files: InstantFiles, _ content: String, leaves: Bool = false
  ) async throws(TimelineError) -> Outcome {
    do throws(StorageError) {
      // Undone by another engine meanwhile, it must not come back.
      if try await storage.exists(files.inflight.path) {
        do throws(StorageError) {
          try lock?.check()
          if leaves {
            try await storage.place(content, at: files.completed.path)
          } else {
            try await storage.move(content, to: files.completed.path)
          }
          return .stands
        } catch {
          guard error.code == .notFound || error.code == .unknown else { throw error }
          let isThere = try await storage.exists(files.completed.path)
          if isThere { return .stands }
          guard error.code == .notFound else { throw error }
        }
      }
      if try await storage.exists(files.completed.path) { return .stands }
    } catch { throw TimelineError(error) }
    return try await ArchivedTimeline.has(files.instant, in: storage) ? .stands : .gone
  }
}
