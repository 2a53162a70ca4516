import TarnStorage

extension CommitLog {
  /// Begins a commit: writes its requested and its inflight file.
  ///
  /// Whoever makes the requested file owns the instant, and what another writer does at its own is never
  /// touched. Where this fails, neither file stays, but for a requested file of which the storage did not say
  /// that it made it.
  ///
  /// - Parameters:
  ///   - instant: The commit's instant; see ``Instant/after(latest:now:)``.
  ///   - plan: What the inflight file says; set ``CommitMetadata/writer`` to find it again.
  /// - Throws: ``TimelineError``: `conflict` where the instant is taken; `storage`.
  package func begin(_ instant: Instant, plan: CommitMetadata) async throws(TimelineError) {
    try await create(TimelineEntry(instant, .commit, .requested), [])
    let inflight = TimelineEntry(instant, .commit, .inflight)
    do throws(TimelineError) { try await create(inflight, plan.bytes()) } catch {
      if error.code == .conflict {
        try? await remove(pending: inflight.with(.requested))
      } else {
        try? await remove(pending: inflight)
      }
      throw error
    }
  }

  /// What has become of a commit that a process began.
  package enum Standing: Sendable {
    /// Its inflight file is as the process made it.
    case own
    /// The inflight file is gone.
    case removed
    /// Another writer's inflight file is there.
    case replaced
  }

  /// Looks whether a commit which this process began is still as it began it.
  ///
  /// - Parameter plan: What the inflight file says.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func standing(
    of instant: Instant, plan: CommitMetadata
  ) async throws(TimelineError) -> Standing {
    let own = plan.bytes()
    do {
      let path = TimelineEntry(instant, .commit, .inflight).path
      return try await storage.readAll(path, limit: own.count) == own ? .own : .replaced
    } catch {
      switch error.code {
      case .notFound: return .removed
      // What is longer is another's.
      case .tooLarge: return .replaced
      default: throw TimelineError(error)
      }
    }
  }

  /// Completes a commit: from here on readers see its files.
  ///
  /// Where the storage fails although the file has appeared, it is put once more, so that success means
  /// that it is there to stay.
  ///
  /// - Parameter isOwner: Whether the caller has begun the commit and completes it for the first time, so that a file
  ///   with this content can only be its own, though the storage says that it was there before.
  /// - Returns: The completed entry.
  /// - Throws: ``TimelineError``: `conflict` where another has completed the instant; `storage` where the
  ///   commit certainly does not stand; `outcomeUnknown` where it stands or may stand, and nothing of it must be removed.
  @discardableResult
  package func complete(
    _ instant: Instant, _ metadata: CommitMetadata, isOwner: Bool = false
  ) async throws(TimelineError) -> TimelineEntry {
    let entry = TimelineEntry(instant, .commit, .completed)
    do { try await storage.create(metadata.bytes(), at: entry.path, isUnique: isOwner) } catch {
      throw outcome(of: entry, error)
    }
    return entry
  }

  private func outcome(of entry: TimelineEntry, _ error: CreationError) -> TimelineError {
    switch error {
    case .taken: conflict(at: entry)
    case .failed(let error): TimelineError(error)
    case .unconfirmed(let error):
      TimelineError(
        .outcomeUnknown, path: entry.path,
        "commit \(entry.instant.text) stands, though the storage failed at its end: \(error.message)",
        cause: error)
    case .unknown(let error, let second):
      TimelineError(
        .outcomeUnknown, path: entry.path,
        "whether commit \(entry.instant.text) stands is not known: the storage failed (\(error.message)), and then "
          + "could not be asked whether the file is there (\(second.message))", cause: error)
    }
  }

  private func conflict(at entry: TimelineEntry) -> TimelineError {
    TimelineError(
      .conflict, path: entry.path, "another writer has used this instant; read the table again and retry")
  }

  /// Creates a file by which nothing is committed yet.
  private func create(_ entry: TimelineEntry, _ bytes: [UInt8]) async throws(TimelineError) {
    // An empty request cannot be told from another writer's.
    guard !bytes.isEmpty else {
      do { try await storage.put(bytes, at: entry.path, if: .ifAbsent) } catch {
        throw error.code == .preconditionFailed ? conflict(at: entry) : TimelineError(error)
      }
      return
    }
    do { try await storage.create(bytes, at: entry.path, isUnique: true) } catch {
      switch error {
      case .taken: throw conflict(at: entry)
      case .failed(let error), .unconfirmed(let error), .unknown(let error, _): throw TimelineError(error)
      }
    }
  }

  /// Removes the files of an action that was not completed: inflight first, then requested.
  ///
  /// Delete the data files it wrote before: without its files here they may come to be seen. Of an action that
  /// is only requested, an inflight file that appears meanwhile stays.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func remove(pending entry: TimelineEntry) async throws(TimelineError) {
    guard entry.state != .completed else {
      throw TimelineError(.conflict, path: entry.path, "a completed action is not removed")
    }
    do {
      if entry.state == .inflight { try await storage.delete(entry.path) }
      try await storage.delete(entry.with(.requested).path)
    } catch { throw TimelineError(error) }
  }
}
