import TarnStorage

/// What was written.
public struct WrittenParquetFile: Sendable {
  /// The file's size in bytes.
  public let size: Int
  /// Number of rows.
  public let rowCount: Int
  /// Number of row groups.
  public let rowGroupCount: Int
  /// Number of data pages.
  public let pageCount: Int
  /// Bytes that the pages of all columns take, with their headers.
  public let encodedBytes: Int
  /// The tag that the storage gave the file.
  public let tag: ObjectTag
}
