import TarnAvro
import TarnColumns
import TarnIndex
import TarnParquet

/// How the Bloom filter of a base file is sized.
package enum BloomFilterSizing: Sendable {
  /// For the file's rows.
  case perFile
  /// As Hudi sizes it.
  case hudi
}

/// How large the parts of base files are.
package struct BaseFileSizes: Sendable {
  /// The size at which a new file ends, in bytes.
  package var file: Int
  /// The encoded size at which a row group ends, in bytes.
  package var rowGroup: Int
  /// The most rows of a page.
  package var pageRows: Int
  /// Whether the storage copies long ranges of files itself, so that files are laid out for that.
  package var areCopied: Bool

  /// Takes sizes.
  package init(file: Int, rowGroup: Int, pageRows: Int, areCopied: Bool = false) {
    self.file = file
    self.rowGroup = areCopied ? min(rowGroup, Self.greatestCopied) : rowGroup
    self.pageRows = pageRows
    self.areCopied = areCopied
  }

  /// Encoded bytes of the first and of the longest row groups of files of which ranges are copied.
  static let (leastCopied, greatestCopied) = (1 << 20, 8 << 20)
}

/// How a table's base files are written.
package struct BaseFileFormat: Sendable {
  /// The table's name.
  package let table: String
  /// The data columns.
  package let schema: Schema
  /// Where the keys of stored rows are, and whether the meta columns are filled.
  package let keys: StoredKeys
  /// The one column that makes the record key; nil where there are several.
  package let keyColumn: String?
  /// The types of the ordering column and of those that break ties; none where the table has no ordering column.
  package let ordering: [DataType]
  /// Whether each file has an index of its keys.
  package let hasKeyIndex: Bool
  /// The sizes of files and their parts.
  package let sizes: BaseFileSizes
  /// The compression of pages, and the sizing of Bloom filters.
  package let encoding: (compression: ParquetWriteOptions.Compression, bloom: BloomFilterSizing)

  /// Says how files are written.
  package init(
    table: String, schema: Schema, keys: StoredKeys, keyColumn: String?, ordering: [DataType],
    hasKeyIndex: Bool,
    sizes: BaseFileSizes, encoding: (compression: ParquetWriteOptions.Compression, bloom: BloomFilterSizing)
  ) {
    self.table = table
    self.schema = schema
    self.keys = keys
    self.keyColumn = keyColumn
    self.ordering = ordering
    self.hasKeyIndex = hasKeyIndex
    self.sizes = sizes
    self.encoding = encoding
  }

  /// Whether the meta columns are filled, and files have Bloom filters of their keys.
  package var fillsMetaColumns: Bool { !keys.areMade }

  /// Data columns behind the five meta columns.
  package var fileSchema: Schema { MetaColumns.added(to: schema) }

  /// Rows at which a row group ends, however few bytes they take: a splice holds one row group in memory.
  package static let rowGroupRows = 1 << 17

  /// Rows of a page.
  var pageRows: Int {
    ParquetWriteOptions.pageRows(sizes.pageRows, columns: schema.fields.count + MetaColumns.all.count)
  }

  /// How the Parquet files are written.
  var parquetOptions: ParquetWriteOptions {
    let table = AvroSchema.sanitized(table)
    var options = ParquetWriteOptions(
      compression: encoding.compression, rowGroupBytes: sizes.rowGroup, rowGroupRows: Self.rowGroupRows,
      pageRows: pageRows, messageName: "hoodie.\(table).\(table)_record")
    if sizes.areCopied {
      options.leastRowGroupBytes = min(BaseFileSizes.leastCopied, sizes.rowGroup)
      // Every version of a file has another name, and all that lies around the old one stays as it is.
      options.lateColumns = [FileColumns.fileName]
    }
    return options
  }
}

/// Where the meta columns that a writer needs stand in a file's schema.
enum FileColumns {
  static let commitTime = 0
  static let commitSequence = 1
  static let recordKey = 2
  static let partitionPath = 3
  static let fileName = 4
}
