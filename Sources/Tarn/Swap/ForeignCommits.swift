import TarnStorage
import TarnTimeline

/// Commits of other engines, which know no head, as far as no decision has taken them in.
struct ForeignCommits: Sendable {
  /// As decisions, with the sequences that they get.
  let decisions: [RecentDecision]

  /// Finds them on a timeline.
  init(on timeline: Timeline, besides head: Head, in storage: any Storage) async throws(TimelineError) {
    let entries = timeline.completedCommits.filter { !head.knows($0.instant) }
    var found: [RecentDecision] = []
    for entry in entries {
      let document: CommitDocument?
      do throws(TimelineError) { document = try await CommitLog(storage).document(of: entry) } catch {
        guard error.code == .damaged || error.code == .unsupported else { throw error }
        document = nil
      }
      found.append(
        RecentDecision(sequence: head.sequence + Int64(found.count) + 1, entry.instant, document))
    }
    decisions = found
  }
}
