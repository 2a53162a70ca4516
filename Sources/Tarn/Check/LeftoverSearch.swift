import TarnStorage
import TarnTimeline

/// Looks for what writers left that died; the next write removes most of it.
struct LeftoverSearch: Sendable {
  let storage: any Storage
  let heads: HeadStore
  /// The time in microseconds since 1970.
  let now: Int64

  /// The age at which a temporary is taken to be a dead writer's, in microseconds.
  private static let patience: Int64 = 10 * 60 * 1_000_000

  func findings(_ listing: TimelineListing, _ found: FoundHead) async throws -> [CheckFinding] {
    var head: Head?
    if case .head(let loaded) = found { head = loaded.head }
    var findings = try await attempts(listing.timeline, head)
    let pending = Set(listing.timeline.pending.map(\.instant))
    let named = Set(head?.named.flatMap(\.contents) ?? [])
    func find(_ path: String, _ message: String) {
      findings.append(CheckFinding(.leftover, path, message))
    }
    for content in listing.contents where !named.contains(content.path) && !pending.contains(content.instant)
    {
      find(content.path, "a content of no attempt and of no decision")
    }
    for object in try await storage.listAll(prefix: Liveness.folder).objects {
      guard let instant = Instant(object.path.dropFirst(Liveness.folder.count)), !pending.contains(instant),
        try await Liveness(storage).isDead(instant, mark: heads.newMark())
      else { continue }
      find(object.path, "a sign of life of no attempt, whose writer is dead")
    }
    let page = try await storage.listAll(prefix: TablePaths.temporaries, stoppingAtSlash: true)
    for folder in page.folders {
      guard let instant = CommitMarkers.instant(ofFolder: folder), !pending.contains(instant) else {
        continue
      }
      find(folder, "markers of no attempt")
    }
    for object in page.objects where now - object.modified > Self.patience {
      find(object.path, "a temporary of a writer that died")
    }
    for object in try await storage.listAll(prefix: TablePaths.tombstones).objects {
      let name = object.path.dropFirst(TablePaths.tombstones.count)
      guard let instant = name.split(separator: ".").first.flatMap({ Instant($0) }),
        !pending.contains(instant),
        !listing.timeline.isVisible(instant)
      else { continue }
      find(object.path, "tombstones of no commit")
    }
    return findings
  }

  private func attempts(_ timeline: Timeline, _ head: Head?) async throws(TimelineError) -> [CheckFinding] {
    var findings: [CheckFinding] = []
    let look = AttemptLook(storage, heads)
    for entry in timeline.pending {
      let message: String
      switch try await look.state(of: entry, head) {
      case .decided?: message = "it is decided, and appears with the next write"
      case .dead?: message = "an attempt whose writer is dead: the next write rolls it back"
      case .doubtful?:
        message = "an attempt that a lost head may have decided: no write rolls it back, so do it by hand"
      default: continue
      }
      findings.append(CheckFinding(.leftover, entry.path, message))
    }
    return findings
  }
}
