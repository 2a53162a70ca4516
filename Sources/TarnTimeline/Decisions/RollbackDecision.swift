import TarnAvro
import TarnBytes
import TarnStorage

/// Rolls back another writer's attempt, as a decision: so that an attempt which lived after all, and was decided
/// meanwhile, is not touched, and one that sleeps finds out when it wakes.
package struct RollbackDecision: Sendable {
  private let target: TimelineEntry
  private let storage: any Storage
  private let store: HeadStore
  /// Where the table lies, as other engines name it; they delete by whole paths.
  private let base: String
  private let locking: HudiLocking?

  /// Names an attempt.
  ///
  /// - Parameters:
  ///   - target: Its entry on the timeline, requested or inflight.
  ///   - base: The table's place, as a path or URI.
  ///   - locking: How the lock of other engines is taken; nil where they have none.
  package init(
    _ target: TimelineEntry, in storage: any Storage, at base: String, _ store: HeadStore,
    _ locking: HudiLocking?
  ) {
    self.locking = locking
    self.target = target
    self.storage = storage
    self.base = base
    self.store = store
  }

  /// Where an attempt may have left base files.
  package enum Remains: Sendable {
    /// Where its markers say, and nowhere else.
    case marked
    /// Where its markers say; where it has none, in the partitions that its inflight file names, or in any where it
    /// names none.
    case planned([String])
  }

  /// Decides the rollback, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which the attempt was found undecided.
  ///   - timeline: The timeline as it was listed after that.
  ///   - remains: Where the attempt may have left files.
  ///   - now: The time in microseconds since 1970.
  /// - Returns: The head with the decision; nil where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where the rollback may have been decided.
  package func run(
    on head: LoadedHead, _ timeline: Timeline, _ remains: Remains, now: Int64
  ) async throws(TimelineError) -> LoadedHead? {
    let decision = ServiceDecision(
      service: Rollback(target: target, base: base, files: try await files(remains)), storage: storage,
      store: store,
      locking: locking)
    return try await decision.run(on: head, timeline, now: now)?.head
  }

  /// The base files that the attempt left, relative to the table.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func files(_ remains: Remains) async throws(TimelineError) -> [String] {
    let attempt = AttemptRemains(target.instant, in: storage)
    switch remains {
    case .marked: return try await attempt.markedFiles() ?? []
    case .planned(let partitions): return try await attempt.baseFiles(planned: partitions)
    }
  }
}

/// The rollback of an attempt.
private struct Rollback: ServiceAction {
  let target: TimelineEntry
  let base: String
  let files: [String]

  var mark: String { "rollback of \(target.instant)" }

  func kind(_ contents: ServiceContents) -> NamedDecision.Kind { .rollback(of: target.instant, contents) }

  func next(after head: Head, mark: String) -> Head {
    var next = head.next(mark: mark)
    next.doubtful.removeAll { $0 == target.instant }
    return next
  }

  func documents(at instant: Instant) throws(AvroError) -> ServiceDocuments {
    let attempt = InstantInfo(instant: target.instant.text, action: target.action.rawValue)
    var byPartition = OrderedMap<[String]>()
    for file in files {
      byPartition[TablePaths.folder(of: file), default: []].append(base + "/" + file)
    }
    let plan = RollbackPlan(
      instant: attempt,
      requests: byPartition.pairs.map { RollbackPlan.Request(partitionPath: $0.key, deleting: $0.value) })
    var partitions = OrderedMap<RollbackMetadata.Partition>()
    for (path, deleted) in byPartition.pairs {
      partitions[path] = RollbackMetadata.Partition(path: path, deleted: deleted)
    }
    let metadata = RollbackMetadata(
      start: instant.text, duration: 0, deletedCount: Int32(clamping: files.count), rolledBack: attempt,
      partitions: partitions)
    return ServiceDocuments(plan: try plan.bytes(), inflight: [], completed: try metadata.bytes())
  }

  func carryOut(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    try await RollbackExecution(target.instant, by: instant, contents, in: storage, holding: lock).run()
  }
}

extension RollbackPlan {
  /// The base files that it deletes, relative to the table.
  var tablePaths: [String] {
    requests.flatMap { request in
      request.deletedFiles.map { TablePaths.join(request.partitionPath, TablePaths.name(of: $0)) }
    }
  }
}
