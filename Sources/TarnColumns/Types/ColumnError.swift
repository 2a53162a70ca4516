/// Why a column, or a batch of them, could not be made.
public struct ColumnError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `tooLarge`.
    public var description: String { name }

    /// The values of one column of a batch would pass 2 GiB: use smaller batches.
    public static let tooLarge = Code("tooLarge")
    /// The parts of a column, or the columns of a batch, do not fit together.
    public static let malformed = Code("malformed")
    /// A column has another type than expected.
    public static let typeMismatch = Code("typeMismatch")
    /// A row of a batch cannot be stored.
    public static let refused = Code("refused")
  }

  /// The kind.
  public let code: Code
  /// The position of the row that it is about; nil where it is about none.
  public let row: Int?
  /// What went wrong and what to do, for people.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, row: Int? = nil, _ message: String) {
    self.code = code
    self.row = row
    self.message = message
  }

  /// The row, where it is about one, and the message.
  public var description: String { row.map { "row \($0) of the batch: \(message)" } ?? message }
}

extension ColumnError {
  @usableFromInline package static var tooLarge: ColumnError {
    ColumnError(.tooLarge, "a column of one batch would pass 2 GiB; use smaller batches")
  }

  @usableFromInline package static func malformed(_ what: String) -> ColumnError {
    ColumnError(.malformed, what)
  }

  @usableFromInline package static func typeMismatch(expected: String, found: String) -> ColumnError {
    ColumnError(.typeMismatch, "\(found) where \(expected) was expected")
  }

  package static func refused(row: Int, reason: String) -> ColumnError {
    ColumnError(.refused, row: row, reason)
  }
}
