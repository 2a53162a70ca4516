import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// Judges a table, and what actors were told, once all have come to their ends.
struct Verdict: Sendable {
  let schedule: Schedule
  let scenario: Scenario
  let storage: any Storage & LifeSigns
  let endings: [Int: Ending]
  /// Actors whose processes died.
  let dead: Set<Int>
  /// The calls in their order, each with its actor.
  let log: [String]

  /// The name of the writers that go last, so that all that was decided appears.
  private static let last = 80

  /// What is wrong; nil where all is well.
  func objection() async throws -> String? {
    // The second removes what the first may leave: contents go with the decision after their own.
    for number in [Self.last, Self.last + 1] {
      let ending = await Process(storage: storage, number: number).run(.upsert([]))
      guard case .committed(_?) = ending else { return "the last writer: \(ending)" }
    }
    guard await storage.readHead() != nil, let head = await storage.readHead() else {
      return "there is no head"
    }
    let timeline = try await Timeline.load(from: storage)
    var decisions = head.recent
    for (before, after) in zip(decisions, decisions.dropFirst()) where before.sequence + 1 != after.sequence {
      return "sequence \(after.sequence) follows \(before.sequence)"
    }
    let decided = Set(decisions.map(\.instant))
    if decided.count != decisions.count { return "an instant was decided twice" }
    if scenario.takesBack { decisions = try await decisions.standing(in: storage) }
    let archive = try await Archive(storage)
    if let stray = timeline.completedCommits.first(where: { !decided.contains($0.instant) }) {
      return "\(stray.fileName) was not decided"
    }
    if let back = timeline.entries.first(where: { archive.has($0) }) {
      return "\(back.fileName) was archived, and is on the timeline"
    }
    var actors: [Int] = []
    for decision in decisions {
      let metadata: CommitMetadata
      if timeline.contains(decision.instant) {
        metadata = try await CommitLog(storage).metadata(of: InstantFiles(decision.instant).completed)
      } else if let archived = archive.commits[decision.instant] {
        metadata = archived
      } else {
        return "decision \(decision.sequence), \(decision.instant), is not on the timeline"
      }
      // What was taken back began another epoch, and the commits before it say their old positions.
      if !decision.isForeign, !scenario.takesBack, !scenario.goesBack,
        metadata.extra[CommitMetadata.positionKey] != "\(head.epoch)-\(decision.sequence)"
      {
        return "commit \(decision.instant) does not say that it is decision \(decision.sequence)"
      }
      actors.append(metadata.extra[Process.key].flatMap { Int($0) } ?? 0)
    }
    if let wrong = try await wrongRows(actors) { return wrong }
    if let wrong = wrongEndings(actors, try await undone(), try await takenBack()) { return wrong }
    if let wrong = wrongVersions(decisions) { return wrong }
    if let wrong = try await leftovers(timeline, archive) { return wrong }
    return try await wrongCheck()
  }

  /// What the check of the table finds, now and then: it costs as much as all the rest.
  private func wrongCheck() async throws -> String? {
    // Rows of what was taken back may be in files that were written meanwhile.
    guard !scenario.takesBack, schedule.description.utf8.count % Self.checkedOf == 0 else { return nil }
    let table = try await Process(storage: storage, number: 98).open()
    let findings = try await table.check().filter { finding in
      !finding.isNote && !(mayLeaveFiles && finding.code == .orphan)
    }
    return findings.first.map { "the check of the table finds: \($0)" }
  }

  /// One of so many schedules ends with a check.
  private static let checkedOf = 3

  /// Whether files of a writer may be left that was rolled back while it lived, and died behind its file: nobody can
  /// know of that.
  private var mayLeaveFiles: Bool { scenario.rollsBackLiving && !schedule.faults.isEmpty }

  // MARK: - Rows

  /// The tables that the decisions make, from the one before the first on.
  private func states(_ actors: [Int]) -> [ModelTable] {
    var states = [ModelTable([])]
    for actor in actors {
      var next = states[states.count - 1]
      if actor == 91 {
        next = ModelTable(Scenario.base)
      } else if scenario.committers.contains(actor) {
        scenario.apply(actor, to: &next)
      }
      states.append(next)
    }
    return states
  }

  private func wrongRows(_ actors: [Int]) async throws -> String? {
    let states = states(actors)
    let table = try await Process(storage: storage, number: 99).open()
    let rows = try await Process.rows(of: table)
    let expected = states[states.count - 1].rows
    if rows != expected, try await !isOnWhatWasTakenBack(rows, actors) {
      return "decisions of \(actors) make \(Self.text(expected)), not \(Self.text(rows))"
    }
    for (index, deed) in scenario.deeds.enumerated() where actors.contains(index + 1) {
      guard case .widen(let trade, let column) = deed else { continue }
      let found = try await Process.values(of: column, in: table)[trade.id]
      if found != trade.note { return "column \(column) of \(trade.id) is \(found ?? "null")" }
    }
    for (actor, ending) in endings.sorted(by: { $0.key < $1.key }) {
      guard case .saw(let looks) = ending else { continue }
      var from = 0
      for look in looks {
        guard let state = states[from...].firstIndex(where: { $0.rows == look }) else {
          return
            "reader \(actor) saw \(Self.text(look)), which no commits make after state \(from) of \(actors)"
        }
        from = state
      }
    }
    return nil
  }

  /// Whether rows are those of commits one of which stood on what another engine took back behind its last look: without
  /// a lock that both take, nobody can know of that.
  private func isOnWhatWasTakenBack(_ rows: [Trade], _ actors: [Int]) async throws -> Bool {
    for actor in try await undone() {
      for place in 1...Swift.max(actors.count, 1) {
        var all = actors
        all.insert(actor, at: Swift.min(place, all.count))
        let states = states(all)
        if states[states.count - 1].rows == rows { return true }
      }
    }
    return false
  }

  /// The actors whose commits another engine took back.
  private func undone() async throws -> [Int] {
    try await storage.listAll(prefix: SparkActor.undone).objects
      .compactMap { Int($0.path.dropFirst(SparkActor.undone.count)) }
  }

  private static func text(_ rows: [Trade]) -> String {
    "[" + rows.map { "\($0.id)@\($0.exchange ?? ""):\($0.note ?? "")" }.joined(separator: " ") + "]"
  }

  // MARK: - What was told

  /// The commits that restores and rollbacks of Tarn's took back.
  private func takenBack() async throws -> Set<Instant> {
    var instants: Set<Instant> = []
    for entry in try await Timeline.load(from: storage).entries where entry.state == .completed {
      switch entry.action {
      case .restore:
        let done = try RestoreMetadata(avro: try await storage.readAll(entry.path))
        instants.formUnion(done.commits.compactMap { Instant($0) })
      case .rollback:
        let done = try RollbackMetadata(avro: try await storage.readAll(entry.path))
        instants.formUnion(done.commits.compactMap { Instant($0) })
      default: break
      }
    }
    return instants
  }

  private func wrongEndings(_ actors: [Int], _ undone: [Int], _ takenBack: Set<Instant>) -> String? {
    let isFaultless =
      schedule.faults.isEmpty && !scenario.rollsBackLiving && !scenario.takesBack
    var once: Set<Instant> = []
    for actor in scenario.committers {
      let count = actors.count { $0 == actor }
      if count > 1 { return "actor \(actor) committed \(count) times" }
      switch endings[actor] {
      case .committed(let instant):
        if scenario.goesBack, instant.map(takenBack.contains) ?? false { continue }
        if case .upsert(_, transaction: true) = scenario.deeds[Scenario.actor(of: actor) - 1] {
          if let instant { once.insert(instant) }
        } else if count == 0, !undone.contains(actor), !isUndoneBehind(actor) {
          return "actor \(actor) was told that its commit stands, and it does not"
        }
      case .failed(let error):
        if error.code != .outcomeUnknown, count > 0 {
          return "actor \(actor) was told that its commit does not stand, and it does: \(error)"
        }
        let isTakenBack = scenario.goesBack && error.message.contains("was undone while it completed")
        if isFaultless, !isTakenBack { return "actor \(actor) failed: \(error)" }
      case .saw, .several: break
      case .broke(let error): return "actor \(actor) broke: \(error)"
      case nil:
        if !dead.contains(Scenario.actor(of: actor)) { return "actor \(actor) has not come to its end" }
      }
    }
    if once.count > 1 { return "one transaction was committed as \(once)" }
    return nil
  }

  /// Whether another engine began to roll an attempt back only when its writer had made its last call: nobody can tell
  /// a writer of that.
  private func isUndoneBehind(_ actor: Int) -> Bool {
    guard let request = log.lastIndex(where: { $0.hasSuffix(".rollback.requested") && $0.contains(" put ") }),
      let last = log.lastIndex(where: { $0.hasPrefix("\(actor) ") })
    else { return false }
    return last < request
  }

  // MARK: - Files

  private func wrongVersions(_ decisions: [RecentDecision]) -> String? {
    var latest: [String: Instant] = [:]
    for decision in decisions {
      for path in decision.files ?? [] {
        guard let name = BaseFileName(path: path) else { return "\(path) is no base file" }
        if let before = latest[name.fileID], before >= decision.instant {
          return "\(path) of decision \(decision.sequence) hides behind \(before)"
        }
        latest[name.fileID] = decision.instant
      }
    }
    return nil
  }

  private func leftovers(_ timeline: Timeline, _ archive: Archive) async throws -> String? {
    let listing = try await TimelineListing.load(from: storage)
    if let content = listing.contents.first { return "\(content.path) was left" }
    for entry in timeline.pending {
      // A request without an answer is anybody's.
      if entry.action == .commit, entry.state == .requested, !schedule.faults.isEmpty { continue }
      return "\(entry.fileName) is pending"
    }
    for object in try await storage.listAll(prefix: "exchange").objects {
      guard let name = BaseFileName(path: object.path) else { continue }
      if mayLeaveFiles { continue }
      if !timeline.contains(name.instant), archive.commits[name.instant] == nil {
        return "\(object.path) was left"
      }
    }
    // What another engine undid while it was completed lacks its files.
    guard !scenario.takesBack, !scenario.cleans else { return nil }
    for entry in timeline.completedCommits {
      let paths = try await CommitLog(storage).metadata(of: entry).files.compactMap(\.path)
      guard try await paths.allExist(in: storage) else { return "a file of \(entry.instant) is gone" }
    }
    return nil
  }
}

extension Scenario {
  /// Whether another engine rolls attempts or commits back.
  fileprivate var takesBack: Bool {
    deeds.contains { deed in
      switch deed {
      case .foreignRollback, .foreignUndo: true
      default: false
      }
    }
  }

  /// Whether commits are taken back by Tarn.
  fileprivate var goesBack: Bool {
    deeds.contains { deed in
      switch deed {
      case .restore, .undo: true
      default: false
      }
    }
  }

  /// Whether versions of files are removed.
  fileprivate var cleans: Bool { deeds.contains { if case .clean = $0 { true } else { false } } }

  /// Whether a writer may be rolled back while it lives.
  fileprivate var rollsBackLiving: Bool {
    !doubting.isEmpty || deeds.contains { if case .rollBack = $0 { true } else { false } }
  }
}

/// What was archived.
private struct Archive {
  private(set) var commits: [Instant: CommitMetadata] = [:]
  private var entries: Set<TimelineEntry> = []

  init(_ storage: any Storage) async throws {
    var entries = try await ArchivedTimeline.load(from: storage, folder: "archived").entries()
    while let archived = try await entries.next(where: { $0.state == .completed }) {
      self.entries.insert(archived.entry)
      guard archived.entry.action.writesData else { continue }
      commits[archived.entry.instant] = try archived.metadata()
    }
  }

  /// Whether an action was archived, whatever its state.
  func has(_ entry: TimelineEntry) -> Bool { entries.contains(entry.with(.completed)) }
}

extension [RecentDecision] {
  /// Those that another engine did not undo.
  ///
  /// One that was completed before that engine looked for its files stands, though a rollback names it; one whose files
  /// it found is seen by nobody, though it is completed.
  fileprivate func standing(in storage: any Storage) async throws -> [RecentDecision] {
    var undone: Set<String> = []
    for object in try await storage.listAll(prefix: TablePaths.folder).objects
    where object.path.hasSuffix(".rollback.requested") {
      let plan = try RollbackPlan(avro: try await storage.readAll(object.path))
      guard let instant = (plan.instant?.instant).flatMap({ Instant($0) }) else { continue }
      let completed = InstantFiles(instant).completed
      if try await storage.exists(completed.path) {
        let files = try await CommitLog(storage).metadata(of: completed).files.compactMap(\.path)
        if try await files.allExist(in: storage) { continue }
      }
      undone.insert(instant.text)
    }
    return filter { !undone.contains($0.instant.text) }
  }
}

extension [String] {
  /// Whether all of the paths are there.
  fileprivate func allExist(in storage: any Storage) async throws -> Bool {
    for path in self where !(try await storage.exists(path)) { return false }
    return true
  }
}

extension Storage {
  /// The head that is stored; nil where there is none.
  fileprivate func readHead() async -> Head? {
    guard let bytes = try? await readAll(HeadStore.path) else { return nil }
    return try? Head(parsing: bytes)
  }
}
