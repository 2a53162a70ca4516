/// What went wrong in a storage, at which path, and what to do.
public struct StorageError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  public enum Code: Sendable, Hashable {
    /// There is no such object.
    case notFound
    /// The condition of a put does not hold.
    case preconditionFailed
    /// The range does not lie within the object.
    case outOfRange
    /// The path is empty, or has an empty, `.` or `..` segment or a NUL, or is too long.
    case invalidPath
    /// The process may not do this.
    case permissionDenied
    /// The disk or quota is full.
    case noSpace
    /// The object is larger than the caller wants to hold in memory.
    case tooLarge
    /// Another holder kept the lock for longer than the caller would wait.
    case locked
    /// The object changed while it was read.
    case changed
    /// Anything else the storage reports.
    case failed
  }

  /// The kind.
  public let code: Code
  /// The path it happened at.
  public let path: String
  /// What happened, for people.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  /// The path, without its middle where it is long, and what happened.
  public var description: String {
    guard path.utf8.count > 300 else { return "\(path): \(message)" }
    return "\(path.prefix(80))…\(path.suffix(80)): \(message)"
  }
}
