import TarnColumns
import TarnStorage

/// Why reading of changes or rows stopped.
public struct ChangeError: Error, Sendable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `rejected`.
    public var description: String { name }

    /// A record was rejected, and the caller's policy is to stop there; ``ChangeError/record`` is it.
    public static let rejected = Code("rejected")
    /// A file could not be read; ``ChangeError/cause`` is the `StorageError`.
    public static let storage = Code("storage")
    /// A compressed file is malformed, or ends in the middle.
    public static let compression = Code("compression")
    /// A file is in a format that is not read, such as Amazon Ion.
    public static let unsupportedFormat = Code("unsupportedFormat")
    /// A manifest of a table export is malformed.
    public static let manifest = Code("manifest")
    /// A file's bytes are not those of which a checksum was made, or its items not as many as its manifest says.
    public static let checksum = Code("checksum")
    /// A Parquet file cannot be read; ``ChangeError/cause`` is the `ParquetError`.
    public static let parquet = Code("parquet")
    /// The event that a function was called with is none that it answers.
    public static let event = Code("event")
    /// Under a path there is nothing to read.
    public static let nothingToRead = Code("nothingToRead")
    /// A column's type is none that changes can be written into.
    public static let unsupportedColumn = Code("unsupportedColumn")
    /// The schema lacks a column that it needs.
    public static let missingColumn = Code("missingColumn")
    /// A column has types in two inputs of which neither holds the other.
    public static let differentTypes = Code("differentTypes")
    /// A column's type does not hold less than the one that it is to have.
    public static let notWider = Code("notWider")
    /// The columns do not fit together; ``ChangeError/cause`` is the `ColumnError`.
    public static let columns = Code("columns")
    /// The caller's handler of rejected records threw.
    public static let handler = Code("handler")
    /// The task that reads was cancelled.
    public static let cancelled = Code("cancelled")
  }

  /// The kind.
  public let code: Code
  /// The path that it is about; nil where it is about none, or the record tells.
  public let path: String?
  /// The column that it is about; nil where it is about none.
  public let column: String?
  /// The record that was rejected; nil for other kinds.
  public let record: RejectedRecord?
  /// What went wrong and where, for people.
  public let message: String
  /// What a layer below threw; nil where this one found out.
  public let cause: (any Error)?

  init(
    _ code: Code, path: String? = nil, column: String? = nil, record: RejectedRecord? = nil,
    _ message: String, cause: (any Error)? = nil
  ) {
    self.code = code
    self.path = path
    self.column = column
    self.record = record
    self.message = message
    self.cause = cause
  }

  /// What went wrong and where.
  public var description: String { message }

  /// The error of a record at which reading is to stop.
  public static func rejected(_ record: RejectedRecord) -> ChangeError {
    ChangeError(.rejected, path: record.source, record: record, record.description)
  }

  /// The error of a handler of rejected records that failed.
  public static func handler(_ what: String, cause: (any Error)? = nil) -> ChangeError {
    ChangeError(.handler, what, cause: cause)
  }
}

extension ChangeError {
  static func storage(_ error: StorageError) -> ChangeError {
    ChangeError(.storage, path: error.path, error.description, cause: error)
  }

  static func compression(path: String, message: String) -> ChangeError {
    ChangeError(.compression, path: path, "\(path): \(message)")
  }

  static func ion(path: String) -> ChangeError {
    ChangeError(
      .unsupportedFormat, path: path,
      "\(path): it is Amazon Ion, which is not read; export the table as DynamoDB JSON")
  }

  static func parquetInMemory(path: String) -> ChangeError {
    ChangeError(
      .unsupportedFormat, path: path, "\(path): it is a Parquet file, which is read from a storage only")
  }

  static func manifest(path: String, _ what: String) -> ChangeError {
    ChangeError(.manifest, path: path, "\(path): \(what)")
  }

  static func checksum(path: String, _ what: String) -> ChangeError {
    ChangeError(.checksum, path: path, "\(path): \(what): it was damaged or replaced, fetch it again")
  }

  package static func event(_ what: String) -> ChangeError { ChangeError(.event, "the event: \(what)") }

  static func nothingToRead(path: String) -> ChangeError {
    ChangeError(
      .nothingToRead, path: path,
      "\(path): no file is there, but perhaps hidden ones and markers such as _SUCCESS")
  }

  static func unsupportedColumn(name: String, type: String) -> ChangeError {
    ChangeError(.unsupportedColumn, column: name, "column \(name): \(type) cannot be filled from JSON")
  }

  static func missingColumn(name: String) -> ChangeError {
    ChangeError(.missingColumn, column: name, "the schema has no column \(name)")
  }

  static func differentTypes(column: String, one: String, other: String) -> ChangeError {
    ChangeError(
      .differentTypes, column: column,
      "column \(column) is \(one) in one input and \(other) in another: "
        + "convert it, or write them one after the other")
  }

  static func notWider(column: String, found: String, wanted: String) -> ChangeError {
    ChangeError(
      .notWider, column: column,
      "column \(column) is \(found) in the input and is to be \(wanted): convert it")
  }

  static func columns(_ error: ColumnError) -> ChangeError {
    ChangeError(.columns, error.description, cause: error)
  }

  static var cancelled: ChangeError { ChangeError(.cancelled, "the reading was cancelled") }
}
