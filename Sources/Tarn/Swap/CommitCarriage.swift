import TarnStorage
import TarnTimeline

/// Carries out commits that were decided, and looks whether another engine went in between.
struct CommitCarriage: Sendable {
  private let storage: any Storage

  init(_ storage: any Storage) { self.storage = storage }

  /// Gives commits their completed files, in their order.
  ///
  /// - Parameters:
  ///   - commits: The commits, in their order.
  ///   - before: What other processes decided before and may not have carried out.
  ///   - listing: The timeline as it was listed before the swap.
  /// - Returns: An answer for each.
  func carryOut(
    _ commits: [(candidate: CommitCandidate, decision: NamedDecision)], before: [NamedDecision],
    _ listing: TimelineListing
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
    var now: Timeline?
    if failure == nil {
      let start = commits.compactMap(\.candidate.base.timeline.whereNewsBegin).min()
      now = try? await TimelineListing.load(from: storage, since: start).timeline
    }
    return commits.map {
      answer($0, now, listing.timeline, isGone: gone.contains($0.candidate.instant), failure)
    }
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
    let forward = RollForward(storage)
    try await forward.carryOut(before, listed: timeline)
    var gone: Set<Instant> = []
    for commit in commits {
      guard case .commit(let content) = commit.kind else { continue }
      if case .gone = try await forward.complete(commit.instant, content) { gone.insert(commit.instant) }
    }
    return gone
  }

  private func answer(
    _ commit: (candidate: CommitCandidate, decision: NamedDecision), _ now: Timeline?, _ before: Timeline,
    isGone: Bool, _ failure: TimelineError?
  ) -> CommitAnswer {
    let candidate = commit.candidate
    if isGone { return .refused(.undone(candidate.instant)) }
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
    return .decided(DecidedCommit(position: position, warnings: warnings))
  }
}
