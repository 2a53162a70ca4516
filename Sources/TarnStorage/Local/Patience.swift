import Synchronization

/// How long a storage waits for its turn: at each wait, or in all.
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
  private var rest: Duration { isShared ? max(total - spent.withLock { $0 }, .zero) : total }

  /// Takes a lock, or tries again until patience is over; also where the task is cancelled, since what takes a cancelled
  /// write back may have to wait too.
  ///
  /// - Parameter path: What errors name; whoever waits wants to know where.
  /// - Throws: ``StorageError`` with code `locked` in the end.
  func wait<Lock: Sendable>(
    for path: String, _ take: () async throws(StorageError) -> Lock?
  ) async throws(StorageError) -> Lock {
    if let lock = try await take() { return lock }
    let patience = rest
    let begun = ContinuousClock.now
    defer {
      let waited = begun.duration(to: .now)
      spent.withLock { $0 += waited }
    }
    var step = Duration.microseconds(200)
    while true {
      let waited = begun.duration(to: .now)
      guard waited < patience else {
        throw StorageError(
          .locked, path: path,
          "another program holds this folder, and still did after \(Self.text(of: waited)) of waiting: nothing was "
            + "changed; a process that was stopped must go on or end before files here can be replaced")
      }
      await Self.sleep(min(step, patience - waited))
      step = min(step * 2, .milliseconds(20))
      if let lock = try await take() { return lock }
    }
  }

  /// Sleeps in a task of its own, which nobody cancels.
  private static func sleep(_ duration: Duration) async {
    await Task { try? await Task.sleep(for: duration) }.value
  }

  /// A duration in whole seconds, or below one second in milliseconds.
  private static func text(of duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    return seconds > 0 ? "\(seconds) s" : "\(attoseconds / 1_000_000_000_000_000) ms"
  }
}
