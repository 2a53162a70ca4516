import TarnStorage
import TarnTimeline

/// Plans a clean, and has the head decide it.
struct CleanService: Sendable {
  private let recovery: Recovery
  private let retention: Retention

  init(_ recovery: Recovery, _ retention: Retention) {
    self.recovery = recovery
    self.retention = retention
  }

  /// How often it is planned anew where other writers were faster.
  private static let mostTries = 20

  /// What would be removed.
  func plan() async throws(TableError) -> CleanReport {
    let properties = try await recovery.writableProperties()
    return try await plan(properties, try await recovery.decided(properties))?.removal ?? CleanReport()
  }

  /// Removes what nobody needs.
  func run() async throws(TableError) -> CleanReport {
    let properties = try await recovery.writableProperties()
    for _ in 0..<Self.mostTries {
      let decided = try await recovery.decided(properties)
      guard let (plan, planned) = try await plan(properties, decided) else { return CleanReport() }
      var report = planned
      let begun = recovery.settings.now()
      recovery.settings.tell(
        .servicePlanned(ServiceWork(.clean, files: report.files.count, bytes: report.bytes)))
      guard let head = try await recovery.stored(decided.head) else { continue }
      do throws(TimelineError) {
        let decision = CleanDecision(plan, in: recovery.storage, recovery.heads, decided.locking)
        let now = InstantClock(recovery.settings, properties).now()
        report.instant = try await decision.run(on: head, decided.listing.timeline, now: now)
      } catch { throw TableError(error) }
      if let instant = report.instant {
        recovery.settings.tell(
          .serviceRun(
            ServiceWork(
              .clean, instant: instant, files: report.files.count, bytes: report.bytes,
              duration: .microseconds(recovery.settings.now() - begun))))
        return report
      }
    }
    throw Recovery.overtaken
  }

  private func plan(
    _ properties: TableProperties, _ decided: DecidedTable
  ) async throws(TableError) -> (plan: CleanPlan, removal: CleanReport)? {
    try retention.check()
    return try await CleanPlanner(
      storage: recovery.storage, properties: properties, timeline: decided.listing.timeline,
      retention: retention, base: recovery.base,
      now: InstantClock(recovery.settings, properties).now()
    ).plan()
  }
}
