import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// Another engine that knows no head: it puts its files one after the other.
struct SparkActor: Sendable {
  static let row = Trade("s0", 2, "OKX", 2, "foreign")
  /// The path of a base file with that row, which the test puts where no engine looks.
  static let donor = ".hoodie/.aux/donor"

  let storage: any Storage
  let number: Int

  func commit() async throws -> Instant {
    let bytes = try await storage.readAll(Self.donor)
    let instant = try await request()
    let files = InstantFiles(instant)
    try await storage.put([], at: files.inflight.path, if: .always)
    let path = "exchange=OKX/foreign-0_9-9-9_\(instant.text).parquet"
    try await storage.put(bytes, at: path, if: .always)
    var metadata = CommitMetadata(operation: .upsert)
    var statistics = WriteStatistics(plannedFor: "foreign-0", previousCommit: nil, updates: 0, inserts: 1)
    statistics.path = path
    statistics.writes = 1
    statistics.fileSize = Int64(bytes.count)
    metadata.append(statistics, partition: "exchange=OKX")
    metadata.extra[Process.key] = String(number)
    try await storage.put(metadata.bytes(), at: files.completed.path, if: .always)
    return instant
  }

  /// Rolls the oldest pending attempt back as Hudi's marker-based rollback does.
  func rollBackOldest() async throws {
    let timeline = try await Timeline.load(from: storage)
    guard let attempt = timeline.pending.first(where: { $0.action == .commit }) else { return }
    let info = InstantInfo(instant: attempt.instant.text, action: "commit")
    var latest = timeline.lastInstant
    var rollback = TablePaths.folder
    var instant = attempt.instant
    while true {
      instant = Instant.after(latest: latest, now: 0)
      latest = instant
      rollback = TablePaths.folder + instant.text + ".rollback"
      let plan = RollbackPlan(instant: info, requests: [])
      do { try await storage.put(plan.bytes(), at: rollback + ".requested", if: .ifAbsent) } catch {
        continue
      }
      break
    }
    try await storage.put([], at: rollback + ".inflight", if: .always)
    let markers = TablePaths.folder + ".temp/\(attempt.instant.text)/MARKERS0"
    let lines = (try? await storage.readAll(markers)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    for line in lines.split(separator: "\n") {
      guard let path = line.split(separator: ".marker.").first else { continue }
      try await storage.delete(String(path))
    }
    let files = InstantFiles(attempt.instant)
    for file in [files.inflight.path, files.requested.path] { try await storage.delete(file) }
    let metadata = RollbackMetadata(
      start: instant.text, duration: 1, deletedCount: 0, rolledBack: info, partitions: [:])
    try await storage.put(metadata.bytes(), at: rollback, if: .always)
  }

  /// Takes an instant, which is greater than all that have completed, as of an engine whose clock is right.
  private func request() async throws -> Instant {
    var latest = try await Timeline.load(from: storage).lastInstant
    while true {
      let instant = Instant.after(latest: latest, now: 0)
      latest = instant
      let requested = InstantFiles(instant).requested
      do { try await storage.put([], at: requested.path, if: .ifAbsent) } catch { continue }
      let present = try await Timeline.load(from: storage)
      guard let completed = present.latest?.instant, completed > instant else { return instant }
      try await storage.delete(requested.path)
      latest = present.lastInstant
    }
  }

  // MARK: - Taking back and archiving

  /// Where it keeps which actors' commits it took back, each in an object of its own.
  static let undone = ".hoodie/.aux/undone/"

  /// Takes back the last commit that has completed, unless it is the one with which all began.
  func undoLatest() async throws {
    let timeline = try await Timeline.load(from: storage)
    guard timeline.completedCommits.count > 1, let last = timeline.latest else { return }
    let metadata: CommitMetadata
    do { metadata = try await CommitLog(storage).metadata(of: last) } catch { return }
    guard let actor = metadata.extra[Process.key] else { return }
    let info = InstantInfo(instant: last.instant.text, action: "commit")
    var instant = last.instant
    var rollback: TimelineEntry
    repeat {
      instant = Instant.after(latest: max(instant, timeline.lastInstant ?? instant), now: 0)
      rollback = TimelineEntry(instant, .rollback, .completed)
    } while await !isFree(rollback.with(.requested), RollbackPlan(instant: info, requests: []))
    try await storage.put([], at: Self.undone + actor, if: .always)
    try await storage.put([], at: rollback.with(.inflight).path, if: .always)
    let files = InstantFiles(last.instant)
    try await storage.delete(files.completed.path)
    for path in metadata.files.compactMap(\.path) { try await storage.delete(path) }
    for path in [files.inflight.path, files.requested.path] { try await storage.delete(path) }
    let end = RollbackMetadata(
      start: instant.text, duration: 1, deletedCount: 0, rolledBack: info, partitions: [:])
    try await storage.put(end.bytes(), at: rollback.path, if: .always)
  }

  private func isFree(_ entry: TimelineEntry, _ plan: RollbackPlan) async -> Bool {
    guard let bytes = try? plan.bytes() else { return false }
    return (try? await storage.put(bytes, at: entry.path, if: .ifAbsent)) != nil
  }

  /// Archives what has completed, but for the last commit and what lies behind an attempt: into the archive first, and
  /// then off the timeline, the oldest first.
  func archive() async throws {
    let timeline = try await Timeline.load(from: storage)
    let barrier = timeline.pending.first { $0.action.writesData }?.instant
    let chosen = timeline.entries.filter { entry in
      entry.state == .completed && entry != timeline.latest && (barrier.map { entry.instant < $0 } ?? true)
    }
    guard !chosen.isEmpty else { return }
    var entries: [[UInt8]] = []
    for entry in chosen {
      guard entry.action == .commit else {
        entries.append(try ArchiveFixture.entry(entry.instant.text, entry.action.rawValue))
        continue
      }
      let metadata = try await CommitLog(storage).metadata(of: entry)
      let extra = metadata.extra.pairs.filter { $0.key != CommitMetadata.schemaKey }.map {
        ($0.key, $0.value)
      }
      let commit = ArchiveFixture.commit(metadata.files.first?.path ?? "none", extra: extra)
      entries.append(try ArchiveFixture.entry(entry.instant.text, "commit", "COMPLETED", commit))
    }
    let file = ".hoodie/archived/.commits_.archive.\(number)_1-0-1"
    try await storage.put(ArchiveFixture.file([entries]), at: file, if: .always)
    for entry in chosen {
      for state in [ActionState.requested, .inflight, .completed] {
        try await storage.delete(entry.with(state).path)
      }
    }
  }
}
