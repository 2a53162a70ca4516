import TarnAvro
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// What went wrong with a table, where, and what to do.
///
/// ``message`` says all of it to people. For code there is the kind, and table, path, column and row, as far as they are
/// known.
public struct TableError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `noTable`.
    public var description: String { name }

    /// There is no table at the place.
    public static let noTable = Code("noTable")
    /// A table is already there.
    public static let tableExists = Code("tableExists")
    /// The table, or a file of it, is damaged.
    public static let damaged = Code("damaged")
    /// The table uses a feature that Tarn does not have yet.
    public static let unsupported = Code("unsupported")
    /// What was given does not fit the table: another key, another type, an unknown column.
    public static let mismatch = Code("mismatch")
    /// A row cannot be taken: a null key, an ambiguous one, a value that is lost in a path.
    public static let badRow = Code("badRow")
    /// Another writer committed in between, or what another engine does stands in the way: try again.
    public static let conflict = Code("conflict")
    /// A clean removed versions of files that the table had as of the instant that is read.
    public static let cleaned = Code("cleaned")
    /// A writer of another engine holds Hudi's lock, for longer than it was waited for, and nothing was written.
    public static let locked = Code("locked")
    /// The disk or quota is full, and nothing was written.
    public static let noSpace = Code("noSpace")
    /// The process may not read or write there, and nothing was written.
    public static let permissionDenied = Code("permissionDenied")
    /// The storage failed otherwise, and nothing was written.
    public static let storage = Code("storage")
    /// The storage gave no answer when the write was decided, so that it stands or may yet, as the message says, which
    /// names the commit: ask ``Table/outcome(of:)`` before the rows are written again, or they may be there twice.
    public static let outcomeUnknown = Code("outcomeUnknown")
    /// An application has written a later version already; nothing was written.
    public static let staleTransaction = Code("staleTransaction")
    /// The table cannot be followed from a position, since its epoch has ended or the table does not tell any more what came
    /// since: begin again, with ``Table/changes(since:)`` from no position.
    public static let positionLost = Code("positionLost")
    /// The work was cancelled.
    public static let cancelled = Code("cancelled")
  }

  /// The kind.
  public let code: Code
  /// What happened, where, and what to do.
  public let message: String
  /// The table's name; nil where it is not known, as where no table is.
  public internal(set) var table: String?
  /// The path of a file, relative to the table.
  public internal(set) var path: String?
  /// The column.
  public internal(set) var column: String?
  /// The row of the batch or array that was given, from 0 on.
  public internal(set) var row: Int?
  /// What was thrown below, such as a `StorageError`, `TimelineError`, `ParquetError` or `ColumnError`, or by a function
  /// that was given; nil where this room found the fault.
  public internal(set) var cause: (any Error)?

  /// Makes an error.
  public init(
    _ code: Code, _ message: String, path: String? = nil, column: String? = nil, row: Int? = nil,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.path = path
    self.column = column
    self.row = row
    self.cause = cause
  }

  /// The message.
  public var description: String { message }
}

extension TableError {
  /// Wraps what a room below threw.
  init(_ error: any Error) {
    switch error {
    case let error as TableError: self = error
    case let error as TimelineError: self.init(Self.code(of: error), error.description, cause: error)
    case let error as StorageError: self.init(Self.code(of: error), error.description, cause: error)
    default:
      let error = FileGroupError(error)
      self.init(Self.code(of: error), error.message, cause: Self.nameable(error.cause))
    }
    if !(error is TableError) { findPlace(in: error) }
  }

  /// The same error, said otherwise.
  func with(_ code: Code, _ message: String) -> TableError {
    var other = TableError(code, message, path: path, column: column, row: row, cause: cause)
    other.table = table
    return other
  }

  /// The same error of a table, unless it names one.
  func of(_ table: String) -> TableError {
    var named = self
    named.table = self.table ?? table
    return named
  }

  /// The cause that users can name: what a room that is no product wrapped, where it wrapped something.
  private static func nameable(_ cause: (any Error)?) -> (any Error)? {
    switch cause {
    case let error as KeyError: error.cause ?? error
    case KeyIndexError.storage(let error)?: error
    default: cause
    }
  }

  /// Whether a commit that a look found on the timeline was gone when it was read, as one is that is archived just then.
  var isOfVanishedCommit: Bool {
    guard let error = cause as? TimelineError, error.storageError?.code == .notFound,
      error.path.hasPrefix(TablePaths.folder),
      let entry = TimelineEntry(fileName: error.path.dropFirst(TablePaths.folder.count))
    else { return false }
    return entry.state == .completed
  }

  /// Whether a file was gone that was to be read, or copied from.
  var isOfVanishedFile: Bool {
    switch cause {
    case let error as StorageError: error.code == .notFound
    case let error as TimelineError: error.storageError?.code == .notFound
    case let error as ParquetError: error.storageError?.code == .notFound
    default: false
    }
  }

  /// Takes from what was thrown below where it happened.
  private mutating func findPlace(in error: any Error) {
    switch error {
    case let error as FileGroupError:
      (path, column) = (error.path, error.column)
      if let cause = error.cause { findPlace(in: cause) }
    case let error as TimelineError: path = error.path.isEmpty ? nil : error.path
    case let error as StorageError: path = error.path.isEmpty ? nil : error.path
    case let error as ParquetError: (path, column) = (error.path, error.column)
    case let error as KeyIndexError:
      switch error {
      case .damaged(let path, _, _): self.path = path
      case .storage(let error): findPlace(in: error)
      }
    case let error as KeyError: if let cause = error.cause { findPlace(in: cause) }
    case let error as AvroError: column = error.field.isEmpty ? nil : error.field
    case let error as ColumnError: row = error.row ?? row
    default: break
    }
  }

  private static func code(of error: StorageError) -> Code {
    switch error.code {
    case .locked: .conflict
    case .cancelled: .cancelled
    case .unsupported: .unsupported
    case .noSpace: .noSpace
    case .permissionDenied: .permissionDenied
    default: .storage
    }
  }

  private static func code(of error: TimelineError) -> Code {
    switch error.code {
    case .noTable: .noTable
    case .damaged: .damaged
    case .unsupported: .unsupported
    case .conflict: .conflict
    case .locked: .locked
    case .exists: .tableExists
    case .outcomeUnknown: .outcomeUnknown
    case .cancelled: .cancelled
    default: error.storageError.map(code) ?? .storage
    }
  }

  private static func code(of error: FileGroupError) -> Code {
    switch error.code {
    case .damaged: .damaged
    case .unsupported: .unsupported
    case .mismatch: .mismatch
    case .badRow: .badRow
    case .storage: storageError(in: error.cause).map(code) ?? .storage
    case .cancelled: .cancelled
    }
  }

  private static func storageError(in error: (any Error)?) -> StorageError? {
    switch error {
    case let error as StorageError: error
    case let error as ParquetError: error.storageError
    case KeyIndexError.storage(let error)?: error
    default: nil
    }
  }
}

/// Runs `body` and turns what it throws into a ``TableError``.
func tableErrors<R>(
  _ body: () async throws -> R
) async throws(TableError) -> R {
  do { return try await body() } catch { throw TableError(error) }
}
