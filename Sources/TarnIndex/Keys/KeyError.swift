import TarnColumns

/// Why keys and partition paths cannot be made, or read back.
package struct KeyError: Error, Sendable, CustomStringConvertible {
  /// The kinds that a caller handles differently.
  package enum Code: Sendable {
    /// The table's properties and its schema contradict each other.
    case damaged
    /// The table makes its keys in a way that Tarn does not have.
    case unsupported
    /// The rows lack a column that keys need.
    case mismatch
    /// A row has no key, or no partition, that can be stored.
    case badRow
  }

  /// The kind.
  package let code: Code
  /// What is wrong, and what to do.
  package let message: String

  /// What was thrown below; nil where this room found the fault.
  package let cause: (any Error)?

  /// Makes an error.
  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// Carries an error of columns up.
  package init(_ error: ColumnError) { self.init(.badRow, error.description, cause: error) }

  /// The message.
  package var description: String { message }
}
