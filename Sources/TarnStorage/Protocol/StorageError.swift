/// What went wrong in a storage, at which path, and what to do.
public struct StorageError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  ///
  /// Of all but ``unknown`` a call that changes something has changed nothing.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `notFound`.
    public var description: String { name }

    /// There is no such object.
    public static let notFound = Code("notFound")
    /// The condition of a put does not hold: it lost against another writer.
    public static let preconditionFailed = Code("preconditionFailed")
    /// No answer says what became of a change: it may have taken effect, or may yet, or may not be durable.
    public static let unknown = Code("unknown")
    /// The storage wants fewer requests; the same one may be sent again, later.
    public static let throttled = Code("throttled")
    /// The task was cancelled.
    public static let cancelled = Code("cancelled")
    /// The range does not lie within the object.
    public static let outOfRange = Code("outOfRange")
    /// The path is empty, or has an empty, `.` or `..` segment or a NUL, or is too long.
    public static let invalidPath = Code("invalidPath")
    /// The process may not do this.
    public static let permissionDenied = Code("permissionDenied")
    /// The disk or quota is full.
    public static let noSpace = Code("noSpace")
    /// The object is larger than the caller wants to hold in memory.
    public static let tooLarge = Code("tooLarge")
    /// Another holder kept the lock for longer than the caller would wait.
    public static let locked = Code("locked")
    /// The object changed while it was read, or since the tag that was given.
    public static let changed = Code("changed")
    /// The writer has finished, failed or was abandoned.
    public static let closed = Code("closed")
    /// The storage, or the writer, cannot do this at all.
    public static let unsupported = Code("unsupported")
    /// Anything else the storage reports.
    public static let failed = Code("failed")
  }

  /// The kind.
  public let code: Code
  /// The path it happened at.
  public let path: String
  /// What happened, for people.
  public let message: String
  /// What a layer below reported, as ``SystemCallError``; nil where the storage itself found out.
  public let cause: (any Error)?

  /// Makes an error.
  public init(_ code: Code, path: String, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.path = path
    self.message = message
    self.cause = cause
  }

  /// The path, without its middle where it is long, and what happened.
  public var description: String {
    guard path.utf8.count > 300 else { return "\(path): \(message)" }
    return "\(path.prefix(80))…\(path.suffix(80)): \(message)"
  }
}

extension StorageError {
  /// The error of a writer that is used after its end.
  package static func closed(_ path: String) -> StorageError {
    StorageError(
      .closed, path: path, "this writer has finished, failed or was abandoned; open another one")
  }

  /// The same error of another object.
  package func of(_ path: String) -> StorageError {
    self.path == path ? self : StorageError(code, path: path, description, cause: cause ?? self)
  }
}
