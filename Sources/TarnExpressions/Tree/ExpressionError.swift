/// Why an expression cannot be parsed, or does not fit the columns it is evaluated over.
public struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `syntax`.
    public var description: String { name }

    /// The text does not read as an expression.
    public static let syntax = Code("syntax")
    /// A column is not there.
    public static let noColumn = Code("noColumn")
    /// A value does not fit its column, or the column's values cannot be compared.
    public static let typeMismatch = Code("typeMismatch")
    /// The parts of the expression do not make what is asked for, such as a condition.
    public static let unsupported = Code("unsupported")
    /// The texts of a list take more memory than a column may.
    public static let tooLarge = Code("tooLarge")
  }

  /// The kind.
  public let code: Code
  /// What is wrong, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
