import Synchronization
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
  private let requested: RequestedAttempt
  private let storage: any Storage

  /// How long the end of a commit waits for what is only tidiness.
  private static let tidyPatience = Duration.milliseconds(200)

  /// Goes on with an attempt that is requested: its inflight file is written.
  ///
  /// Where requests overlap, it and the markers are on their way while the data files are made: the standing of the
  /// attempt, which is asked before any of them appears, waits for both.
  ///
  /// - Parameter plan: What its files say.
  /// - Throws: ``TimelineError``: `conflict` where another's inflight file is there; `storage`. Nothing of the attempt is
  ///   left then.
  package init(_ requested: RequestedAttempt, _ plan: AttemptPlan) async throws(TimelineError) {
    let (files, storage) = (requested.files, requested.storage)
    let log = CommitLog(storage)
    var beginning: Task<Result<Void, TimelineError>, Never>?
    if storage.costs.overlaps {
      beginning = Task {
        do throws(TimelineError) {
          return .success(try await log.begin(files.instant, plan.action, plan: plan.workload))
        } catch { return .failure(error) }
      }
    } else {
      do throws(TimelineError) { try await log.begin(files.instant, plan.action, plan: plan.workload) } catch
      {
        await requested.withdraw()
        throw error
      }
    }
    self.files = files
    self.requested = requested
    self.storage = storage
    markers = CommitMarkers(files.instant, in: storage)
    standing = AttemptStanding(requested, plan.workload, markers, beginning)
  }

  /// Whether another has removed the attempt.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package var isRolledBack: Bool {
    get async throws(TimelineError) { try await standing.look() != .own }
  }

  /// The commit's instant.
  package var instant: Instant { files.instant }

  /// Removes what an attempt leaves whose commit stands, with contents that were written for decisions that were not made.
  package var ending: @Sendable ([String]) async -> Void {
    // Left behind, it harms nothing, and the next writer removes it; so nobody waits for that.
    let patient = storage.waiting(atMost: Self.tidyPatience)
    return { [markers, requested] contents in
      guard patient.costs.overlaps, let path = requested.endedSign() else {
        try? await markers.remove(through: patient, with: contents)
        return await requested.sign.end()
      }
      // Nobody asks for the sign of life of a commit that stands: it goes with all else.
      try? await markers.remove(through: patient, with: contents + [path])
    }
  }

  /// Ends an attempt that has removed all it leaves, or of which it is not known what became: then nothing is removed, and it
  /// is any writer's to look after.
  package consuming func leave() {}

  /// Rolls back what this process has begun, where it is certain that it was not decided; what cannot be removed now,
  /// the next writer removes.
  ///
  /// - Parameter contents: What was written for decisions that were not made.
  package consuming func rollBack(removing contents: [String]) async {
    let (files, standing, markers) = (files, standing, markers)
    let (storage, requested) = (storage, requested)
    // Also where the task is cancelled, in which a storage may refuse to read.
    await Task {
      do {
        let instant = files.instant
        if let failure = await standing.failureToBegin() {
          // No base file has appeared. Where another uses the instant, the markers may be its own.
          if failure.code != .conflict { try await CommitMarkers.remove(instant, in: storage) }
          return await requested.withdraw()
        }
        guard try await Self.isOwn(instant, standing, storage) else { return }
        try await storage.deleteAll(contents)
        try await AttemptRemains(instant, in: storage).remove(markers.paths)
        try await CommitLog(storage).remove(pending: files.inflight)
        try await CommitMarkers.remove(instant, in: storage)
      } catch { return }
      await requested.sign.end()
    }.value
  }

  /// Whether what is left of an attempt is its writer's to remove.
  private static func isOwn(
    _ instant: Instant, _ standing: AttemptStanding, _ storage: any Storage
  ) async throws(TimelineError) -> Bool {
    switch try await standing.lookAlone() {
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
  private let markers: CommitMarkers
  /// Writes the inflight file; nil where that is done.
  private let beginning: Task<Result<Void, TimelineError>, Never>?
  /// Looks for rollbacks that were planned before there were markers to go by; nil where the attempt was not requested
  /// ahead.
  private let notices: FirstLook?

  init(
    _ requested: RequestedAttempt, _ plan: CommitMetadata, _ markers: CommitMarkers,
    _ beginning: Task<Result<Void, TimelineError>, Never>?
  ) {
    files = requested.files
    storage = requested.storage
    self.plan = plan
    self.markers = markers
    self.beginning = beginning
    notices = beginning == nil ? nil : FirstLook(requested)
  }

  /// Waits until the inflight file and the markers stand that are on their way.
  ///
  /// - Throws: ``TimelineError``: `conflict` where another's inflight file is there; `storage`.
  package func settle() async throws(TimelineError) {
    try await beginning?.value.get()
    try await markers.settle()
  }

  /// Why the inflight file does not stand; nil where it was written.
  fileprivate func failureToBegin() async -> TimelineError? {
    // No marker is on its way when they are removed.
    try? await markers.settle()
    guard case .failure(let error)? = await beginning?.value else { return nil }
    return error
  }

  func look() async throws(TimelineError) -> CommitLog.Standing {
    try await settle()
    guard let notices else { return try await lookAlone() }
    // Whoever plans a rollback from now on finds the markers.
    let naming = notices.begun()
    let standing = try await lookAlone()
    return try await naming.value.get() ? .removed : standing
  }

  /// Looks whatever became of the markers.
  fileprivate func lookAlone() async throws(TimelineError) -> CommitLog.Standing {
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

/// Looks once whether an attempt is named by a rollback, however often is asked.
///
/// Of an attempt that is only requested another engine finds no markers, so that its rollback would delete no file that
/// appears later, and take away what hides it.
private final class FirstLook: Sendable {
  typealias Answer = Result<Bool, TimelineError>

  private let requested: RequestedAttempt
  private let looking = Mutex<Task<Answer, Never>?>(nil)

  init(_ requested: RequestedAttempt) { self.requested = requested }

  /// The look, which is begun where that was not done yet.
  func begun() -> Task<Answer, Never> {
    looking.withLock { looking in
      if let looking { return looking }
      let task = Task { [requested] in
        do throws(TimelineError) { return Answer.success(try await requested.isNamed()) } catch {
          return .failure(error)
        }
      }
      looking = task
      return task
    }
  }
}
