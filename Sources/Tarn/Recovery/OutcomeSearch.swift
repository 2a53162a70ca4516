import TarnStorage
import TarnTimeline

/// Finds out what became of a commit, without a change to the table.
struct OutcomeSearch: Sendable {
  let storage: any Storage
  let heads: HeadStore
  /// Where the table's properties say that its archive lies.
  let archiveFolder: String

  /// How often the table is looked at that changes while it is looked at.
  private static let mostLooks = 3

  /// Looks at the head, then at the timeline, and last at the archive: on its way from one to the next a commit is seen in
  /// one of them at least.
  func outcome(of instant: Instant) async throws(TimelineError) -> CommitOutcome {
    for _ in 1..<Self.mostLooks {
      if let outcome = try await look(for: instant) { return outcome }
    }
    return try await look(for: instant) ?? .unknown
  }

  /// What one look tells; nil where the attempt went away meanwhile.
  private func look(for instant: Instant) async throws(TimelineError) -> CommitOutcome? {
    let found = try await heads.load()
    let listing = try await TimelineListing.load(from: storage)
    let entries = listing.timeline.entries.filter { $0.instant == instant }
    if entries.contains(where: { $0.state == .completed }) { return .stands }
    var head: Head?
    if case .head(let loaded) = found { head = loaded.head }
    guard let attempt = entries.first else {
      // What is completed moves only from an inflight file that stands: a swap that arrives now moves nothing.
      if try await isArchived(instant) { return .stands }
      do {
        if try await storage.hasAnyCommit(instant, { $0.completed }) { return nil }
        if try await storage.hasAnyCommit(instant, { $0.inflight }) { return nil }
      } catch { throw TimelineError(error) }
      return .doesNotStand
    }
    if let head {
      if head.rollsBack(instant) { return .doesNotStand }
      if head.hasDecided(instant) { return .stands }
    }
    return try await outcome(of: attempt, listing, head)
  }

  /// What is known of an attempt on the timeline that no head names.
  private func outcome(
    of attempt: TimelineEntry, _ listing: TimelineListing, _ head: Head?
  ) async throws(TimelineError) -> CommitOutcome? {
    switch try await AttemptLook(storage, heads).state(of: attempt, head) {
    case nil: return nil
    case .alive?: return .underWay
    case .dead?: break
    default: return .unknown
    }
    // Nobody swaps before the content lies there, and a content goes only once its swap cannot arrive any more.
    let hasContent = listing.contents.contains { $0.instant == attempt.instant }
    // A listing need not show what was moved while it was walked.
    do {
      if try await storage.exists(attempt.with(.completed).path) { return .stands }
    } catch { throw TimelineError(error) }
    if case .head(let now) = try await heads.load(), now.head.hasDecided(attempt.instant) { return .stands }
    // Elsewhere a writer counts as dead that may only sleep.
    return hasContent || storage.lifeSigns == nil ? .unknown : .doesNotStand
  }

  private func isArchived(_ instant: Instant) async throws(TimelineError) -> Bool {
    try await ArchivedTimeline.load(from: storage, folder: archiveFolder).commit(instant) != nil
  }
}
