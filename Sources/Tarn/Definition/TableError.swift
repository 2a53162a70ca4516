import TarnFileGroups
import TarnStorage
import TarnTimeline

/// What went wrong with a table, where, and what to do.
public struct TableError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  public enum Code: Sendable, Hashable {
    /// There is no table at the place.
    case noTable
    /// A table is already there.
    case tableExists
    /// The table, or a file of it, is damaged.
    case damaged
    /// The table uses a feature that Tarn does not have yet.
    case unsupported
    /// What was given does not fit the table: another key, another type, an unknown column.
    case mismatch
    /// A row cannot be taken: a null key, an ambiguous one, a value that is lost in a path.
    case badRow
    /// Another writer holds the table, or committed in between: try again.
    case conflict
    /// The storage failed, and nothing was written.
    case storage
    /// The storage failed so late that the write stands or may stand, as the message says, which names the commit:
    /// look for it in ``Table/timeline()`` before the rows are written again, or they may be there twice.
    case outcomeUnknown
    /// The work was cancelled.
    case cancelled
  }

  /// The kind.
  public let code: Code
  /// What happened, where, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// Wraps what a room below threw.
  init(_ error: any Error) {
    switch error {
    case let error as TableError: self = error
    case let error as TimelineError: self.init(Self.code(of: error), error.description)
    case let error as StorageError: self.init(Self.code(of: error), error.description)
    default:
      let error = FileGroupError(error)
      self.init(Self.code(of: error), error.message)
    }
  }

  /// Wraps what was thrown at the end of a commit.
  init(_ error: any Error, of instant: Instant) {
    let plain = TableError(error)
    guard plain.code == .outcomeUnknown else {
      self = plain
      return
    }
    self.init(
      .outcomeUnknown,
      "\(plain.message); look for \(instant.text) on the table's timeline before these rows are written again"
    )
  }

  private static func code(of error: StorageError) -> Code {
    switch error.code {
    case .locked: .conflict
    case .cancelled: .cancelled
    case .unsupported: .unsupported
    default: .storage
    }
  }

  private static func code(of error: TimelineError) -> Code {
    switch error.code {
    case .noTable: .noTable
    case .damaged: .damaged
    case .unsupported: .unsupported
    case .conflict: .conflict
    case .exists: .tableExists
    case .outcomeUnknown: .outcomeUnknown
    case .storage(let error): code(of: error)
    case .cancelled: .cancelled
    }
  }

  private static func code(of error: FileGroupError) -> Code {
    switch error.code {
    case .damaged: .damaged
    case .unsupported: .unsupported
    case .mismatch: .mismatch
    case .badRow: .badRow
    case .storage: .storage
    case .cancelled: .cancelled
    }
  }
}

/// Runs `body` and turns what it throws into a ``TableError``.
func tableErrors<R>(
  _ body: () async throws -> R
) async throws(TableError) -> R {
  do { return try await body() } catch { throw TableError(error) }
}
