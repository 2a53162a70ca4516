import TarnAvro
import TarnStorage

/// What a service puts on the timeline: its plan, the file that it is under way, and its end, as far as it has them.
package struct ServiceDocuments: Sendable {
  /// What the plan holds.
  var plan: [UInt8]?
  /// What the file of the service under way holds.
  var inflight: [UInt8]?
  /// What the completed file holds.
  var completed: [UInt8]?
}

/// Something that the head decides, with contents that are written before.
protocol DecidedAction: Sendable {
  /// What its writer's sign of life says.
  var mark: String { get }

  /// What is written before it is decided.
  func contents(at instant: Instant) throws(AvroError) -> [[UInt8]?]

  /// How the head names it, once its contents lie at paths; nil for one that it lacks.
  func kind(at places: [String?]) -> NamedDecision.Kind

  /// The head that decides it, but for its name there.
  func next(after head: Head, mark: String) -> Head

  /// Whether the timeline still allows it, just before it is decided.
  func isRight(in storage: any Storage) async throws(TimelineError) -> Bool

  /// Does what was decided; done again, it does what was left to do.
  func carryOut(
    _ decision: NamedDecision, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError)
}

extension DecidedAction {
  func next(after head: Head, mark: String) -> Head { head.next(mark: mark) }

  func isRight(in storage: any Storage) async throws(TimelineError) -> Bool { true }
}

/// Something that a service does to a table, with files on the timeline.
protocol ServiceAction: DecidedAction {
  /// Its files on the timeline.
  func documents(at instant: Instant) throws(AvroError) -> ServiceDocuments

  /// How the head names it.
  func kind(_ contents: ServiceContents) -> NamedDecision.Kind

  /// Does what was decided; done again, it does what was left to do.
  func carryOut(
    at instant: Instant, _ contents: ServiceContents, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError)
}

extension ServiceAction {
  func contents(at instant: Instant) throws(AvroError) -> [[UInt8]?] {
    let documents = try documents(at: instant)
    return [documents.plan, documents.inflight, documents.completed]
  }

  func kind(at places: [String?]) -> NamedDecision.Kind {
    let places = places + [nil, nil, nil]
    return kind(ServiceContents(plan: places[0], inflight: places[1], completed: places[2]))
  }

  func carryOut(
    _ decision: NamedDecision, in storage: any Storage, holding lock: HudiLock?
  ) async throws(TimelineError) {
    let contents = decision.serviceContents ?? ServiceContents(plan: nil, inflight: nil, completed: nil)
    try await carryOut(at: decision.instant, contents, in: storage, holding: lock)
  }
}

/// Decides what a service does: its files are written as contents, the head is swapped, and the contents are moved.
struct ServiceDecision<Service: DecidedAction>: Sendable {
  let service: Service
  let storage: any Storage
  let store: HeadStore
  let locking: HudiLocking?

  /// Names that are tried for a sign of life, of which others are taken.
  private static var mostNames: Int { 1_000 }

  /// Decides it, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which it was found what is to be done.
  ///   - timeline: The timeline as it was listed after that.
  ///   - now: The time in microseconds since 1970, by the clocks of the table's zone.
  /// - Returns: The head with the decision, and its instant; nil where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  func run(
    on head: LoadedHead, _ timeline: Timeline, now: Int64
  ) async throws(TimelineError) -> (head: LoadedHead, instant: Instant)? {
    guard let locking else { return try await run(store, on: head, timeline, now) }
    let result = try await locking.holding {
      lock -> Result<(head: LoadedHead, instant: Instant)?, TimelineError> in
      do throws(TimelineError) {
        return .success(try await run(store.holding(lock), on: head, timeline, now))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Decides what has its instant already, and carries it out.
  ///
  /// - Returns: The head with the decision; nil where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where it may have been decided.
  func run(on head: LoadedHead, at instant: Instant) async throws(TimelineError) -> LoadedHead? {
    guard let locking else { return try await decide(store, instant, on: head) }
    let result = try await locking.holding { lock -> Result<LoadedHead?, TimelineError> in
      do throws(TimelineError) {
        return .success(try await decide(store.holding(lock), instant, on: head))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  private func run(
    _ store: HeadStore, on head: LoadedHead, _ timeline: Timeline, _ now: Int64
  ) async throws(TimelineError) -> (head: LoadedHead, instant: Instant)? {
    let liveness = Liveness(storage)
    // The sign takes the instant among Tarn's writers, as that of a commit does.
    var sign: (any LifeSign)?
    let latest = [timeline.lastInstant, head.head.lastInstant].compactMap(\.self).max()
    var instant = Instant.after(latest: latest, now: now)
    var doubts = 0
    for _ in 0..<Self.mostNames {
      do throws(TimelineError) { sign = try await liveness.begin(instant, mark: service.mark) } catch {
        doubts += 1
        guard error.isWithoutAnswer, doubts < RequestedAttempt.mostDoubts else { throw error }
      }
      guard sign == nil else { break }
      instant = Instant.after(latest: instant, now: now)
    }
    guard let sign else { return nil }
    let result: LoadedHead?
    do throws(TimelineError) { result = try await decide(store, instant, on: head) } catch {
      await sign.end()
      throw error
    }
    await sign.end()
    return result.map { ($0, instant) }
  }

  private func decide(
    _ store: HeadStore, _ instant: Instant, on head: LoadedHead
  ) async throws(TimelineError) -> LoadedHead? {
    let contents: [[UInt8]?]
    do throws(AvroError) { contents = try service.contents(at: instant) } catch {
      throw TimelineError(
        .damaged, path: "", "no plan can be made of a service: \(error.description)", cause: error)
    }
    var paths: [String] = []
    var places: [String?] = []
    for bytes in contents {
      guard let bytes else {
        places.append(nil)
        continue
      }
      let content = await WrittenContent(bytes, of: instant, in: storage, mark: store.newMark)
      paths += content.paths
      places.append(content.path)
      guard let failure = content.failure else { continue }
      _ = await storage.delete(paths)
      throw TimelineError(failure)
    }
    let isRight: Bool
    do throws(TimelineError) { isRight = try await service.isRight(in: storage) } catch {
      _ = await storage.delete(paths)
      throw error
    }
    guard isRight else {
      _ = await storage.delete(paths)
      return nil
    }
    let decision = NamedDecision(instant, sequence: nil, service.kind(at: places))
    var next = service.next(after: head.head, mark: store.newMark())
    // Who comes so far has carried out all that the head named.
    next.named = [decision]
    switch await store.swap(next, on: head.tag, deciding: [instant]) {
    case .won(let new):
      try await carryOut(decision, holding: store.lock)
      let doubtful = paths.filter { !places.contains($0) }
      if !doubtful.isEmpty { _ = await storage.delete(doubtful) }
      return new
    case .refused:
      _ = await storage.delete(paths)
      return nil
    case .failed(let error):
      _ = await storage.delete(paths)
      throw error
    case .unknown(let error): throw error
    }
  }
}

extension ServiceDecision {
  /// How often it is tried to carry out what was decided, before that is left to who comes next.
  private static var mostTries: Int { 3 }

  /// Does what was decided.
  ///
  /// - Throws: ``TimelineError`` where it cannot be done; it stands all the same, and the error says so.
  private func carryOut(
    _ decision: NamedDecision, holding lock: HudiLock?
  ) async throws(TimelineError) {
    for number in 1...Self.mostTries {
      do throws(TimelineError) {
        return try await service.carryOut(decision, in: storage, holding: lock)
      } catch {
        guard number == Self.mostTries || error.code == .cancelled else { continue }
        throw TimelineError(
          error.code, path: error.path,
          "\(error.message); what was decided at instant \(decision.instant.text) stands, and whoever writes next carries it "
            + "out: do not ask for it again", cause: error.cause)
      }
    }
  }
}

/// Moves the files of a service that was decided to the timeline.
struct ServiceFiles: Sendable {
  let entry: TimelineEntry
  let contents: ServiceContents
  let storage: any Storage
  /// What must be held where something is moved; nil for nothing.
  let lock: HudiLock?

  /// Moves the plan, and the file of the service under way.
  ///
  /// - Returns: What the plan holds; nil where it was done by another, and archived since: there is nothing to do.
  func begin() async throws(TimelineError) -> [UInt8]? {
    try await moveBegin()
    return try await storage.readPlan(entry.with(.requested).path)
  }

  /// Moves the plan, where there is one, and the file of the service under way.
  func moveBegin() async throws(TimelineError) {
    try await move(contents.plan, to: entry.with(.requested).path)
    try await move(contents.inflight, to: entry.with(.inflight).path)
  }

  /// Moves the end.
  func end() async throws(TimelineError) {
    try await move(contents.completed, to: entry.with(.completed).path)
  }

  /// The error of a plan that cannot be read.
  func damaged(_ error: AvroError) -> TimelineError {
    let path = entry.with(.requested).path
    return TimelineError(
      .damaged, path: path, "no plan of a \(entry.action.rawValue): \(error.description)", cause: error)
  }

  /// Moves a content, which may have been moved before.
  private func move(_ content: String?, to path: String) async throws(TimelineError) {
    guard let content else { return }
    do throws(StorageError) {
      try lock?.check()
      try await storage.move(content, to: path)
    } catch {
      if error.code != .notFound { throw TimelineError(error) }
    }
  }
}
