import TarnAvro
import TarnBytes
import TarnStorage

/// Removes completed commits that were decided to be taken back; done again, it does what was left to do.
///
/// What is to be removed is said by the file that ends it, which lies beside the timeline until all is done: a restore's plan
/// names commits, and no files.
struct RetractionExecution: Sendable {
  private let files: ServiceFiles
  private let storage: any Storage

  /// - Parameters:
  ///   - action: A restore, or a rollback.
  ///   - instant: Its own.
  ///   - lock: What must be held where something is moved; nil for nothing.
  init(
    _ action: Action, at instant: Instant, _ contents: ServiceContents, in storage: any Storage,
    holding lock: HudiLock?
  ) {
    files = ServiceFiles(
      entry: TimelineEntry(instant, action, .completed), contents: contents, storage: storage, lock: lock)
    self.storage = storage
  }

  /// Moves the plan to the timeline, removes the commits, the newest first, and moves the end there.
  func run() async throws(TimelineError) {
    guard let path = files.contents.completed, let bytes = try await storage.readPlan(path) else {
      return try await checkIsDone()
    }
    let commits: [RetractedCommit]
    do throws(AvroError) { commits = try self.commits(bytes) } catch {
      throw TimelineError(
        .damaged, path: path,
        "it does not tell what decision \(files.entry.instant.text) takes back: \(error.description)",
        cause: error)
    }
    try await files.moveBegin()
    for commit in commits { try await remove(commit) }
    try await files.end()
    for commit in commits { try await Liveness(storage).remove(commit.entry.instant) }
  }

  /// Another has carried it out, and it may have been archived since.
  private func checkIsDone() async throws(TimelineError) {
    let isBegun: Bool
    let isDone: Bool
    do throws(StorageError) {
      isBegun = try await storage.exists(files.entry.with(.requested).path)
      isDone = try await storage.exists(files.entry.path)
    } catch { throw TimelineError(error) }
    guard isBegun, !isDone else { return }
    throw TimelineError(
      .damaged, path: files.entry.with(.requested).path,
      "it was decided and begun, and what says which files it removes is gone (\(files.contents.completed ?? "")): let "
        + "Spark restore or roll back once more")
  }

  /// What a restore's or a rollback's metadata says that it removes.
  private func commits(_ bytes: [UInt8]) throws(AvroError) -> [RetractedCommit] {
    guard files.entry.action == .restore else {
      let rollback = try RollbackMetadata(avro: bytes)
      return rollback.instants.compactMap { commit($0, [rollback]) }
    }
    let restore = try RestoreMetadata(avro: bytes)
    return restore.instants.compactMap { commit($0, restore.rollbacks[$0.instant] ?? []) }
  }

  private func commit(_ info: InstantInfo, _ rollbacks: [RollbackMetadata]) -> RetractedCommit? {
    guard let instant = Instant(info.instant), let action = Action(rawValue: info.action), action.writesData
    else { return nil }
    let paths = rollbacks.flatMap { rollback in
      rollback.partitions.pairs.flatMap { partition, removed in
        removed.deleted.map { TablePaths.join(partition, TablePaths.name(of: $0)) }
      }
    }
    // Only names that no file has again: who sleeps for long deletes nothing that came since.
    let own = paths.filter { BaseFileName(path: $0)?.instant == instant }
    return RetractedCommit(TimelineEntry(instant, action, .completed), own)
  }

  /// Removes a commit: what might bring it back, what makes it one, its data, and last what hides data.
  private func remove(_ commit: RetractedCommit) async throws(TimelineError) {
    let instant = commit.entry.instant
    do throws(StorageError) {
      let contents = try await storage.listAll(prefix: "\(TablePaths.folder)\(instant).content.").objects
      try files.lock?.check()
      try await storage.deleteAll(contents.map(\.path))
      try await storage.delete(commit.entry.path)
      let prefix = TablePaths.tombstones + instant.text
      // Its own, and what was merged under its name: what of that stays was merged under another before.
      let tombstones = try await storage.listAll(prefix: prefix).objects.map(\.path).filter { path in
        path.dropFirst(prefix.count).first.map { $0 == "." || $0 == "_" } ?? false
      }
      try await storage.deleteAll(commit.files + tombstones)
    } catch { throw TimelineError(error) }
    try await CommitMarkers.remove(instant, in: storage)
    try await CommitLog(storage).remove(pending: commit.entry.with(.inflight))
  }
}
