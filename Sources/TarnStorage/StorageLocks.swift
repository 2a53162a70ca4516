import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Hands out advisory locks by name.
///
/// No part of ``Storage``: an object store has no lock that ends with its holder's process, and one that outlives it
/// must be judged by a clock.
public protocol LockProvider: Sendable {
  /// Takes the advisory lock named by `path`, waiting for at most `patience`.
  ///
  /// The lock excludes every other holder that reaches the same provider, in this process or another,
  /// and is free again when it is released, when its ``StorageLock`` goes, or when its holder's process ends,
  /// however it ends. An empty object may appear at `path` and stay; where it is deleted, the lock is lost.
  ///
  /// - Throws: ``StorageError``: `locked` where another holder kept it for that long; `cancelled`.
  func lock(_ path: String, patience: Duration) async throws(StorageError) -> any StorageLock
}

extension Storage {
  /// The locks that this storage brings along; nil where it has none.
  public var locks: (any LockProvider)? { self as? any LockProvider }
}

/// A lock that is held until it is released or goes.
public protocol StorageLock: Sendable {
  /// Checks that this lock still excludes every other holder, as it does unless somebody removed it by force.
  ///
  /// - Throws: ``StorageError``: `locked` where another may hold it by now; what the provider reports where it
  ///   cannot tell.
  func check() async throws(StorageError)

  /// Lets go of the lock. Releasing twice is harmless.
  func release() async
}

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

/// An advisory lock of the local file system, which the kernel frees with the process.
///
/// Each holds a file description of its own, so holders in one process exclude each other too.
final class LocalLock: StorageLock {
  private let descriptor: Mutex<Int?>
  private let file: String

  init(descriptor: Int, file: String) {
    self.descriptor = Mutex(descriptor)
    self.file = file
  }

  deinit { close() }

  func check() async throws(StorageError) {
    let isHeld = descriptor.withLock { open in open.map { LocalStorage.isStill($0, at: file) } ?? false }
    guard isHeld else { throw .lost(file) }
  }

  func release() async { close() }

  func close() {
    descriptor.withLock { descriptor in
      if let open = descriptor {
        // A process that is being started holds a copy of the descriptor for a moment; closing alone would
        // leave the lock with it.
        FileSystem.unlock(open)
        FileSystem.close(open)
      }
      descriptor = nil
    }
  }
}

extension LocalStorage {
  /// Takes a lock that is free; nil where another holds it.
  func takeLock(_ path: String) async throws(StorageError) -> (any StorageLock)? {
    let file = file(path)
    try checkWay(to: path)
    while true {
      let descriptor = try await withFolder(of: path) { FileSystem.openLockFile(file) }
      if descriptor == -Int(ELOOP) { throw .link(file, path: path) }
      guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening the lock file \(file)") }
      let lock = LocalLock(descriptor: descriptor, file: file)
      let result = FileSystem.lock(descriptor, waiting: false)
      // Another may have deleted the file while this one opened it: then the lock excludes nobody.
      if result == 0, Self.isStill(descriptor, at: file) { return lock }
      lock.close()
      if result == -Int(EWOULDBLOCK) { return nil }
      guard result == 0 else { throw .system(result, path: path, "locking \(file)") }
    }
  }

  /// Excludes other writers from replacing and deleting, until the lock goes.
  ///
  /// Between the check of a tag and the renaming nobody else may change the file. It is the scratch folder
  /// itself that is locked, so no lock file stays behind, and only for a few system calls: who waits for long has
  /// met another program, or a process that was stopped.
  func takeTurn(for path: String) async throws(StorageError) -> LocalLock {
    try checkWay(to: scratch + "/")
    let folder = file(scratch)
    return try await patience.wait(for: folder, isCancellable: false) {
      () async throws(StorageError) -> LocalLock? in
      for _ in 0..<Self.attempts {
        let descriptor = FileSystem.openFolder(folder)
        if descriptor == -Int(ENOENT) {
          try await makeFolder(folder, for: path)
          continue
        }
        guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening \(folder)") }
        let lock = LocalLock(descriptor: descriptor, file: folder)
        let result = FileSystem.lock(descriptor, waiting: false)
        if result == 0, Self.isStill(descriptor, at: folder) { return lock }
        lock.close()
        if result == -Int(EWOULDBLOCK) { return nil }
        guard result == 0 else { throw .system(result, path: path, "locking \(folder)") }
      }
      throw vanishing(folder, for: path)
    }
  }

  /// Whether a path still names what a descriptor holds open.
  fileprivate static func isStill(_ descriptor: Int, at file: String) -> Bool {
    var held = FileSystem.Status()
    var named = FileSystem.Status()
    return FileSystem.status(ofOpen: descriptor, &held) == 0 && FileSystem.status(of: file, &named) == 0
      && held.isSameFile(as: named)
  }
}
