/// An entry of a file's key-value metadata.
public struct ParquetKeyValue: Sendable, Hashable {
  /// The key.
  public var key: String
  /// The value; empty where the file has none for the key.
  public var value: String

  /// Makes an entry.
  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }
}

/// Changes a value where it stands in a footer, so that a long one is not copied once more.
struct KeyValueEdit: Sendable {
  let key: String
  /// Gets the footer so far, and where the value begins, which goes to its end.
  let body: @Sendable (inout [UInt8], Int) -> Void
}
