import TarnAvro
import TarnBytes
import TarnStorage
import TarnTimeline

/// Finds the oldest actions of a timeline that nobody needs there any more.
///
/// What is older than the first action of the timeline counts as committed, so that it never goes past an attempt, nor past
/// one of which files may come yet: the commit before it stays.
struct ArchivePlanner: Sendable {
  let storage: any Storage
  let properties: TableProperties
  let timeline: Timeline
  let options: TarnOptions
  /// The time in microseconds since 1970, by the clocks of the table's zone.
  let now: Int64
  /// The reader that needs the earliest instant; nil where none declared any.
  let reader: RetainedReader?

  /// The most actions that one file takes.
  private static let mostActions = 256
  /// Files that commits wrote beyond which no more of them are read for one file.
  private static let mostFiles = 20_000
  /// How long files of an attempt may come that was rolled back, in microseconds.
  private static let lateness: Int64 = 2 * 24 * 3_600 * 1_000_000
  /// The texts of a commit that tell how far a stream has come.
  private static let checkpoints = [
    "deltastreamer.checkpoint.key", "deltastreamer.checkpoint.reset_key", "streamer.checkpoint.key.v2",
    "streamer.checkpoint.reset.key.v2",
  ]

  /// What is archived.
  struct Plan: Sendable {
    var actions: [ArchivedAction] = []
    /// Attempts that were rolled back long ago, behind which the timeline will begin.
    var passed: [Instant] = []
    var report = ArchiveReport()
    /// Whether more could be archived after it.
    var hasMore = false
  }

  /// The plan; without actions where there is nothing to do.
  ///
  /// - Throws: ``TableError``: `damaged` where an action cannot be read that is to be archived, or of which it must be known
  ///   what it did.
  func plan() async throws(TableError) -> Plan {
    var plan = Plan()
    plan.report.kept = timeline.entries.count
    let kept = max(options.keptCommits, options.retention.leastCommits)
    let commits = timeline.completedCommits
    guard commits.count > kept else { return plan }
    var bound = Bound(commits[commits.count - kept].instant)
    // At one that a savepoint holds the timeline does not begin, as to what is visible.
    let held = Set(timeline.entries.filter { $0.action == .savepoint }.map(\.instant))
    let free = commits.filter { !held.contains($0.instant) }
    lower(&bound, toPending: free)
    if let savepoint = timeline.entries.first(where: { $0.action == .savepoint }) {
      bound.lower(to: savepoint.instant, .savepoint, savepoint.instant)
    }
    try await lower(&bound, toRetained: commits)
    let passed = try await lower(&bound, toRolledBack: free)
    try await lower(&bound, toReplaced: commits)
    var entries = timeline.entries.filter { $0.instant < bound.instant }
    plan.hasMore = entries.count > Self.mostActions
    entries = Array(entries.prefix(Self.mostActions))
    plan.actions = try await read(entries)
    if plan.actions.count < entries.count { plan.hasMore = true }
    if let checkpoint = try await newestCheckpoint(of: plan.actions) {
      bound.lower(to: checkpoint, .checkpoint, checkpoint)
      plan.actions.removeAll { $0.entry.instant >= checkpoint }
      plan.hasMore = false
    }
    plan.report.actions = plan.actions.map(\.entry)
    plan.report.kept -= plan.actions.count
    plan.report.holder = bound.holder
    guard let last = plan.actions.last?.entry.instant else { return plan }
    let begin = free.first { $0.instant > last }?.instant ?? last
    plan.passed = passed.filter { $0 < begin }
    return plan
  }

  /// Reads what actions say, the oldest first, until that is as much as one file takes.
  private func read(_ entries: [TimelineEntry]) async throws(TableError) -> [ArchivedAction] {
    let (storage, width) = (storage, max(storage.costs.requestsAtOnce, 1))
    var actions: [ArchivedAction] = []
    var files = 0
    while actions.count < entries.count, files < Self.mostFiles {
      let next = Array(entries[actions.count...].prefix(width))
      let found = try await tableErrors {
        try await concurrently(next, width: width) { try await ArchivedAction.load($0, from: storage) }
      }
      files += found.reduce(0) { $0 + ($1.commit?.files.count ?? 0) }
      actions += found
    }
    return actions
  }

  /// The first instant that stays, and why.
  private struct Bound {
    private(set) var instant: Instant
    private(set) var holder: ArchiveReport.Holder?

    init(_ instant: Instant) { self.instant = instant }

    mutating func lower(
      to first: Instant, _ code: ArchiveReport.Holder.Code, _ by: Instant, _ reader: String? = nil
    ) {
      guard first < instant else { return }
      instant = first
      holder = ArchiveReport.Holder(code: code, instant: by, reader: reader, first: first)
    }
  }

  /// The last commit before an attempt, so that the attempt's files stay hidden also once it is rolled back.
  private func commit(before attempt: Instant, _ commits: [TimelineEntry]) -> Instant {
    commits.last { $0.instant < attempt }?.instant ?? attempt
  }

  private func lower(_ bound: inout Bound, toPending commits: [TimelineEntry]) {
    guard let pending = timeline.pending.first else { return }
    bound.lower(to: pending.instant, .pending, pending.instant)
    guard let attempt = timeline.pending.first(where: \.action.writesData) else { return }
    bound.lower(to: commit(before: attempt.instant, commits), .pending, attempt.instant)
  }

  private func lower(_ bound: inout Bound, toRetained commits: [TimelineEntry]) async throws(TableError) {
    let planner = CleanPlanner(
      storage: storage, properties: properties, timeline: timeline, retention: options.retention, base: "",
      now: now, reader: reader)
    if let reader, let first = commits.last(where: { $0.instant <= reader.instant }) ?? commits.first {
      bound.lower(to: first.instant, .reader, first.instant, reader.name)
    }
    if let earliest = planner.earliest() { bound.lower(to: earliest.instant, .clean, earliest.instant) }
    // What it kept is where the next one begins to look.
    if let last = try await planner.lastClean()?.earliest {
      bound.lower(to: last, .clean, last)
    }
  }

  /// - Returns: The attempts that were rolled back so long ago that nothing of them comes any more.
  private func lower(
    _ bound: inout Bound, toRolledBack commits: [TimelineEntry]
  ) async throws(TableError) -> [Instant] {
    var passed: [Instant] = []
    for entry in timeline.entries
    where (entry.action == .rollback || entry.action == .restore) && entry.state == .completed {
      for target in Set(try await targets(of: entry)).sorted() where target < bound.instant {
        let age = entry.instant.microseconds.map { now - $0 } ?? 0
        if age < Self.lateness {
          bound.lower(to: commit(before: target, commits), .rollback, entry.instant)
        } else {
          passed.append(target)
        }
      }
    }
    return passed
  }

  /// What a rollback or restore took back.
  private func targets(of entry: TimelineEntry) async throws(TableError) -> [Instant] {
    do {
      let bytes = try await storage.readAll(entry.path)
      if entry.action == .restore {
        return try RestoreMetadata(avro: bytes).commits.compactMap { Instant($0) }
      }
      let metadata = try RollbackMetadata(avro: bytes)
      return (metadata.commits + metadata.instants.map(\.instant)).compactMap { Instant($0) }
    } catch let error as StorageError {
      throw TableError(error)
    } catch {
      throw TableError(
        .damaged,
        "\(entry.path): it does not tell what was taken back, so that nothing is archived: \(error)",
        path: entry.path)
    }
  }

  /// The first replacement whose replaced files are there, which would be seen again without it.
  private func lower(
    _ bound: inout Bound, toReplaced commits: [TimelineEntry]
  ) async throws(TableError) {
    for entry in commits where entry.action.completed == .replacecommit && entry.instant < bound.instant {
      let hasFiles = try await tableErrors {
        let replaced = try await CommitLog(storage).metadata(of: entry).replaced?.pairs ?? []
        let groups = replaced.filter { !$0.value.isEmpty }
        guard !groups.isEmpty else { return false }
        let view = try await FileSystemView.load(
          from: storage, properties: properties, timeline: timeline, only: groups.map(\.key))
        return groups.contains { partition, groups in
          let files = view.partition(partition)?.baseFiles ?? []
          return files.contains { groups.contains($0.name.fileID) }
        }
      }
      guard hasFiles else { continue }
      bound.lower(to: entry.instant, .replaced, entry.instant)
      return
    }
  }

  /// The newest commit with a checkpoint, where it is one of those to be archived.
  private func newestCheckpoint(of actions: [ArchivedAction]) async throws(TableError) -> Instant? {
    let holds = { (extra: OrderedMap<String>) in Self.checkpoints.contains { !(extra[$0] ?? "").isEmpty } }
    guard let newest = actions.last(where: { $0.commit.map { holds($0.extra) } ?? false })?.entry.instant
    else {
      return nil
    }
    for entry in timeline.completedCommits.reversed() where entry.instant > newest {
      let extra: OrderedMap<String>
      do { extra = try await CommitLog(storage).document(of: entry).extra } catch { throw TableError(error) }
      if holds(extra) { return nil }
    }
    return newest
  }
}

extension Retention {
  /// How many commits stay on the timeline, so that a clean finds which of them it keeps: as Hudi has it, two more.
  var leastCommits: Int { if case .commits(let count) = self { count + 2 } else { 0 } }
}
