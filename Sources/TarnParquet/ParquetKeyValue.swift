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
