import TarnAvro
import TarnStorage

/// Removes an attempt that was decided to be rolled back; done again, it does what was left to do.
struct RollbackExecution: Sendable {
  private let target: Instant
  private let instant: Instant
  private let contents: RollbackContents
  private let storage: any Storage
  private let lock: HudiLock?

  /// - Parameters:
  ///   - target: The attempt.
  ///   - instant: The rollback's own.
  ///   - lock: What must be held where something is moved; nil for nothing.
  init(
    _ target: Instant, by instant: Instant, _ contents: RollbackContents, in storage: any Storage,
    holding lock: HudiLock?
  ) {
    self.lock = lock
    self.target = target
    self.instant = instant
    self.contents = contents
    self.storage = storage
  }

  /// Moves the plan to the timeline, removes the attempt, and moves the end there.
  func run() async throws(TimelineError) {
    let requested = TimelineEntry(instant, .rollback, .requested)
    let completed = requested.with(.completed)
    try await move(contents.plan, to: requested.path)
    try await move(contents.inflight, to: requested.with(.inflight).path)
    // Done by another, and archived since: there is nothing to go by, and nothing to do.
    guard let plan = try await storage.readPlan(requested.path) else { return }
    let files: [String]
    let action: Action
    do {
      let plan = try RollbackPlan(avro: plan)
      files = plan.tablePaths
      action = plan.instant.flatMap { Action(rawValue: $0.action) } ?? .commit
    } catch {
      throw TimelineError(
        .damaged, path: requested.path, "no rollback plan: \(error.description)", cause: error)
    }
    let attempt = TimelineEntry(target, action, .inflight)
    do {
      let contents = try await storage.listAll(prefix: "\(TablePaths.folder)\(target).content.").objects
      try await storage.deleteAll(contents.map(\.path))
    } catch { throw TimelineError(error) }
    // The plan holds what the attempt's own markers named, but a rollback deletes nothing that another instant wrote.
    try await AttemptRemains(target, in: storage).remove(
      files.filter { BaseFileName(path: $0)?.instant == target })
    try await CommitLog(storage).remove(pending: attempt)
    try await CommitMarkers.remove(target, in: storage)
    try await move(contents.completed, to: completed.path)
    try await Liveness(storage).remove(target)
  }

  /// Moves a content, which may have been moved before.
  private func move(_ content: String, to path: String) async throws(TimelineError) {
    do throws(StorageError) {
      try lock?.check()
      try await storage.move(content, to: path)
    } catch {
      if error.code != .notFound { throw TimelineError(error) }
    }
  }
}
