import TarnStorage
import TarnTimeline

/// Looks how it stands with attempts that are on the timeline and not completed.
struct AttemptLook: Sendable {
  private let storage: any Storage
  private let heads: HeadStore

  init(_ storage: any Storage, _ heads: HeadStore) {
    self.storage = storage
    self.heads = heads
  }

  /// How it stands with an attempt; nil where it went away meanwhile.
  ///
  /// - Parameter head: The table's, as it was read before the timeline.
  /// - Throws: ``TimelineError`` with code `storage`.
  func state(of entry: TimelineEntry, _ head: Head?) async throws(TimelineError) -> PendingAttempt.State? {
    if let head, head.hasDecided(entry.instant) { return .decided }
    guard let isOwn = try await isOwn(entry) else { return nil }
    guard isOwn else { return .foreign }
    let isDead = try await Liveness(storage).isDead(entry.instant, mark: heads.newMark())
    guard isDead else { return .alive }
    return head?.doubtful.contains(entry.instant) == true ? .doubtful : .dead
  }

  /// Whether an attempt is Tarn's; nil where it went away meanwhile.
  private func isOwn(_ entry: TimelineEntry) async throws(TimelineError) -> Bool? {
    guard entry.action == .commit || entry.action == .replacecommit else { return false }
    guard entry.state == .inflight else { return try await Liveness(storage).isOwn(entry.instant) }
    do throws(TimelineError) {
      return try await CommitLog(storage).metadata(of: entry).writer != nil
    } catch {
      switch error.code {
      // Tarn's own appear whole.
      case .damaged, .unsupported: return false
      default:
        if error.storageError?.code == .notFound { return nil }
        throw error
      }
    }
  }
}
