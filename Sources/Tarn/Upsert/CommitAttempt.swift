import Synchronization
import TarnIndex
import TarnStorage
import TarnTimeline

/// One attempt of this process to commit: what it has begun, and so may take back.
///
/// The caller holds the table's lock.
final class CommitAttempt: Sendable {
  /// The commit's instant.
  let instant: Instant
  /// The names of its base files, which stand on the disk before the files do.
  let markers: CommitMarkers
  private let storage: any Storage
  private let lock: any StorageLock
  /// What the inflight file says.
  private let plan: CommitMetadata
  /// Partitions that got their mark from this attempt, or may have.
  private let marked = Mutex<[String]>([])

  init(_ instant: Instant, plan: CommitMetadata, storage: any Storage, lock: any StorageLock) {
    self.instant = instant
    self.plan = plan
    self.storage = storage
    self.lock = lock
    markers = CommitMarkers(instant, in: storage)
  }

  /// How long the end of a commit waits for what is only tidiness.
  private static let tidyPatience = Duration.milliseconds(200)

  private var log: CommitLog { CommitLog(storage) }

  /// Writes the requested and the inflight file.
  func begin() async throws(TimelineError) { try await log.begin(instant, plan: plan) }

  /// Marks a folder as a partition where it is not yet.
  ///
  /// - Parameter data: What writes the attempt's data, and so settles when it is durable.
  func mark(_ partition: String, in data: any Storage, now: Int64) async throws(TimelineError) {
    do throws(TimelineError) {
      let isNew = try await PartitionMetadata.ensure(
        in: data, partition: partition, instant: instant, now: now)
      if isNew { marked.withLock { $0.append(partition) } }
    } catch {
      // It may have arrived all the same.
      marked.withLock { $0.append(partition) }
      throw error
    }
  }

  /// Completes the commit, if nobody took the attempt for dead meanwhile.
  ///
  /// A lock whose file is deleted lets the next writer in, who takes what he finds under way for a dead writer's and
  /// removes it.
  ///
  /// - Throws: ``TableError``, `conflict` where another did, and nothing is written; `outcomeUnknown` where the commit
  ///   stands or may stand, and nothing of it may be removed.
  func complete(_ metadata: CommitMetadata) async throws(TableError) {
    do {
      try await lock.check()
      guard try await log.standing(of: instant, plan: plan) == .own else {
        throw TableError(
          .conflict,
          "attempt \(instant.text) was removed by another writer, who took it for a dead one's: nothing is written; "
            + "try again")
      }
      try await log.complete(instant, metadata, isOwner: true)
    } catch { throw TableError(error, of: instant) }
    do { try await lock.check() } catch  where error.code == .locked {
      throw TableError(
        .outcomeUnknown,
        "commit \(instant.text) was completed, but whoever removed the lock may have removed files of it "
          + "(\(error.description)); look whether the table can be read before these rows are written again")
    } catch {
      // The commit stands, and that the lock cannot be asked does not say that it was lost.
    }
    // Left behind, they harm nothing, and the next writer removes them; so nobody waits for that.
    try? await markers.remove(through: storage.waiting(atMost: Self.tidyPatience))
  }

  /// Takes back what this process has begun and not completed; what cannot be removed now, the next writer removes.
  ///
  /// Base files go first, so that none outlives the timeline files that hide it (format-tables 2.7). Nothing is
  /// removed while a completed file is there or may be, nor where the inflight file is another's.
  func takeBack() async {
    let inflight = TimelineEntry(instant, .commit, .inflight)
    do {
      guard try await !storage.exists(inflight.with(.completed).path) else { return }
      let standing = try await log.standing(of: instant, plan: plan)
      guard standing != .replaced else { return }
      try await storage.deleteAll(markers.paths)
      try await TombstoneStore.remove(instant, in: storage)
      for partition in marked.withLock({ $0 }) {
        try await PartitionMetadata.remove(from: partition, of: instant, in: storage)
      }
      try await markers.remove()
      if standing == .own { try await log.remove(pending: inflight) }
    } catch { return }
  }
}
