import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Tries to take a lock until it is free or patience is over.
///
/// - Parameter path: What errors name; whoever waits wants to know where.
/// - Throws: ``StorageError`` with code `locked` in the end; `failed` where the task is cancelled.
func waitForLock(
  _ path: String, patience: Duration, _ take: () throws(StorageError) -> (any StorageLock)?
) async throws(StorageError) -> any StorageLock {
  let start = ContinuousClock.now
  while true {
    if let lock = try take() { return lock }
    let waited = start.duration(to: .now)
    guard waited < patience else {
      throw StorageError(
        .locked, path: path,
        "another writer holds this lock, and still did after \(text(of: waited)) of waiting; "
          + "let it finish, or end its process, which frees the lock")
    }
    do {
      try await Task.sleep(for: min(.milliseconds(50), patience - waited))
    } catch {
      throw StorageError(
        .failed, path: path,
        "the task was cancelled after it had waited \(text(of: waited)) for the lock")
    }
  }
}

/// A duration in whole seconds, or below one second in milliseconds.
private func text(of duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  return seconds > 0 ? "\(seconds) s" : "\(attoseconds / 1_000_000_000_000_000) ms"
}

/// An advisory lock of the local file system, which the kernel frees with the process.
///
/// Each holds a file description of its own, so holders in one process exclude each other too.
final class LocalLock: StorageLock {
  private let descriptor: Mutex<Int?>

  init(descriptor: Int) { self.descriptor = Mutex(descriptor) }

  deinit { close() }

  func release() async { close() }

  private func close() {
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
  func takeLock(_ path: String) throws(StorageError) -> (any StorageLock)? {
    let file = file(path)
    while true {
      let descriptor = try withFolder(of: path) { FileSystem.openLockFile(file) }
      guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening the lock file \(file)") }
      let result = FileSystem.lock(descriptor, waiting: false)
      // Another may have deleted the file while this one opened it: then the lock excludes nobody.
      if result == 0, Self.isStill(descriptor, at: file) { return LocalLock(descriptor: descriptor) }
      FileSystem.close(descriptor)
      if result == -Int(EWOULDBLOCK) { return nil }
      guard result == 0 else { throw .system(result, path: path, "locking \(file)") }
    }
  }
}
