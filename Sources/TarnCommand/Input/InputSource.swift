import TarnCDC
import TarnStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file or folder that a user names, as a storage and a path in it.
struct InputSource {
  /// The file's folder, or the folder itself.
  let storage: LocalStorage
  /// The file's name; empty for a folder.
  let name: String
  /// What to put before paths of the storage so that users know them.
  let prefix: String

  /// A file.
  ///
  /// - Throws: ``CommandError`` where there is none.
  static func file(_ path: String) throws -> InputSource {
    let source = try any(path)
    guard !source.name.isEmpty else { throw CommandError("\(path): it is a folder; name files") }
    return source
  }

  /// A file or folder.
  ///
  /// - Throws: ``CommandError`` where there is none.
  static func any(_ path: String) throws -> InputSource {
    try refuseRemote(path)
    var status = stat()
    guard stat(path, &status) == 0 else { throw CommandError("\(path): \(failureText(errno))") }
    if status.st_mode & S_IFMT == S_IFDIR {
      let prefix = path.hasSuffix("/") ? path : path + "/"
      return InputSource(storage: LocalStorage(root: path), name: "", prefix: prefix)
    }
    guard let slash = path.lastIndex(of: "/") else {
      return InputSource(storage: LocalStorage(root: "."), name: path, prefix: "")
    }
    let prefix = String(path[...slash])
    return InputSource(
      storage: LocalStorage(root: prefix), name: String(path[path.index(after: slash)...]), prefix: prefix)
  }

  /// Whether it is a Parquet file by its first bytes, or by its name where these tell nothing else.
  func isParquet() async throws -> Bool {
    try await located {
      let size = try await storage.info(of: name).size
      if try await ChangeSource.isParquet(storage, name, size) { return true }
      guard name.hasSuffix(".parquet") else { return false }
      return try await !ChangeSource.isRecords(storage, name, size)
    }
  }

  /// Runs a body, and gives its errors the path as users know it.
  func located<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    do { return try await body() } catch let error as StorageError {
      throw CommandError(prefix + error.description)
    } catch let error as ChangeError {
      switch error {
      case .rejected, .unsupportedColumn, .missingColumn, .differentTypes, .notWider, .columns, .handler,
        .cancelled:
        throw CommandError(error.description)
      case .storage, .compression, .nothingToRead: throw CommandError(prefix + error.description)
      }
    }
  }
}

/// Refuses places that come later.
func refuseRemote(_ path: String) throws {
  if path.hasPrefix("s3://") {
    throw CommandError("\(path): S3 comes later; name a folder or file of the local disk")
  }
}
