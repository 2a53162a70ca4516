/// Why bytes could not be compressed or decompressed.
package struct CompressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  package enum Code: Sendable, Hashable {
    /// The input is not what the format says.
    case malformed
    /// The input ends in the middle.
    case truncated
    /// The input holds more or less than its surroundings declared.
    case sizeMismatch
    /// The library refused, for want of memory or for a bad level.
    case failed
  }

  /// The kind.
  package let code: Code
  /// What happened, for people.
  package let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// What happened, for people.
  package var description: String { message }

  static func sizeMismatch(_ codec: String, expected: Int, found: Int) -> CompressionError {
    CompressionError(.sizeMismatch, "\(codec) data holds \(found) bytes where \(expected) were declared")
  }
}
