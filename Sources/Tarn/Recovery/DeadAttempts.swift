import TarnBytes
import TarnStorage
import TarnTimeline

/// Finds attempts of Tarn's own whose writers are dead, and rolls them back.
///
/// Those of other engines are left alone: their own writers look after them. Left attempts matter: a dead pending one makes
/// Spark's time travel and incremental reads fail for later instants, and stops its archive.
struct DeadAttempts: Sendable {
  let storage: any Storage
  let settings: TableSettings
  /// Tells the time of instants.
  let clock: InstantClock
  /// Where the table lies, as other engines name it.
  let base: String
  let heads: HeadStore
  /// How the lock of other engines is taken; nil where they have none.
  let locking: HudiLocking?

  /// The age at which a request without a sign of life or inflight file goes, in microseconds.
  private static let requestPatience: Int64 = 24 * 3_600 * 1_000_000

  /// Rolls back what dead writers left.
  ///
  /// - Parameters:
  ///   - head: The table's head; what it names is carried out.
  ///   - listing: The timeline as it was listed after that.
  /// - Returns: The head and the timeline of then; nil where there was nothing to do.
  func rollBack(
    on head: LoadedHead, _ listing: TimelineListing
  ) async throws(TableError) -> (LoadedHead, TimelineListing)? {
    let outcome = try await rollBackAll(on: head, listing)
    guard outcome.isRefused || !outcome.instants.isEmpty else { return nil }
    return try await tableErrors {
      guard case .head(let new) = try await heads.load() else {
        throw TableError(.conflict, "the table's head was removed meanwhile: try again")
      }
      // Where one died others may have, before their attempts were on the timeline.
      return (new, try await removeStaleSigns())
    }
  }

  /// Removes signs of dead writers that belong to no attempt.
  ///
  /// - Returns: The timeline as it was listed behind them.
  @discardableResult
  func removeStaleSigns() async throws(TableError) -> TimelineListing {
    let liveness = Liveness(storage)
    do throws(TimelineError) {
      let signs = try await liveness.instants()
      let listing = try await TimelineListing.load(from: storage)
      try await liveness.removeStale(signs, besides: listing.timeline, mark: heads.newMark())
      return listing
    } catch { throw TableError(error) }
  }

  /// What was rolled back.
  struct Outcome: Sendable {
    /// The attempts.
    var instants: [Instant] = []
    /// Whether another writer was faster, so that there may be more.
    var isRefused = false
  }

  /// Rolls back what dead writers left.
  ///
  /// - Parameters:
  ///   - head: The table's head; what it names is carried out.
  ///   - listing: The timeline as it was listed after that.
  func rollBackAll(on head: LoadedHead, _ listing: TimelineListing) async throws(TableError) -> Outcome {
    var outcome = Outcome()
    var present = head
    for entry in listing.timeline.pending where entry.action == .commit {
      guard !head.head.hasDecided(entry.instant), !head.head.doubtful.contains(entry.instant),
        let planned = try await plannedPartitions(of: entry)
      else { continue }
      do throws(TimelineError) {
        let decision = RollbackDecision(entry, in: storage, at: base, heads, locking)
        guard
          let next = try await decision.run(
            on: present, listing.timeline, planned: planned, now: clock.now())
        else {
          outcome.isRefused = true
          break
        }
        present = next
      } catch { throw TableError(error) }
      outcome.instants.append(entry.instant)
      settings.warn("removed the attempt \(entry.instant.text) of a writer that died")
    }
    return outcome
  }

  /// The partitions that a dead writer's attempt planned to write into; nil where it is not to be rolled back.
  private func plannedPartitions(of entry: TimelineEntry) async throws(TableError) -> [String]? {
    do throws(TimelineError) {
      let liveness = Liveness(storage)
      guard entry.state == .inflight else {
        guard try await liveness.isOwn(entry.instant) else {
          try await removeOldRequest(entry)
          return nil
        }
        return try await liveness.isDead(entry.instant, mark: heads.newMark()) ? [] : nil
      }
      let attempt: CommitMetadata
      do throws(TimelineError) { attempt = try await CommitLog(storage).metadata(of: entry) } catch {
        switch error.code {
        case .damaged, .unsupported:
          // Tarn's own appear whole, so this is another engine's, which may have died while it wrote it.
          settings.warn(
            "\(error.description); the file is another engine's and does not hinder this write: let that engine "
              + "roll instant \(entry.instant.text) back, as Spark does at its next write")
          return nil
        default:
          // It may have been rolled back just now.
          if error.storageError?.code == .notFound { return nil }
          throw error
        }
      }
      guard attempt.writer != nil, try await liveness.isDead(entry.instant, mark: heads.newMark()) else {
        return nil
      }
      return attempt.partitions.pairs.map(\.key)
    } catch { throw TableError(error) }
  }

  /// Removes a request that nobody claims: it has written nothing, and does not say whose it is.
  private func removeOldRequest(_ entry: TimelineEntry) async throws(TimelineError) {
    do {
      let age = settings.now() - (try await storage.info(of: entry.path)).modified
      guard age > Self.requestPatience else { return }
    } catch {
      if error.code == .notFound { return }
      throw TimelineError(error)
    }
    try await CommitLog(storage).remove(pending: entry)
  }
}
