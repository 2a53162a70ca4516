import TarnAvro
import TarnBytes
import TarnStorage

/// Rolls back another writer's attempt, as a decision: so that an attempt which lived after all, and was decided
/// meanwhile, is not touched, and one that sleeps finds out when it wakes.
package struct RollbackDecision: Sendable {
  private let target: TimelineEntry
  private let storage: any Storage
  private let store: HeadStore
  /// Where the table lies, as other engines name it; they delete by whole paths.
  private let base: String
  private let locking: HudiLocking?

  /// Names an attempt.
  ///
  /// - Parameters:
  ///   - target: Its entry on the timeline, requested or inflight.
  ///   - base: The table's place, as a path or URI.
  ///   - locking: How the lock of other engines is taken; nil where they have none.
  package init(
    _ target: TimelineEntry, in storage: any Storage, at base: String, _ store: HeadStore,
    _ locking: HudiLocking?
  ) {
    self.locking = locking
    self.target = target
    self.storage = storage
    self.base = base
    self.store = store
  }

  /// Where an attempt may have left base files.
  package enum Remains: Sendable {
    /// Where its markers say, and nowhere else.
    case marked
    /// Where its markers say; where it has none, in the partitions that its inflight file names, or in any where it
    /// names none.
    case planned([String])
  }

  private func files(_ remains: Remains) async throws(TimelineError) -> [String] {
    let attempt = AttemptRemains(target.instant, in: storage)
    return switch remains {
    case .marked: try await attempt.markedFiles() ?? []
    case .planned(let partitions): try await attempt.baseFiles(planned: partitions)
    }
  }

  /// Decides the rollback, and carries it out.
  ///
  /// - Parameters:
  ///   - head: The head on which the attempt was found undecided.
  ///   - timeline: The timeline as it was listed after that.
  ///   - remains: Where the attempt may have left files.
  ///   - now: The time in microseconds since 1970.
  /// - Returns: The head with the decision; nil where another was faster, and nothing was done.
  /// - Throws: ``TimelineError``, `outcomeUnknown` where the rollback may have been decided.
  package func run(
    on head: LoadedHead, _ timeline: Timeline, _ remains: Remains, now: Int64
  ) async throws(TimelineError) -> LoadedHead? {
    guard let locking else { return try await run(store, on: head, timeline, remains, now) }
    let result = try await locking.holding { lock -> Result<LoadedHead?, TimelineError> in
      do throws(TimelineError) {
        return .success(try await run(store.holding(lock), on: head, timeline, remains, now))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  private func run(
    _ store: HeadStore, on head: LoadedHead, _ timeline: Timeline, _ remains: Remains, _ now: Int64
  ) async throws(TimelineError) -> LoadedHead? {
    let files = try await files(remains)
    let liveness = Liveness(storage)
    // The sign takes the instant among Tarn's writers, as that of a commit does.
    var sign: (any LifeSign)?
    let latest = [timeline.lastInstant, head.head.lastInstant].compactMap(\.self).max()
    var instant = Instant.after(latest: latest, now: now)
    var doubts = 0
    for _ in 0..<1_000 {
      do throws(TimelineError) {
        sign = try await liveness.begin(instant, mark: "rollback of \(target.instant)")
      } catch {
        doubts += 1
        guard error.isWithoutAnswer, doubts < CommitAttempt.mostDoubts else { throw error }
      }
      guard sign == nil else { break }
      instant = Instant.after(latest: instant, now: now)
    }
    guard let sign else { return nil }
    let result: LoadedHead?
    do throws(TimelineError) { result = try await decide(store, instant, files, on: head, now: now) } catch {
      await sign.end()
      throw error
    }
    await sign.end()
    return result
  }

  private func decide(
    _ store: HeadStore, _ instant: Instant, _ files: [String], on head: LoadedHead, now: Int64
  ) async throws(TimelineError) -> LoadedHead? {
    var paths: [String] = []
    var places: [String] = []
    for bytes in try documents(instant, files, now: now) {
      let content = await WrittenContent(bytes, of: instant, in: storage, mark: store.newMark)
      paths += content.paths
      places.append(content.path)
      guard let failure = content.failure else { continue }
      _ = await storage.delete(paths)
      throw TimelineError(failure)
    }
    let contents = RollbackContents(plan: places[0], inflight: places[1], completed: places[2])
    var next = head.head.next(mark: store.newMark())
    let decision = NamedDecision(instant, sequence: nil, .rollback(of: target.instant, contents))
    next.named.append(decision)
    next.doubtful.removeAll { $0 == target.instant }
    switch await store.swap(next, on: head.tag, deciding: [instant]) {
    case .won(let new):
      try await RollbackExecution(target.instant, by: instant, contents, in: storage, holding: store.lock)
        .run()
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

  /// The plan, the empty file of a rollback under way, and the end.
  private func documents(
    _ instant: Instant, _ files: [String], now: Int64
  ) throws(TimelineError) -> [[UInt8]] {
    let attempt = InstantInfo(instant: target.instant.text, action: target.action.rawValue)
    var byPartition = OrderedMap<[String]>()
    for file in files {
      let slash = file.utf8.lastIndex(of: UInt8(ascii: "/"))
      byPartition[slash.map { String(file[..<$0]) } ?? "", default: []].append(base + "/" + file)
    }
    let plan = RollbackPlan(
      instant: attempt,
      requests: byPartition.pairs.map { RollbackPlan.Request(partitionPath: $0.key, deleting: $0.value) })
    var partitions = OrderedMap<RollbackMetadata.Partition>()
    for (path, deleted) in byPartition.pairs {
      partitions[path] = RollbackMetadata.Partition(path: path, deleted: deleted)
    }
    let metadata = RollbackMetadata(
      start: instant.text, duration: 0, deletedCount: Int32(clamping: files.count), rolledBack: attempt,
      partitions: partitions)
    do throws(AvroError) { return [try plan.bytes(), [], try metadata.bytes()] } catch {
      throw TimelineError(
        .damaged, path: "", "no rollback plan can be made: \(error.description)", cause: error)
    }
  }
}

extension RollbackPlan {
  /// The base files that it deletes, relative to the table.
  var tablePaths: [String] {
    requests.flatMap { request in
      request.deletedFiles.map { file in
        let slash = file.utf8.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { String(file[file.utf8.index(after: $0)...]) } ?? file
        return TablePaths.join(request.partitionPath, name)
      }
    }
  }
}
