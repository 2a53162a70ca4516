import TarnStorage

/// What is wrong with a table's properties, timeline or files, where, and what to do.
public struct TimelineError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  public enum Code: Sendable {
    /// There is no Hudi table at the storage's root.
    case noTable
    /// A table is there already.
    case exists
    /// A file of the table does not hold what it must.
    case damaged
    /// The table uses something that Tarn does not read or write yet.
    case unsupported
    /// Another writer was there first.
    case conflict
    /// The storage failed in a way that leaves open whether what was to be written is there to stay.
    case outcomeUnknown
    /// The storage failed; its own error says how.
    case storage(StorageError)
    /// The work was cancelled.
    case cancelled
  }

  /// The kind.
  public let code: Code
  /// The path it concerns, relative to the table; empty where it concerns the table as a whole.
  public let path: String
  /// What is wrong, and what to do, for people.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  /// The work was cancelled.
  static let cancelled = TimelineError(.cancelled, path: "", "the work was cancelled")

  /// Carries a storage's error up.
  public init(_ error: StorageError) {
    self.init(.storage(error), path: error.path, error.message)
  }

  /// The path and what is wrong.
  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
