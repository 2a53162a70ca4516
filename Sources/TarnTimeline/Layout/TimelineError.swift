import TarnStorage

/// What is wrong with a table's properties, timeline or files, where, and what to do.
public struct TimelineError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `noTable`.
    public var description: String { name }

    /// There is no Hudi table at the storage's root.
    public static let noTable = Code("noTable")
    /// A table is there already.
    public static let exists = Code("exists")
    /// A file of the table does not hold what it must.
    public static let damaged = Code("damaged")
    /// The table uses something that Tarn does not read or write yet.
    public static let unsupported = Code("unsupported")
    /// Another writer was there first.
    public static let conflict = Code("conflict")
    /// Another engine's writer holds Hudi's lock, for longer than it was waited for.
    public static let locked = Code("locked")
    /// The storage failed in a way that leaves open whether what was to be written is there to stay.
    public static let outcomeUnknown = Code("outcomeUnknown")
    /// The process may not do this.
    public static let permissionDenied = Code("permissionDenied")
    /// The disk or quota is full.
    public static let noSpace = Code("noSpace")
    /// The storage failed; ``TimelineError/cause`` says how.
    public static let storage = Code("storage")
    /// The work was cancelled.
    public static let cancelled = Code("cancelled")
  }

  /// The kind.
  public let code: Code
  /// The path it concerns, relative to the table; empty where it concerns the table as a whole.
  public let path: String
  /// What is wrong, and what to do, for people.
  public let message: String
  /// What was thrown below, such as a `StorageError` or a ``CommitMetadataError``; nil where this room found the fault.
  public let cause: (any Error)?

  /// Makes an error.
  package init(_ code: Code, path: String, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.path = path
    self.message = message
    self.cause = cause
  }

  /// The work was cancelled.
  static let cancelled = TimelineError(.cancelled, path: "", "the work was cancelled")

  /// Carries a storage's error up.
  package init(_ error: StorageError) {
    let code: Code =
      switch error.code {
      case .permissionDenied: .permissionDenied
      case .noSpace: .noSpace
      case .cancelled: .cancelled
      default: .storage
      }
    self.init(code, path: error.path, error.message, cause: error)
  }

  /// What the storage reported, where it is the cause.
  package var storageError: StorageError? { cause as? StorageError }

  /// Whether a storage gave no answer, so that what was to be written may be there.
  var isWithoutAnswer: Bool { storageError?.code == .unknown }

  /// The path and what is wrong.
  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
