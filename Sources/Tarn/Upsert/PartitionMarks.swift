import TarnBytes
import TarnStorage

extension CommitContext {
  /// Marks the folders of partitions as such for other engines, where they are not yet, many at once.
  func markPartitions(_ paths: [String], _ settings: TableSettings) async throws {
    guard !paths.isEmpty else { return }
    var seen: Set<ExactText> = []
    let distinct = paths.filter { seen.insert(ExactText($0)).inserted }
    let now = settings.now()
    _ = try await concurrently(distinct, width: settings.smallFilesAtOnce ?? storage.costs.requestsAtOnce) {
      [storage, attempt] path in
      try await attempt.mark(path, in: storage, now: now)
    }
  }
}
