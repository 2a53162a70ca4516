import TarnStorage

/// The timeline as it was at one moment of the table's decisions.
///
/// A listing is no snapshot: of two commits that complete while it is taken it may show the later alone. Where there is a
/// head, it is read before and after, and what was decided between is left out.
package struct SettledTimeline: Sendable {
  /// The timeline.
  package let timeline: Timeline
  /// The head that was read before it; nil where there is none that can be read.
  package let head: Head?
  /// How far the table had come: all that was decided until then stands on the timeline, or did; nil without a head.
  package let position: TablePosition?

  /// How often a table is looked at that changes while it is looked at.
  private static let mostLooks = 10

  /// Reads the timeline.
  ///
  /// - Throws: ``TimelineError``: `conflict` where the table changes faster than it can be read; `storage`.
  package static func load(from storage: any Storage) async throws(TimelineError) -> SettledTimeline {
    // Nothing is decided here.
    let store = HeadStore(storage) { 0 }
    var before = try await store.look()
    for _ in 0..<mostLooks {
      let timeline = try await Timeline.load(from: storage)
      let after = try await store.look()
      if let settled = SettledTimeline(timeline, before, after) { return settled }
      before = after
    }
    throw TimelineError(
      .conflict, path: HeadStore.path, "the table changes faster than its timeline can be read: try again")
  }

  /// What a listing shows that was taken between two looks at the head; nil where that cannot be said.
  private init?(_ listed: Timeline, _ before: FoundHead, _ after: FoundHead) {
    guard case .head(let first) = before else {
      // Without a head nobody decides by one.
      if case .head = after { return nil }
      (timeline, head, position) = (listed, nil, nil)
      return
    }
    guard case .head(let second) = after,
      let later = second.head.decisions(after: first.head.position),
      first.head.archivedThrough == second.head.archivedThrough
    else { return nil }
    // What is archived goes one by one, and a listing may show any of it.
    var archived: [TimelineEntry] = []
    for case .archive(let instants) in first.head.named.map(\.kind) { archived += instants.entries }
    let listed = listed.removing(archived)
    var hidden = Set(later.filter { !$0.isForeign }.map(\.instant))
    var sequence = first.head.sequence
    // They are carried out in their order, so that behind one that is not there none is; what was archived was there.
    let commits = first.head.named.filter(\.isCommit)
    if let missing = commits.firstIndex(where: { !listed.isVisible($0.instant) }) {
      hidden.formUnion(commits[missing...].map(\.instant))
      sequence = commits[missing].sequence.map { $0 - 1 } ?? sequence
    }
    // What was taken back does not stand, though all of it may still be there.
    for decision in first.head.named where !decision.isCarriedOut(on: listed) {
      hidden.formUnion(decision.takenBack(of: listed))
    }
    timeline = listed.hiding(hidden)
    head = first.head
    position = TablePosition(epoch: first.head.epoch, sequence: sequence)
  }
}
