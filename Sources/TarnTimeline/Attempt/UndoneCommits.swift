import TarnStorage

/// Commits that a head tells of and that do not stand any more: another engine rolled them back, or restored the table to
/// a time before them.
package struct UndoneCommits: Sendable {
  /// As the head has them, in their order.
  package let decisions: [RecentDecision]

  /// Looks for them.
  ///
  /// - Parameters:
  ///   - head: The head.
  ///   - timeline: All of it, as it was listed after the head was read.
  /// - Throws: ``TimelineError`` with code `storage`.
  package init(_ head: Head, _ timeline: Timeline, in storage: any Storage) async throws(TimelineError) {
    let last = head.recent.last?.instant
    let named = Set(head.named.filter(\.isCommit).map(\.instant))
    var decisions: [RecentDecision] = []
    for decision in head.recent where !timeline.contains(decision.instant) {
      let instant = decision.instant
      // What is older than the timeline was archived; but not the last of all, unless nothing else stands either.
      if timeline.isVisible(instant), instant != last { continue }
      if try await Self.stands(instant, isNamed: named.contains(instant), storage) { continue }
      decisions.append(decision)
    }
    self.decisions = decisions
  }

  /// Their instants.
  package var instants: Set<Instant> { Set(decisions.map(\.instant)) }

  private static func stands(
    _ instant: Instant, isNamed: Bool, _ storage: any Storage
  ) async throws(TimelineError) -> Bool {
    do {
      // A listing need not show what was moved while it was walked.
      if try await storage.hasAnyCommit(instant, { $0.completed }) { return true }
      if isNamed {
        let isUnderWay = try await storage.hasAnyCommit(instant) { $0.inflight }
        if isUnderWay { return true }
      }
    } catch { throw TimelineError(error) }
    do throws(TimelineError) { return try await ArchivedTimeline.has(instant, in: storage) } catch {
      // An archive that cannot be read may have it.
      guard error.code == .damaged || error.code == .unsupported else { throw error }
      return true
    }
  }
}
