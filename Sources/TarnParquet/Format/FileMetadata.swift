/// The structures of a Parquet footer, as `parquet.thrift` lays them down; what is not used is left out.
struct FileMetadata: Sendable {
  var version = 1
  var schema: [SchemaElement] = []
  var rowCount = 0
  var groups: [RowGroupMetadata] = []
  var keyValues: [ParquetKeyValue] = []
  var createdBy: String?
  var isEncrypted = false
}

/// A node of the schema's tree, which is stored depth first.
struct SchemaElement: Sendable {
  var physical: PhysicalType?
  var byteLength: Int?
  var repetition: Repetition?
  var name = ""
  var childCount: Int?
  var converted: ConvertedType?
  var scale: Int?
  var precision: Int?
  var fieldID: Int?
  var logical: LogicalType?
}

/// Some rows, as a chunk a column.
struct RowGroupMetadata: Sendable {
  var columns: [ChunkMetadata] = []
  var byteCount = 0
  var rowCount = 0
  var fileOffset: Int?
  var compressedByteCount: Int?
  var ordinal: Int?
}

/// The pages of one column in one row group.
struct ChunkMetadata: Sendable {
  var filePath: String?
  var isEncrypted = false
  var physical = PhysicalType.boolean
  var encodings: [Encoding] = []
  var path: [String] = []
  var codec = Codec.uncompressed
  var valueCount = 0
  var uncompressedSize = 0
  var compressedSize = 0
  var dataPageOffset = 0
  var dictionaryPageOffset: Int?
  var statistics: ChunkStatistics?
  var encodingStatistics: [PageEncodingCount] = []
  /// Where the page index of the chunk lies in the file, if it has one.
  var offsetIndex: Range<Int>?
  var columnIndex: Range<Int>?
  /// Where the Bloom filter begins in the file, and how long it is with its header, where that is told.
  var bloomFilterOffset: Int?
  var bloomFilterSize: Int?

  /// Where the chunk begins; some writers give zero for the offset of a dictionary that is not there, or of data
  /// pages where there is no more than a dictionary.
  var start: Int {
    guard let dictionary = dictionaryPageOffset, dictionary > 0,
      dataPageOffset <= 0 || dictionary < dataPageOffset
    else {
      return dataPageOffset
    }
    return dictionary
  }
}

/// How many pages of a kind have an encoding.
struct PageEncodingCount: Sendable {
  var page = PageType.data
  var encoding = Encoding.plain
  var count = 0
}

/// Bounds of a chunk's values, each as PLAIN encodes it, strings without their length.
struct ChunkStatistics: Sendable {
  /// Bounds in an order that the format did not define; for numbers it was the signed one.
  var legacyMaximum: [UInt8]?
  var legacyMinimum: [UInt8]?
  var nullCount: Int?
  var maximum: [UInt8]?
  var minimum: [UInt8]?
  var isMaximumExact: Bool?
  var isMinimumExact: Bool?
}

/// What precedes a page's bytes.
struct PageHeader: Sendable {
  var type = PageType.data
  var uncompressedSize = 0
  var compressedSize = 0
  var checksum: UInt32?
  var valueCount = 0
  var encoding = Encoding.plain
  var definitionEncoding = Encoding.rle
  var repetitionEncoding = Encoding.rle
  /// Only in pages of version 2.
  var nullCount = 0
  var rowCount: Int?
  var definitionByteCount = 0
  var repetitionByteCount = 0
  var isCompressed = true
  /// Only in data pages, and only of some writers.
  var statistics: ChunkStatistics?
}
