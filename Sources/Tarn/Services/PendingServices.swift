import TarnTimeline

/// Says what on a timeline stands in a service's way.
struct PendingServices: Sendable {
  private let timeline: Timeline

  /// Takes a timeline on which all that Tarn decided is carried out.
  init(_ timeline: Timeline) { self.timeline = timeline }

  /// Checks that no service of another engine is under way.
  ///
  /// - Parameters:
  ///   - what: What is to be done.
  ///   - actions: Those that stand in its way.
  /// - Throws: ``TableError`` with code `conflict`.
  func check(_ what: String, _ actions: Set<Action>) throws(TableError) {
    guard let entry = timeline.pending.first(where: { actions.contains($0.action) }) else { return }
    throw TableError(
      .conflict,
      "\(entry.path): a \(entry.action.rawValue) of another engine is under way, or it died in the middle, so that \(what) is "
        + "refused: let that engine finish it, and try again", path: entry.path)
  }

  /// Checks that a commit stands on the timeline.
  ///
  /// - Throws: ``TableError`` with code `mismatch`.
  func checkStands(_ commit: Instant, _ what: String) throws(TableError) {
    guard !timeline.contains(commit) else { return }
    let why: String
    if let entry = timeline.pending.first(where: { $0.instant == commit && $0.action.writesData }) {
      why = "\(entry.action.rawValue) \(commit.text) is not completed"
    } else if let entry = timeline.entries.first(where: { $0.instant == commit }) {
      why = "\(commit.text) is the instant of a \(entry.action.rawValue), which is no commit"
    } else if timeline.isVisible(commit) {
      why =
        "commit \(commit.text) lies before the timeline, which begins with "
        + "\(timeline.first?.instant.text ?? "nothing"): it was archived, if there was one"
    } else {
      why = "there is no commit \(commit.text) on the timeline"
    }
    throw TableError(.mismatch, "\(why), so that \(what) of it is refused: tarn timeline lists the commits")
  }
}
