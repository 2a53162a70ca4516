import TarnStorage

extension CommitLog {
  /// Requests a commit at an instant.
  ///
  /// - Parameters:
  ///   - action: What is requested.
  ///   - request: What the file says.
  /// - Returns: Whether the instant was free: a requested file that is there is always another's.
  /// - Throws: ``StorageError``, `unknown` where the file may be there, or may come.
  package func request(
    _ instant: Instant, _ action: Action = .commit, saying request: [UInt8] = []
  ) async throws(StorageError) -> Bool {
    do {
      try await storage.put(request, at: InstantFiles(instant, action).requested.path, if: .ifAbsent)
      return true
    } catch  where error.code == .preconditionFailed {
      return false
    }
  }

  /// Writes the inflight file of a commit that was requested; where that fails, neither file stays.
  ///
  /// - Parameters:
  ///   - action: What was requested.
  ///   - plan: What the file says; set ``CommitMetadata/writer`` to find it again.
  /// - Throws: ``TimelineError``: `conflict` where another's is there; `storage`.
  package func begin(
    _ instant: Instant, _ action: Action = .commit, plan: CommitMetadata
  ) async throws(TimelineError) {
    let inflight = InstantFiles(instant, action).inflight
    do { try await storage.create(plan.bytes(), at: inflight.path, isUnique: true) } catch {
      switch error {
      case .taken:
        throw TimelineError(
          .conflict, path: inflight.path,
          "another writer has used this instant; read the table again and retry")
      case .failed(let error), .unconfirmed(let error), .unknown(let error, _):
        try? await remove(pending: inflight)
        throw TimelineError(error)
      }
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
  /// - Parameters:
  ///   - action: What was requested.
  ///   - plan: What the inflight file says.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func standing(
    of instant: Instant, _ action: Action = .commit, plan: CommitMetadata
  ) async throws(TimelineError) -> Standing {
    let own = plan.bytes()
    do {
      let path = InstantFiles(instant, action).inflight.path
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
