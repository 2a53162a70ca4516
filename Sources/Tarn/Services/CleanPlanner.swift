import TarnAvro
import TarnBytes
import TarnStorage
import TarnTimeline

/// Finds the versions of files that nobody needs any more.
///
/// Of each file group the latest version stays, all that the commits wrote that are kept, and one more, the newest before
/// them: who reads the table as it was then goes on reading it.
///
/// Source: format-logs-and-services 3 (`CleanPlanner`).
struct CleanPlanner: Sendable {
  let storage: any Storage
  let properties: TableProperties
  let timeline: Timeline
  let retention: Retention
  /// Where the table lies, as other engines name it; they delete by whole paths.
  let base: String
  /// The time in microseconds since 1970, by the clocks of the table's zone.
  let now: Int64
  /// The reader that needs the earliest instant; nil where none declared any.
  var reader: RetainedReader?
  /// What the process knows of commits and cleans.
  var memory = ServiceMemory()

  /// Commits after which a clean is made that removes nothing, so that the next need not look at theirs again.
  private static let mostLooks = 20
  /// The text under which Hudi's newer cleaners keep the savepoints that they saw.
  private static let savepointsKey = "savepointed_timestamps"
  /// The text under which Tarn's cleans say what they kept.
  private static let retentionKey = "tarn.retention"

  private var savepoints: [TimelineEntry] {
    timeline.entries.filter { $0.action == .savepoint && $0.state == .completed }
  }

  private var savepointNames: String { savepoints.map(\.instant.text).joined(separator: ",") }

  /// Whether there is something to remove, as far as commits and the last clean tell; what is not known counts as such.
  func isDue() async throws(TableError) -> Bool {
    let earliest = earliest()
    if retention.isByCommits, earliest == nil { return false }
    let last = try await lastClean()
    guard let touched = try await touched(since: last, until: earliest?.instant, savepointNames) else {
      return true
    }
    return !touched.partitions.isEmpty || touched.commits >= Self.mostLooks
  }

  /// The plan; nil where there is nothing to do.
  ///
  /// - Parameters:
  ///   - notesNothing: Whether there is one without files too, where the next would have to look everywhere again.
  ///   - gone: Files that are removed before.
  func plan(
    notesNothing: Bool = false, besides gone: Set<ExactText> = []
  ) async throws(TableError) -> (plan: CleanPlan, removal: CleanReport)? {
    let earliest = earliest()
    if retention.isByCommits, earliest == nil { return nil }
    let held = held()
    if case .all = held { return nil }
    let savepoints = savepoints
    let names = savepointNames
    let last = try await lastClean()
    let touched = try await touched(since: last, until: earliest?.instant, names)
    if let touched, touched.partitions.isEmpty, touched.commits < Self.mostLooks { return nil }
    let kept = try await kept(by: savepoints).union(gone)
    let view: FileSystemView
    do throws(TimelineError) {
      view = try await FileSystemView.load(
        from: storage, properties: properties, timeline: timeline, only: touched?.partitions)
    } catch { throw TableError(error) }
    var report = CleanReport()
    report.earliest = earliest?.instant
    report.partitions = view.partitions.count
    var files = OrderedMap<[CleanPlan.File]>()
    for partition in view.partitions {
      let removed = view.versions(of: partition).flatMap { removable($0, before: earliest?.instant, held) }
        .filter { !kept.contains(ExactText($0.path)) }
      guard !removed.isEmpty else { continue }
      files[partition.path] = removed.map { CleanPlan.File(path: base + "/" + $0.path) }
      report.files += removed.map(\.path)
      report.bytes += removed.reduce(0) { $0 + $1.size }
    }
    // Where versions are counted and some are held, the next clean would have to look as far back all the same.
    let looksAgain = if case .versions = retention, case .since = held { true } else { false }
    let isWorthNoting = !looksAgain && (touched.map { $0.commits >= Self.mostLooks } ?? notesNothing)
    guard !files.isEmpty || isWorthNoting else { return nil }
    var plan = CleanPlan(
      earliest: earliest.map {
        CleanPlan.Retained(instant: $0.instant.text, action: $0.action.rawValue, state: "COMPLETED")
      }, lastCompleted: lastCompleted(held), policy: retention.policy, files: files)
    plan.extra = [Self.retentionKey: retention.description]
    if !names.isEmpty { plan.extra?[Self.savepointsKey] = names }
    return (plan, report)
  }

  /// The oldest commit that is kept; nil where commits are not counted, or there are not enough of them.
  ///
  /// It is none behind what is held for writers and readers.
  func earliest() -> TimelineEntry? {
    let commits = timeline.completedCommits
    let found: TimelineEntry?
    switch retention {
    case .commits(let count): found = commits.count > count ? commits[commits.count - count] : nil
    case .hours(let hours):
      let (age, overflow) = Int64(hours).multipliedReportingOverflow(by: 3_600_000_000)
      let begin = overflow || age > now ? 0 : now - age
      found = commits.first { ($0.instant.microseconds ?? 0) >= begin }
    case .versions: found = nil
    }
    switch held() {
    case .nothing: return found
    case .all: return nil
    case .since(let commit): return found.map { commit.instant < $0.instant ? commit : $0 }
    }
  }

  /// What stays whatever is counted.
  private enum Held {
    case nothing
    case all
    /// What this commit wrote and those behind it, and one version before them.
    case since(TimelineEntry)
  }

  /// What a writer under way, or a savepoint that is made, has begun with, and what a reader declared that it needs.
  private func held() -> Held {
    let commits = timeline.completedCommits
    let pending = timeline.pending.first { $0.action.writesData || $0.action == .savepoint }
    var begins: [TimelineEntry?] = []
    if let pending { begins.append(commits.last { $0.instant < pending.instant }) }
    if let reader { begins.append(commits.last { $0.instant <= reader.instant }) }
    let found = begins.compactMap(\.self)
    guard found.count == begins.count else { return .all }
    return found.min { $0.instant < $1.instant }.map { .since($0) } ?? .nothing
  }

  /// Of the versions of a file group, those that nobody needs.
  private func removable(
    _ group: (files: [BaseFile], replaced: Instant?), before earliest: Instant?, _ held: Held
  ) -> [BaseFile] {
    if case .versions(let count) = retention {
      let old = group.replaced == nil ? Array(group.files.dropFirst(count)) : group.files
      switch held {
      case .nothing: return old
      case .all: return []
      case .since(let commit):
        let free = Set(unneeded(group, before: commit.instant).map(\.path))
        return old.filter { free.contains($0.path) }
      }
    }
    guard let earliest else { return [] }
    return unneeded(group, before: earliest)
  }

  /// Of the versions of a file group, those that are not needed where all is kept that commits wrote from one on.
  private func unneeded(
    _ group: (files: [BaseFile], replaced: Instant?), before earliest: Instant
  ) -> [BaseFile] {
    if let replaced = group.replaced, replaced < earliest { return group.files }
    // The latest is the first; behind it, and behind those that are kept, one more stays.
    let old = group.files.dropFirst().filter { $0.name.instant < earliest }
    return group.files.first.map { $0.name.instant < earliest } ?? true ? old : Array(old.dropFirst())
  }

  /// The latest commit for which a clean by versions need not be made again; empty for none.
  private func lastCompleted(_ held: Held) -> String {
    guard case .versions = retention, case .since(let commit) = held else {
      return timeline.latest?.instant.text ?? ""
    }
    return timeline.completedCommits.last { $0.instant < commit.instant }?.instant.text ?? ""
  }

  /// What the last clean looked at; nil where none is on the timeline.
  func lastClean() async throws(TableError) -> LastClean? {
    guard let entry = timeline.entries.last(where: { $0.action == .clean && $0.state == .completed }) else {
      return nil
    }
    if let known = memory.clean(at: entry.instant) { return known }
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try await storage.readAll(entry.path) } catch {
      throw TableError(TimelineError(error))
    }
    // One that cannot be read, or that an older engine wrote, tells nothing.
    guard let metadata = try? CleanMetadata(avro: bytes) else { return nil }
    let clean = LastClean(
      earliest: Instant(metadata.earliest), last: Instant(metadata.lastCompleted),
      savepoints: metadata.extra?[Self.savepointsKey] ?? "", retention: metadata.extra?[Self.retentionKey])
    memory.note(clean, at: entry.instant)
    return clean
  }

  /// The partitions in which a file group may have got a version too many since a clean, and how many commits were looked
  /// at; nil where all may.
  private func touched(
    since last: LastClean?, until earliest: Instant?, _ savepoints: String
  ) async throws(TableError) -> (partitions: [String], commits: Int)? {
    guard let last, last.savepoints == savepoints else { return nil }
    let commits: [TimelineEntry]
    if case .versions = retention {
      guard last.retention == retention.description, let begin = last.last, timeline.begins(before: begin)
      else {
        return nil
      }
      commits = timeline.commits(after: begin)
    } else {
      guard let earliest, let begin = last.earliest, timeline.begins(before: begin) else { return nil }
      commits = timeline.completedCommits.filter { $0.instant >= begin && $0.instant < earliest }
    }
    var partitions: Set<ExactText> = []
    for rewritten in try await rewritten(by: commits) {
      partitions.formUnion(rewritten.map { ExactText($0) })
    }
    return (partitions.map(\.text).sorted(), commits.count)
  }

  /// The partitions in which each of some commits wrote new versions of file groups, or replaced some: a group that is new
  /// has one version.
  private func rewritten(by commits: [TimelineEntry]) async throws(TableError) -> [[String]] {
    let (memory, log) = (memory, CommitLog(storage))
    let width = storage.costs.requestsAtOnce
    return try await tableErrors {
      try await concurrently(commits, width: width) { entry -> [String] in
        if let known = memory.rewritten(by: entry.instant) { return known }
        let metadata = try await log.metadata(of: entry)
        let changed = metadata.partitions.pairs.filter { $0.value.contains { $0.previousCommit != nil } }
        let partitions = changed.map(\.key) + (metadata.replaced?.pairs ?? []).map(\.key)
        memory.note(entry.instant, rewriting: partitions)
        return partitions
      }
    }
  }

  /// The files that savepoints hold.
  private func kept(by savepoints: [TimelineEntry]) async throws(TableError) -> Set<ExactText> {
    var kept: Set<ExactText> = []
    for entry in savepoints {
      let bytes: [UInt8]
      do { bytes = try await storage.readAll(entry.path) } catch { throw TableError(error) }
      do throws(AvroError) {
        kept.formUnion(try SavepointMetadata(avro: bytes).paths.map { ExactText($0) })
      } catch {
        throw TableError(
          .damaged,
          "\(entry.path): it does not tell what the savepoint holds, so that nothing is cleaned: \(error.description)",
          path: entry.path)
      }
    }
    return kept
  }
}

extension Retention {
  /// Whether commits are what is counted or timed.
  fileprivate var isByCommits: Bool { if case .versions = self { false } else { true } }
}

extension SavepointMetadata {
  /// The files that it holds, relative to the table.
  var paths: [String] {
    files.pairs.flatMap { partition, names in names.map { TablePaths.join(partition, $0) } }
  }
}
