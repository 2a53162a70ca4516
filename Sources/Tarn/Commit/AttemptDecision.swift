import TarnFileGroups
import TarnTimeline

/// Has the attempt of a write decided.
struct AttemptDecision: Sendable {
  let queue: CommitQueue
  /// Looks at the table again.
  let recovery: Recovery

  /// What was decided.
  enum Result<Prepared: PreparedWrite>: Sendable {
    /// It stands.
    case stands(DecidedCommit)
    /// It does not: this version of its application stands already.
    case repeated(ApplicationVersion)
    /// It does not: another writer was faster.
    case lost(TableError, Prepared)
    /// It does not, nor will it.
    case failed(TableError)
    /// It stood, and another engine took it back.
    case undone(TableError)
    /// It may stand, or may yet.
    case unknown(TimelineError)
  }

  /// The head, which is stored before the first attempt: contents beside the timeline of a table without a head show then
  /// that it was lost.
  ///
  /// - Returns: Nil where another writer stored one.
  func stored(_ head: LoadedHead?) async throws(TableError) -> LoadedHead? {
    guard let head else { throw TableError(.damaged, "the table has no head") }
    return try await recovery.stored(head)
  }

  /// Decides a commit, and looks again as often as others come before it without a conflict.
  ///
  /// - Parameters:
  ///   - first: The commit, on the state on which it was found out what is to be written.
  ///   - prepared: What was found out.
  ///   - leftovers: Takes the paths of contents that were written in vain.
  ///   - table: The table as it was.
  func run<Write: TableWrite>(
    _ first: CommitCandidate, of write: Write, _ prepared: Write.Prepared, _ leftovers: Leftovers,
    _ table: PresentTable
  ) async -> Result<Write.Prepared> {
    var candidate = first
    while true {
      let answer = await queue.decide(
        candidate, leaving: leftovers, at: recovery.heads, in: table.reader.storage)
      switch answer {
      case .decided(let decided): return .stands(decided)
      case .repeated(let version): return .repeated(version)
      case .conflict(let error): return .lost(error, prepared)
      case .refused(let error): return .failed(error)
      case .undone(let error): return .undone(error)
      case .unknown(let error): return .unknown(error)
      case .look: break
      }
      do throws(TableError) {
        if Task.isCancelled { throw TableError(CancellationError()) }
        let state = try await recovery.look()
        let present = PresentTable(state: state, settings: table.settings, reader: table.reader)
        let newer = try await write.prepare(on: present, after: prepared)
        try newer.planned.check(against: state.replacements)
        guard prepared.isUnaffected(by: newer), let head = state.head else {
          return .lost(.overtaken, newer)
        }
        // What was taken back brings rows back that came in no commit.
        guard head.head.epoch == candidate.base.head.head.epoch else { return .lost(.overtaken, newer) }
        // The schema is read from the greatest instant, so that this one's would not be seen.
        if newer.planned.claim.changesSchema, let last = state.timeline.completedCommits.last?.instant,
          last > candidate.instant
        {
          return .lost(.overtaken, newer)
        }
        let base = CommitBase(head: head, timeline: state.timeline, locking: state.locking)
        candidate = candidate.on(base, newer.planned.claim)
      } catch { return .failed(error) }
    }
  }
}

extension CommitCandidate {
  /// The same commit, found right on a later state.
  fileprivate func on(_ base: CommitBase, _ claim: WriteClaim) -> CommitCandidate {
    CommitCandidate(
      files: files, metadata: metadata, claim: claim, base: base, begun: begun,
      keepsDeletions: keepsDeletions, transaction: transaction)
  }
}
