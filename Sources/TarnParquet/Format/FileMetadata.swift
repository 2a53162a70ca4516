/// The structures of a Parquet footer, as `parquet.thrift` lays them down; what is not used is left out.
struct FileMetadata: Sendable {
  var version = 1
  var schema: [SchemaElement] = []
  var rowCount = 0
  var groups: [RowGroupMetadata] = []
  var keyValues: [ParquetKeyValue] = []
  var createdBy: String?
  /// For each chunk of a row group, whether bounds follow the order that the format defines for the column's type;
  /// nil where the file says nothing, which leaves bounds without a meaning.
  var hasOrderOfType: [Bool]?

  /// Whether chunks are longer than they say, by the header of their dictionary page: parquet-mr before 1.2.9 left it
  /// out (PARQUET-816).
  var lacksDictionaryHeaders: Bool {
    let words = (createdBy ?? "").split(separator: " ")
    guard words.first == "parquet-mr" else { return false }
    // The oldest files do not tell the version.
    guard words.count > 2, words[1] == "version" else { return words.count == 1 }
    let numbers = words[2].prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
    return !numbers.isEmpty && numbers.lexicographicallyPrecedes([1, 2, 9])
  }
}

extension FileMetadata {
  /// The rows of all groups, once they and all sizes and counts of chunks are known to add up without an overflow.
  func countedRows() throws(FormatError) -> Int {
    var rows = 0
    var totals = (stored: 0, plain: 0, values: 0)
    var overflows = false
    func add(_ number: Int, to total: inout Int) {
      let (sum, overflow) = total.addingReportingOverflow(number)
      overflows = overflows || overflow || number < 0
      total = sum
    }
    for group in groups {
      add(group.rowCount, to: &rows)
      for chunk in group.columns {
        add(chunk.compressedSize, to: &totals.stored)
        add(chunk.uncompressedSize, to: &totals.plain)
        add(chunk.valueCount, to: &totals.values)
      }
    }
    guard !overflows else { throw .malformed("the row groups hold more rows or bytes than can be counted") }
    return rows
  }

  /// The most bytes of a dictionary page's header in files that leave it out of a chunk's size.
  private static let greatestSlack = 100

  /// Lets chunks go on behind the size that they declare, up to where the pages of the file end.
  mutating func addSlack(upTo end: Int) {
    for group in groups.indices {
      for column in groups[group].columns.indices {
        let chunk = groups[group].columns[column]
        let (declared, overflow) = chunk.start.addingReportingOverflow(chunk.compressedSize)
        guard !overflow, declared < end else { continue }
        groups[group].columns[column].slack = min(Self.greatestSlack, end - declared)
      }
    }
  }
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
  /// Bytes that may belong to the chunk beyond the size that it declares; see ``FileMetadata/lacksDictionaryHeaders``.
  var slack = 0

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

extension ChunkMetadata {
  /// Why a chunk cannot be read, as far as the footer tells; nil where it can.
  var unreadable: String? {
    if isEncrypted { return "it is encrypted" }
    if filePath != nil { return "it lies in another file" }
    guard [.uncompressed, .snappy, .gzip, .zstd, .lz4, .lz4Raw].contains(codec) else {
      return "codec \(codec.name) is not supported: write the file with another"
    }
    guard let encoding = encodings.first(where: { !$0.isKnown }) else { return nil }
    return "encoding \(encoding.name) is not supported: write the file with another"
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
  var encoding = Encoding.none
  var definitionEncoding = Encoding.rle
  var repetitionEncoding = Encoding.rle
  /// Only in pages of version 2; what is known of nulls, the levels tell.
  var nullCount: Int?
  var rowCount: Int?
  var definitionByteCount = 0
  var repetitionByteCount = 0
  var isCompressed = true
  /// Only in data pages, and only of some writers.
  var statistics: ChunkStatistics?
}
