import TarnStorage

extension Storage {
  /// Takes a lock that the storage brings along.
  public func heldLock(_ path: String, patience: Duration) async throws(StorageError) -> any StorageLock {
    guard let locks else { throw StorageError(.unsupported, path: path, "the storage has no locks") }
    return try await locks.lock(path, patience: patience)
  }
}
