/// Why a column could not be made.
public enum ColumnError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The values of one column of a batch would pass 2 GiB: use smaller batches.
  case tooLarge
  /// The parts of a column do not fit together.
  case malformed(String)
  /// A column has another type than expected.
  case typeMismatch(expected: String, found: String)
  /// A row of a batch cannot be stored.
  case refused(row: Int, reason: String)

  /// What went wrong and what to do.
  public var description: String {
    switch self {
    case .tooLarge: "a column of one batch would pass 2 GiB; use smaller batches"
    case .malformed(let what): what
    case .typeMismatch(let expected, let found): "\(found) where \(expected) was expected"
    case .refused(let row, let reason): "row \(row) of the batch: \(reason)"
    }
  }
}
