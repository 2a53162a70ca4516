import TarnBytes
import TarnFileGroups
import TarnStorage
import TarnTimeline

/// Finds out whether a clean has removed versions of files that belong to the table as of an instant: without them, rows
/// would be missing, and nothing would tell.
struct RemovedVersions: Sendable {
  private let properties: TableProperties
  private let timeline: Timeline
  private let storage: any Storage

  init(_ properties: TableProperties, _ timeline: Timeline, _ storage: any Storage) {
    self.properties = properties
    self.timeline = timeline
    self.storage = storage
  }

  init(_ state: TableState, _ storage: any Storage) {
    self.init(state.properties, state.timeline, storage)
  }

  /// The first clean behind an instant that is on the timeline; one that is under way may have removed some already.
  private func clean(after instant: Instant) -> TimelineEntry? {
    timeline.entries.first { $0.action == .clean && $0.instant > instant }
  }

  /// Whether a version may be there though a later one is gone: one that a savepoint holds, or held when it was cleaned last,
  /// or one that a clean under way is about to remove.
  private func mayHaveGaps() async throws -> Bool {
    let isHeld = timeline.entries.contains {
      $0.action == .savepoint || ($0.action == .clean && $0.state != .completed)
    }
    if isHeld { return true }
    let planner = CleanPlanner(
      storage: storage, properties: properties, timeline: timeline, retention: .commits(1), base: "", now: 0)
    return try await planner.lastClean().map { !$0.savepoints.isEmpty } ?? false
  }

  /// Checks that none is missing.
  ///
  /// - Parameter isRead: Whether a partition is read.
  /// - Throws: ``TableError`` with code `cleaned` where one is.
  func check(asOf instant: Instant, where isRead: (String) -> Bool) async throws {
    let clean = clean(after: instant)
    // Cleans may have been archived, with what they cleaned for.
    guard clean != nil || !timeline.begins(before: instant) else { return }
    let view = try await FileSystemView.load(from: storage, properties: properties, timeline: timeline)
    let gone = try await missing(asOf: instant, in: view, isExact: try await mayHaveGaps(), where: isRead)
    guard let gone else { return }
    throw error(instant, clean, gone)
  }

  /// What is missing of the table as of an instant; nil for nothing.
  ///
  /// - Parameters:
  ///   - view: All partitions, or those that are looked into.
  ///   - isExact: Whether it is found out for each file group that its version is the one that the next was made of; else
  ///     a version is enough, as a clean removes the older ones first.
  ///   - isRead: Whether a partition is looked into.
  func missing(
    asOf instant: Instant, in view: FileSystemView, isExact: Bool, where isRead: (String) -> Bool
  ) async throws -> String? {
    var history = VersionHistory(properties, timeline, storage, after: instant)
    for partition in view.partitions where isRead(partition.path) {
      for (files, replaced) in view.versions(of: partition) {
        guard let latest = files.first?.name else { continue }
        let group = "file group \(latest.fileID)" + (partition.path.isEmpty ? "" : " in \(partition.path)")
        // Of those behind it the oldest; where there is none, the latest is the one, unless later ones went with what replaced
        // the group.
        guard let next = files.last(where: { $0.name.instant > instant }) else {
          guard isExact, replaced.map({ $0 > instant }) ?? false else { continue }
          if let gone = try await history.version(behind: latest, partition.path) {
            return "version \(gone.text) of \(group)"
          }
          continue
        }
        let present = files.first { $0.name.instant <= instant }?.name.instant
        if !isExact, present != nil { continue }
        switch try await history.version(before: next.name, partition.path) {
        case .none where present == nil: break
        case .at(let version) where version == present: break
        case .at(let version): return "version \(version.text) of \(group)"
        case .none, .unknown: return "a version of \(group)"
        }
      }
    }
    for (partition, groups) in try await history.replaced() where isRead(partition) {
      let known = Set(view.partition(partition)?.baseFiles.map(\.name.fileID) ?? [])
      for group in groups where !known.contains(group) {
        // One that came later was none of the table's then.
        if try await !history.beganLater(group, partition) { return "file group \(group)" }
      }
    }
    return nil
  }

  /// The error of a file that is gone while a snapshot is read, where a clean removed it, or a commit was taken back; else
  /// that error.
  ///
  /// - Parameter instant: The last commit to be seen; nil for the latest.
  func explained(_ failure: TableError, asOf instant: Instant?) async -> TableError {
    guard failure.code == .storage || failure.code == .damaged, let path = failure.path,
      let name = BaseFileName(path: path), (try? await storage.exists(path)) == false,
      let read = instant ?? timeline.latest?.instant,
      let present = try? await TableState.load(storage)
    else { return failure }
    if timeline.isVisible(name.instant), !present.timeline.isVisible(name.instant) {
      let later = present.timeline.entries.last { entry in
        (entry.action == .restore || entry.action == .rollback) && entry.instant > name.instant
      }
      let by = later.map { "\($0.action.rawValue) \($0.instant.text) took" } ?? "a restore or a rollback took"
      return TableError(
        .conflict,
        "the table as of instant \(read.text) cannot be read: \(by) commit \(name.instant.text) back, and \(path) with "
          + "it; take another snapshot", path: path)
    }
    guard let clean = RemovedVersions(present, storage).clean(after: name.instant) else { return failure }
    return error(read, clean, "a version of \(path)")
  }

  private func error(_ instant: Instant, _ clean: TimelineEntry?, _ what: String) -> TableError {
    let who = clean.map { "clean \($0.instant.text), or one behind it," } ?? "a clean that is archived"
    return TableError(
      .cleaned,
      "the table as of instant \(instant.text) cannot be read: \(who) removed \(what); take another snapshot, and where "
        + "older ones are to be read, \(advice(instant))",
      path: clean?.path)
  }

  /// What would have kept the table as of an instant, by what the table's cleans count.
  private func advice(_ instant: Instant) -> String {
    let later = timeline.completedCommits.count { $0.instant > instant }
    let commits = "\(later + 1) commits would have kept it"
    switch (try? TarnOptions(properties))?.retention {
    case .versions:
      return "count commits or hours (tarn.clean.policy), which versions do not follow: \(commits)"
    case .hours:
      guard let last = timeline.latest?.instant.microseconds, let then = instant.microseconds else {
        return "keep more (tarn.clean.retained)"
      }
      let hours = max(last - then, 0) / 3_600_000_000 + 1
      return "keep more (tarn.clean.retained): \(hours) \(hours == 1 ? "hour" : "hours") would have kept it"
    default: return "keep more (tarn.clean.retained): \(commits)"
    }
  }

  /// The error of a commit of which files are gone, so that it cannot be held or gone back to.
  ///
  /// - Parameters:
  ///   - what: What is gone.
  ///   - deed: What was to be done.
  func refusal(_ instant: Instant, _ what: String, _ deed: String) -> TableError {
    let clean = clean(after: instant)
    let cleaner = clean.map { "clean \($0.instant.text), or one behind it," } ?? "a clean"
    return TableError(
      .cleaned, "\(deed) is refused: \(cleaner) removed \(what), which the table had as of \(instant.text)",
      path: clean?.path)
  }
}
