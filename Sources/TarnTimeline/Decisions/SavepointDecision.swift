import TarnAvro
import TarnBytes
import TarnStorage

/// Holds the files of a commit, or lets them go again, as a decision.
package struct SavepointDecision: Sendable {
  private enum Deed: Sendable {
    case create(SavepointMetadata, Timeline)
    case delete(DeletedSavepoint)
  }

  private let commit: Instant
  private let deed: Deed

  /// Holds files.
  ///
  /// - Parameters:
  ///   - metadata: Names them.
  ///   - timeline: As it was when they were found.
  package static func create(
    of commit: Instant, _ metadata: SavepointMetadata, on timeline: Timeline
  ) -> SavepointDecision {
    SavepointDecision(commit: commit, deed: .create(metadata, timeline))
  }

  /// Lets files go.
  package static func delete(_ savepoint: DeletedSavepoint) -> SavepointDecision {
    SavepointDecision(commit: savepoint.commit, deed: .delete(savepoint))
  }

  /// Decides it, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which it was planned.
  ///   - timeline: The timeline as it was listed after that.
  ///   - now: The time in microseconds since 1970, by the clocks of the table's zone.
  ///   - locking: How the lock of other engines is taken; nil where they have none.
  /// - Returns: Whether it was decided; false where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  package func run(
    on head: LoadedHead, _ timeline: Timeline, now: Int64, in storage: any Storage, _ store: HeadStore,
    _ locking: HudiLocking?
  ) async throws(TimelineError) -> Bool {
    switch deed {
    case .create(let metadata, let planned):
      let savepoint = Savepoint(commit: commit, metadata: metadata, timeline: planned)
      return try await ServiceDecision(service: savepoint, storage: storage, store: store, locking: locking)
        .run(on: head, timeline, now: now) != nil
    case .delete(let deleted):
      let deletion = SavepointDeletion(savepoint: deleted)
      return try await ServiceDecision(service: deletion, storage: storage, store: store, locking: locking)
        .run(on: head, timeline, now: now) != nil
    }
  }
}

/// A savepoint of a commit.
private struct Savepoint: ServiceAction {
  let commit: Instant
  let metadata: SavepointMetadata
  /// The timeline on which its files were found.
  let timeline: Timeline

  var mark: String { "savepoint of \(commit)" }

  func kind(_ contents: ServiceContents) -> NamedDecision.Kind { .savepoint(of: commit, contents) }

  func documents(at instant: Instant) throws(AvroError) -> ServiceDocuments {
    ServiceDocuments(inflight: [], completed: try metadata.bytes())
  }

  func isRight(in storage: any Storage) async throws(TimelineError) -> Bool {
    let now = try await Timeline.load(from: storage)
    return now.contains(commit) && !now.removesFiles(besides: timeline)
  }

  func carryOut(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    try await SavepointExecution(of: commit, in: storage, holding: lock).create(contents)
  }
}

/// The deletion of a savepoint.
private struct SavepointDeletion: ServiceAction {
  let savepoint: DeletedSavepoint

  var mark: String { "deletion of savepoint \(savepoint.commit)" }

  func kind(_ contents: ServiceContents) -> NamedDecision.Kind { .savepointDeletion(of: savepoint.commit) }

  func next(after head: Head, mark: String) -> Head {
    var next = head.next(mark: mark)
    next.note(savepoint)
    return next
  }

  func documents(at instant: Instant) throws(AvroError) -> ServiceDocuments { ServiceDocuments() }

  func carryOut(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    try await SavepointExecution(of: savepoint.commit, in: storage, holding: lock).delete()
  }
}

/// Puts a savepoint that was decided on the timeline, or takes it away; done again, it does what was left to do.
struct SavepointExecution: Sendable {
  private let entry: TimelineEntry
  private let storage: any Storage
  private let lock: HudiLock?

  /// - Parameters:
  ///   - commit: The commit, whose instant is the savepoint's too.
  ///   - lock: What must be held where something is moved; nil for nothing.
  init(of commit: Instant, in storage: any Storage, holding lock: HudiLock?) {
    entry = TimelineEntry(commit, .savepoint, .completed)
    self.storage = storage
    self.lock = lock
  }

  /// Moves its files to the timeline.
  func create(_ contents: ServiceContents) async throws(TimelineError) {
    let files = ServiceFiles(entry: entry, contents: contents, storage: storage, lock: lock)
    try await files.moveBegin()
    try await files.end()
  }

  /// Removes its files, the completed one first, as Hudi does, which may leave a requested one behind.
  func delete() async throws(TimelineError) {
    do {
      try lock?.check()
      for state in [ActionState.completed, .inflight, .requested] {
        try await storage.delete(entry.with(state).path)
      }
    } catch { throw TimelineError(error) }
  }
}

extension Timeline {
  /// Whether what was not on an earlier timeline removes files of commits, or may do so: a clean, a rollback or a restore, in
  /// whatever state.
  func removesFiles(besides earlier: Timeline) -> Bool {
    let known = Set(earlier.entries.map { $0.with(.requested) })
    return entries.contains { entry in
      switch entry.action {
      case .clean, .rollback, .restore: !known.contains(entry.with(.requested))
      default: false
      }
    }
  }
}
