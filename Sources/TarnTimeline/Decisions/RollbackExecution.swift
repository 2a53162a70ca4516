import TarnStorage

/// Removes an attempt that was decided to be rolled back; done again, it does what was left to do.
struct RollbackExecution: Sendable {
  private let target: Instant
  private let files: ServiceFiles

  /// - Parameters:
  ///   - target: The attempt.
  ///   - instant: The rollback's own.
  ///   - lock: What must be held where something is moved; nil for nothing.
  init(
    _ target: Instant, by instant: Instant, _ contents: ServiceContents, in storage: any Storage,
    holding lock: HudiLock?
  ) {
    self.target = target
    files = ServiceFiles(
      entry: TimelineEntry(instant, .rollback, .completed), contents: contents, storage: storage, lock: lock)
  }

  /// Moves the plan to the timeline, removes the attempt, and moves the end there.
  func run() async throws(TimelineError) {
    guard let bytes = try await files.begin() else { return }
    let storage = files.storage
    let plan: RollbackPlan
    do { plan = try RollbackPlan(avro: bytes) } catch { throw files.damaged(error) }
    let action = plan.instant.flatMap { Action(rawValue: $0.action) } ?? .commit
    let attempt = TimelineEntry(target, action, .inflight)
    do {
      let contents = try await storage.listAll(prefix: "\(TablePaths.folder)\(target).content.").objects
      try await storage.deleteAll(contents.map(\.path))
    } catch { throw TimelineError(error) }
    // The plan holds what the attempt's own markers named, but a rollback deletes nothing that another instant wrote.
    try await AttemptRemains(target, in: storage).remove(
      plan.tablePaths.filter { BaseFileName(path: $0)?.instant == target })
    try await CommitLog(storage).remove(pending: attempt)
    try await CommitMarkers.remove(target, in: storage)
    try await files.end()
    try await Liveness(storage).remove(target)
  }
}
