/// How a Parquet file is written.
public struct ParquetWriteOptions: Sendable, Hashable {
  /// How pages are compressed.
  public enum Compression: Sendable, Hashable {
    case uncompressed
    case gzip(level: Int)
    case zstd(level: Int)
  }

  /// How pages are compressed.
  public var compression: Compression
  /// Encoded bytes at which a row group ends; the memory a writer takes grows with it.
  public var rowGroupBytes: Int
  /// Rows at which a row group ends, however few bytes they take, so that it can be read at once.
  public var rowGroupRows: Int
  /// Rows of a page; pages of all columns begin at the same rows, save where a page of strings is split.
  public var pageRows: Int
  /// The name of the schema's root.
  public var messageName: String
  /// The program that writes; parquet-mr wants the form `name version 1.2.3 (build x)`.
  public var createdBy: String

  /// Makes options.
  public init(
    compression: Compression = .zstd(level: 1), rowGroupBytes: Int = 32 << 20, rowGroupRows: Int = 1 << 20,
    pageRows: Int = 4_096, messageName: String = "schema",
    createdBy: String = "tarn version 0.1.0 (build 1)"
  ) {
    self.compression = compression
    self.rowGroupBytes = max(rowGroupBytes, 1)
    self.rowGroupRows = max(rowGroupRows, 1)
    self.pageRows = max(pageRows, 1)
    self.messageName = messageName
    self.createdBy = createdBy
  }

  var codec: Codec {
    switch compression {
    case .uncompressed: .uncompressed
    case .gzip: .gzip
    case .zstd: .zstd
    }
  }
}
