import TarnAvro
import TarnStorage

/// The rollbacks and restores of a timeline, asked whether they name an attempt.
package struct RollbackNotices: Sendable {
  private let timeline: Timeline
  private let storage: any Storage

  /// Takes a timeline as it was listed.
  package init(_ timeline: Timeline, in storage: any Storage) {
    self.timeline = timeline
    self.storage = storage
  }

  /// Whether a rollback or restore, in whatever state, names an attempt; those that were there before it began cannot.
  ///
  /// - Throws: ``TimelineError``: `storage`; `damaged` where one cannot be read.
  package func name(_ instant: Instant, since before: Timeline) async throws(TimelineError) -> Bool {
    let known = Set(before.entries.map { TimelineEntry($0.instant, $0.action, .requested) })
    for entry in timeline.entries where entry.action == .rollback || entry.action == .restore {
      let requested = entry.with(.requested)
      guard !known.contains(requested), try await targets(of: requested).contains(instant) else { continue }
      return true
    }
    return false
  }

  /// What a rollback or restore takes back; nothing where its plan has gone with it.
  private func targets(of requested: TimelineEntry) async throws(TimelineError) -> [Instant] {
    guard let bytes = try await storage.readIfPresent(requested.path) else { return [] }
    do throws(AvroError) {
      if requested.action == .rollback {
        return try RollbackPlan(avro: bytes).instant.flatMap { Instant($0.instant) }.map { [$0] } ?? []
      }
      return try RestorePlan(avro: bytes).instants.compactMap { Instant($0.instant) }
    } catch {
      throw TimelineError(.damaged, path: requested.path, "no plan: \(error.description)", cause: error)
    }
  }
}
