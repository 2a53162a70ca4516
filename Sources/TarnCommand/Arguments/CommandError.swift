import Tarn

/// A failure with its one line.
struct CommandError: Error, CustomStringConvertible {
  let description: String
  /// The kind, where a table was what failed.
  let code: TableError.Code?

  init(_ description: String, _ code: TableError.Code? = nil) {
    self.description = description
    self.code = code
  }
}
