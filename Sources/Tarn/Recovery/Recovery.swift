import TarnStorage
import TarnTimeline

/// What a writer does first: it carries out what was decided, and puts in order what dead writers and other engines left.
struct Recovery: Sendable {
  let storage: any Storage
  let settings: TableSettings
  /// Where the table lies, as other engines name it.
  let base: String
  /// What was read when the table was opened.
  var opening = TableOpening.none

  /// Whether the next write would stand on what was read when the table was opened.
  var standsOnOpening: Bool { opening.holds(at: settings.now()) }

  var heads: HeadStore { HeadStore(storage, patience: settings.patience, random: settings.random) }

  /// Reads the table, and puts in order what stands in a writer's way; whoever wishes to go first goes first.
  ///
  /// - Throws: ``TableError``, `unsupported` for a table that Tarn only reads; `conflict` where another engine restores the
  ///   table, or replaces what it does not name.
  func run(heeding tickets: inout Tickets) async throws(TableError) -> TableState {
    let (properties, look) = try await begin()
    var decided = try await self.decided(properties, look)
    if await tickets.heed(decided.listing.tickets) { decided = try await self.decided(properties) }
    var (head, listing) = (decided.head, decided.listing)
    if let pending = listing.timeline.pending.first(where: { $0.action == .restore }) {
      throw TableError(
        .conflict,
        "\(pending.path): another engine restores the table, or died while it did: let it finish, or restore the table to that "
          + "time once more with that engine, and try again", path: pending.path)
    }
    let clock = InstantClock(settings, properties)
    let attempts = deadAttempts(properties, decided.locking)
    if try await attempts.rollBack(on: head, listing).hasChanged {
      // Where one died others may have, before their attempts were on the timeline.
      try await attempts.removeStaleSigns()
      // What others decided meanwhile is carried out too: who writes on a head has seen all that it names.
      decided = try await self.decided(properties)
      (head, listing) = (decided.head, decided.listing)
    }
    let leftovers = Housekeeping(storage: storage, settings: settings, heads: heads)
    await leftovers.removeContents(listing, head.head)
    let switched = try await leftovers.switchOffMetadataTable(properties)
    // Where requests overlap, beside the write.
    if !storage.costs.overlaps { try await leftovers.removeDeadTemporaries(listing.timeline) }
    warnOfInstantsAhead(listing.timeline, clock)
    warnOfOthers(properties)
    let present = switched ? try await writableProperties() : properties
    return try await TableState(
      present, listing.timeline, head, locking: decided.locking,
      besides: try await replacements(listing.timeline), knowing: decided.newest, storage)
  }

  /// Removes what writers left that were killed, beside a write, where requests overlap; what stays harms nobody.
  func tidy(beside timeline: Timeline) async {
    guard storage.costs.overlaps else { return }
    try? await Housekeeping(storage: storage, settings: settings, heads: heads)
      .removeDeadTemporaries(timeline)
  }

  /// The properties of a table that Tarn writes, and what was read beside them.
  private func begin() async throws(TableError) -> (TableProperties, TableOpening.Look?) {
    if let look = opening.take(at: settings.now()) {
      try check(look.properties)
      return (look.properties, look)
    }
    guard storage.costs.overlaps else { return (try await writableProperties(), nil) }
    let time = settings.now()
    async let head = loaded()
    let properties = try await writableProperties()
    do throws(TimelineError) {
      return (
        properties, TableOpening.Look(properties: properties, head: try await head.get(), time: time)
      )
    } catch { throw TableError(error) }
  }

  private func loaded() async -> Result<FoundHead, TimelineError> {
    do throws(TimelineError) { return .success(try await heads.load()) } catch { return .failure(error) }
  }

  /// What finds attempts of Tarn's whose writers died.
  ///
  /// - Parameter locking: How the lock of other engines is taken; nil where they have none.
  func deadAttempts(_ properties: TableProperties, _ locking: HudiLocking?) -> DeadAttempts {
    DeadAttempts(
      storage: storage, settings: settings, clock: InstantClock(settings, properties), base: base,
      heads: heads, locking: locking)
  }

  /// Reads the table again in the middle of a write, and carries out what was decided.
  func look() async throws(TableError) -> TableState {
    let properties = try await writableProperties()
    let decided = try await decided(properties)
    return try await TableState(
      properties, decided.listing.timeline, decided.head, locking: decided.locking,
      besides: try await replacements(decided.listing.timeline), storage)
  }

  /// What other engines cluster or replace, beside which is written what they do not name.
  func replacements(_ timeline: Timeline) async throws(TableError) -> [PendingReplacement] {
    let found: [PendingReplacement]
    do throws(TimelineError) { found = try await PendingReplacement.load(timeline, from: storage) } catch {
      throw TableError(error)
    }
    guard let unknown = found.first(where: \.isUnknown) else { return found }
    throw TableError.replacing(unknown.entry, "file groups, and does not say which")
  }

  /// Whether a write failed since something was gone that the table had when it looked, and not any more: a commit that was
  /// archived, or a base file that a clean removed or that was taken back with its commit.
  ///
  /// - Parameter known: The timeline as the write found it; nil where it failed before.
  func hasMovedOn(since failure: TableError, from known: Timeline?) async -> Bool {
    if failure.isOfVanishedCommit { return true }
    guard failure.code == .storage || failure.code == .damaged, let path = failure.path,
      // A file of the write's own, whose instant is greater, is missed where what is copied into it is gone.
      let name = BaseFileName(path: path), let last = known?.lastInstant,
      name.instant <= last || failure.isOfVanishedFile,
      (try? await storage.exists(path)) == false,
      let present = try? await SettledTimeline.load(from: storage).timeline
    else { return false }
    return !present.isVisible(name.instant)
      || present.entries.contains { $0.action == .clean && $0.instant > name.instant }
  }

  /// Whether file groups were clustered since a write looked at the table: their rows are as they were, so that who lost
  /// against it alone is no slower writer.
  ///
  /// - Parameter known: The timeline as the write found it.
  func hasClustered(since known: Timeline) async -> Bool {
    guard let present = try? await SettledTimeline.load(from: storage).timeline else { return false }
    let log = CommitLog(storage)
    for entry in present.completedCommits
    where entry.action.completed == .replacecommit && !known.contains(entry.instant) {
      if (try? await log.metadata(of: entry))?.operation == .cluster { return true }
    }
    return false
  }

  /// How far ahead of the clock an instant may lie, in microseconds.
  private static let mostAhead: Int64 = 24 * 3_600 * 1_000_000

  /// Says that the latest instant lies ahead of the clock: what Spark writes next has a smaller one, and is hidden.
  private func warnOfInstantsAhead(_ timeline: Timeline, _ clock: InstantClock) {
    guard let last = timeline.lastInstant, let time = last.microseconds,
      time - clock.now() > Self.mostAhead
    else { return }
    settings.warn(
      "the latest instant, \(last.text), lies more than a day ahead of the clock: commits of Spark, whose instants are "
        + "smaller then, would be hidden; set the clocks right, and wait until that time before Spark writes")
  }

  /// Says that another engine's writers, as the table's properties have them, would undo attempts that are under way.
  private func warnOfOthers(_ properties: TableProperties) {
    let entries = properties.entriesThatUndoAttempts
    guard !entries.isEmpty else { return }
    settings.warn(
      "\(TablePaths.properties) has \(entries.joined(separator: ", ")): a Spark that writes so undoes attempts of Tarn "
        + "that are under way; beside Tarn it needs hoodie.write.concurrency.mode=OPTIMISTIC_CONCURRENCY_CONTROL and "
        + "hoodie.cleaner.policy.failed.writes=LAZY")
  }

  /// The properties of a table that Tarn writes.
  func writableProperties() async throws(TableError) -> TableProperties {
    let properties = try await tableErrors { try await TableProperties.load(from: storage) }
    try check(properties)
    return properties
  }

  private func check(_ properties: TableProperties) throws(TableError) {
    guard properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(properties.name) is merge-on-read: Tarn does not write such tables yet")
    }
    // Cut short, the file may have lost more than its checksum; Hudi's own writers do not trust it either.
    guard properties.hasValidChecksum == true else {
      throw TableError(
        .damaged,
        "\(TablePaths.properties): it has no hoodie.table.checksum; restore the file before writing",
        path: TablePaths.properties)
    }
  }

  /// The head, and behind it the timeline, on which all that it names is carried out.
  ///
  /// - Parameter look: What of them was read already.
  func decided(
    _ properties: TableProperties, _ look: TableOpening.Look? = nil
  ) async throws(TableError) -> DecidedTable {
    let rebuild = HeadRebuild(
      storage, heads, archiveFolder: properties.archiveFolder, warn: settings.warn)
    do throws(TimelineError) {
      let found = if let look { look.head } else { try await heads.load() }
      let reading = look?.newest == nil ? ReadCommit.reading(of: found, in: storage) : nil
      var listing =
        if let listed = look?.listing { listed } else { try await TimelineListing.load(from: storage) }
      let newest = if let newest = look?.newest { newest } else { await reading?.value }
      if let name = listing.unknown.first {
        throw TimelineError(
          .unsupported, path: TablePaths.folder + name,
          "an action of a version of Hudi that this build does not know: what it does to the table is not known, so that "
            + "nothing is written; write with that version, or a later one of Tarn")
      }
      var head: LoadedHead
      switch found {
      case .head(let loaded): head = loaded
      // The first decision stores it.
      case .none: head = LoadedHead(try await rebuild.head(listing), nil)
      case .damaged(let what, let tag):
        settings.warn("\(HeadStore.path) is damaged (\(what)): it is made anew from the timeline")
        head = LoadedHead(try await rebuild.head(listing), tag)
      }
      let locking = try await locking(properties, listing)
      let left = head.head.named.filter { !$0.isCarriedOut(on: listing.timeline) }
      if !left.isEmpty {
        try await carryOut(left, listing.timeline, locking)
        listing = try await TimelineListing.load(from: storage)
      }
      let undone = try await UndoneCommits(head.head, listing.timeline, in: storage).instants
      if !undone.isEmpty {
        settings.warn(
          "another engine took back \(undone.sorted().map(\.text).joined(separator: ", ")): who follows this table by "
            + "positions begins again")
        head = LoadedHead(try await rebuild.head(after: head.head, without: undone, listing), head.tag)
      }
      return DecidedTable(head: head, listing: listing, locking: locking, newest: newest)
    } catch { throw TableError(error) }
  }

  /// The head, which is stored before the first decision, as before a commit; nil where another writer stored one.
  func stored(_ head: LoadedHead) async throws(TableError) -> LoadedHead? {
    guard head.tag == nil else { return head }
    switch await heads.swap(head.head, on: nil, deciding: []) {
    case .won(let stored): return stored
    case .refused: return nil
    case .failed(let error), .unknown(let error): throw TableError(error)
    }
  }

  /// Tells that a service is about to be done.
  ///
  /// - Returns: When that was.
  func tellPlanned(_ service: ServiceWork.Service, files: Int, bytes: Int = 0) -> Int64 {
    settings.tell(.servicePlanned(ServiceWork(service, files: files, bytes: bytes)))
    return settings.now()
  }

  /// When a service begins of which it is not known yet what it will do.
  func tellBegin() -> Int64 { settings.now() }

  /// Tells that a service was done.
  ///
  /// - Parameter begun: When it was planned.
  func tellRun(
    _ service: ServiceWork.Service, at instant: Instant?, files: Int, bytes: Int = 0, since begun: Int64
  ) {
    let duration = Duration.microseconds(settings.now() - begun)
    settings.tell(
      .serviceRun(
        ServiceWork(service, instant: instant, files: files, bytes: bytes, duration: duration)))
  }

  /// The error of a decision that others came before each time.
  static let overtaken = TableError(.conflict, "other writers are faster again and again: try again")

  private func carryOut(
    _ decisions: [NamedDecision], _ timeline: Timeline, _ locking: HudiLocking?
  ) async throws(TimelineError) {
    let storage = storage
    let done: [NamedDecision]
    if let locking {
      let result = try await locking.holding { lock -> Result<[NamedDecision], TimelineError> in
        do throws(TimelineError) {
          return .success(try await RollForward(storage, holding: lock).carryOut(decisions, listed: timeline))
        } catch { return .failure(error) }
      }
      done = try result.get()
    } else {
      done = try await RollForward(storage, holding: nil).carryOut(decisions, listed: timeline)
    }
    for decision in done {
      settings.tell(.rolledForward(instant: decision.instant, work: decision.name))
    }
  }

  /// How the lock of other engines is taken; nil where they have none.
  private func locking(
    _ properties: TableProperties, _ listing: TimelineListing
  ) async throws(TimelineError) -> HudiLocking? {
    let locking = HudiLocking(
      storage, settings.lockTerms, patience: settings.lockPatience, now: settings.now,
      random: settings.random)
    if settings.lock == .hudiStorage { return locking }
    // Hudi's writers refuse it on a disk, where it would keep nobody out.
    guard storage.lifeSigns == nil else { return nil }
    if properties.namesHudiLock { return locking }
    guard listing.hasLocks, let bytes = try await storage.readIfPresent(HudiLockFile.path) else { return nil }
    // What cannot be read may be somebody's.
    return HudiLockFile(parsing: bytes)?.isInUse(at: settings.now()) ?? true ? locking : nil
  }
}

/// A table on which all that was decided is carried out.
struct DecidedTable: Sendable {
  let head: LoadedHead
  let listing: TimelineListing
  /// How the lock of other engines is taken; nil where they have none.
  let locking: HudiLocking?
  /// The newest commit that the head told of, where it was read beside the listing.
  let newest: ReadCommit?
}
