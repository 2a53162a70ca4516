import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// Random writes and services of several writers on one table, compared with the model after each; some of them die or fail
/// at one of their calls, and some meet another in the middle.
struct ServiceRun {
  /// The table as of a commit.
  struct Moment {
    let instant: Instant
    let model: Model
    /// Whether another was made beside it, so that it may be decided behind one of a greater instant.
    let hasTwin: Bool
    var rows: [StoredRow] { model.rows.values.sorted() }
  }

  let seed: UInt64
  let shape: ModelShape
  let storage = InMemoryStorage()
  let clock = SettableClock()
  var input: ModelInput
  /// The commits that stand, in the order of their instants.
  var history: [Moment] = []
  /// What a clean has promised to keep: the table as of this commit and of later ones.
  var promised = Instant(microseconds: 0)
  /// Whether the last commit is decided, and may not show yet.
  var mayBeHidden = false
  /// How often something was done to the end, failed or died, or was refused, by what it is.
  var counts: [String: Int] = [:]
  private let options: TableOptions
  private var writers: [Table] = []
  private var step = 0
  /// What was done, for the message of a failure.
  private var trail: [String] = []

  /// The table without a row.
  let beginning: Model

  var model: Model { history.last?.model ?? beginning }
  var reader: ModelReader { ModelReader(shape: shape) }

  /// Makes the table of a seed.
  init(seed: UInt64) async throws {
    self.seed = seed
    var random = SeededGenerator(seed: seed)
    shape = ModelShape(&random)
    beginning = Model(shape)
    var options = shape.options
    options.tarn.tombstoneRetentionHours = 100_000
    options.tarn.retention = [.commits(1), .commits(3), .versions(2), .hours(2)][random.below(4)]
    options.tarn.cleansAutomatically = !random.oneIn(3)
    options.tarn.mostActions = [nil, 12, 16][random.below(3)]
    self.options = options
    input = ModelInput(shape, random)
    let location = TableLocation.storage(storage, name: "model")
    let first = try await Table.create(
      at: location, schema: ModelBatch.schema(), recordKey: ["key"], partitionedBy: ["part"],
      orderedBy: shape.isOrdered ? "order" : nil, options: options, settings: settings())
    writers = [first, try await open(storage), try await open(storage)]
  }

  private mutating func settings() -> TableSettings {
    var settings = shape.settings
    settings.now = { [clock] in clock.now() }
    settings.patience = .milliseconds(50)
    settings.runsServices = !input.random.oneIn(3)
    // One call after the other, so that a seed has one history.
    settings.parallelism = 1
    settings.smallFilesAtOnce = 1
    let draws = Mutex(SeededGenerator(seed: input.random.next()))
    settings.random = { draws.withLock { $0.next() } }
    return settings
  }

  /// The table as another process opens it.
  mutating func open(_ storage: any Storage) async throws -> Table {
    try await Table.open(at: .storage(storage, name: "model"), settings: settings())
  }

  /// Runs so many steps, and compares all that the history promises.
  ///
  /// - Throws: ``ModelRun/Difference``.
  mutating func run(steps: Int) async throws {
    do {
      for _ in 0..<steps {
        step += 1
        try await takeStep()
        try await compare(moments: 3)
      }
      step += 1
      let last = try await open(storage)
      try await last.rollBackDeadAttempts()
      try await notePromises()
      mayBeHidden = false
      try await compare(moments: history.count)
      if try await hasArchive() { counts["archived"] = 1 }
      if promised > Instant(microseconds: 0) { counts["cleaned"] = 1 }
      let findings = try await last.check().filter { !$0.isNote }
      if !findings.isEmpty { throw ModelReader.Wrong("check finds \(findings)") }
    } catch let error as ModelRun.Difference { throw error } catch {
      throw ModelRun.Difference(seed: seed, step: step, message: "\(error); done: \(trail)")
    }
  }

  private mutating func takeStep() async throws {
    if input.random.oneIn(12) { clock.advance(hours: Int64(1 + input.random.below(60))) }
    let step = try await chosenStep()
    trail.append(step.name)
    // The first call opens the table.
    switch input.random.below(8) {
    case 0: try await take(step, dyingAt: 2 + input.random.below(60), staysDown: true)
    case 1: try await take(step, dyingAt: 2 + input.random.below(60), staysDown: false)
    case 2: try await meet(step)
    default: try await take(step, by: writers[input.random.below(writers.count)])
    }
  }

  private mutating func chosenStep() async throws -> ModelStep {
    switch input.random.below(24) {
    case 0...10: return ModelStep("write", input.write(on: model))
    case 11, 12: return input.replacement(of: model)
    case 13...20: return input.service(on: model)
    case 21:
      guard let held = try await savepoints().randomElement(using: &input.random) else { fallthrough }
      return ModelStep("delete savepoint") {
        try await $0.deleteSavepoint(held)
        return CommitReport()
      }
    case 22:
      guard let target = history.suffix(6).randomElement(using: &input.random)?.instant else { fallthrough }
      return ModelStep("restore", .back(to: target)) {
        try await $0.restore(to: target).instant == nil ? nil : CommitReport()
      }
    default:
      return ModelStep("rollback", .back(to: history.dropLast().last?.instant)) {
        try await $0.rollBackCompleted()
        return CommitReport()
      }
    }
  }

  /// The commits that savepoints hold.
  func savepoints() async throws -> [Instant] {
    try await Timeline.load(from: storage).entries
      .filter { $0.action == .savepoint && $0.state == .completed }.map(\.instant)
  }

  // MARK: - Steps

  /// Takes a step that nothing disturbs.
  private mutating func take(_ step: ModelStep, by table: Table) async throws {
    let before = try await decided()
    let report: CommitReport?
    do { report = try await step.run(table) } catch {
      try await checkRefusal(error, step)
      return
    }
    counts[step.name, default: 0] += report == nil ? 0 : 1
    if case .back(let target) = step.effect, report != nil { goBack(to: target) }
    try await note(step, since: before, report)
    if report != nil { mayBeHidden = false }
  }

  /// Takes a step that fails at one of its calls.
  ///
  /// - Parameter staysDown: Whether its process dies there; else the one call fails, and the process lives on.
  private mutating func take(_ step: ModelStep, dyingAt call: Int, staysDown: Bool) async throws {
    let faulty = FaultStorage(
      wrapping: storage, crashAtCall: call, completesFaultedCall: input.random.oneIn(2), staysDown: staysDown)
    let table = try await open(faulty)
    let before = try await decided()
    var report: CommitReport?
    var failure: (any Error)?
    do { report = try await step.run(table) } catch { failure = error }
    guard faulty.hasFailed else {
      if let failure { return try await checkRefusal(failure, step) }
      if case .back(let target) = step.effect, report != nil { goBack(to: target) }
      return try await note(step, since: before, report)
    }
    counts[staysDown ? "died" : "failed", default: 0] += 1
    trail[trail.count - 1] += " \(staysDown ? "died" : "failed") at call \(call), \(faulty.calls[call - 1])"
    if !staysDown { writers[input.random.below(writers.count)] = table }
    if case .back(let target) = step.effect, try await isTakenBack(since: before) { goBack(to: target) }
    mayBeHidden = true
    try await note(step, since: before, failure == nil ? report : nil)
  }

  /// Takes a step that meets another's in the middle: one of the two leaves the rows as they are.
  private mutating func meet(_ step: ModelStep) async throws {
    let other: ModelStep
    switch step.effect {
    case .back: return try await take(step, by: writers[0])
    case .write: other = input.service(on: model)
    case .none: other = ModelStep("write", input.write(on: model))
    }
    let before = try await decided()
    let moment = 1 + input.random.below(40)
    let due = CallMoment(moment)
    let second = writers[1]
    let outcome = Mutex<Result<CommitReport?, any Error>?>(nil)
    let hooked = HookStorage(inner: storage) { _ in
      guard due.comes() else { return }
      let result: Result<CommitReport?, any Error>
      do { result = .success(try await other.run(second)) } catch { result = .failure(error) }
      outcome.withLock { $0 = result }
    }
    let table = try await open(hooked)
    var report: CommitReport?
    do { report = try await step.run(table) } catch { try await checkRefusal(error, step) }
    var written = report
    var effect = step
    if let result = outcome.withLock({ $0 }) {
      counts["met", default: 0] += 1
      trail[trail.count - 1] += " met \(other.name) at call \(moment)"
      do {
        let found = try result.get()
        if case .none = step.effect { (written, effect) = (found, other) }
      } catch { try await checkRefusal(error, other) }
    }
    try await note(effect, since: before, written)
  }

  // MARK: - What stands

  /// The commits that stand or are decided, and the restores.
  private struct Decided {
    var commits: Set<Instant> = []
    var retractions: Set<Instant> = []
  }

  private func decided() async throws -> Decided {
    var found = Decided()
    for entry in try await Timeline.load(from: storage).completedCommits {
      found.commits.insert(entry.instant)
    }
    guard try await storage.exists(HeadStore.path) else { return found }
    for decision in try Head(parsing: try await storage.readAll(HeadStore.path)).named {
      switch decision.kind {
      case .commit: found.commits.insert(decision.instant)
      case .restore, .commitRollback: found.retractions.insert(decision.instant)
      default: break
      }
    }
    return found
  }

  private func isTakenBack(since before: Decided) async throws -> Bool {
    let now = try await decided()
    let later = try await Timeline.load(from: storage).entries.contains { entry in
      entry.action == .restore && entry.state == .completed
        && (history.last.map { entry.instant > $0.instant } ?? true)
    }
    return later || !now.retractions.subtracting(before.retractions).isEmpty
  }

  private mutating func goBack(to target: Instant?) {
    history.removeAll { moment in target.map { moment.instant > $0 } ?? true }
    if let target { promised = min(promised, target) }
  }

  /// Takes the commits that a step made into the history.
  ///
  /// - Parameter report: What the step reported; nil where that is not known, or nothing was done.
  private mutating func note(_ step: ModelStep, since before: Decided, _ report: CommitReport?) async throws {
    let known = Set(history.map(\.instant))
    let made = try await decided().commits.subtracting(before.commits).subtracting(known)
    var after = model
    var own: Instant?
    if case .write(let write) = step.effect {
      own = report?.instant
      if let report {
        let expected = write.apply(&after, report.instant ?? Instant(microseconds: 0))
        if report.instant == nil, after.rows != model.rows {
          throw ModelReader.Wrong("\(step.name): nothing was committed, and the rows should have changed")
        }
        if step.name == "write" { try reader.compare(report, expected) }
      } else if let found = made.max() {
        own = found
        _ = write.apply(&after, found)
      }
    }
    for instant in made.sorted() {
      if let last = history.last?.instant, instant <= last {
        throw ModelReader.Wrong("\(step.name): commit \(instant) is not after \(last)")
      }
      let isBefore = own.map { instant < $0 } ?? true
      trail[trail.count - 1] += " \(instant)"
      history.append(
        Moment(instant: instant, model: isBefore ? model : after, hasTwin: made.count > 1))
    }
    try await notePromises()
  }

  /// Takes note of what cleans promise that have come.
  private mutating func notePromises() async throws {
    for entry in try await Timeline.load(from: storage).entries where entry.action == .clean {
      guard let bytes = try? await storage.readAll(entry.with(.requested).path) else { continue }
      let plan = try CleanPlan(avro: bytes)
      // Of versions it is only told which there are of the latest commit that it saw.
      let kept = plan.earliest?.instant ?? plan.lastCompleted
      guard let kept = Instant(kept), kept > promised else { continue }
      promised = min(kept, history.last?.instant ?? kept)
    }
  }

  private func hasArchive() async throws -> Bool {
    try await !storage.listAll(prefix: ".hoodie/archived/").objects.isEmpty
  }

  // MARK: - What is refused

  /// Checks that what was refused had to be.
  private mutating func checkRefusal(_ error: any Error, _ step: ModelStep) async throws {
    guard let error = error as? TableError else { throw error }
    let timeline = try await Timeline.load(from: storage)
    let held = try await savepoints()
    let isArchived = try await hasArchive()
    let isRight: Bool
    switch (step.name, error.code) {
    case ("restore", .mismatch), ("rollback", .mismatch):
      isRight = history.isEmpty || history.contains { !timeline.contains($0.instant) }
    case ("restore", .conflict), ("rollback", .conflict):
      let isLeft = try await rolledBackUnknown()
      isRight = isLeft || !held.isEmpty
    case ("restore", .cleaned), ("rollback", .cleaned):
      guard case .back(let target) = step.effect else { throw error }
      isRight = target.map { $0 < promised } ?? true
    case ("restore", .unsupported), ("rollback", .unsupported), ("savepoint", .unsupported),
      ("delete savepoint", .unsupported):
      isRight = isArchived
    case ("savepoint", .mismatch): isRight = history.last.map { held.contains($0.instant) } ?? true
    // One was deleted lately.
    case ("savepoint", .conflict): isRight = (counts["delete savepoint"] ?? 0) + (counts["died"] ?? 0) > 0
    default: isRight = false
    }
    guard isRight else { throw ModelReader.Wrong("\(step.name) is refused: \(error)") }
    counts[step.name + " refused", default: 0] += 1
    trail[trail.count - 1] += " refused as \(error.code)"
  }

  /// Rolls back by hand, as the refusal asks for it, what is taken for another engine's: where the answer was lost of who made
  /// the file of an attempt, Tarn does not take it for its own.
  private mutating func rolledBackUnknown() async throws -> Bool {
    guard counts["failed"] != nil || counts["died"] != nil else { return false }
    let table = try await open(storage)
    let foreign = try await table.attempts().filter { $0.state == .foreign }
    for attempt in foreign { try await table.rollBack(attempt.entry.instant) }
    return !foreign.isEmpty
  }

  // MARK: - Comparing

  /// Compares the rows of now, and as of some commits.
  private mutating func compare(moments: Int) async throws {
    let table = try await open(storage)
    var present = history[...]
    if mayBeHidden, let last = history.last,
      try await !Timeline.load(from: storage).contains(last.instant)
    {
      present = history.dropLast()
    }
    let rows = present.last?.rows ?? []
    try await reader.compare(try await table.snapshot(), rows, "the snapshot")
    let held = Set(try await savepoints())
    for _ in 0..<min(moments, present.count) {
      let moment = present[input.random.below(present.count)]
      do {
        try await reader.compare(
          try await table.snapshot(asOf: moment.instant), moment.rows, "as of \(moment.instant)")
        counts["read back", default: 0] += 1
      } catch let error as TableError {
        guard error.code == .cleaned, moment.instant < promised, !held.contains(moment.instant) else {
          throw ModelReader.Wrong("as of \(moment.instant), promised from \(promised): \(error)")
        }
        counts["cleaned away", default: 0] += 1
      }
      // What came since a commit is what was decided behind it.
      guard shape.options.populatesMetaColumns, !moment.hasTwin else { continue }
      try await reader.compare(
        try await table.changes(since: moment.instant), rows.filter { $0.instant > moment.instant },
        "changes since \(moment.instant)")
    }
  }
}
