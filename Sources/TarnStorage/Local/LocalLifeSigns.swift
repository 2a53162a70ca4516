extension LocalStorage: LifeSigns {
  /// Makes a file that this process keeps locked, which the kernel frees with it.
  ///
  /// It is locked before it gets its name, so that nobody finds it unlocked while its maker lives. It need not be on the
  /// disk: after a power failure no process lives.
  ///
  /// Throws what ``LifeSigns/beginSign(_:at:)`` does.
  public func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try StoragePath.check(path)
    let temporary = try await makeTemporary(for: path)
    let sign = LocalLifeSign(lock: LocalLock(descriptor: temporary.descriptor), file: file(path))
    defer { _ = FileSystem.remove(temporary.file) }
    var result = FileSystem.lock(temporary.descriptor)
    guard result == 0 else { throw .system(result, path: path, "locking \(temporary.file)") }
    result = bytes.withUnsafeBytes { FileSystem.writeAll(temporary.descriptor, $0) }
    guard result == 0 else { throw .system(result, path: path, "writing \(temporary.file)") }
    try checkWay(to: path)
    let file = file(path)
    result = try await withFolder(of: path) { FileSystem.addName(file, to: temporary.file) }
    guard result == 0 else {
      if StorageError.isPresence(result) { throw .unmet(.ifAbsent, path: path) }
      throw .system(result, path: path, "linking \(temporary.file) to \(file)")
    }
    return sign
  }

  /// Whether a file is locked by a process that lives.
  ///
  /// Throws what ``LifeSigns/isHeld(_:)`` does.
  public func isHeld(_ path: String) async throws(StorageError) -> Bool {
    try StoragePath.check(path)
    let file = file(path)
    let descriptor = FileSystem.openForReading(file)
    if StorageError.isAbsence(descriptor) { return false }
    guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening \(file)") }
    let probe = LocalLock(descriptor: descriptor)
    defer { probe.close() }
    // Shared, so that two who look at once do not take each other for the holder.
    let result = FileSystem.lock(descriptor, isShared: true)
    if StorageError.isTaken(result) { return true }
    guard result == 0 else { throw .system(result, path: path, "trying the lock of \(file)") }
    return false
  }
}

/// A locked file.
private final class LocalLifeSign: LifeSign {
  private let lock: LocalLock
  private let file: String

  init(lock: LocalLock, file: String) {
    self.lock = lock
    self.file = file
  }

  func renew() async throws(StorageError) {
    let result = lock.withOpen { descriptor -> Int in
      LocalStorage.isStill(descriptor, at: file) ? FileSystem.stamp(descriptor) : StorageError.absence
    }
    guard let result, result != StorageError.absence else {
      throw StorageError(.notFound, path: file, "this sign of life is gone: another process removed it")
    }
    guard result == 0 else { throw .system(result, path: file, "setting its time") }
  }

  func end() async {
    // Only its own: another process may have taken this one's for dead, and made another.
    _ = lock.withOpen { descriptor in
      LocalStorage.isStill(descriptor, at: file) ? FileSystem.remove(file) : 0
    }
    lock.close()
  }
}
