import TarnAvro
import TarnBytes
import TarnStorage

/// Removes versions of files that nobody needs any more, as a decision: whoever comes after one that died in the middle
/// goes on where it was.
package struct CleanDecision: Sendable {
  private let plan: CleanPlan
  private let storage: any Storage
  private let store: HeadStore
  private let locking: HudiLocking?
  /// Told how many files are removed, as they are.
  package var told: @Sendable (Int) -> Void = { _ in }

  /// The files that it removes, relative to the table.
  package var files: [String] { plan.tablePaths }

  /// Names what is removed.
  ///
  /// - Parameter locking: How the lock of other engines is taken; nil where they have none.
  package init(
    _ plan: CleanPlan, in storage: any Storage, _ store: HeadStore, _ locking: HudiLocking?
  ) {
    self.plan = plan
    self.storage = storage
    self.store = store
    self.locking = locking
  }

  /// Takes up a clean that another engine planned and did not bring to its end.
  ///
  /// - Returns: Nil where it is there no more.
  /// - Throws: ``TimelineError``: `damaged` where its plan cannot be read; `storage`.
  package static func finishing(
    _ entry: TimelineEntry, in storage: any Storage, _ store: HeadStore, _ locking: HudiLocking?
  ) async throws(TimelineError) -> CleanDecision? {
    var path = entry.with(.requested).path
    var found = try await storage.readPlan(path)
    if found == nil {
      // The file of a clean under way holds its plan too; where that one is gone as well, the clean is.
      path = entry.with(.inflight).path
      found = try await storage.readPlan(path)
    }
    guard let bytes = found else { return nil }
    do throws(AvroError) {
      return CleanDecision(try CleanPlan(avro: bytes), in: storage, store, locking)
    } catch {
      throw TimelineError(
        .damaged, path: path,
        "no plan of a clean, so that it cannot be brought to its end: \(error.description); remove the files of instant "
          + "\(entry.instant.text) that end in .clean.requested and .clean.inflight", cause: error)
    }
  }

  /// Decides a clean that stands on the timeline already, and carries it out.
  ///
  /// - Returns: Whether it was done; false where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  package func run(on head: LoadedHead, at instant: Instant) async throws(TimelineError) -> Bool {
    let decision = ServiceDecision(
      service: Clean(plan: plan, told: told), storage: storage, store: store, locking: locking)
    return try await decision.run(on: head, at: instant) != nil
  }

  /// Decides the clean, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which the plan was made.
  ///   - timeline: The timeline as it was listed after that.
  ///   - now: The time in microseconds since 1970, by the clocks of the table's zone.
  /// - Returns: Its instant; nil where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  package func run(
    on head: LoadedHead, _ timeline: Timeline, now: Int64
  ) async throws(TimelineError) -> Instant? {
    let decision = ServiceDecision(
      service: Clean(plan: plan, told: told), storage: storage, store: store, locking: locking)
    return try await decision.run(on: head, timeline, now: now)?.instant
  }
}

/// A clean by a plan.
private struct Clean: ServiceAction {
  let plan: CleanPlan
  let told: @Sendable (Int) -> Void

  var mark: String { "clean" }

  func kind(_ contents: ServiceContents) -> NamedDecision.Kind { .clean(contents) }

  func documents(at instant: Instant) throws(AvroError) -> ServiceDocuments {
    var partitions = OrderedMap<CleanMetadata.Partition>()
    var count = 0
    for (path, names) in plan.names {
      partitions[path] = CleanMetadata.Partition(path: path, policy: plan.policy, deleted: names)
      count += names.count
    }
    var metadata = CleanMetadata(
      start: instant.text, duration: 0, deletedCount: Int32(clamping: count),
      earliest: plan.earliest?.instant ?? "", lastCompleted: plan.lastCompleted, partitions: partitions)
    metadata.extra = plan.extra
    let bytes = try plan.bytes()
    // Older readers look for the plan in the file of a clean under way.
    return ServiceDocuments(plan: bytes, inflight: bytes, completed: try metadata.bytes())
  }

  func carryOut(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    try await CleanExecution(at: instant, contents, in: storage, holding: lock).run(telling: told)
  }
}

/// Removes what a clean that was decided names; done again, it does what was left to do.
struct CleanExecution: Sendable {
  private let files: ServiceFiles

  /// - Parameters:
  ///   - instant: The clean's own.
  ///   - lock: What must be held where something is moved; nil for nothing.
  init(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) {
    files = ServiceFiles(
      entry: TimelineEntry(instant, .clean, .completed), contents: contents, storage: storage, lock: lock)
  }

  /// Files that are removed at once.
  private static let filesAtOnce = 1_000

  /// Moves the plan to the timeline, removes the files, and moves the end there.
  ///
  /// - Parameter told: Told how many files are removed, as they are.
  func run(telling told: (Int) -> Void = { _ in }) async throws(TimelineError) {
    guard let bytes = try await files.begin() else { return }
    let plan: CleanPlan
    do { plan = try CleanPlan(avro: bytes) } catch { throw files.damaged(error) }
    // Only names that no file has again: who sleeps for long deletes nothing that came since.
    let paths = plan.tablePaths.filter { BaseFileName(path: $0) != nil }
    for start in stride(from: 0, to: paths.count, by: Self.filesAtOnce) {
      let some = Array(paths[start...].prefix(Self.filesAtOnce))
      do { try await files.storage.deleteAll(some) } catch { throw TimelineError(error) }
      told(some.count)
    }
    try await files.end()
  }
}

extension CleanPlan {
  /// The files that it deletes, relative to the table.
  package var tablePaths: [String] {
    names.flatMap { partition, names in names.map { TablePaths.join(partition, $0) } }
  }

  /// The names of the files that it deletes, by partition; what the table was made of is not its own.
  var names: [(partition: String, names: [String])] {
    if let files, !files.isEmpty {
      return files.pairs.map { partition, files in
        let own = files.filter { !($0.isBootstrap ?? false) }
        return (partition, own.compactMap { $0.path.map(TablePaths.name(of:)) })
      }
    }
    return (oldFiles?.pairs ?? []).map { ($0.key, $0.value.map(TablePaths.name(of:))) }
  }
}
