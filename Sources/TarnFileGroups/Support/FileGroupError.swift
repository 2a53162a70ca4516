import TarnAvro
import TarnColumns
import TarnExpressions
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// What went wrong with the files of a table, where, and what to do.
package struct FileGroupError: Error, Sendable, CustomStringConvertible {
  /// The kinds that a caller handles differently.
  package enum Code: Sendable {
    /// A file of the table does not hold what it must.
    case damaged
    /// A file uses what Tarn does not read, or does not write yet.
    case unsupported
    /// What was given does not fit the table's columns.
    case mismatch
    /// A row cannot be stored.
    case badRow
    /// The storage failed.
    case storage
    /// The work was cancelled.
    case cancelled
  }

  /// The kind.
  package let code: Code
  /// What happened, where, and what to do.
  package let message: String
  /// The path of a file and the column, where they are known.
  package let path: String?
  package let column: String?
  /// What a room below threw; nil where this room found the fault.
  package let cause: (any Error)?

  /// Makes an error.
  package init(
    _ code: Code, _ message: String, path: String? = nil, column: String? = nil, cause: (any Error)? = nil
  ) {
    self.path = path
    self.column = column
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// Wraps what a room below threw, which is kept as the cause.
  package init(_ error: any Error) {
    switch error {
    case let error as FileGroupError: self = error
    case let error as ParquetError: self.init(Self.code(of: error), error.description, cause: error)
    case let error as KeyError: self.init(Self.code(of: error), error.description, cause: error)
    case let error as KeyIndexError:
      if case .damaged = error {
        self.init(.damaged, error.description, cause: error)
      } else {
        self.init(.storage, error.description, cause: error)
      }
    case let error as ExpressionError: self.init(.mismatch, error.description, cause: error)
    case let error as ColumnError: self.init(.badRow, error.description, cause: error)
    case let error as AvroError: self.init(.damaged, error.description, cause: error)
    case is CancellationError: self.init(.cancelled, "the work was cancelled", cause: error)
    default: self.init(.storage, String(describing: error), cause: error)
    }
  }

  /// The message.
  package var description: String { message }

  private static func code(of error: ParquetError) -> Code {
    switch error.code {
    case .unsupported: .unsupported
    case .storage: error.storageError?.code == .cancelled ? .cancelled : .storage
    case .valueOutOfRange: .badRow
    case .schemaMismatch: .mismatch
    case .malformed: .damaged
    case .cancelled: .cancelled
    default: .storage
    }
  }

  private static func code(of error: KeyError) -> Code {
    switch error.code {
    case .damaged: .damaged
    case .unsupported: .unsupported
    case .mismatch: .mismatch
    case .badRow: .badRow
    }
  }
}

/// Runs `body` and turns what it throws into a ``FileGroupError``.
func fileGroupErrors<R>(_ body: () async throws -> R) async throws(FileGroupError) -> R {
  do { return try await body() } catch { throw FileGroupError(error) }
}
