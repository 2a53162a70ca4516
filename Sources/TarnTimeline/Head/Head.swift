import TarnBytes

/// The one small object by whose replacement everything is decided that Tarn's writers do to a table.
///
/// Each writer replaces it on the tag that it had when the writer read it, so that of two who began on the same state one
/// is refused, and finds here what was decided meanwhile. The timeline stays the truth for every reader: a head that is
/// lost is made anew from it, in a new epoch.
package struct Head: Sendable, Hashable {
  /// The most decisions that may be named; more must be carried out first.
  package static let mostNamed = 16
  /// How many row-changing decisions are remembered.
  package static let mostRecent = 32
  /// Files of all remembered decisions beyond which those of the oldest are not told.
  private static let mostFiles = 512
  /// The most applications with transactions.
  package static let mostApplications = 256

  /// Two random numbers in hexadecimal digits, so that no two heads are ever alike.
  package private(set) var mark: String
  /// A random text that changes where decisions are taken back.
  package let epoch: String
  /// The number of row-changing decisions.
  package private(set) var sequence: Int64
  /// Decisions whose files may not all stand on the timeline yet, in their order.
  package var named: [NamedDecision] = []
  /// The last row-changing decisions, in their order.
  package private(set) var recent: [RecentDecision] = []
  /// Applications that write with transactions.
  package private(set) var applications: [ApplicationVersion] = []
  /// The completed commits that were decided here, or taken in.
  package private(set) var known: KnownCommits
  /// Other engines' attempts that were under way then.
  package private(set) var foreign: [Instant] = []
  /// Attempts of which it is not known whether they were decided by a head that was lost: nobody rolls them back unasked.
  package var doubtful: [Instant] = []
  /// Savepoints that were deleted lately.
  package private(set) var deletedSavepoints: [DeletedSavepoint] = []
  /// Readers that declared what they need.
  package private(set) var readers: [RetainedReader] = []
  /// The last instant that Tarn archived; nil for none.
  ///
  /// Where it changes, a listing that was taken meanwhile may lack what left the timeline, and have what was before it.
  package var archivedThrough: Instant?
  /// What is known of the storage, in its own words, so that not every process tries it; nil for nothing.
  package var findings: String?

  /// Begins an epoch.
  ///
  /// - Parameter known: What is known without a sequence.
  package init(epoch: String, sequence: Int64, mark: String, known: KnownCommits = KnownCommits()) {
    self.epoch = epoch
    self.sequence = sequence
    self.mark = mark
    self.known = known
  }

  /// How far the table has come.
  package var position: TablePosition { TablePosition(epoch: epoch, sequence: sequence) }

  /// The next head, which differs from this one whatever is decided.
  package func next(mark: String) -> Head {
    var next = self
    next.mark = mark
    return next
  }

  /// The first head of another epoch, which goes on without commits that were taken back.
  ///
  /// - Parameters:
  ///   - first: What is taken of the new epoch: its name and mark.
  ///   - undone: The commits that do not stand any more.
  ///   - applications: How far applications have come without them.
  package func begun(
    anew first: Head, without undone: Set<Instant>, applications: [ApplicationVersion]
  ) -> Head {
    var next = Head(epoch: first.epoch, sequence: 0, mark: first.mark, known: known)
    var sequences: [Instant: Int64] = [:]
    for var decision in recent where !undone.contains(decision.instant) {
      decision.sequence = next.sequence + 1
      sequences[decision.instant] = decision.sequence
      next.append(decision)
    }
    next.named = named.filter { !$0.isCommit || !undone.contains($0.instant) }
    for index in next.named.indices where next.named[index].isCommit {
      next.named[index].sequence = sequences[next.named[index].instant]
    }
    next.applications = applications
    next.foreign = foreign
    next.doubtful = doubtful
    next.deletedSavepoints = deletedSavepoints
    next.readers = readers
    next.archivedThrough = archivedThrough
    next.findings = findings
    return next
  }

  /// Takes in a row-changing decision; its sequence must be the next.
  package mutating func append(_ decision: RecentDecision) {
    sequence = decision.sequence
    known.insert(decision.instant)
    recent.append(decision)
    recent.removeFirst(max(recent.count - Self.mostRecent, 0))
    var files = 0
    for index in recent.indices.reversed() {
      files += (recent[index].files?.count ?? 0) + (recent[index].replaced?.count ?? 0)
      if files > Self.mostFiles { recent[index].forgetFiles() }
    }
  }

  /// Notes how far an application has come.
  ///
  /// - Returns: False where there are too many applications.
  package mutating func note(_ version: ApplicationVersion) -> Bool {
    applications.removeAll { $0.application == version.application }
    guard applications.count < Self.mostApplications else { return false }
    applications.append(version)
    return true
  }

  /// Notes that a savepoint was deleted, and forgets those of which that is long ago.
  package mutating func note(_ deleted: DeletedSavepoint) {
    let now = deleted.time.microseconds ?? .min
    deletedSavepoints.removeAll { !$0.isRecent(at: now) || $0.commit == deleted.commit }
    deletedSavepoints.append(deleted)
  }

  /// Notes what a reader needs, or that it needs nothing any more, and forgets those whose declarations have expired.
  ///
  /// - Parameters:
  ///   - name: The reader.
  ///   - reader: What it needs; nil for nothing.
  ///   - now: The time in microseconds since 1970-01-01T00:00:00Z.
  /// - Returns: False where there are too many readers.
  package mutating func note(_ name: String, _ reader: RetainedReader?, at now: Int64) -> Bool {
    readers.removeAll { $0.name == name || $0.hasExpired(at: now) }
    guard let reader else { return true }
    guard readers.count < Self.mostReaders else { return false }
    readers.append(reader)
    return true
  }

  /// How far an application has come; nil for one that has not written.
  package func version(of application: String) -> ApplicationVersion? {
    applications.first { $0.application == application }
  }

  /// Notes what was seen of the timeline, whose completed commits are taken in.
  package mutating func note(_ timeline: Timeline) {
    let own = Set(named.filter(\.isCommit).map(\.instant))
    foreign = timeline.pending.filter { $0.action.writesData && !own.contains($0.instant) }.map(\.instant)
  }

  /// The greatest instant of which this head knows, also of attempts that it rolls back: a new one must be greater, or it
  /// would be taken for one of these.
  package var lastInstant: Instant? {
    var instants = recent.map(\.instant) + named.map(\.instant)
    for case .rollback(let target, _) in named.map(\.kind) { instants.append(target) }
    for case .commitRollback(let target, _) in named.map(\.kind) { instants.append(target) }
    if let last = known.instants.last { instants.append(last) }
    return instants.max()
  }

  /// The row-changing decisions after a position; nil where not all of them are known any more.
  package func decisions(after position: TablePosition) -> [RecentDecision]? {
    guard position.epoch == epoch, position.sequence <= sequence else { return nil }
    let later = recent.filter { $0.sequence > position.sequence }
    return Int64(later.count) == sequence - position.sequence ? later : nil
  }

  /// Whether a completed commit is known: decided here, or taken in.
  package func knows(_ instant: Instant) -> Bool {
    if known.contains(instant), !foreign.contains(instant) { return true }
    // Another engine may commit at the very instant of a rollback.
    return recent.contains { $0.instant == instant }
      || named.contains { $0.isCommit && $0.instant == instant }
  }

  /// Whether an attempt was decided, as far as this head remembers.
  package func hasDecided(_ instant: Instant) -> Bool {
    recent.contains { $0.instant == instant } || named.contains { $0.instant == instant }
  }

  /// Whether an attempt is named as rolled back.
  package func rollsBack(_ instant: Instant) -> Bool {
    named.contains { decision in
      if case .rollback(instant, _) = decision.kind { true } else { false }
    }
  }

  // MARK: - As text

  /// The version of the format in which a head is written that names readers: a build that knows only the one before
  /// would forget them.
  package static let format: Int64 = 2
  /// The version in which all other heads are written, which every build knows.
  package static let firstFormat: Int64 = 1

  /// The text.
  package var bytes: [UInt8] { HeadText.text(of: self).bytes() }

  init(
    mark: String, epoch: String, sequence: Int64, named: [NamedDecision], recent: [RecentDecision],
    applications: [ApplicationVersion], known: KnownCommits, foreign: [Instant], doubtful: [Instant],
    deletedSavepoints: [DeletedSavepoint], readers: [RetainedReader], archivedThrough: Instant?,
    findings: String?
  ) {
    self.mark = mark
    self.epoch = epoch
    self.sequence = sequence
    self.named = named
    self.recent = recent
    self.applications = applications
    self.known = known
    self.foreign = foreign
    self.doubtful = doubtful
    self.deletedSavepoints = deletedSavepoints
    self.readers = readers
    self.archivedThrough = archivedThrough
    self.findings = findings
  }
}
