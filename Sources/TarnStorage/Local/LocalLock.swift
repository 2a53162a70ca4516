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
final class LocalLock: Sendable {
  private let descriptor: Mutex<Int?>

  init(descriptor: Int) { self.descriptor = Mutex(descriptor) }

  deinit { close() }

  /// Calls with the open descriptor, unless the lock is let go.
  ///
  /// - Returns: What the call does; nil where the lock is let go.
  func withOpen(_ call: (Int) -> Int) -> Int? { descriptor.withLock { $0.map { call($0) } } }

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
  /// Excludes other writers from replacing and deleting, until the lock goes.
  ///
  /// Between the check of a tag and the renaming nobody else may change the file. It is the folder above the scratch
  /// folder that is locked, which nobody removes, so no lock file stays behind; and only for a few system calls, in
  /// none of which the disk is waited for: who waits for long has met another program, or a process that was stopped.
  func takeTurn(for path: String) async throws(StorageError) -> LocalLock {
    try checkWay(to: scratch + "/")
    let folder = turnFolder
    return try await patience.wait(for: folder) {
      () async throws(StorageError) -> LocalLock? in
      for _ in 0..<Self.attempts {
        let descriptor = FileSystem.openFolder(folder)
        if descriptor == -Int(ENOENT) {
          try await makeFolder(folder, for: path)
          continue
        }
        guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening \(folder)") }
        let lock = LocalLock(descriptor: descriptor)
        let result = FileSystem.lock(descriptor)
        if result == 0, Self.isStill(descriptor, at: folder) { return lock }
        lock.close()
        if result == -Int(EWOULDBLOCK) { return nil }
        guard result == 0 else { throw .system(result, path: path, "locking \(folder)") }
      }
      throw vanishing(folder, for: path)
    }
  }

  /// The folder that is locked by whose turn it is.
  private var turnFolder: String {
    let above = StoragePath.split(scratch).folder
    return above.isEmpty ? root : file(String(above.dropLast()))
  }

  /// Whether a path still names what a descriptor holds open.
  static func isStill(_ descriptor: Int, at file: String) -> Bool {
    var held = FileSystem.Status()
    var named = FileSystem.Status()
    return FileSystem.status(ofOpen: descriptor, &held) == 0 && FileSystem.status(of: file, &named) == 0
      && held.isSameFile(as: named)
  }
}
