import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

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
