/// The commits whose rows are looked for.
package struct CommitSelection: Sendable {
  private enum Kind: Sendable {
    /// Those after an instant.
    case after(Instant)
    /// Those that were decided after a position, and those that no decision has taken in.
    case later(DecidedCommits)
    /// Those that were decided after a position, up to another.
    case decided(DecidedCommits)
    /// All that were decided up to a position, and what is older than the decisions.
    case until(DecidedCommits)
  }

  private let kind: Kind
  /// The last instant that counts; nil for all.
  private let end: Instant?

  private init(_ kind: Kind, through end: Instant? = nil) {
    self.kind = kind
    self.end = end
  }

  /// The commits after an instant, up to and with another.
  package static func after(_ instant: Instant, through end: Instant?) -> CommitSelection {
    CommitSelection(.after(instant), through: end)
  }

  /// The commits that were decided after a position or that no decision has taken in, up to an instant.
  package static func later(_ commits: DecidedCommits, through end: Instant?) -> CommitSelection {
    CommitSelection(.later(commits), through: end)
  }

  /// The commits that were decided after a position, up to another.
  package static func decided(_ commits: DecidedCommits) -> CommitSelection {
    CommitSelection(.decided(commits))
  }

  /// The commits that were decided up to a position, and all before the first decision.
  package static func until(_ commits: DecidedCommits) -> CommitSelection { CommitSelection(.until(commits)) }

  /// Whether the rows of a commit are looked for.
  ///
  /// - Parameter instant: Nil where what a row carries is no instant.
  package func contains(_ instant: Instant?) -> Bool {
    guard let instant else { if case .until = kind { return true } else { return false } }
    if let end, instant > end { return false }
    switch kind {
    case .after(let start): return instant > start
    case .later(let commits): return commits.isLater(instant)
    case .decided(let commits): return commits.later.contains(instant) && !commits.beyond.contains(instant)
    case .until(let commits): return commits.head.knows(instant) && !commits.beyond.contains(instant)
    }
  }

  /// Whether there may be such rows in a base file that a commit wrote: it holds rows of older ones, and none of later.
  package func mayBeIn(fileOf instant: Instant) -> Bool {
    switch kind {
    case .after(let start): instant > start
    case .later(let commits), .decided(let commits): commits.isLater(instant)
    case .until: true
    }
  }

  /// The entries of these commits; nil where the timeline does not tell all of them.
  package func entries(of timeline: Timeline) -> [TimelineEntry]? {
    switch kind {
    case .after(let start):
      return timeline.begins(before: start) ? timeline.commits(after: start, through: end) : nil
    case .later(let commits), .decided(let commits):
      // Otherwise others may have been archived too.
      let isWhole = commits.head.known.instants.last.map { timeline.contains($0) } ?? true
      guard isWhole, commits.later.allSatisfy({ timeline.contains($0) || commits.beyond.contains($0) }) else {
        return nil
      }
      return timeline.completedCommits.filter { contains($0.instant) }
    case .until: return nil
    }
  }
}

/// The commits that were decided between two positions, as a head knows them.
package struct DecidedCommits: Sendable {
  /// The head.
  package let head: Head
  /// Those after the first position.
  package let later: Set<Instant>
  /// Those after the second.
  package let beyond: Set<Instant>

  /// Sums up what was decided.
  ///
  /// - Parameters:
  ///   - commits: All that were decided after the first position, under their sequences.
  ///   - end: The sequence of the second.
  package init(_ head: Head, _ commits: [Int64: Instant], through end: Int64) {
    self.head = head
    later = Set(commits.values)
    beyond = Set(commits.filter { $0.key > end }.values)
  }

  /// Whether a commit was decided after the first position, or no decision has taken it in.
  func isLater(_ instant: Instant) -> Bool { later.contains(instant) || !head.knows(instant) }
}
