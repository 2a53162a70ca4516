import TarnStorage
import TarnTimeline

/// Rolls attempts back because somebody asks for it.
struct AttemptRollback: Sendable {
  private let recovery: Recovery
  private let storage: any Storage
  private let heads: HeadStore

  init(_ recovery: Recovery) {
    self.recovery = recovery
    storage = recovery.storage
    heads = recovery.heads
  }

  /// How often it is begun again where other writers were faster.
  private static let mostTries = 20

  /// Rolls back the attempts of Tarn's writers that died, but for doubtful ones.
  ///
  /// - Returns: Their instants.
  func runDead() async throws(TableError) -> [Instant] {
    let properties = try await recovery.writableProperties()
    var instants: [Instant] = []
    for _ in 0..<Self.mostTries {
      let decided = try await recovery.decided(properties)
      guard let head = try await recovery.stored(decided.head) else { continue }
      let attempts = recovery.deadAttempts(properties, decided.locking)
      let outcome = try await attempts.rollBack(on: head, decided.listing)
      instants += outcome.instants
      guard !outcome.isRefused else { continue }
      try await attempts.removeStaleSigns()
      return instants
    }
    throw Recovery.overtaken
  }

  /// What would be removed.
  ///
  /// - Parameters:
  ///   - instant: The one attempt; nil for those of Tarn's writers that died.
  ///   - force: Whether it would be rolled back though its writer lives.
  func plan(_ instant: Instant?, force: Bool) async throws(TableError) -> [AttemptRemoval] {
    let properties = try await recovery.writableProperties()
    let decided = try await recovery.decided(properties)
    guard let instant else {
      return try await recovery.deadAttempts(properties, decided.locking).plan(
        on: decided.head, decided.listing)
    }
    guard let entry = decided.listing.timeline.entries.first(where: { $0.instant == instant }) else {
      throw Self.missing(instant)
    }
    try await check(entry, decided.head.head, force: force)
    let planned = try await plannedPartitions(of: entry)
    do throws(TimelineError) {
      let decision = RollbackDecision(entry, in: storage, at: recovery.base, heads, decided.locking)
      return [AttemptRemoval(entry: entry, files: try await decision.files(.planned(planned)))]
    } catch { throw TableError(error) }
  }

  private static func missing(_ instant: Instant) -> TableError {
    TableError(
      .mismatch, "there is no attempt \(instant.text) on the timeline: tarn timeline lists those there are")
  }

  /// Rolls back one attempt, of whichever engine.
  ///
  /// - Parameter force: Whether it is rolled back though its writer lives.
  func run(_ instant: Instant, force: Bool) async throws(TableError) {
    let properties = try await recovery.writableProperties()
    var wasThere = false
    for _ in 0..<Self.mostTries {
      let decided = try await recovery.decided(properties)
      let listing = decided.listing
      guard let entry = listing.timeline.entries.first(where: { $0.instant == instant }) else {
        // Another rolled it back.
        if wasThere { return }
        throw Self.missing(instant)
      }
      wasThere = true
      guard let head = try await recovery.stored(decided.head) else { continue }
      try await check(entry, head.head, force: force)
      let planned = try await plannedPartitions(of: entry)
      do throws(TimelineError) {
        let decision = RollbackDecision(entry, in: storage, at: recovery.base, heads, decided.locking)
        let now = InstantClock(recovery.settings, properties).now()
        let decided = try await decision.run(on: head, listing.timeline, .planned(planned), now: now)
        guard decided != nil else { continue }
        recovery.settings.tell(.attemptRolledBack(instant: instant))
        return
      } catch { throw TableError(error) }
    }
    throw Recovery.overtaken
  }

  /// Checks that an entry of the timeline may be rolled back.
  private func check(_ entry: TimelineEntry, _ head: Head, force: Bool) async throws(TableError) {
    let instant = entry.instant
    guard entry.state != .completed else {
      throw TableError(
        .unsupported,
        "\(entry.action.rawValue) \(instant.text) is completed, and no attempt: the latest commit is rolled back by "
          + "rollBackCompleted (tarn rollback --completed), and to others before it a restore goes back",
        path: entry.path)
    }
    switch entry.action {
    case .commit, .replacecommit, .clustering: break
    default:
      throw TableError(
        .unsupported,
        "\(entry.path): a \(entry.action.rawValue) is not rolled back by Tarn: let the engine that began it go on",
        path: entry.path)
    }
    let state: PendingAttempt.State?
    do throws(TimelineError) {
      state = try await AttemptLook(storage, heads).state(of: entry, head)
      if state == .decided {
        throw TimelineError(
          .conflict, path: entry.path,
          "commit \(instant.text) is decided: it appears with the next write, and is no attempt any more")
      }
      guard !force else { return }
      // Of another engine's writers only those that beat are known to live.
      let isForeign = state == .foreign
      guard state == .alive || isForeign else { return }
      if isForeign, try await !Liveness(storage).beats(instant, mark: heads.newMark()) { return }
    } catch { throw TableError(error) }
    throw TableError(
      .conflict,
      "attempt \(instant.text) is under way and its writer lives: let it finish, or stop it; where its rollback is forced, it begins again",
      path: entry.path)
  }

  /// The partitions that an attempt planned to write into; none where it does not tell, so that all are looked into.
  private func plannedPartitions(of entry: TimelineEntry) async throws(TableError) -> [String] {
    guard entry.state == .inflight else { return [] }
    do throws(TimelineError) {
      return try await CommitLog(storage).metadata(of: entry).partitions.pairs.map(\.key)
    } catch {
      switch error.code {
      case .damaged, .unsupported: return []
      default:
        if error.storageError?.code == .notFound { return [] }
        throw TableError(error)
      }
    }
  }
}
