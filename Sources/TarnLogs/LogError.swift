import TarnStorage

/// Why a log file could not be read, and where.
package struct LogError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  package enum Code: Sendable, Hashable {
    /// The file does not hold what it must.
    case damaged
    /// The file uses something that is not read yet.
    case unsupported
    /// The storage failed; ``LogError/cause`` says how.
    case storage
  }

  /// The kind.
  package let code: Code
  /// The file's path.
  package let path: String
  /// Offset of the block or record that is meant; nil where the storage failed.
  package let offset: Int?
  /// What is wrong, for people.
  package let message: String
  /// What the storage reported, where it is the cause.
  package let cause: StorageError?

  init(_ code: Code, path: String, at offset: Int, _ message: String) {
    self.code = code
    self.path = path
    self.offset = offset
    self.message = message
    self.cause = nil
  }

  init(_ error: StorageError) {
    code = .storage
    path = error.path
    offset = nil
    message = error.message
    cause = error
  }

  /// The place and what is wrong there.
  package var description: String { "\(path)\(offset.map { " at byte \($0)" } ?? ""): \(message)" }
}
