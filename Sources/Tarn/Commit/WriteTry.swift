import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// One try of a write on one state of its table: what is to be written is found out, written, and decided.
struct WriteTry<Write: TableWrite>: Sendable {
  let write: Write
  let options: WriteOptions
  let decision: AttemptDecision
  /// Which names own which columns, to be stored before the commit.
  let owners: ColumnOwners?

  /// How a try ended.
  enum Ending: Sendable {
    /// The write is done.
    case done(CommitReport)
    /// This version of its application was written before.
    case repeated(ApplicationVersion)
    /// The table got a head or other properties meanwhile, of another writer: the write begins again, and has lost nothing.
    case again(Write.Prepared)
    /// Another writer was faster; the error says which, and what was found out may serve the next try.
    case lost(TableError, Write.Prepared)
  }

  /// Tries the write.
  ///
  /// What fails is rolled back, unless it is not known whether the commit stands; the error says so then.
  ///
  /// - Parameters:
  ///   - table: The table as it is.
  ///   - previous: What a try before found out; nil for none.
  ///   - number: 1 for the first try.
  ///   - isOfOpening: Whether the table is as it was when it was opened.
  func run(
    on table: PresentTable, after previous: Write.Prepared?, number: Int, isOfOpening: Bool
  ) async throws(TableError) -> Ending {
    let request = AttemptRequest(ahead: write.action, of: table, readingAgain: isOfOpening)
    // Its writer lives, also while it looks up and decides.
    async let _: Void = request.beat(every: table.settings.heartbeat)
    do throws(TableError) { return try await run(on: table, after: previous, number: number, request) } catch
    {
      await request.withdraw()
      throw error
    }
  }

  private func run(
    on table: PresentTable, after previous: Write.Prepared?, number: Int, _ request: AttemptRequest
  ) async throws(TableError) -> Ending {
    let settings = table.settings
    let begun = settings.now()
    let prepared = try await write.prepare(on: table, after: previous)
    let planned = prepared.planned
    try planned.check(against: table.state.replacements)
    let found = settings.now()
    let lookUpDuration = Duration.microseconds(found - begun)
    var report = CommitReport(planned.counts, replacing: planned.plan.replaced)
    report.lookUpDuration = lookUpDuration
    guard prepared.isNeeded || options.isCommit else {
      await request.withdraw()
      return .done(report)
    }
    guard let head = try await decision.stored(table.state.head) else { return .again(prepared) }
    let preparations = Preparations(table: table, owners: owners)
    try await preparations.storeOwners()
    if !planned.plan.tombstones.isEmpty { try await preparations.tidyTombstones(of: planned.table) }
    let contents = AttemptContents(write: write, options: options)
    let plan = try contents.plan(prepared, mark: request.mark)
    let attempt: CommitAttempt
    do throws(TimelineError) {
      let requested = try await request.taken(plan, on: head.head)
      guard request.standsOnPresentProperties else {
        await requested.withdraw()
        return .again(prepared)
      }
      attempt = try await CommitAttempt(requested, plan)
    } catch { throw TableError(error) }
    table.announce(attempt.instant, of: write.operation, number: number)
    let written: [WrittenFile]
    do {
      written = try await contents.files(
        of: prepared, attempt.instant, attempt.markers, attempt.standing, table)
      try Task.checkCancellation()
    } catch {
      // Taken for a dead writer's, it costs a new try.
      let isRolledBack = (try? await attempt.isRolledBack) ?? false
      let instant = attempt.instant
      await attempt.rollBack(removing: [])
      guard isRolledBack, !Task.isCancelled else { throw TableError(error) }
      return .lost(.rolledBack(instant), prepared)
    }
    report = CommitReport(prepared.counts(of: written), written, replacing: planned.plan.replaced)
    report.crowdedPartitions = contents.crowdedPartitions(planned, written)
    report.instant = attempt.instant
    report.lookUpDuration = lookUpDuration
    let ready = settings.now()
    report.writeDuration = .microseconds(ready - found)
    let candidate = CommitCandidate(
      files: attempt.files, metadata: contents.completed(planned, written, report),
      claim: planned.claim,
      base: CommitBase(head: head, timeline: table.state.timeline, locking: table.state.locking),
      begun: table.state.timeline, keepsDeletions: !planned.plan.tombstones.isEmpty,
      transaction: options.transaction)
    let leftovers = Leftovers(removing: attempt.ending)
    let result = await decision.run(candidate, of: write, prepared, leftovers, table)
    switch result {
    case .stands(let decided):
      await leftovers.tidy()
      attempt.leave()
      report.commitDuration = .microseconds(settings.now() - ready)
      report.position = decided.position
      report.warnings = decided.warnings
    case .unknown(let error):
      let instant = attempt.instant
      attempt.leave()
      throw .unknown(error, instant)
    case .undone(let error):
      attempt.leave()
      throw error
    case .repeated, .lost, .failed: await attempt.rollBack(removing: leftovers.paths)
    }
    switch result {
    case .stands, .undone, .unknown: return .done(report)
    case .repeated(let version): return .repeated(version)
    case .lost(let error, let newer): return .lost(error, newer)
    case .failed(let error): throw error
    }
  }
}
