import Synchronization

/// Tries to take a lock until it is free or patience is over.
///
/// - Parameters:
///   - path: What errors name; whoever waits wants to know where.
///   - isCancellable: Whether the wait ends where the task is cancelled.
/// - Throws: ``StorageError`` with code `locked` in the end; `cancelled` where the task is cancelled.
func waitForLock<Lock: Sendable>(
  _ path: String, patience: Duration, isCancellable: Bool = true,
  _ take: () async throws(StorageError) -> Lock?
) async throws(StorageError) -> Lock {
  let start = ContinuousClock.now
  var step = Duration.milliseconds(1)
  while true {
    if let lock = try await take() { return lock }
    let waited = start.duration(to: .now)
    guard waited < patience else {
      throw StorageError(
        .locked, path: path,
        "another writer holds this lock, and still did after \(text(of: waited)) of waiting; "
          + "let it finish, or end its process, which frees the lock")
    }
    let next = min(step, patience - waited)
    step = min(step * 2, .milliseconds(50))
    do {
      if isCancellable { try await Task.sleep(for: next) } else { try await sleepEvenIfCancelled(next) }
    } catch {
      throw StorageError(
        .cancelled, path: path,
        "the task was cancelled after it had waited \(text(of: waited)) for the lock")
    }
  }
}

/// Sleeps in a task of its own, which nobody cancels: what takes a cancelled write back may have to wait too.
private func sleepEvenIfCancelled(_ duration: Duration) async throws {
  try await Task { try await Task.sleep(for: duration) }.value
}

extension StorageError {
  /// The error of a lock that was taken away from its holder.
  static func lost(_ path: String) -> StorageError {
    StorageError(
      .locked, path: path,
      "this lock was removed while it was held, so that another writer may be at work; never delete a lock's file"
    )
  }
}

/// A duration in whole seconds, or below one second in milliseconds.
private func text(of duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  return seconds > 0 ? "\(seconds) s" : "\(attoseconds / 1_000_000_000_000_000) ms"
}

/// How long a storage waits for others: at each wait, or in all.
final class Patience: Sendable {
  private let total: Duration
  private let isShared: Bool
  private let spent = Mutex(Duration.zero)

  /// - Parameter isShared: Whether all waits together may last so long, instead of each.
  init(_ total: Duration, isShared: Bool) {
    self.total = total
    self.isShared = isShared
  }

  /// How long the next wait may last.
  var rest: Duration { isShared ? max(total - spent.withLock { $0 }, .zero) : total }

  /// Takes a lock, or waits for it.
  ///
  /// Throws what ``waitForLock(_:patience:isCancellable:_:)`` does.
  func wait<Lock: Sendable>(
    for path: String, atMost most: Duration? = nil, isCancellable: Bool,
    _ take: () async throws(StorageError) -> Lock?
  ) async throws(StorageError) -> Lock {
    if let lock = try await take() { return lock }
    let begun = ContinuousClock.now
    defer {
      let waited = begun.duration(to: .now)
      spent.withLock { $0 += waited }
    }
    return try await waitForLock(
      path, patience: min(most ?? rest, rest), isCancellable: isCancellable, take)
  }
}
