import TarnStorage
import TarnTimeline

/// Compares a table's head with its timeline.
struct HeadCheck: Sendable {
  private let listing: TimelineListing
  private let survey: CommitSurvey
  private let archive: ArchiveSurvey
  private(set) var findings: [CheckFinding] = []

  init(
    _ head: FoundHead, _ listing: TimelineListing, _ survey: CommitSurvey, _ archive: ArchiveSurvey
  ) {
    self.listing = listing
    self.survey = survey
    self.archive = archive
    switch head {
    case .head(let loaded):
      checkNamed(loaded.head)
      checkRecent(loaded.head)
      checkPositions(loaded.head)
    case .damaged(let what, _):
      find("it is damaged (\(what)): the next write makes it anew from the timeline")
    case .none:
      guard let last = survey.positions.last else { return }
      find("it is gone, and commit \(last.instant.text) was decided by it: the next write makes it anew")
    }
  }

  private mutating func find(_ message: String, _ path: String = HeadStore.path) {
    findings.append(CheckFinding(.head, path, message))
  }

  /// Instants of commits that a head tells of and that are not on the timeline.
  static func absent(_ head: FoundHead, _ timeline: Timeline) -> Set<Instant> {
    guard case .head(let loaded) = head else { return [] }
    return Set(loaded.head.recent.map(\.instant)).filter { !timeline.contains($0) }
  }

  /// Each named decision is carried out, or can be.
  private mutating func checkNamed(_ head: Head) {
    let contents = Set(listing.contents.map(\.path))
    let pending = Set(listing.timeline.pending.map(\.instant))
    for decision in head.named where !decision.isCarriedOut(on: listing.timeline) {
      switch decision.kind {
      case .commit(let content, _):
        guard !archive.found.contains(decision.instant) else { continue }
        if !pending.contains(decision.instant) {
          find("it names commit \(decision.instant.text), of which nothing is on the timeline: it was undone")
        } else if !contents.contains(content) {
          find(
            "it names commit \(decision.instant.text), whose content is gone: it can not be completed",
            content)
        }
      case .rollback(let target, let files):
        // What was carried out may have been archived since.
        guard pending.contains(target), let plan = files.plan, !contents.contains(plan),
          !pending.contains(decision.instant)
        else { continue }
        find("it names the rollback \(decision.instant.text) of \(target.text), whose plan is gone", plan)
      case .restore(_, let files), .commitRollback(_, let files):
        guard pending.contains(decision.instant), let end = files.completed, !contents.contains(end) else {
          continue
        }
        find(
          "it names decision \(decision.instant.text), which takes commits back, and whose content is gone: it can not be "
            + "carried out", end)
      case .clean, .savepoint, .savepointDeletion, .archive: continue
      }
    }
  }

  /// Each commit that is remembered stands, and none is missing between them.
  private mutating func checkRecent(_ head: Head) {
    let named = Set(head.named.map(\.instant))
    for (before, after) in zip(head.recent, head.recent.dropFirst())
    where after.sequence != before.sequence + 1 {
      find("behind decision \(before.sequence) comes \(after.sequence): its sequence has a gap")
    }
    if let last = head.recent.last, last.sequence != head.sequence {
      find("its sequence is \(head.sequence), and its last decision \(last.sequence)")
    }
    for decision in head.recent {
      let instant = decision.instant
      guard !listing.timeline.contains(instant), !named.contains(instant), !archive.found.contains(instant)
      else { continue }
      // What lies before the timeline's beginning counts as committed where the archive tells nothing.
      if !archive.isWhole, listing.timeline.isVisible(instant) { continue }
      find(
        "its decision \(decision.sequence) is commit \(instant.text), which is neither on the timeline nor archived: another "
          + "engine undid it, or its file was removed")
    }
  }

  /// The positions of commits are those that the head gave them.
  private mutating func checkPositions(_ head: Head) {
    let remembered = Dictionary(
      head.recent.map { ($0.instant, $0) }, uniquingKeysWith: { first, _ in first })
    var seen: [Int64: Instant] = [:]
    for (instant, position) in survey.positions where position.epoch == head.epoch {
      let entry = listing.timeline.entries.first { $0.instant == instant && $0.action.writesData }
      let path = (entry ?? InstantFiles(instant).completed).path
      if position.sequence > head.sequence {
        find(
          "commit \(instant.text) is decision \(position.sequence), and the head has come to \(head.sequence): it was set "
            + "back", path)
      } else if let decision = remembered[instant], decision.sequence != position.sequence {
        find(
          "it says that it is decision \(position.sequence), and the head that it is \(decision.sequence)",
          path)
      }
      if let other = seen.updateValue(instant, forKey: position.sequence) {
        find("commits \(other.text) and \(instant.text) are both decision \(position.sequence)", path)
      }
    }
  }
}
