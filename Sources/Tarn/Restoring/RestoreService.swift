import TarnIndex
import TarnStorage
import TarnTimeline

/// Takes completed commits back: plans it, and has the head decide it.
struct RestoreService: Sendable {
  private let recovery: Recovery

  init(_ recovery: Recovery) { self.recovery = recovery }

  /// How often it is planned anew where other writers were faster.
  private static let mostTries = 20

  /// Takes back all commits behind one.
  ///
  /// - Parameter isPlan: Whether it is only told what would be taken back.
  func restore(to target: Instant, isPlan: Bool) async throws(TableError) -> RestoreReport {
    try await run(.restore(to: target), isPlan: isPlan)
  }

  /// Takes back the latest commit.
  ///
  /// - Parameters:
  ///   - instant: The commit, which must be the latest; nil for whichever is the latest when it is first looked.
  ///   - isPlan: Whether it is only told what would be taken back.
  func rollBack(_ instant: Instant?, isPlan: Bool) async throws(TableError) -> RestoreReport {
    var commit = instant
    if commit == nil {
      let properties = try await recovery.writableProperties()
      commit = try await recovery.decided(properties).listing.timeline.latest?.instant
    }
    guard let commit else {
      throw TableError(.mismatch, "the table has no completed commit that could be rolled back")
    }
    return try await run(.rollback(of: commit), isPlan: isPlan)
  }

  private func run(_ goal: RestorePlanner.Goal, isPlan: Bool) async throws(TableError) -> RestoreReport {
    var finished: [Instant] = []
    for number in 1...Self.mostTries {
      do throws(TableError) {
        let properties = try await recovery.writableProperties()
        let decided = try await recovery.decided(properties)
        let cleans = PendingCleans(recovery)
        if isPlan {
          finished = try await cleans.plans(of: decided.listing.timeline).map(\.instant)
        } else {
          if try await cleans.first(of: decided.listing.timeline) != nil {
            // What cannot be done leaves the table as it was, that clean too.
            _ = try await report(goal, properties, decided, isPlan: true)
          }
          let clean = try await cleans.finishFirst(of: decided)
          if let instant = clean.finished { finished.append(instant) }
          if clean.wasThere { continue }
        }
        if var report = try await report(goal, properties, decided, isPlan: isPlan) {
          report.finished = finished
          return report
        }
      } catch {
        // It was archived, or taken back by another, between the look at it and the reading.
        guard error.isOfVanishedCommit, number < TableState.mostLooks else { throw error }
      }
    }
    throw Recovery.overtaken
  }

  /// Plans it on the table as it is, and has it decided; nil where another was faster.
  private func report(
    _ goal: RestorePlanner.Goal, _ properties: TableProperties, _ decided: DecidedTable, isPlan: Bool
  ) async throws(TableError) -> RestoreReport? {
    let timeline = decided.listing.timeline
    let planner = RestorePlanner(
      storage: recovery.storage, properties: properties, timeline: timeline, cleans: PendingCleans(recovery))
    let (target, commits, bytes) = try await planner.plan(goal)
    var report = RestoreReport()
    report.target = target
    report.commits = commits.map(\.entry)
    report.files = commits.flatMap(\.files)
    report.bytes = bytes
    if commits.isEmpty { return report }
    try await checkAttempts(decided, goal)
    if isPlan { return report }
    guard let head = try await recovery.stored(decided.head) else { return nil }
    let order = Housekeeping(storage: recovery.storage, settings: recovery.settings, heads: recovery.heads)
    _ = try await order.switchOffMetadataTable(properties)
    if try await rollsBackDead(properties, decided, head) { return nil }
    if let target { try await keepTombstones(commits, as: target, properties, timeline) }
    let begun = recovery.tellPlanned(goal.service, files: report.files.count, bytes: bytes)
    report.instant = try await decide(goal, commits, properties, decided, head)
    guard report.instant != nil else { return nil }
    recovery.tellRun(
      goal.service, at: report.instant, files: report.files.count, bytes: bytes, since: begun)
    return report
  }

  /// Checks that no other engine has an attempt under way, which would go on as if nothing had been taken back.
  ///
  /// Tarn's own writers find out, and begin again.
  private func checkAttempts(_ decided: DecidedTable, _ goal: RestorePlanner.Goal) async throws(TableError) {
    let look = AttemptLook(recovery.storage, recovery.heads)
    for entry in decided.listing.timeline.pending where entry.action.writesData {
      let state: PendingAttempt.State?
      do throws(TimelineError) { state = try await look.state(of: entry, decided.head.head) } catch {
        throw TableError(error)
      }
      guard state == .foreign else { continue }
      throw TableError(
        .conflict,
        "\(entry.path): another engine's \(entry.action.rawValue) is under way, or it died in the middle, so that \(goal.text) "
          + "is refused: let it finish, or roll it back (tarn rollback TABLE \(entry.instant.text)), and try again",
        path: entry.path)
    }
  }

  /// Rolls back what dead writers left, which may lie above what is left.
  ///
  /// - Returns: Whether there was something, so that the table must be looked at again.
  private func rollsBackDead(
    _ properties: TableProperties, _ decided: DecidedTable, _ head: LoadedHead
  ) async throws(TableError) -> Bool {
    let attempts = recovery.deadAttempts(properties, decided.locking)
    return try await attempts.rollBack(on: head, decided.listing).hasChanged
  }

  /// Keeps deletions of commits that stay, where they were merged under the name of one that is taken back.
  private func keepTombstones(
    _ commits: [RetractedCommit], as target: Instant, _ properties: TableProperties, _ timeline: Timeline
  ) async throws(TableError) {
    guard let first = commits.last?.entry.instant else { return }
    let clock = InstantClock(recovery.settings, properties)
    do throws(KeyIndexError) {
      let store = try await TombstoneStore.open(in: recovery.storage, timeline: timeline)
      try await store.keep(besides: Set(commits.map(\.entry.instant)), as: target) { time in
        let (microseconds, overflow) = time.multipliedReportingOverflow(by: 1_000)
        return !overflow && Instant(microseconds: clock.time(of: microseconds)) < first
      }
    } catch {
      switch error {
      // Another writer merges them meanwhile, or has kept them.
      case .storage(let inner) where inner.code == .preconditionFailed: return
      case .storage: throw TableError(error)
      // Nobody can read them.
      case .damaged:
        recovery.settings.warn("\(error): deletions that it keeps are forgotten with the restore")
      }
    }
  }

  /// Has the head decide it.
  ///
  /// - Returns: Its instant; nil where another was faster.
  private func decide(
    _ goal: RestorePlanner.Goal, _ commits: [RetractedCommit], _ properties: TableProperties,
    _ decided: DecidedTable, _ head: LoadedHead
  ) async throws(TableError) -> Instant? {
    let undone = Set(commits.map(\.entry.instant))
    let rebuild = HeadRebuild(
      recovery.storage, recovery.heads, archiveFolder: properties.archiveFolder, warn: recovery.settings.warn)
    let kind: RetractionDecision.Kind =
      switch goal {
      case .restore(let target): .restore(to: target)
      case .rollback(let commit): .rollback(of: commit)
      }
    do throws(TimelineError) {
      let anew = try await rebuild.head(
        after: head.head, without: undone, decided.listing.hiding(undone))
      let decision = RetractionDecision(
        kind, commits, anew: anew, on: decided.listing.timeline, at: recovery.base, in: recovery.storage,
        recovery.heads, decided.locking)
      return try await decision.run(on: head, now: InstantClock(recovery.settings, properties).now())
    } catch { throw TableError(error) }
  }
}
