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

  /// Removes signs of dead writers that belong to no attempt.
  func removeStaleSigns() async throws(TableError) {
    let liveness = Liveness(storage)
    do throws(TimelineError) {
      let signs = try await liveness.instants()
      let listing = try await TimelineListing.load(from: storage)
      try await liveness.removeStale(signs, besides: listing.timeline, mark: heads.newMark())
    } catch { throw TableError(error) }
  }

  /// What was rolled back.
  struct Outcome: Sendable {
    /// The attempts.
    var instants: [Instant] = []
    /// Whether another writer was faster, so that there may be more.
    var isRefused = false
    /// Whether head and timeline are others than they were.
    var hasChanged: Bool { isRefused || !instants.isEmpty }
  }

  /// Rolls back what dead writers left.
  ///
  /// - Parameters:
  ///   - head: The table's head; what it names is carried out.
  ///   - listing: The timeline as it was listed after that.
  func rollBack(on head: LoadedHead, _ listing: TimelineListing) async throws(TableError) -> Outcome {
    var outcome = Outcome()
    var present = head
    for entry in candidates(head, listing) {
      guard let remains = try await remains(of: entry) else { continue }
      do throws(TimelineError) {
        let decision = RollbackDecision(entry, in: storage, at: base, heads, locking)
        guard
          let next = try await decision.run(
            on: present, listing.timeline, remains, now: clock.now())
        else {
          outcome.isRefused = true
          break
        }
        present = next
      } catch { throw TableError(error) }
      outcome.instants.append(entry.instant)
      settings.tell(.attemptRolledBack(instant: entry.instant))
      // Behind an answer that was lost others may have gone on, whose decisions are to be carried out first.
      guard present.head.named.count == 1, present.head.rollsBack(entry.instant) else {
        outcome.isRefused = true
        break
      }
    }
    return outcome
  }

  /// What would be rolled back, or taken off the timeline.
  ///
  /// - Parameters:
  ///   - head: The table's head; what it names is carried out.
  ///   - listing: The timeline as it was listed after that.
  func plan(on head: LoadedHead, _ listing: TimelineListing) async throws(TableError) -> [AttemptRemoval] {
    var removals: [AttemptRemoval] = []
    for entry in candidates(head, listing) {
      guard let remains = try await remains(of: entry, isPlan: true) else {
        do throws(TimelineError) {
          if try await isOldRequest(entry) { removals.append(AttemptRemoval(entry: entry, files: [])) }
        } catch { throw TableError(error) }
        continue
      }
      do throws(TimelineError) {
        let decision = RollbackDecision(entry, in: storage, at: base, heads, locking)
        removals.append(AttemptRemoval(entry: entry, files: try await decision.files(remains)))
      } catch { throw TableError(error) }
    }
    return removals
  }

  /// The attempts that may be dead writers' of Tarn's.
  private func candidates(_ head: LoadedHead, _ listing: TimelineListing) -> [TimelineEntry] {
    listing.timeline.pending.filter { entry in
      (entry.action == .commit || entry.action == .replacecommit) && !head.head.hasDecided(entry.instant)
        && !head.head.doubtful.contains(entry.instant)
    }
  }

  /// Where a dead writer's attempt may have left files; nil where it is not to be rolled back.
  ///
  /// - Parameter isPlan: Whether a request that nobody claims stays where it is.
  private func remains(
    of entry: TimelineEntry, isPlan: Bool = false
  ) async throws(TableError) -> RollbackDecision.Remains? {
    do throws(TimelineError) {
      let liveness = Liveness(storage)
      guard entry.state == .inflight else {
        guard try await liveness.isOwn(entry.instant) else {
          // A replacement that is only requested may be a clustering that waits for its turn.
          if !isPlan, try await isOldRequest(entry) { try await CommitLog(storage).remove(pending: entry) }
          return nil
        }
        // It has written nothing; where another engine requested it, and goes on, its files are not the attempt's.
        return try await liveness.wasLeft(entry.instant, mark: heads.newMark()) ? .marked : nil
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
      return .planned(attempt.partitions.pairs.map(\.key))
    } catch { throw TableError(error) }
  }

  /// Whether an entry is a request that nobody claims: it has written nothing, and does not say whose it is.
  private func isOldRequest(_ entry: TimelineEntry) async throws(TimelineError) -> Bool {
    guard entry.state == .requested, entry.action == .commit else { return false }
    do {
      return settings.now() - (try await storage.info(of: entry.path)).modified > Self.requestPatience
    } catch {
      if error.code == .notFound { return false }
      throw TimelineError(error)
    }
  }
}
