import TarnStorage

/// One attempt to commit: it begins, and then either completes or is rolled back, once.
package struct CommitAttempt: ~Copyable {
  /// The commit's instant.
  package let instant: Instant
  /// The names of its base files, which stand on the disk before the files do.
  package let markers: CommitMarkers
  /// The partitions that it marks.
  package let partitions: AttemptPartitions
  private let storage: any Storage
  private let authority: any WriterAuthority
  /// What the inflight file says.
  private let plan: CommitMetadata

  /// How long the end of a commit waits for what is only tidiness.
  private static let tidyPatience = Duration.milliseconds(200)

  /// Begins a commit: writes its requested and its inflight file.
  ///
  /// - Parameters:
  ///   - instant: The commit's instant; see ``Instant/after(latest:now:)``.
  ///   - plan: What the inflight file says, with its writer's mark.
  ///   - storage: The table's storage.
  ///   - authority: Says whether this writer may commit.
  /// - Throws: ``TimelineError``: `conflict` where the instant is taken; `storage`.
  package init(
    _ instant: Instant, plan: CommitMetadata, in storage: any Storage, _ authority: any WriterAuthority
  ) async throws(TimelineError) {
    try await CommitLog(storage).begin(instant, plan: plan)
    self.instant = instant
    self.plan = plan
    self.storage = storage
    self.authority = authority
    markers = CommitMarkers(instant, in: storage)
    partitions = AttemptPartitions(instant)
  }

  /// Completes the commit, if nobody took the attempt for dead meanwhile; where it certainly does not stand it is rolled
  /// back.
  ///
  /// - Throws: ``TimelineError``: `conflict` where another removed the attempt, and nothing is written; `outcomeUnknown`
  ///   where the commit stands or may stand, and nothing of it was removed.
  package consuming func complete(_ metadata: CommitMetadata) async throws(TimelineError) {
    do throws(TimelineError) {
      try await authority.checkMayCommit()
      let log = CommitLog(storage)
      guard try await log.standing(of: instant, plan: plan) == .own else {
        throw TimelineError(
          .conflict, path: "",
          "attempt \(instant.text) was removed by another writer, who took it for a dead one's: nothing is written; "
            + "try again")
      }
      try await log.complete(instant, metadata, isOwner: true)
    } catch {
      if error.code == .outcomeUnknown { throw error }
      await rollBack()
      throw error
    }
    do { try await authority.checkMayCommit() } catch {
      if error.storageError?.code == .locked {
        throw TimelineError(
          .outcomeUnknown, path: "",
          "commit \(instant.text) was completed, but whoever removed the lock may have removed files of it "
            + "(\(error.description)); look whether the table can be read before these rows are written again",
          cause: error.cause)
      }
      // The commit stands, and that the lock cannot be asked does not say that it was lost.
    }
    // Left behind, they harm nothing, and the next writer removes them; so nobody waits for that.
    try? await markers.remove(through: storage.waiting(atMost: Self.tidyPatience))
  }

  /// Rolls back what this process has begun and not completed; what cannot be removed now, the next writer removes.
  ///
  /// Nothing is removed while a completed file is there or may be, nor where the inflight file is another's.
  package consuming func rollBack() async {
    let files = InstantFiles(instant)
    do {
      guard try await !storage.exists(files.completed.path) else { return }
      let standing = try await CommitLog(storage).standing(of: instant, plan: plan)
      guard standing != .replaced else { return }
      try await AttemptRemains(instant, in: storage).remove(
        dataFiles: markers.paths, partitions: partitions.paths,
        pending: standing == .own ? files.inflight : nil)
    } catch { return }
  }
}

/// What an attempt leaves that does not complete.
package struct AttemptRemains: Sendable {
  private let instant: Instant
  private let storage: any Storage

  /// Names the remains of an attempt.
  package init(_ instant: Instant, in storage: any Storage) {
    self.instant = instant
    self.storage = storage
  }

  /// Removes the remains of an attempt whose writer is dead: what its markers name, where it has any.
  ///
  /// Earlier versions wrote none, and one that died before it had them has written nothing.
  ///
  /// - Parameters:
  ///   - pending: Its entry on the timeline.
  ///   - planned: The partitions that its inflight file names.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func remove(_ pending: TimelineEntry, planned: [String]) async throws(TimelineError) {
    // A writer that was taken for dead may have completed it just now.
    do {
      guard try await !storage.exists(pending.with(.completed).path) else { return }
    } catch { throw TimelineError(error) }
    var paths: [String]
    if let marked = try await CommitMarkers.paths(of: instant, in: storage) {
      paths = marked
    } else {
      paths = []
      for partition in planned {
        paths += try await baseFiles(below: partition.isEmpty ? "" : partition + "/", stoppingAtSlash: true)
      }
      // A load does not know its partitions before it has read all rows.
      if planned.isEmpty { paths = try await baseFiles(below: "", stoppingAtSlash: false) }
    }
    try await remove(dataFiles: paths, partitions: [], pending: pending)
  }

  /// Removes remains.
  ///
  /// Base files go first, so that none outlives the timeline files that hide it (format-tables 2.7).
  ///
  /// - Parameter pending: The entry whose files go at the end; nil where these are another's.
  func remove(
    dataFiles: [String], partitions: [String], pending: TimelineEntry?
  ) async throws(TimelineError) {
    do {
      try await storage.deleteAll(dataFiles)
      try await storage.delete(InstantFiles(instant).tombstones)
    } catch { throw TimelineError(error) }
    for partition in partitions {
      try await PartitionMetadata.remove(from: partition, of: instant, in: storage)
    }
    try await CommitMarkers.remove(instant, in: storage)
    if let pending { try await CommitLog(storage).remove(pending: pending) }
  }

  private func baseFiles(
    below prefix: String, stoppingAtSlash: Bool
  ) async throws(TimelineError) -> [String] {
    let objects: [ObjectInfo]
    do {
      objects = try await storage.listAll(prefix: prefix, stoppingAtSlash: stoppingAtSlash).objects
    } catch { throw TimelineError(error) }
    return objects.map(\.path).filter { BaseFileName(path: $0)?.instant == instant }
  }
}
