import TarnBytes
import TarnIndex
import TarnStorage
import TarnTimeline

/// Plans a clean, and has the head decide it.
struct CleanService: Sendable {
  private let recovery: Recovery
  private let retention: Retention
  private let memory: ServiceMemory

  init(_ recovery: Recovery, _ retention: Retention, _ memory: ServiceMemory) {
    self.recovery = recovery
    self.retention = retention
    self.memory = memory
  }

  /// How often it is planned anew where other writers were faster.
  private static let mostTries = 20

  /// Whether there may be something to do, as far as the process knows; what it does not know yet it asks once.
  ///
  /// - Parameter head: The table's, as it is known; nil where it is not.
  func isDue(
    on timeline: Timeline, _ head: Head?, _ properties: TableProperties
  ) async throws(TableError) -> Bool {
    if timeline.pending.contains(where: { $0.action == .clean }) { return true }
    do throws(TableError) {
      return try await planner(properties, timeline, head).isDue()
    } catch {
      // It left the timeline since the commit looked at it.
      if error.isOfVanishedCommit { return true }
      throw error
    }
  }

  /// What would be removed; first what another engine planned, which is done first.
  func plan() async throws(TableError) -> CleanReport {
    let properties = try await recovery.writableProperties()
    let decided = try await recovery.decided(properties)
    let timeline = decided.listing.timeline
    let unfinished = try await PendingCleans(recovery).plans(of: timeline)
    let files = unfinished.flatMap(\.files)
    let planner = try planner(properties, timeline, decided.head.head)
    var report = try await planner.plan(besides: Set(files.map { ExactText($0) }))?.removal ?? CleanReport()
    report.files = files + report.files
    report.finished = unfinished.map(\.instant)
    return report
  }

  /// Removes what nobody needs.
  ///
  /// - Parameters:
  ///   - tries: How often it is planned anew where other writers are faster.
  ///   - isAutomatic: Whether nobody asked for it. One that finds nothing is put on the timeline then, where the next would
  ///     have to look at all partitions again.
  func run(
    tries: Int = mostTries, isAutomatic: Bool = false
  ) async throws(TableError) -> CleanReport {
    var properties = try await recovery.writableProperties()
    let leftovers = Housekeeping(
      storage: recovery.storage, settings: recovery.settings, heads: recovery.heads)
    if try await leftovers.switchOffMetadataTable(properties) {
      properties = try await recovery.writableProperties()
    }
    let pending = PendingCleans(recovery)
    var finished: [Instant] = []
    var refused = 0
    while refused < tries {
      let decided = try await recovery.decided(properties)
      let found = try await pending.first(of: decided.listing.timeline, isAutomatic: isAutomatic)
      let plan =
        found == nil
        ? try await planner(properties, decided.listing.timeline, decided.head.head).plan(
          notesNothing: isAutomatic) : nil
      guard found != nil || plan != nil else {
        var report = CleanReport()
        report.finished = finished
        try await tidyTombstones(decided.listing.timeline, properties)
        return report
      }
      guard let head = try await recovery.stored(decided.head) else {
        refused += 1
        continue
      }
      if let found {
        if try await pending.finish(found, on: head, decided) {
          finished.append(found.instant)
        } else {
          refused += 1
        }
        continue
      }
      guard let (plan, planned) = plan else { continue }
      var report = planned
      report.finished = finished
      let begun = recovery.tellPlanned(.clean, files: report.files.count, bytes: report.bytes)
      do throws(TimelineError) {
        let decision = CleanDecision(plan, in: recovery.storage, recovery.heads, decided.locking)
          .telling(recovery.settings)
        let now = InstantClock(recovery.settings, properties).now()
        report.instant = try await decision.run(on: head, decided.listing.timeline, now: now)
      } catch { throw TableError(error) }
      guard let instant = report.instant else {
        refused += 1
        continue
      }
      recovery.tellRun(
        .clean, at: instant, files: report.files.count, bytes: report.bytes, since: begun)
      try await tidyTombstones(decided.listing.timeline, properties)
      return report
    }
    throw Recovery.overtaken
  }

  private func planner(
    _ properties: TableProperties, _ timeline: Timeline, _ head: Head?
  ) throws(TableError) -> CleanPlanner {
    try retention.check()
    return CleanPlanner(
      storage: recovery.storage, properties: properties, timeline: timeline,
      retention: retention, base: recovery.base, now: InstantClock(recovery.settings, properties).now(),
      reader: head?.earliestReader(at: recovery.settings.now()), memory: memory)
  }

  /// Removes tombstones that have expired, and those of attempts that are no more.
  private func tidyTombstones(
    _ timeline: Timeline, _ properties: TableProperties
  ) async throws(TableError) {
    let hours = Int64(try TarnOptions(properties).tombstoneRetentionHours)
    let order = Housekeeping(storage: recovery.storage, settings: recovery.settings, heads: recovery.heads)
    try await order.tidyTombstones(timeline, expiry: recovery.settings.now() / 1_000 - hours * 3_600_000)
  }
}
