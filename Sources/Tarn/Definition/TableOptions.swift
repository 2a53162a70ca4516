import TarnColumns
import TarnParquet

/// Choices made when a table is created, which stay with it.
public struct TableOptions: Sendable {
  /// The table's name; nil for the last component of its place, with odd characters as `_`.
  public var name: String?
  /// Whether partition folders are called `column=value`.
  public var hiveStylePartitions = true
  /// Whether characters that a path cannot hold are percent-encoded in partition folders.
  public var encodesPartitionPaths = true
  /// Whether Hudi's five meta columns are filled: each row's commit, its key as text, its partition path and its file.
  ///
  /// Without them files are smaller, since the key is stored once, and have no Bloom filters; ``Table/changes(since:until:)``
  /// cannot tell which rows a commit wrote, and Spark must be told `hoodie.index.type=SIMPLE` to upsert. It cannot be
  /// changed later. Hudi calls it `hoodie.populate.meta.fields`.
  public var populatesMetaColumns = true
  /// How the Bloom filter of each base file is sized.
  public var bloomFilter = BloomFilterChoice.perFile
  /// Tarn's own options, `tarn.*`, as kept in the table's properties.
  public var tarn = TarnOptions()
  /// Which names of records own columns that are called otherwise.
  public var columnOwners = ColumnOwners()

  /// The defaults.
  public init() {}
}

/// How the Bloom filter of a base file is sized.
public enum BloomFilterChoice: String, Sendable, Hashable {
  /// For the file's rows, at least 10,000, with one false positive in a thousand.
  case perFile = "file"
  /// Hudi's own: 60,000 rows at one in a billion, 431 kB in every file.
  case hudi
}

/// Tarn's own table options, `tarn.*` keys of `hoodie.properties`, which other engines leave alone.
public struct TarnOptions: Sendable, Hashable {
  /// A file below this size takes inserts before a new one is opened, in bytes.
  public var smallFileLimit = 100 << 20
  /// The size at which a new file ends, in bytes.
  public var targetFileSize = 120 << 20
  /// The encoded size at which a row group ends, in bytes.
  public var rowGroupSize = 32 << 20
  /// The most rows of a page.
  public var pageRows = 4_096
  /// Whether each base file carries an index of its record keys; see <doc:KeyIndex>.
  public var hasKeyIndex = true
  /// How long a deletion is remembered, in hours; 0 for not at all.
  ///
  /// See <doc:OrderingAndDuplicates>.
  public var tombstoneRetentionHours = 7 * 24
  /// Columns that decide, one behind the other, where rows of one key are equal in the ordering column, which a table
  /// with them must have.
  ///
  /// Every writer of Tarn's heeds them. Other engines see the ordering column alone. See <doc:OrderingAndDuplicates>.
  public var tieBreakers: [String] = []
  /// What a clean keeps.
  public var retention = Retention.commits(10)
  /// Whether a commit is followed by a clean where one is due.
  public var cleansAutomatically = true
  /// How many commits an archive leaves on the timeline at least; where ``retention`` counts commits, two more than those.
  public var keptCommits = 12
  /// How many actions of all kinds may be on the timeline before a commit is followed by an archive; nil for no archive but
  /// those that are asked for.
  ///
  /// Where more commits are kept than the usual 12, two more actions each.
  public var mostActions: Int? = 30
  /// How many small files, those below ``smallFileLimit``, a partition may have before a commit that writes there is followed
  /// by a clustering of them; nil for no clustering but those that are asked for.
  ///
  /// One clustering takes as many of them as make four full files, so that no commit waits for long. A table with a bucket
  /// index has none.
  public var mostSmallFiles: Int?
  /// The buckets of each partition; nil for file groups that are found by what their files say of their keys.
  ///
  /// See <doc:BucketIndex>.
  public var buckets: Buckets?
  /// Whether the table says that it has no buckets, though all its file ids may look like buckets'.
  var deniesBuckets = false
  /// The compression of pages.
  public var compression = ParquetWriteOptions.Compression.zstd(level: 1)
  /// The size from which on a file is not packed with others, in bytes.
  var fullFileSize: Int { min(smallFileLimit, targetFileSize) }

  /// The defaults.
  public init() {}
}
