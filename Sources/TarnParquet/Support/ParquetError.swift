import TarnCompression
import TarnStorage

/// What is wrong with a Parquet file, in which column and where, and what to do.
public struct ParquetError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `malformed`.
    public var description: String { name }

    /// The storage failed; ``ParquetError/storageError`` says how.
    public static let storage = Code("storage")
    /// The bytes are not what the format says.
    public static let malformed = Code("malformed")
    /// The file uses what this library does not read or write.
    public static let unsupported = Code("unsupported")
    /// There is no such column or row group.
    public static let notFound = Code("notFound")
    /// A value does not fit the type it is read or written as.
    public static let valueOutOfRange = Code("valueOutOfRange")
    /// A batch has other columns than the file.
    public static let schemaMismatch = Code("schemaMismatch")
    /// The task that reads was cancelled.
    public static let cancelled = Code("cancelled")
  }

  /// The kind.
  public let code: Code
  /// The file's path.
  public let path: String
  /// The column's name, where the error belongs to one.
  public let column: String?
  /// Where in the file the part begins that is wrong, where that is known.
  public let offset: Int?
  /// What happened, for people.
  public let message: String
  /// What the storage reported, for code `storage`.
  public let storageError: StorageError?

  init(
    _ code: Code, path: String, column: String? = nil, offset: Int? = nil, _ message: String,
    storage: StorageError? = nil
  ) {
    self.code = code
    self.path = path
    self.column = column
    self.offset = offset
    self.message = message
    storageError = storage
  }

  init(_ error: StorageError, path: String) {
    self.init(.storage, path: path, error.message, storage: error)
  }

  /// Whether it tells something of the file, and not of the storage or of the task that reads.
  var isOfTheFile: Bool { code != .storage && code != .cancelled }

  /// The file, the column, the offset and what happened.
  public var description: String {
    var text = path
    if let column { text += ", column \(column)" }
    if let offset { text += ", at byte \(offset)" }
    return text + ": " + message
  }
}

/// Why a part of a file could not be read or written; the caller adds path, column and offset.
enum FormatError: Error {
  /// The bytes are not what the format says.
  case malformed(StaticString)
  /// The part uses what is not read.
  case unsupported(String)
  /// A value does not fit.
  case outOfRange(String)
  /// A codec failed.
  case compression(CompressionError)

  var message: String {
    switch self {
    case .malformed(let what): "\(what); the file is damaged"
    case .unsupported(let what): what
    case .outOfRange(let what): what
    case .compression(let error): "\(error.message); the file is damaged"
    }
  }

  var code: ParquetError.Code {
    switch self {
    case .malformed, .compression: .malformed
    case .unsupported: .unsupported
    case .outOfRange: .valueOutOfRange
    }
  }
}
