import TarnBytes
import TarnStorage
import TarnTimeline

/// The next head in the making: which of some commits it can decide, and what must be written before it does.
struct HeadDraft: Sendable {
  private let before: Head
  /// What is answered to each candidate at once; nil for those that are taken or wait.
  let answers: [CommitAnswer?]
  /// Whether each candidate is taken.
  let isTaken: [Bool]

  /// The candidates that are taken, by their places.
  var taken: [Int] { isTaken.indices.filter { isTaken[$0] } }

  /// Judges candidates against what was decided since each began, and against each other.
  init(on head: Head, _ candidates: [CommitCandidate]) {
    before = head
    var answers: [CommitAnswer?] = []
    var isTaken: [Bool] = []
    var accepted: [RecentDecision] = []
    var applications: Set<String> = []
    for candidate in candidates {
      if let answer = Self.answer(candidate, head) {
        answers.append(answer)
        isTaken.append(false)
        continue
      }
      answers.append(nil)
      let isFree =
        if case .clear = candidate.claim.verdict(on: accepted, at: candidate.instant) { true } else { false }
      // One at a time of each application, and no more applications than there may be.
      let isNew =
        candidate.transaction.map { transaction in
          !applications.contains(transaction.application)
            && head.applications.count + applications.count <= Head.mostApplications
        } ?? true
      isTaken.append(isFree && isNew)
      guard isFree, isNew else { continue }
      if let transaction = candidate.transaction { applications.insert(transaction.application) }
      accepted.append(candidate.decision(head.sequence + Int64(accepted.count) + 1))
    }
    self.answers = answers
    self.isTaken = isTaken
  }

  /// What can be said of a candidate by the head alone; nil where nothing is in its way.
  private static func answer(_ candidate: CommitCandidate, _ head: Head) -> CommitAnswer? {
    if let transaction = candidate.transaction, let last = head.version(of: transaction.application) {
      if last.version == transaction.version { return .repeated(last) }
      if last.version > transaction.version {
        return .refused(.stale(transaction, last))
      }
    } else if candidate.transaction != nil, head.applications.count >= Head.mostApplications {
      return .refused(.tooManyApplications)
    }
    if head.rollsBack(candidate.instant) { return .conflict(.rolledBack(candidate.instant)) }
    // A timeline that was listed while some of it was archived may have holes; this head may be older than the base's.
    if let archived = head.archivedThrough,
      candidate.base.head.head.archivedThrough.map({ $0 < archived }) ?? true
    {
      return .look
    }
    let decisions = head.decisions(after: candidate.base.head.head.position)
    switch candidate.claim.verdict(on: decisions, at: candidate.instant) {
    case .clear: return nil
    case .look: return .look
    case .conflict(let what, let other): return .conflict(.conflict(other, what))
    }
  }

  /// What came of writing contents and looking at the timeline.
  enum Written: Sendable {
    /// The next head, what it names of the candidates, the timeline, and the contents.
    case ready(Head, [NamedDecision], TimelineListing, contents: [String])
    /// Some candidates cannot be decided: an answer for each of these, nil for the others.
    case some([CommitAnswer?], contents: [String])
    /// Nothing can be decided.
    case failed(TableError, contents: [String])
  }

  /// Writes the contents of the candidates that were taken, and looks at the timeline beside that.
  func write(_ taken: [CommitCandidate], _ store: HeadStore, in storage: any Storage) async -> Written {
    // Mostly no other engine has committed, and the positions are those.
    let first = contents(of: taken, behind: [])
    let start = taken.compactMap(\.whereNewsBegin).min()
    async let isWritten = Self.put(first, store, in: storage)
    // Beside it, unless the storage takes one request after the other.
    if storage.costs.requestsAtOnce == 1 { _ = await isWritten }
    let result = await Self.listing(storage, since: start)
    var written = await isWritten
    var paths = written.paths
    if let failure = written.failure { return .failed(failure, contents: paths) }
    let listing: TimelineListing
    let foreign: ForeignCommits
    var named: [NamedDecision]
    var answers: [CommitAnswer?] = []
    do throws(TimelineError) {
      listing = try result.get()
      named = self.named(besides: listing, taken)
      foreign = try await ForeignCommits(
        on: taken.map(\.base.timeline) + [listing.timeline], besides: before, in: storage)
      let notices = RollbackNotices(listing.timeline, in: storage)
      let replacements = try await PendingReplacement.load(listing.timeline, from: storage)
      for candidate in taken {
        answers.append(
          try await Self.answer(candidate, listing.timeline, foreign, notices, replacements))
      }
      if named.count + taken.count > Head.mostNamed {
        try await RollForward(storage, holding: store.lock).carryOut(named, listed: listing.timeline)
        named = []
      }
    } catch { return .failed(TableError(error), contents: paths) }
    guard answers.allSatisfy({ $0 == nil }) else { return .some(answers, contents: paths) }
    if !foreign.decisions.isEmpty {
      written = await Self.put(contents(of: taken, behind: foreign.decisions), store, in: storage)
      paths += written.paths
      if let failure = written.failure { return .failed(failure, contents: paths) }
    }
    let (head, decisions) = next(taken, written.places, foreign, listing, besides: named, store)
    return .ready(head, decisions, listing, contents: paths)
  }

  /// What is named already and not known to be carried out.
  ///
  /// Each candidate has carried out what the head of its base named, also where that has left the timeline since.
  private func named(besides listing: TimelineListing, _ taken: [CommitCandidate]) -> [NamedDecision] {
    let done = Set(taken.flatMap(\.base.head.head.named))
    return before.named.filter { decision in
      // The listing begins somewhere, so that what it does not show may be there.
      let isCompleted = decision.completed.map { listing.timeline.entries.contains($0) } ?? false
      return !done.contains(decision) && !isCompleted
    }
  }

  /// The next head, and what it names of the candidates.
  private func next(
    _ taken: [CommitCandidate], _ paths: [String], _ foreign: ForeignCommits, _ listing: TimelineListing,
    besides named: [NamedDecision], _ store: HeadStore
  ) -> (Head, [NamedDecision]) {
    var head = before.next(mark: store.newMark())
    head.named = named
    for decision in foreign.decisions { head.append(decision) }
    var decisions: [NamedDecision] = []
    for (candidate, path) in zip(taken, paths) {
      let decision = candidate.decision(head.sequence + 1)
      head.append(decision)
      decisions.append(
        NamedDecision(
          candidate.instant, sequence: decision.sequence,
          .commit(content: path, action: candidate.files.action)))
      guard let transaction = candidate.transaction else { continue }
      _ = head.note(ApplicationVersion(transaction.application, transaction.version, candidate.instant))
    }
    head.named += decisions
    head.note(listing.timeline)
    return (head, decisions)
  }

  /// The completed files to be, which follow other engines' commits that are taken in.
  private func contents(
    of taken: [CommitCandidate], behind foreign: [RecentDecision]
  ) -> [(instant: Instant, bytes: [UInt8])] {
    let sequence = before.sequence + Int64(foreign.count)
    return taken.enumerated().map { number, candidate in
      var metadata = candidate.metadata
      metadata.extra[CommitMetadata.positionKey] =
        TablePosition(epoch: before.epoch, sequence: sequence + Int64(number) + 1).description
      // They do not say it themselves, and the head forgets.
      if number == 0, !foreign.isEmpty { metadata.takenIn = foreign.map { ($0.sequence, $0.instant) } }
      return (candidate.instant, metadata.bytes())
    }
  }

  private static func listing(
    _ storage: any Storage, since start: Instant?
  ) async -> Result<TimelineListing, TimelineError> {
    do throws(TimelineError) {
      return .success(try await TimelineListing.load(from: storage, since: start))
    } catch { return .failure(error) }
  }

  /// Contents that were put.
  private struct PutContents: Sendable {
    /// Where each lies.
    var places: [String] = []
    /// All paths at which one may lie.
    var paths: [String] = []
    /// Why not all are there; nil where they are.
    var failure: TableError?
  }

  /// Puts contents, each of which has a name of its own.
  private static func put(
    _ contents: [(instant: Instant, bytes: [UInt8])], _ store: HeadStore, in storage: any Storage
  ) async -> PutContents {
    var put = PutContents()
    do {
      let written = try await concurrently(contents, width: storage.costs.requestsAtOnce) {
        content -> WrittenContent in
        await WrittenContent(content.bytes, of: content.instant, in: storage, mark: store.newMark)
      }
      put.places = written.map(\.path)
      put.paths = written.flatMap(\.paths)
      put.failure = written.compactMap(\.failure).first.map { TableError($0) }
    } catch { put.failure = TableError(error) }
    return put
  }

  /// What the timeline says against a candidate; nil for nothing.
  private static func answer(
    _ candidate: CommitCandidate, _ timeline: Timeline, _ foreign: ForeignCommits, _ notices: RollbackNotices,
    _ replacements: [PendingReplacement]
  ) async throws(TimelineError) -> CommitAnswer? {
    guard timeline.pending.contains(candidate.files.inflight) else {
      return .conflict(.rolledBack(candidate.instant))
    }
    // One that came since the attempt began may be under way still, while the attempt's own files stand.
    if try await notices.name(candidate.instant, since: candidate.begun) {
      return .conflict(.rolledBack(candidate.instant))
    }
    let base = candidate.base.timeline
    if let (action, other) = try await notices.takesBack(anyOf: base) {
      return .conflict(.conflict(other, "was taken back by a \(action.rawValue)"))
    }
    if let (other, what) = candidate.conflict(among: replacements) {
      return .conflict(.replacing(other, what))
    }
    let since = foreign.decisions.filter { !base.isVisible($0.instant) }
    switch candidate.claim.verdict(on: since, at: candidate.instant) {
    case .clear: return nil
    case .look: return .look
    case .conflict(let what, let other): return .conflict(.conflict(other, what))
    }
  }
}
