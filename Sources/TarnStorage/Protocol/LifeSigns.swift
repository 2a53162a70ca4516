/// Tells exactly whether the process lives that holds an object, where a storage can.
///
/// No part of ``Storage``: an object store knows nothing of processes.
public protocol LifeSigns: Sendable {
  /// Makes an object that is held until it is ended, its ``LifeSign`` goes, or the process does, however it ends.
  ///
  /// - Throws: ``StorageError``: `preconditionFailed` where there is an object already.
  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign

  /// Whether an object is there and held.
  ///
  /// - Throws: ``StorageError`` where that cannot be told.
  func isHeld(_ path: String) async throws(StorageError) -> Bool
}

/// An object that shows that its maker lives.
public protocol LifeSign: Sendable {
  /// Sets the object's time of modification to the present, for who goes by that.
  ///
  /// - Throws: ``StorageError`` where it is gone, or cannot be touched.
  func renew() async throws(StorageError)

  /// Lets go of the object, and removes it. Ending twice is harmless.
  func end() async
}

extension Storage {
  /// What tells whether processes live; nil where this storage cannot.
  public var lifeSigns: (any LifeSigns)? { self as? any LifeSigns }
}
