extension StorageError {
  /// Checks that a range lies within an object.
  package static func check(_ range: Range<Int>, within size: Int, path: String) throws(StorageError) {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw StorageError(
        .outOfRange, path: path,
        "bytes \(range.lowerBound)..<\(range.upperBound) were asked for, and it has \(size); "
          + "it was cut short, or something names a wrong place in it")
    }
  }

  /// Checks that an object is of the version that is meant.
  package static func check(_ found: ObjectTag, is tag: ObjectTag?, path: String) throws(StorageError) {
    guard let tag, found != tag else { return }
    throw StorageError(
      .changed, path: path, "it is another version than the one that is meant; read it again")
  }

  /// Checks that an object is not larger than the caller wants to hold in memory.
  package static func check(_ size: Int, limit: Int, path: String) throws(StorageError) {
    guard size > limit else { return }
    throw StorageError(.tooLarge, path: path, "it has \(size) bytes, and at most \(limit) are read here")
  }

  /// The error of a put whose condition does not hold.
  package static func unmet(_ condition: PutCondition, path: String) -> StorageError {
    switch condition {
    case .ifMatches:
      StorageError(.preconditionFailed, path: path, "it changed since it was read; read it again and retry")
    case .ifAbsent, .always:
      StorageError(.preconditionFailed, path: path, "it is already there, and must not be replaced")
    }
  }
}
