#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension StorageError {
  /// Makes the error for a failed system call, the only place where error numbers are read.
  ///
  /// - Parameters:
  ///   - result: The negated error number.
  ///   - path: The storage path it happened at.
  ///   - attempt: What was tried, with the real file, as `reading /data/t/a.parquet`.
  static func system(_ result: Int, path: String, _ attempt: String) -> StorageError {
    let number = Int32(truncatingIfNeeded: -result)
    let (code, remedy) = meaning(of: number)
    let ending = remedy.isEmpty ? "" : "; " + remedy
    // A path that is too long for the system is too long for a message.
    let attempt = attempt.utf8.count > 1_000 ? "\(attempt.prefix(200))…\(attempt.suffix(200))" : attempt
    return StorageError(
      code, path: path, "\(attempt): \(FileSystem.text(of: number))\(ending)",
      cause: SystemCallError(number: number))
  }

  /// Whether a failed call only says that there is no such file.
  static func isAbsence(_ result: Int) -> Bool { result == -Int(ENOENT) || result == -Int(ENOTDIR) }

  /// Makes the error for a failed call that gives a file its name.
  ///
  /// Of most errors it is certain that the name is as it was; of others, as of a disk that fails in the middle, nobody
  /// can say.
  static func naming(_ result: Int, path: String, _ attempt: String) -> StorageError {
    let error = system(result, path: path, attempt)
    switch Int32(truncatingIfNeeded: -result) {
    case EIO, ESTALE, ETIMEDOUT, ENXIO, ENODEV:
      return StorageError(.unknown, path: path, error.message, cause: error.cause)
    default: return error
    }
  }

  /// The result of a call that says that there is no such file.
  static let absence = -Int(ENOENT)

  /// Whether a failed call only says that the name is taken.
  static func isPresence(_ result: Int) -> Bool { result == -Int(EEXIST) }

  /// Whether a failed call only says that another holds the lock.
  static func isTaken(_ result: Int) -> Bool { result == -Int(EWOULDBLOCK) }

  private static func meaning(of number: Int32) -> (Code, remedy: String) {
    switch number {
    case ENOENT: (.notFound, "")
    case ENOTDIR: (.notFound, "a part of the path is a file, where a folder is needed")
    case EACCES, EPERM: (.permissionDenied, "give this user access to the file and its folder")
    case EROFS: (.permissionDenied, "the file system is mounted read-only")
    case ENOSPC: (.noSpace, "make room on the disk and try again")
    case EDQUOT: (.noSpace, "raise the quota or remove files, and try again")
    case ENAMETOOLONG: (.invalidPath, "a name may have 255 bytes and a path 4,095; choose shorter ones")
    case EMFILE, ENFILE: (.failed, "raise the limit of open files (ulimit -n)")
    case EXDEV: (.failed, "the scratch folder must be on the same file system as the file")
    case EISDIR, ENOTEMPTY: (.failed, "a folder is in the file's place; move it away")
    default: (.failed, "")
    }
  }
}

/// The error number of a system call.
public struct SystemCallError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The number, as `errno` has it.
  public let number: Int32

  /// Wraps a number.
  public init(number: Int32) { self.number = number }

  /// The message that the system has for the number.
  public var description: String { FileSystem.text(of: number) }
}

extension StorageError {
  /// The error of a path at which no file is.
  static func notAFile(_ path: String, _ file: String) -> StorageError {
    StorageError(.notFound, path: path, "\(file) is a folder or a device, not a file")
  }
}
