/// How a Parquet file is written.
public struct ParquetWriteOptions: Sendable, Hashable {
  /// How pages are compressed.
  public enum Compression: Sendable, Hashable {
    case uncompressed
    case snappy
    case gzip(level: Int)
    case zstd(level: Int)
  }

  /// How a column's values are encoded, where that is not left to the data.
  public enum EncodingChoice: Sendable, Hashable {
    /// A dictionary where it pays, else what is smallest.
    case automatic
    /// PLAIN.
    case plain
    /// A dictionary until it is too large, whether it pays or not.
    case dictionary
    /// DELTA_BINARY_PACKED for integers, dates and timestamps, DELTA_LENGTH_BYTE_ARRAY for strings and
    /// binary; PLAIN for other types.
    case delta
  }

  /// How pages are compressed.
  public var compression: Compression
  /// Encoded bytes at which a row group ends; the memory a writer takes grows with it.
  public var rowGroupBytes: Int
  /// Rows at which a row group ends, however few bytes they take, so that it can be read at once.
  public var rowGroupRows: Int
  /// Rows of a page; pages of all columns begin at the same rows, save where a page of long values is split.
  ///
  /// In a file of more than 512 columns they are fewer.
  public var pageRows: Int
  /// The name of the schema's root.
  public var messageName: String
  /// The program that writes; parquet-mr wants the form `name version 1.2.3 (build x)`.
  ///
  /// By the name that is usual, Tarn knows its own files: in those of others it looks at numbers for NaN before it
  /// takes pages over.
  public var createdBy: String
  /// Encodings of columns by their path, such as `trades.list.element.price`; others are automatic.
  public var encodings: [String: EncodingChoice]
  /// Whether each page has a checksum of its stored bytes, by which damage is found.
  public var writesChecksums: Bool
  /// Whether the file tells where each page lies and what bounds its values, so that readers can skip pages.
  public var writesPageIndex: Bool
  /// Paths of the columns that get a split-block Bloom filter a row group; booleans have none.
  public var bloomFilterColumns: Set<String>
  /// How often a Bloom filter may wrongly say that a value is there.
  public var bloomFilterFalsePositiveRate: Double
  /// The most columns that are encoded at a time.
  public var parallelism: Int
  /// Encoded bytes of the first row groups where they grow with the file, each to a tenth of what lies before it, up to
  /// ``rowGroupBytes``; nil for all alike.
  ///
  /// What was written last is what most changes touch, and it lies in few bytes then.
  package var leastRowGroupBytes: Int?
  /// Positions of columns whose chunks of all row groups lie together before the footer, so that what lies between two
  /// changes stays in one piece though these change.
  package var lateColumns: Set<Int> = []

  /// Makes options.
  public init(
    compression: Compression = .zstd(level: 1), rowGroupBytes: Int = 32 << 20, rowGroupRows: Int = 1 << 20,
    pageRows: Int = 4_096, messageName: String = "schema",
    createdBy: String = WriterName.current, encodings: [String: EncodingChoice] = [:],
    writesChecksums: Bool = true, writesPageIndex: Bool = true, bloomFilterColumns: Set<String> = [],
    bloomFilterFalsePositiveRate: Double = 0.01, parallelism: Int = 2
  ) {
    self.compression = compression
    self.rowGroupBytes = max(rowGroupBytes, 1)
    self.rowGroupRows = max(rowGroupRows, 1)
    self.pageRows = max(pageRows, 1)
    self.messageName = messageName
    self.createdBy = createdBy
    self.encodings = encodings
    self.writesChecksums = writesChecksums
    self.writesPageIndex = writesPageIndex
    self.bloomFilterColumns = bloomFilterColumns
    self.bloomFilterFalsePositiveRate = bloomFilterFalsePositiveRate
    self.parallelism = max(parallelism, 1)
  }

  /// Values of all columns together that wait for a page to be full, at most.
  private static let pageValues = 1 << 21
  /// Rows below which pages are hardly worth their headers.
  private static let leastPageRows = 64

  /// Rows of a page in a file of so many columns: ``pageRows``, or a half of it, or a half of that and so on where
  /// the pages of all columns would be more than are held at once.
  package static func pageRows(_ rows: Int, columns: Int) -> Int {
    var rows = rows
    while rows / 2 >= leastPageRows, rows > pageValues / max(columns, 1) { rows /= 2 }
    return rows
  }

  /// Encoded bytes at which a row group ends that has so many bytes of the file before it.
  package func rowGroupBytes(behind position: Int) -> Int {
    guard let leastRowGroupBytes else { return rowGroupBytes }
    return min(max(position / 10, leastRowGroupBytes), rowGroupBytes)
  }

  var codec: Codec {
    switch compression {
    case .uncompressed: .uncompressed
    case .snappy: .snappy
    case .gzip: .gzip
    case .zstd: .zstd
    }
  }
}
