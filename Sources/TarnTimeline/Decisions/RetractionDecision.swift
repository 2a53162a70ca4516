import TarnAvro
import TarnBytes
import TarnStorage

/// A completed commit that is taken back, and the base files that go with it.
package struct RetractedCommit: Sendable, Hashable {
  /// Its entry on the timeline.
  package let entry: TimelineEntry
  /// The base files that it wrote, relative to the table.
  package let files: [String]

  /// Names a commit.
  package init(_ entry: TimelineEntry, _ files: [String]) {
    self.entry = entry
    self.files = files
  }

  /// As plans and metadata name it.
  var info: InstantInfo {
    InstantInfo(instant: entry.instant.text, action: entry.action.completed.rawValue)
  }

  /// The base files by their partitions, each by a whole path, as other engines name them.
  ///
  /// - Parameter base: Where the table lies.
  func byPartition(_ base: String) -> OrderedMap<[String]> {
    var found = OrderedMap<[String]>()
    for file in files { found[TablePaths.folder(of: file), default: []].append(base + "/" + file) }
    return found
  }

  /// What is said of its rollback.
  func rollback(at instant: Instant, _ base: String) -> RollbackMetadata {
    var partitions = OrderedMap<RollbackMetadata.Partition>()
    for (path, deleted) in byPartition(base).pairs {
      partitions[path] = RollbackMetadata.Partition(path: path, deleted: deleted)
    }
    return RollbackMetadata(
      start: instant.text, duration: 0, deletedCount: Int32(clamping: files.count), rolledBack: info,
      partitions: partitions)
  }
}

/// Takes completed commits back, as a decision: by a restore all behind one that stays, by a rollback the latest.
///
/// It begins a new epoch. Once it is decided nothing else is, until it is carried out by whoever comes.
package struct RetractionDecision: Sendable {
  /// Which of the two it is.
  package enum Kind: Sendable {
    /// The table goes back to a commit.
    case restore(to: Instant)
    /// The latest commit goes.
    case rollback(of: Instant)
  }

  private let retraction: Retraction
  private let storage: any Storage
  private let store: HeadStore
  private let locking: HudiLocking?

  /// Names what is taken back.
  ///
  /// - Parameters:
  ///   - commits: The commits, the newest first.
  ///   - anew: The first head of the new epoch, without them.
  ///   - timeline: As it was when they were found.
  ///   - base: The table's place, as a path or URI.
  ///   - locking: How the lock of other engines is taken; nil where they have none.
  package init(
    _ kind: Kind, _ commits: [RetractedCommit], anew: Head, on timeline: Timeline, at base: String,
    in storage: any Storage, _ store: HeadStore, _ locking: HudiLocking?
  ) {
    retraction = Retraction(what: kind, commits: commits, anew: anew, timeline: timeline, base: base)
    self.storage = storage
    self.store = store
    self.locking = locking
  }

  /// Decides it, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which it was planned.
  ///   - now: The time in microseconds since 1970, by the clocks of the table's zone.
  /// - Returns: Its instant; nil where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  package func run(on head: LoadedHead, now: Int64) async throws(TimelineError) -> Instant? {
    let decision = ServiceDecision(service: retraction, storage: storage, store: store, locking: locking)
    return try await decision.run(on: head, retraction.timeline, now: now)?.instant
  }
}

/// What takes completed commits back.
private struct Retraction: ServiceAction {
  let what: RetractionDecision.Kind
  let commits: [RetractedCommit]
  let anew: Head
  let timeline: Timeline
  let base: String

  var mark: String {
    switch what {
    case .restore(let target): "restore to \(target)"
    case .rollback(let commit): "rollback of \(commit)"
    }
  }

  func kind(_ contents: ServiceContents) -> NamedDecision.Kind {
    switch what {
    case .restore(let target): .restore(to: target, contents)
    case .rollback(let commit): .commitRollback(of: commit, contents)
    }
  }

  func next(after head: Head, mark: String) -> Head { anew }

  /// Another engine, which knows no head, may have gone on meanwhile.
  func isRight(in storage: any Storage) async throws(TimelineError) -> Bool {
    let now = try await Timeline.load(from: storage)
    let known = Set(timeline.pending.map(\.instant))
    for entry in now.pending where entry.action.writesData && !known.contains(entry.instant) {
      // Tarn's own find out.
      guard try await Liveness(storage).isOwn(entry.instant) else { return false }
    }
    return now.completedCommits == timeline.completedCommits && !now.removesFiles(besides: timeline)
      && now.entries.filter({ $0.action == .savepoint })
        == timeline.entries.filter({ $0.action == .savepoint })
  }

  func documents(at instant: Instant) throws(AvroError) -> ServiceDocuments {
    let rollbacks = commits.map { $0.rollback(at: instant, base) }
    switch what {
    case .restore(let target):
      var byInstant = OrderedMap<[RollbackMetadata]>()
      for (commit, rollback) in zip(commits, rollbacks) { byInstant[commit.entry.instant.text] = [rollback] }
      let infos = commits.map(\.info)
      return ServiceDocuments(
        plan: try RestorePlan(instants: infos, savepoint: target.text).bytes(), inflight: [],
        completed: try RestoreMetadata(
          start: instant.text, duration: 0, rollbacks: byInstant, instants: infos
        ).bytes())
    case .rollback(let instant):
      var documents = ServiceDocuments(inflight: [])
      for (commit, rollback) in zip(commits, rollbacks) where commit.entry.instant == instant {
        let requests = commit.byPartition(base).pairs.map {
          RollbackPlan.Request(partitionPath: $0.key, deleting: $0.value)
        }
        documents.plan = try RollbackPlan(instant: commit.info, requests: requests).bytes()
        documents.completed = try rollback.bytes()
      }
      return documents
    }
  }

  func carryOut(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    let action: Action = if case .restore = what { .restore } else { .rollback }
    try await RetractionExecution(action, at: instant, contents, in: storage, holding: lock).run()
  }
}
