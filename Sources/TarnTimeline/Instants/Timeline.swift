import TarnStorage

/// What an entry of the timeline does to the table.
public enum Action: String, Sendable, Hashable, CaseIterable {
  case commit, deltacommit, replacecommit, clean, rollback, restore, savepoint, indexing
  case compaction, logcompaction, clustering, schemacommit

  /// The action under which its completed file is named.
  public var completed: Action {
    switch self {
    case .compaction: .commit
    case .logcompaction: .deltacommit
    case .clustering: .replacecommit
    default: self
    }
  }

  /// Whether it writes data files.
  public var writesData: Bool {
    switch completed {
    case .commit, .deltacommit, .replacecommit: true
    default: false
    }
  }
}

/// How far an action has come.
public enum ActionState: Int, Sendable, Hashable, Comparable {
  case requested, inflight, completed

  /// The order in which they follow one another.
  public static func < (left: ActionState, right: ActionState) -> Bool { left.rawValue < right.rawValue }
}

/// One action on the timeline.
public struct TimelineEntry: Sendable, Hashable {
  /// When it was requested; unique in the table.
  public let instant: Instant
  /// What it does.
  public let action: Action
  /// How far it has come.
  public let state: ActionState

  /// Makes an entry.
  public init(_ instant: Instant, _ action: Action, _ state: ActionState) {
    self.instant = instant
    self.action = action
    self.state = state
  }

  /// Parses the name of a file of the timeline in layout 1; nil for any other file.
  ///
  /// Source: `InstantFileNameParserV1`.
  public init?(fileName: some StringProtocol) {
    let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, let instant = Instant(parts[0]) else { return nil }
    if parts.count == 2, parts[1] == "inflight" {
      self.init(instant, .commit, .inflight)
      return
    }
    guard let action = Action(rawValue: String(parts[1])) else { return nil }
    switch parts.count == 3 ? parts[2] : nil {
    case nil: self.init(instant, action, .completed)
    case "requested": self.init(instant, action, .requested)
    case "inflight": self.init(instant, action, .inflight)
    default: return nil
    }
  }

  /// The file's name in layout 1.
  public var fileName: String {
    switch (action, state) {
    case (.commit, .inflight): "\(instant).inflight"
    case (_, .completed): "\(instant).\(action.completed.rawValue)"
    case (_, .inflight): "\(instant).\(action.rawValue).inflight"
    case (_, .requested): "\(instant).\(action.rawValue).requested"
    }
  }

  /// The file's path relative to the table.
  public var path: String { TablePaths.folder + fileName }

  /// The same action in another state.
  package func with(_ state: ActionState) -> TimelineEntry { TimelineEntry(instant, action, state) }
}

/// The active timeline: what was done to the table, and what is being done.
public struct Timeline: Sendable, Hashable {
  /// Every action in its highest state, by instant.
  public let entries: [TimelineEntry]
  /// Completed actions that wrote data, by instant.
  public let completedCommits: [TimelineEntry]
  /// Actions that have not come to their end, by instant.
  public let pending: [TimelineEntry]
  /// Where visibility by age begins; see ``isVisible(_:asOf:)``.
  private let begin: Instant?
  private let completedInstants: Set<Instant>

  /// Makes a timeline of entries in any order and in several states each.
  public init(_ files: some Sequence<TimelineEntry>) {
    // Under the entry that an action's completed file would make.
    var highest: [TimelineEntry: TimelineEntry] = [:]
    for entry in files {
      let group = TimelineEntry(entry.instant, entry.action.completed, .completed)
      if let known = highest[group], known.state >= entry.state { continue }
      highest[group] = entry
    }
    let sorted = highest.values.sorted {
      ($0.instant, $0.action.rawValue) < ($1.instant, $1.action.rawValue)
    }
    let commits = sorted.filter { $0.state == .completed && $0.action.writesData }
    entries = sorted
    completedCommits = commits
    pending = sorted.filter { $0.state != .completed }
    completedInstants = Set(commits.map(\.instant))
    // Savepoints hold instants back from the archive, so holes may follow those.
    let held = Set(sorted.filter { $0.action == .savepoint }.map(\.instant))
    begin = sorted.first { $0.action.writesData && !held.contains($0.instant) }?.instant
  }

  /// Reads the timeline of a table of layout 1.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  public static func load(from storage: any Storage) async throws(TimelineError) -> Timeline {
    try await TimelineListing.load(from: storage).timeline
  }

  /// The latest completed commit.
  public var latest: TimelineEntry? { completedCommits.last }

  /// The latest completed commit at or before an instant.
  public func latest(asOf instant: Instant) -> TimelineEntry? {
    completedCommits.last { $0.instant <= instant }
  }

  /// The first completed commit.
  public var first: TimelineEntry? { completedCommits.first }

  /// The greatest instant of any action in any state; a new one must be greater.
  public var lastInstant: Instant? { entries.last?.instant }

  /// Whether an instant is that of a completed commit.
  public func contains(_ instant: Instant) -> Bool { completedInstants.contains(instant) }

  /// Completed commits after an instant, up to and with another.
  public func commits(after start: Instant?, through end: Instant? = nil) -> [TimelineEntry] {
    completedCommits.filter { entry in
      (start.map { entry.instant > $0 } ?? true) && (end.map { entry.instant <= $0 } ?? true)
    }
  }

  /// Whether a data file that carries an instant in its name belongs to the table as of another.
  ///
  /// It does where its instant is completed, or older than the timeline: then its commit was archived.
  /// Instants that only a savepoint keeps do not count as the timeline's begin. Source:
  /// `HoodieDefaultTimeline.containsOrBeforeTimelineStarts`.
  public func isVisible(_ fileInstant: Instant, asOf instant: Instant? = nil) -> Bool {
    if let instant, fileInstant > instant { return false }
    if completedInstants.contains(fileInstant) { return true }
    guard let begin, !completedCommits.isEmpty else { return false }
    return fileInstant < begin
  }

  /// How far behind the latest instant one may lie that comes later, as the clocks of machines differ, in microseconds.
  private static let clockDifference: Int64 = 5 * 60 * 1_000_000

  /// Where it is enough to begin when it is looked what came since this timeline was listed; nil for the beginning.
  ///
  /// What is under way may come to its end, and what comes is not much older than what is there.
  package var whereNewsBegin: Instant? {
    guard let last = lastInstant?.microseconds else { return nil }
    let recent = Instant(microseconds: last - Self.clockDifference)
    return pending.first.map { min($0.instant, recent) } ?? recent
  }

  /// The same timeline, on which commits are still under way.
  package func hiding(_ instants: Set<Instant>) -> Timeline {
    guard !instants.isEmpty else { return self }
    return Timeline(
      entries.map { entry in
        let isHidden =
          entry.action.writesData && entry.state == .completed && instants.contains(entry.instant)
        return isHidden ? entry.with(.inflight) : entry
      })
  }

  /// The same timeline without actions that are archived, of which a listing may still show some.
  package func removing(_ archived: [TimelineEntry]) -> Timeline {
    guard !archived.isEmpty else { return self }
    let archived = Set(archived.map { TimelineEntry($0.instant, $0.action.completed, .completed) })
    return Timeline(
      entries.filter { !archived.contains(TimelineEntry($0.instant, $0.action.completed, .completed)) })
  }

  /// Whether all commits after an instant stand on this timeline: none of them was archived.
  package func begins(before instant: Instant) -> Bool { begin.map { $0 <= instant } ?? false }

  /// Whether files that belong to the table as an earlier look found it may have been removed since.
  package func mayHaveRemovedFiles(since earlier: Timeline) -> Bool {
    let known = Set(earlier.entries)
    let removes = entries.contains { entry in
      guard entry.state == .completed, !known.contains(entry) else { return false }
      switch entry.action.completed {
      case .clean, .rollback, .restore, .replacecommit: return true
      default: return false
      }
    }
    // A commit that left the timeline was rolled back, unless it is older than all that is there: then it was archived.
    return removes
      || earlier.completedCommits.contains { !contains($0.instant) && !isVisible($0.instant) }
  }
}
