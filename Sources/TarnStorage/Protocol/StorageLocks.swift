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
