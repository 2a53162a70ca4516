internal import TarnStorage

/// An object by its path, which users know, and its key, which the service knows.
struct ObjectName: Sendable {
  let path: String
  let key: String

  /// The most bytes of a key.
  static let longestKey = 1_024

  /// - Throws: `invalidPath` where the path cannot name an object, or the key would be too long.
  init(_ path: String, below root: String) throws(StorageError) {
    try StoragePath.check(path)
    self.path = path
    key = root + path
    guard key.utf8.count <= Self.longestKey else {
      throw StorageError(
        .invalidPath, path: path,
        "its key has \(key.utf8.count) bytes, and S3 takes \(Self.longestKey) at most; choose shorter names")
    }
  }
}

extension String {
  /// What follows a prefix, compared byte by byte; nil where the text does not begin so.
  func remainder(after prefix: String) -> String? {
    guard utf8.starts(with: prefix.utf8) else { return nil }
    return String(Substring(utf8.dropFirst(prefix.utf8.count)))
  }
}
