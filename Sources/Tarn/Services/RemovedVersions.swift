import TarnBytes
import TarnFileGroups
import TarnStorage
import TarnTimeline

/// Finds out whether a clean has removed versions of files that belong to the table as of an instant: without them, rows
/// would be missing, and nothing would tell.
struct RemovedVersions: Sendable {
  private let state: TableState
  private let storage: any Storage

  init(_ state: TableState, _ storage: any Storage) {
    self.state = state
    self.storage = storage
  }

  /// The first clean behind an instant that is on the timeline.
  private func clean(after instant: Instant) -> TimelineEntry? {
    state.timeline.entries.first {
      $0.action == .clean && $0.state == .completed && $0.instant > instant
    }
  }

  /// Checks that none is missing.
  ///
  /// - Parameter isRead: Whether a partition is read.
  /// - Throws: ``TableError`` with code `cleaned` where one is.
  func check(asOf instant: Instant, where isRead: (String) -> Bool) async throws {
    let clean = clean(after: instant)
    // Cleans may have been archived, with what they cleaned for.
    let isArchived = !state.timeline.begins(before: instant)
    guard clean != nil || isArchived else { return }
    let view = try await FileSystemView.load(
      from: storage, properties: state.properties, timeline: state.timeline)
    var history = VersionHistory(state, storage, after: instant)
    for partition in view.partitions where isRead(partition.path) {
      for (files, _) in view.versions(of: partition) {
        guard let oldest = files.last, oldest.name.instant > instant else { continue }
        let isNew = try await history.began(partition.path, oldest.name)
        guard isNew else { throw error(instant, clean, "file group \(oldest.name.fileID)") }
      }
    }
    for (partition, groups) in try await history.replaced() where isRead(partition) {
      let known = Set(view.partition(partition)?.baseFiles.map(\.name.fileID) ?? [])
      if let gone = groups.first(where: { !known.contains($0) }) {
        throw error(instant, clean, "file group \(gone)")
      }
    }
  }

  /// The error of a file that is gone while a snapshot is read, where a clean removed it; else that error.
  ///
  /// - Parameter instant: The last commit to be seen; nil for the latest.
  func explained(_ failure: TableError, asOf instant: Instant?) async -> TableError {
    guard failure.code == .storage || failure.code == .damaged, let path = failure.path,
      let name = BaseFileName(path: path), (try? await storage.exists(path)) == false,
      let read = instant ?? state.timeline.latest?.instant,
      let present = try? await TableState.load(storage),
      let clean = RemovedVersions(present, storage).clean(after: name.instant)
    else { return failure }
    return error(read, clean, "\(path)")
  }

  private func error(_ instant: Instant, _ clean: TimelineEntry?, _ what: String) -> TableError {
    let who = clean.map { "clean \($0.instant.text), or one behind it," } ?? "a clean that is archived"
    let later = state.timeline.completedCommits.count { $0.instant > instant }
    return TableError(
      .cleaned,
      "the table as of instant \(instant.text) cannot be read: \(who) removed a "
        + "version of \(what); take another snapshot, and where older ones are to be read, keep more "
        + "(tarn.clean.retained): \(later + 1) commits would have kept it",
      path: clean?.path)
  }
}
