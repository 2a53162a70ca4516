import TarnAvro
import TarnStorage
import TarnTimeline

/// Holds the files of a commit, so that no clean removes them, and lets them go again.
struct SavepointService: Sendable {
  private let recovery: Recovery

  init(_ recovery: Recovery) { self.recovery = recovery }

  /// How often it is planned anew where other writers were faster.
  private static let mostTries = 20

  /// Who asks for a savepoint, and why.
  struct Words: Sendable {
    let user: String
    let comments: String
  }

  /// Holds the files of a commit.
  ///
  /// - Parameters:
  ///   - instant: The commit; nil for the latest.
  ///   - isPlan: Whether it is only told what would be held.
  func create(_ instant: Instant?, _ words: Words, isPlan: Bool) async throws(TableError) -> SavepointReport {
    let properties = try await recovery.writableProperties()
    var chosen = instant
    var finished: [Instant] = []
    for number in 1...Self.mostTries {
      do throws(TableError) {
        let decided = try await recovery.decided(properties)
        let timeline = decided.listing.timeline
        guard let commit = chosen ?? timeline.latest?.instant else {
          throw TableError(
            .mismatch, "the table has no completed commit yet, so that there is nothing to hold")
        }
        // Whatever is committed meanwhile, it is that one.
        chosen = commit
        let now = InstantClock(recovery.settings, properties).now()
        try check(commit, timeline, decided.head.head, now)
        let slices = try await slices(properties, timeline, asOf: commit)
        if !isPlan {
          let clean = try await PendingCleans(recovery).finishFirst(of: decided)
          if let instant = clean.finished { finished.append(instant) }
          if clean.wasThere { continue }
        }
        var report = SavepointReport(instant: commit, isPlan: isPlan)
        report.files = slices.map(\.path)
        report.finished =
          isPlan ? try await PendingCleans(recovery).plans(of: timeline).map(\.instant) : finished
        if isPlan { return report }
        guard let head = try await recovery.stored(decided.head) else { continue }
        var files = OrderedMap<[String]>()
        for slice in slices { files[slice.partitionPath, default: []].append(slice.file.name.name) }
        let begun = recovery.tellPlanned(.savepoint, files: report.files.count)
        let metadata = SavepointMetadata(
          user: words.user, time: recovery.settings.now() / 1_000, comments: words.comments, files: files)
        do throws(TimelineError) {
          let decision = SavepointDecision.create(of: commit, metadata, on: timeline)
          let isDone = try await decision.run(
            on: head, timeline, now: now, in: recovery.storage, recovery.heads, decided.locking)
          guard isDone else { continue }
        } catch { throw TableError(error) }
        recovery.tellRun(.savepoint, at: commit, files: report.files.count, since: begun)
        return report
      } catch {
        // It was archived, or taken back by another, between the look at it and the reading.
        guard error.isOfVanishedCommit, number < TableState.mostLooks else { throw error }
      }
    }
    throw Recovery.overtaken
  }

  /// Lets the files of a commit go.
  ///
  /// - Parameter isPlan: Whether it is only told what would be let go.
  func delete(_ commit: Instant, isPlan: Bool) async throws(TableError) -> SavepointReport {
    let properties = try await recovery.writableProperties()
    for _ in 0..<Self.mostTries {
      let decided = try await recovery.decided(properties)
      let timeline = decided.listing.timeline
      guard
        let entry = timeline.entries.first(where: { $0.instant == commit && $0.action == .savepoint })
      else {
        throw TableError(
          .mismatch, "there is no savepoint of \(commit.text): tarn timeline lists those there are")
      }
      var report = SavepointReport(instant: commit, isPlan: isPlan)
      report.files = try await held(by: entry)
      try await checkLeft(entry, properties, timeline)
      if isPlan { return report }
      guard let head = try await recovery.stored(decided.head) else { continue }
      let begun = recovery.tellPlanned(.savepoint, files: report.files.count)
      let now = InstantClock(recovery.settings, properties).now()
      let deleted = DeletedSavepoint(commit, at: Instant(microseconds: now))
      do throws(TimelineError) {
        let isDone = try await SavepointDecision.delete(deleted).run(
          on: head, timeline, now: now, in: recovery.storage, recovery.heads, decided.locking)
        guard isDone else { continue }
      } catch { throw TableError(error) }
      recovery.tellRun(.savepoint, at: commit, files: report.files.count, since: begun)
      return report
    }
    throw Recovery.overtaken
  }

  /// Checks that nothing is hidden once a savepoint is gone: where another engine archived past it, files are visible only
  /// because their commits are older than the first that no savepoint holds.
  private func checkLeft(
    _ entry: TimelineEntry, _ properties: TableProperties, _ timeline: Timeline
  ) async throws(TableError) {
    let left = Timeline(
      timeline.entries.filter { $0.instant != entry.instant || $0.action != .savepoint })
    // A timeline that begins as before shows the same.
    guard let first = left.completedCommits.first?.instant, first == entry.instant else { return }
    let view = try await tableErrors {
      try await FileSystemView.load(
        from: recovery.storage, properties: properties, timeline: timeline)
    }
    let hidden = view.partitions.flatMap(\.baseFiles).first {
      timeline.isVisible($0.name.instant) && !left.isVisible($0.name.instant)
    }
    guard let hidden else { return }
    throw TableError(
      .unsupported,
      "savepoint \(entry.instant.text) is not deleted: \(hidden.path) is of a later commit that another engine archived, and "
        + "would be hidden; let that engine archive commit \(entry.instant.text), too", path: hidden.path)
  }

  /// Checks that a commit may be held.
  private func check(
    _ commit: Instant, _ timeline: Timeline, _ head: Head, _ now: Int64
  ) throws(TableError) {
    try PendingServices(timeline).check("a savepoint", [.restore])
    try PendingServices(timeline).checkStands(commit, "a savepoint")
    if let entry = timeline.entries.first(where: { $0.instant == commit && $0.action == .savepoint }) {
      throw TableError(
        .mismatch,
        entry.state == .completed
          ? "there is a savepoint of \(commit.text) already"
          : "\(entry.path): a savepoint of \(commit.text) is being made by another engine, or one died while it did: "
            + "let it finish, or delete it", path: entry.path)
    }
    if let deleted = head.deletedSavepoints.first(where: { $0.commit == commit }), deleted.isRecent(at: now) {
      throw TableError(
        .conflict,
        "a savepoint of \(commit.text) was deleted lately, at \(deleted.time.text), and who sleeps may still remove what has "
          + "its name: hold another commit, or make it two days after that time")
    }
  }

  /// The files of the table as of a commit.
  private func slices(
    _ properties: TableProperties, _ timeline: Timeline, asOf commit: Instant
  ) async throws(TableError) -> [FileSlice] {
    try await tableErrors {
      let view = try await PendingCleans(recovery).view(properties, timeline)
      let removed = RemovedVersions(properties, timeline, recovery.storage)
      let gone = try await removed.missing(asOf: commit, in: view, isExact: true) { _ in true }
      if let gone { throw removed.refusal(commit, gone, "a savepoint of \(commit.text)") }
      let held = Timeline(timeline.entries + [TimelineEntry(commit, .savepoint, .completed)])
      let hidden = view.partitions.flatMap(\.baseFiles).first {
        timeline.isVisible($0.name.instant) && !held.isVisible($0.name.instant)
      }
      if let hidden {
        throw TableError(
          .unsupported,
          "a savepoint of \(commit.text) is refused: \(hidden.path) is of a commit that was archived, and would be hidden, since "
            + "savepoints would hold all commits on the timeline: delete one of them", path: hidden.path)
      }
      return view.slices(asOf: commit)
    }
  }

  /// The files that a savepoint holds; none where it does not tell.
  private func held(by entry: TimelineEntry) async throws(TableError) -> [String] {
    guard entry.state == .completed else { return [] }
    return try await tableErrors {
      let bytes = try await recovery.storage.readAll(entry.path)
      // One that cannot be read may go all the same.
      return (try? SavepointMetadata(avro: bytes))?.paths ?? []
    }
  }
}
