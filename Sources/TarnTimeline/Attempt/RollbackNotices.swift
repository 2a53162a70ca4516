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

  /// Whether a rollback or restore that came since a timeline takes back a commit that was completed on it.
  ///
  /// - Returns: The action, and the commit; nil where none does.
  /// - Throws: ``TimelineError``: `storage`; `damaged` where a plan cannot be read.
  package func takesBack(anyOf before: Timeline) async throws(TimelineError) -> (Action, Instant)? {
    let known = Set(before.entries.map { TimelineEntry($0.instant, $0.action, .requested) })
    for entry in timeline.entries where entry.action == .rollback || entry.action == .restore {
      guard !known.contains(entry.with(.requested)) else { continue }
      for target in try await targets(of: entry.with(.requested))
      where before.completedCommits.contains(where: { $0.instant == target }) {
        return (entry.action, target)
      }
    }
    return nil
  }

  /// Whether a rollback or restore behind an attempt names it.
  ///
  /// - Throws: ``TimelineError``: `storage`; `damaged` where a plan cannot be read.
  package func nameFromBehind(_ instant: Instant) async throws(TimelineError) -> Bool {
    for entry in timeline.entries where entry.action == .rollback || entry.action == .restore {
      guard entry.instant > instant else { continue }
      if try await targets(of: entry.with(.requested)).contains(instant) { return true }
    }
    return false
  }

  /// What a rollback or restore takes back; nothing where its plan has gone with it.
  private func targets(of requested: TimelineEntry) async throws(TimelineError) -> [Instant] {
    guard let bytes = try await storage.readPlan(requested.path) else { return [] }
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

extension Storage {
  /// The plan of a service, which names files and may be long; nil where it has gone.
  ///
  /// - Throws: ``TimelineError``: `storage`; `damaged` where it is longer than any plan.
  func readPlan(_ path: String) async throws(TimelineError) -> [UInt8]? {
    // Two million files of a load that died.
    let longest = 512 << 20
    do { return try await get(path, limit: longest).bytes } catch {
      if error.code == .notFound { return nil }
      if error.code == .tooLarge {
        throw TimelineError(.damaged, path: path, "\(error.message): no plan is so long", cause: error)
      }
      throw TimelineError(error)
    }
  }
}
