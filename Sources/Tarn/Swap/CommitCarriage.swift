import TarnStorage
import TarnTimeline

/// Carries out commits that were decided, and looks whether another engine went in between.
struct CommitCarriage: Sendable {
  private let storage: any Storage
  /// What must be held where something is moved; nil for nothing.
  private let lock: HudiLock?

  init(_ storage: any Storage, holding lock: HudiLock?) {
    self.storage = storage
    self.lock = lock
  }

  /// Gives commits their completed files, in their order.
  ///
  /// - Parameters:
  ///   - commits: The commits, in their order.
  ///   - before: What other processes decided before and may not have carried out.
  ///   - listing: The timeline as it was listed before the swap.
  ///   - tidy: Removes, where requests overlap, what a commit leaves that has its completed file, by its place among them:
  ///     beside the last look, since what another engine takes back by then it has planned already.
  /// - Returns: An answer for each.
  func carryOut(
    _ commits: [(candidate: CommitCandidate, decision: NamedDecision)], before: [NamedDecision],
    _ listing: TimelineListing, tidying tidy: @escaping @Sendable (Int) async -> Void
  ) async -> [CommitAnswer] {
    var gone: Set<Instant> = []
    var failure: TimelineError?
    for number in 0..<Self.tries {
      if number > 0 { try? await Task.sleep(for: Self.pause * number) }
      do throws(TimelineError) {
        gone = try await carryOut(commits.map(\.decision), before, listing.timeline)
        failure = nil
        break
      } catch { failure = error }
    }
    let stand = commits.indices.filter { [gone] in
      failure == nil && storage.costs.overlaps && !gone.contains(commits[$0].candidate.instant)
    }
    async let tidied: Void = Self.tidy(stand, tidy)
    let since = await whatCameSince(commits.map(\.candidate), listing, hasFailed: failure != nil)
    await tidied
    return commits.map { commit in
      answer(commit, since, isGone: gone.contains(commit.candidate.instant), failure)
    }
  }

  private static func tidy(_ commits: [Int], _ tidy: @escaping @Sendable (Int) async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      for commit in commits { group.addTask { await tidy(commit) } }
    }
  }

  /// What came between the look before the swap and the end.
  private struct News {
    var undone: Set<Instant> = []
    var foreign: [RecentDecision] = []
  }

  /// Looks at the timeline once more: what is found is told, and whatever cannot be asked tells nothing.
  private func whatCameSince(
    _ candidates: [CommitCandidate], _ listing: TimelineListing, hasFailed: Bool
  ) async -> News {
    var news = News()
    let start = candidates.compactMap(\.whereNewsBegin).min()
    guard !hasFailed, let now = try? await TimelineListing.load(from: storage, since: start).timeline else {
      return news
    }
    let notices = RollbackNotices(now, in: storage)
    for candidate in candidates {
      if (try? await notices.name(candidate.instant, since: candidate.begun)) ?? false {
        news.undone.insert(candidate.instant)
      }
    }
    let own = Set(candidates.map(\.instant))
    let others = now.completedCommits.filter {
      !own.contains($0.instant) && !listing.timeline.contains($0.instant)
    }
    // Mostly they are those of other processes of Tarn's, whose commits say so.
    for entry in others {
      guard let document = try? await CommitLog(storage).document(of: entry),
        document.extra[CommitMetadata.reportKey] == nil
      else { continue }
      news.foreign.append(RecentDecision(sequence: 0, entry.instant, document))
    }
    return news
  }

  /// How often a storage that fails is asked.
  private static let tries = 3
  /// The first wait before it is asked again.
  private static let pause = Duration.milliseconds(10)

  /// Gives commits their completed files.
  ///
  /// - Returns: Those of which nothing is left.
  private func carryOut(
    _ commits: [NamedDecision], _ before: [NamedDecision], _ timeline: Timeline
  ) async throws(TimelineError) -> Set<Instant> {
    let forward = RollForward(storage, holding: lock)
    try await forward.carryOut(before, listed: timeline)
    var gone: Set<Instant> = []
    for commit in commits {
      guard case .commit(let content, let action) = commit.kind else { continue }
      let files = InstantFiles(commit.instant, action)
      // Each removes its own with all else that it leaves.
      if case .gone = try await forward.complete(files, content, leaves: storage.costs.overlaps) {
        gone.insert(commit.instant)
      }
    }
    return gone
  }

  private func answer(
    _ commit: (candidate: CommitCandidate, decision: NamedDecision), _ news: News, isGone: Bool,
    _ failure: TimelineError?
  ) -> CommitAnswer {
    let candidate = commit.candidate
    guard !isGone, !news.undone.contains(candidate.instant) else {
      return .undone(.undone(candidate.instant))
    }
    let position = TablePosition(
      epoch: candidate.base.head.head.epoch, sequence: commit.decision.sequence ?? 0)
    var warnings: [CommitWarning] = []
    if let failure {
      warnings.append(
        CommitWarning(
          .notYetVisible,
          "commit \(candidate.instant.text) stands, and appears when the next process of Tarn's writes, since the "
            + "storage failed at its end (\(failure.description)): do not write it again"))
    }
    for other in news.foreign {
      guard case .conflict(let what, _) = candidate.claim.verdict(on: [other], at: candidate.instant) else {
        continue
      }
      warnings.append(
        CommitWarning(
          .foreignCommit,
          "commit \(other.instant.text) of another engine \(what) while commit \(candidate.instant.text) completed: one "
            + "of the two may have overwritten rows of the other"))
    }
    return .decided(DecidedCommit(position: position, warnings: warnings))
  }
}
