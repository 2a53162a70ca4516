import TarnStorage

/// What an attempt puts on the timeline when it begins.
package struct AttemptPlan: Sendable {
  /// What it does: rows are written, or file groups replaced, too.
  package let action: Action
  /// What its requested file says.
  package let request: [UInt8]
  /// What its inflight file says, with its writer's mark.
  package let workload: CommitMetadata

  /// Makes a plan; of a commit the request says nothing.
  package init(_ action: Action = .commit, request: [UInt8] = [], _ workload: CommitMetadata) {
    self.action = action
    self.request = request
    self.workload = workload
  }
}

/// One attempt to commit, from its first file on: it is decided and carried out, or rolled back, once.
///
/// Its writer shows that it lives for as long as this value is held.
package struct CommitAttempt: ~Copyable {
  /// The names of its files on the timeline.
  package let files: InstantFiles
  /// The names of its base files, which stand on the disk before the files do.
  package let markers: CommitMarkers
  /// Tells whether the attempt was rolled back by another.
  package let standing: AttemptStanding
  private let storage: any Storage
  private let sign: any LifeSign

  /// How long the end of a commit waits for what is only tidiness.
  private static let tidyPatience = Duration.milliseconds(200)
  /// How many instants are tried, each a millisecond after one that is taken.
  private static let mostInstants = 1_000
  /// How many of them may be given up since no answer came.
  static let mostDoubts = 5

  /// Begins an attempt: takes an instant, and writes its sign of life, its requested and its inflight file.
  ///
  /// Whoever makes the sign and the requested file owns the instant; one that is there is another's. An attempt whose
  /// instant is less than one that has completed since takes another: files of a lesser one may come to be seen before
  /// they are committed, once the timeline begins after it.
  ///
  /// - Parameters:
  ///   - plan: What its files say.
  ///   - timeline: As it was when the write began.
  ///   - head: As it was then.
  ///   - now: The time in microseconds since 1970.
  ///   - storage: The table's storage.
  /// - Throws: ``TimelineError``: `conflict` where no instant is free; `storage`.
  package init(
    _ plan: AttemptPlan, after timeline: Timeline, _ head: Head, now: @Sendable () -> Int64,
    in storage: any Storage
  ) async throws(TimelineError) {
    let liveness = Liveness(storage)
    let log = CommitLog(storage)
    var latest = [timeline.lastInstant, head.lastInstant].compactMap(\.self).max()
    var doubts = 0
    for _ in 0..<Self.mostInstants {
      let instant = Instant.after(latest: latest, now: now())
      if let latest, instant <= latest { throw Self.noInstant(after: latest, timeline) }
      latest = instant
      let found: (any LifeSign)?
      do throws(TimelineError) {
        found = try await liveness.begin(instant, mark: plan.workload.writer ?? "tarn")
      } catch {
        // The sign may be this one's; another instant is free.
        doubts += 1
        guard error.isWithoutAnswer, doubts < Self.mostDoubts else { throw error }
        continue
      }
      guard let sign = found else { continue }
      let files = InstantFiles(instant, plan.action)
      var isRequested = false
      do throws(TimelineError) {
        do throws(StorageError) {
          guard try await log.request(instant, plan.action, saying: plan.request) else {
            await sign.end()
            continue
          }
        } catch {
          // Whoever made the file, another instant is free; but a storage that never answers is not asked without end.
          doubts += 1
          guard error.code == .unknown, doubts < Self.mostDoubts else { throw TimelineError(error) }
          await sign.end()
          continue
        }
        isRequested = true
        let seen = try await TimelineListing.load(from: storage, since: instant).timeline
        if let completed = seen.completedCommits.last?.instant, completed > instant {
          try? await log.remove(pending: files.requested)
          await sign.end()
          latest = seen.lastInstant ?? completed
          continue
        }
        try await log.begin(instant, plan.action, plan: plan.workload)
      } catch {
        // A request without an inflight file has written nothing, and without this one's sign nobody knows whose it is.
        // Where it is not known to be this one's, it may be another engine's.
        if isRequested { try? await log.remove(pending: files.requested) }
        await sign.end()
        throw error
      }
      self.files = files
      self.storage = storage
      self.sign = sign
      standing = AttemptStanding(files, plan.workload, storage)
      markers = CommitMarkers(instant, in: storage)
      return
    }
    throw TimelineError(.conflict, path: "", "no instant is free: other writers take each of them")
  }

  private static func noInstant(after latest: Instant, _ timeline: Timeline) -> TimelineError {
    TimelineError(
      .damaged, path: timeline.entries.last?.path ?? "",
      "after instant \(latest.text) there can be none; no engine makes such a file, so remove it (all files of that "
        + "instant) and try again")
  }

  /// Whether another has removed the attempt.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package var isRolledBack: Bool {
    get async throws(TimelineError) { try await standing.look() != .own }
  }

  /// The commit's instant.
  package var instant: Instant { files.instant }

  /// What shows that the writer lives, to be renewed while it works.
  package var lifeSign: any LifeSign { sign }

  /// Ends an attempt whose commit stands.
  ///
  /// - Parameter contents: What was written for decisions that were not made.
  package consuming func end(removing contents: [String]) async {
    // Left behind, they harm nothing, and the next writer removes them; so nobody waits for that.
    let patient = storage.waiting(atMost: Self.tidyPatience)
    try? await markers.remove(through: patient, with: contents)
    await sign.end()
  }

  /// Ends an attempt of which it is not known what became: nothing is removed, and it is any writer's to look after.
  package consuming func leave() {}

  /// Rolls back what this process has begun, where it is certain that it was not decided; what cannot be removed now,
  /// the next writer removes.
  ///
  /// - Parameter contents: What was written for decisions that were not made.
  package consuming func rollBack(removing contents: [String]) async {
    let (files, standing, markers) = (files, standing, markers)
    let (storage, sign) = (storage, sign)
    // Also where the task is cancelled, in which a storage may refuse to read.
    await Task {
      do {
        let instant = files.instant
        guard try await Self.isOwn(instant, standing, storage) else { return }
        try await storage.deleteAll(contents)
        try await AttemptRemains(instant, in: storage).remove(markers.paths)
        try await CommitLog(storage).remove(pending: files.inflight)
        try await CommitMarkers.remove(instant, in: storage)
      } catch { return }
      await sign.end()
    }.value
  }

  /// Whether what is left of an attempt is its writer's to remove.
  private static func isOwn(
    _ instant: Instant, _ standing: AttemptStanding, _ storage: any Storage
  ) async throws(TimelineError) -> Bool {
    switch try await standing.look() {
    case .own: return true
    case .removed:
      // A file that appeared behind the one who rolled it back is left to its writer. Whatever else took the inflight
      // file away, the commit may have stood.
      let timeline = try await TimelineListing.load(from: storage, since: instant).timeline
      return try await RollbackNotices(timeline, in: storage).name(instant, since: Timeline([]))
    case .replaced: return false
    }
  }
}

/// Tells whether an attempt stands as its writer began it.
package struct AttemptStanding: Sendable {
  private let files: InstantFiles
  /// What its inflight file says.
  private let plan: CommitMetadata
  private let storage: any Storage

  init(_ files: InstantFiles, _ plan: CommitMetadata, _ storage: any Storage) {
    self.files = files
    self.plan = plan
    self.storage = storage
  }

  func look() async throws(TimelineError) -> CommitLog.Standing {
    try await CommitLog(storage).standing(of: files.instant, files.action, plan: plan)
  }

  /// Checks that nobody took the attempt for a dead writer's, before a data file of it appears or it is completed.
  ///
  /// - Throws: ``TimelineError`` with code `conflict` where it was removed; `storage`.
  package func check() async throws(TimelineError) {
    guard try await look() == .own else {
      throw TimelineError(
        .conflict, path: "",
        "attempt \(files.instant.text) was removed by another writer, who took it for a dead one's: nothing of it stands; "
          + "try again")
    }
  }
}
