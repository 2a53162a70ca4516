import TarnStorage
import TarnTimeline

extension CommitLog {
  /// Puts a commit's completed file, as an engine does that knows no head.
  @discardableResult
  func complete(
    _ instant: Instant, _ metadata: CommitMetadata
  ) async throws(TimelineError) -> TimelineEntry {
    let entry = TimelineEntry(instant, .commit, .completed)
    do { try await storage.put(metadata.bytes(), at: entry.path, if: .ifAbsent) } catch {
      throw TimelineError(error)
    }
    return entry
  }
}
