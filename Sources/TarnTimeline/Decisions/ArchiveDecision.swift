import TarnAvro
import TarnStorage

/// Takes completed actions off the timeline and into the archive, as a decision: whoever comes after one that died in the
/// middle goes on where it was.
package struct ArchiveDecision: Sendable {
  private let actions: [ArchivedAction]
  private let tail: ArchiveTail?
  private let file: String
  private let storage: any Storage
  private let store: HeadStore
  private let locking: HudiLocking?

  /// Names what is archived.
  ///
  /// - Parameters:
  ///   - actions: The oldest of the timeline, in their order.
  ///   - tail: The archive's newest file, which the next one replaces; nil where it stays.
  ///   - file: The archive's next file, see ``ArchivedTimeline/nextFile(mark:)``.
  ///   - locking: How the lock of other engines is taken; nil where they have none.
  package init(
    _ actions: [ArchivedAction], behind tail: ArchiveTail? = nil, to file: String, in storage: any Storage,
    _ store: HeadStore, _ locking: HudiLocking?
  ) {
    self.actions = actions
    self.tail = tail
    self.file = file
    self.storage = storage
    self.store = store
    self.locking = locking
  }

  /// Decides it, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which it was found what is archived.
  ///   - timeline: The timeline as it was listed after that.
  ///   - now: The time in microseconds since 1970, by the clocks of the table's zone.
  /// - Returns: Whether it was done; false where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  package func run(
    on head: LoadedHead, _ timeline: Timeline, now: Int64
  ) async throws(TimelineError) -> Bool {
    let decision = ServiceDecision(
      service: Archive(actions: actions, tail: tail, file: file), storage: storage, store: store,
      locking: locking)
    return try await decision.run(on: head, timeline, now: now) != nil
  }
}

/// The archiving of actions, whose instant stands in no file's name but its content's.
private struct Archive: DecidedAction {
  let actions: [ArchivedAction]
  let tail: ArchiveTail?
  let file: String

  var mark: String { "archive" }

  func contents(at instant: Instant) throws(AvroError) -> [[UInt8]?] {
    [try ArchivedAction.file(of: actions, behind: tail)]
  }

  func kind(at places: [String?]) -> NamedDecision.Kind {
    .archive(
      ArchivedInstants(
        content: places.first.flatMap(\.self) ?? "", file: file, replaced: tail?.path,
        entries: actions.map(\.entry))
    )
  }

  func next(after head: Head, mark: String) -> Head {
    var next = head.next(mark: mark)
    next.archivedThrough = [head.archivedThrough, actions.last?.entry.instant].compactMap(\.self).max()
    return next
  }

  func carryOut(
    _ decision: NamedDecision, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    guard case .archive(let archived) = decision.kind else { return }
    try await ArchiveExecution(archived, in: storage, holding: lock).run()
  }
}

/// Archives what was decided to be; done again, it does what was left to do.
struct ArchiveExecution: Sendable {
  private let archived: ArchivedInstants
  private let storage: any Storage
  /// What must be held where something is moved; nil for nothing.
  private let lock: HudiLock?

  init(_ archived: ArchivedInstants, in storage: any Storage, holding lock: HudiLock?) {
    self.archived = archived
    self.storage = storage
    self.lock = lock
  }

  /// Moves the file into the archive, and removes the one that it replaces, and what it holds from the timeline.
  ///
  /// Before the completed files go those that hide them: one that is under way and begins the timeline would hide rows. And
  /// of the completed ones the oldest goes first: what is older than the timeline's begin counts as committed.
  func run() async throws(TimelineError) {
    do {
      guard try await moveFile() else { return }
      if let replaced = archived.replaced { try await storage.deleteAll([replaced]) }
      let entries = archived.entries
      // Moved later than their completed files go, contents would bring these back.
      let instants = Set(entries.map(\.instant))
      let contents = try await TimelineListing.load(from: storage).contents
      try await storage.deleteAll(contents.filter { instants.contains($0.instant) }.map(\.path))
      try await storage.deleteAll(entries.map { $0.with(.requested).path })
      try await storage.deleteAll(entries.map { $0.with(.inflight).path })
      for entry in entries {
        try lock?.check()
        try await storage.delete(entry.path)
      }
    } catch let error as TimelineError { throw error } catch let error as StorageError {
      throw TimelineError(error)
    } catch { throw TimelineError.cancelled }
  }

  /// Moves the file, unless that was done.
  ///
  /// - Returns: Whether it is in the archive; otherwise another has merged it with others or taken it away, and what it held
  ///   is archived anew by who finds it on the timeline.
  private func moveFile() async throws(StorageError) -> Bool {
    do throws(StorageError) {
      try lock?.check()
      try await storage.move(archived.content, to: archived.file)
      return true
    } catch {
      guard error.code == .notFound else { throw error }
      return try await storage.exists(archived.file)
    }
  }
}
