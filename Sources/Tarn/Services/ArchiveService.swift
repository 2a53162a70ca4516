import TarnIndex
import TarnStorage
import TarnTimeline

/// Plans an archive, and has the head decide it.
struct ArchiveService: Sendable {
  private let recovery: Recovery

  init(_ recovery: Recovery) { self.recovery = recovery }

  /// How often it is planned anew where other writers were faster.
  private static let mostTries = 20

  /// Actions that come with a commit, mostly: itself and its clean.
  private static let actionsOfCommit = 2
  /// Actions that are archived together, so that not every commit is followed by an archive.
  private static let leastArchived = 6

  /// Whether so many actions on a timeline are too many.
  func isDue(of actions: Int, _ options: TarnOptions) -> Bool {
    guard let mostActions = options.mostActions else { return false }
    let kept = max(options.keptCommits, options.retention.leastCommits)
    return actions > max(mostActions, Self.actionsOfCommit * kept + Self.leastArchived)
  }

  /// What keeps actions on a timeline that would be archived otherwise; nil where nothing does.
  func holder(on state: TableState) async throws(TableError) -> ArchiveReport.Holder? {
    try await planner(state.properties, state.timeline, try await head()).plan().report.holder
  }

  /// The table's head, as a reader finds it; nil where there is none that can be read.
  private func head() async throws(TableError) -> Head? {
    do throws(TimelineError) {
      guard case .head(let loaded) = try await recovery.heads.look() else { return nil }
      return loaded.head
    } catch { throw TableError(error) }
  }

  /// What would be archived, of all files that it would take.
  func plan() async throws(TableError) -> ArchiveReport {
    let properties = try await recovery.writableProperties()
    let decided = try await recovery.decided(properties)
    var timeline = decided.listing.timeline
    var report = ArchiveReport()
    var passed: Set<Instant> = []
    while true {
      let plan = try await planner(properties, timeline, decided.head.head).plan()
      (report.kept, report.holder) = (plan.report.kept, plan.report.holder)
      report.actions += plan.report.actions
      passed.formUnion(plan.passed)
      guard plan.hasMore, !plan.actions.isEmpty else { break }
      let gone = Set(plan.report.actions)
      timeline = Timeline(timeline.entries.filter { !gone.contains($0) })
    }
    if !passed.isEmpty { report.removed = try await lateFiles(of: passed.sorted()).flatMap(\.files) }
    return report
  }

  /// Archives what nobody needs on the timeline.
  ///
  /// - Parameters:
  ///   - tries: How often it is planned anew where other writers are faster; nil for as often as it makes sense.
  ///   - isWhole: Whether it goes on where more is to be archived than one file takes.
  func run(tries: Int = mostTries, isWhole: Bool = true) async throws(TableError) -> ArchiveReport {
    var properties = try await recovery.writableProperties()
    let leftovers = Housekeeping(
      storage: recovery.storage, settings: recovery.settings, heads: recovery.heads)
    if try await leftovers.switchOffMetadataTable(properties) {
      properties = try await recovery.writableProperties()
    }
    var done = ArchiveReport()
    var refused = 0
    while refused < tries {
      let decided = try await recovery.decided(properties)
      let plan: ArchivePlanner.Plan
      do throws(TableError) {
        plan = try await planner(properties, decided.listing.timeline, decided.head.head).plan()
      } catch {
        // Another engine archived it just then.
        guard error.isOfVanishedCommit else { throw error }
        refused += 1
        continue
      }
      (done.kept, done.holder) = (plan.report.kept, plan.report.holder)
      guard !plan.actions.isEmpty else { return done }
      guard let head = try await recovery.stored(decided.head) else {
        refused += 1
        continue
      }
      let begun = recovery.tellPlanned(.archive, files: plan.actions.count)
      done.removed += try await removeLateFiles(of: plan.passed, decided.listing.timeline)
      let isDone: Bool
      let file: String
      let tail: ArchiveTail?
      do throws(TimelineError) {
        let archive = try await ArchivedTimeline.load(
          from: recovery.storage, folder: properties.archiveFolder)
        file = archive.nextFile(mark: recovery.settings.random())
        tail = await ArchiveTail.load(of: archive)
        let decision = ArchiveDecision(
          plan.actions, behind: tail, to: file, in: recovery.storage, recovery.heads, decided.locking)
        let now = InstantClock(recovery.settings, properties).now()
        isDone = try await decision.run(on: head, decided.listing.timeline, now: now)
      } catch { throw TableError(error) }
      guard isDone else {
        refused += 1
        continue
      }
      recovery.tellRun(.archive, at: nil, files: plan.actions.count, since: begun)
      done.actions += plan.report.actions
      done.files.removeAll { $0 == tail?.path }
      done.files.append(file)
      guard isWhole, plan.hasMore else { return done }
    }
    throw Recovery.overtaken
  }

  private func planner(
    _ properties: TableProperties, _ timeline: Timeline, _ head: Head?
  ) throws(TableError) -> ArchivePlanner {
    ArchivePlanner(
      storage: recovery.storage, properties: properties, timeline: timeline,
      options: try TarnOptions(properties), now: InstantClock(recovery.settings, properties).now(),
      reader: head?.earliestReader(at: recovery.settings.now()))
  }

  /// Files that attempts have which were rolled back long ago: they came when the rollback had gone through.
  private func lateFiles(
    of attempts: [Instant]
  ) async throws(TableError) -> [(attempt: Instant, files: [String])] {
    let wanted = Set(attempts)
    let paths = try await tableErrors {
      try await recovery.storage.listAll(prefix: "").objects.map(\.path)
    }
    var found: [Instant: [String]] = [:]
    for path in paths {
      guard let instant = BaseFileName(path: path)?.instant, wanted.contains(instant) else { continue }
      found[instant, default: []].append(path)
    }
    // Another engine takes back what it did of a clustering, and does it again at the same instant.
    for instant in found.keys where try await stands(instant) { found[instant] = nil }
    return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Whether an instant is one of a completed commit, on the timeline as it is now, or archived.
  private func stands(_ instant: Instant) async throws(TableError) -> Bool {
    do throws(TimelineError) {
      if try await Timeline.load(from: recovery.storage).contains(instant) { return true }
      return try await ArchivedTimeline.has(instant, in: recovery.storage)
    } catch { throw TableError(error) }
  }

  /// Removes what would be seen once the timeline begins behind it.
  private func removeLateFiles(
    of attempts: [Instant], _ timeline: Timeline
  ) async throws(TableError) -> [String] {
    let storage = recovery.storage
    var removed: [String] = []
    if !attempts.isEmpty {
      let late = try await lateFiles(of: attempts)
      do throws(TimelineError) {
        for attempt in attempts where !timeline.entries.contains(where: { $0.instant == attempt }) {
          let files = late.first { $0.attempt == attempt }?.files ?? []
          try await AttemptRemains(attempt, in: storage).remove(files)
          removed += files
        }
      } catch { throw TableError(error) }
    }
    try await tableErrors {
      let store = try await TombstoneStore.open(in: storage, timeline: timeline)
      if !store.uncommitted.isEmpty {
        try await store.removeAbandoned(by: try await Timeline.load(from: storage))
      }
    }
    return removed
  }
}
