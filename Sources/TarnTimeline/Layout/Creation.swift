import TarnStorage

/// Why a file that must be new was not created, as far as that could be found out.
enum CreationError: Error {
  /// Another writer's file is there.
  case taken
  /// The storage failed, and no file is there.
  case failed(StorageError)
  /// The file is there, but the storage failed each time it was to be made to stay.
  case unconfirmed(StorageError)
  /// The storage failed, and failed again when it was asked whether the file is there.
  case unknown(StorageError, then: StorageError)
}

extension Storage {
  /// Creates a small file where none is, and says for certain what became of it where that can be known.
  ///
  /// A storage may make a file and answer with an error, because the answer is lost, the folder cannot be forced to
  /// the disk, or a request that it repeats meets its own first one. So the file is looked at after an error, and put
  /// once more where it is this one: success means that it is there to stay.
  ///
  /// - Parameter isUnique: Whether no other writer can have the same bytes; otherwise a file that is there is another's
  ///   where the storage says so.
  func create(_ bytes: [UInt8], at path: String, isUnique: Bool) async throws(CreationError) {
    let first: StorageError
    do {
      try await put(bytes, at: path, if: .ifAbsent)
      return
    } catch { first = error }
    if first.code == .preconditionFailed, !isUnique { throw .taken }
    // A path that is not valid was not made.
    if first.code == .invalidPath { throw .failed(first) }
    let tag: ObjectTag
    let isOwn: Bool
    do throws(StorageError) {
      tag = try await info(of: path).tag
      isOwn = try await readAll(path) == bytes
    } catch {
      guard error.code == .notFound else { throw .unknown(first, then: error) }
      throw first.code == .preconditionFailed ? .taken : .failed(first)
    }
    guard isOwn else { throw .taken }
    do { try await put(bytes, at: path, if: .ifMatches(tag)) } catch { throw .unconfirmed(error) }
  }
}
