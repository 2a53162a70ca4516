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
  /// Own table options, `tarn.*`, as kept in the table's properties.
  public var own: OwnOptions = OwnOptions()
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
public struct OwnOptions: Sendable, Hashable {
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
  /// The buckets of each partition; nil for file groups that are found by what their files say of their keys.
  ///
  /// See <doc:BucketIndex>.
  public var buckets: Buckets?
  /// Whether the table says that it has no buckets, though all its file ids may look like buckets'.
  var deniesBuckets = false
  /// The compression of pages.
  public var compression = ParquetWriteOptions.Compression.zstd(level: 1)

  /// The defaults.
  public init() {}
}

/// How this process works on a table; none of it is kept in the table.
public struct TableSettings: Sendable {
  /// How many files are worked on at once.
  public var parallelism: Int
  /// Bytes of memory that a process may take while it writes, its batch among them.
  ///
  /// As many files are written at once as fit; one always is, so that a budget below what that takes is passed. Looking
  /// keys up, which takes little but in files without key index, is not counted.
  public var memory = 256 << 20
  /// The buckets of a table that does not say them, which other writers made; see <doc:BucketIndex>.
  ///
  /// For a table that says them, nil or the same.
  public var buckets: Buckets?
  /// Whether a write gives a column a type that holds more, where values of its batch need that; see
  /// ``Table/widen(_:)`` for which types become which.
  ///
  /// Otherwise a value that does not fit its column is an error.
  public var widensColumns = false
  /// Whether times in base files that are finer than microseconds are cut, by snapshots and by writes that change such
  /// files.
  ///
  /// They are an error otherwise. Only other writers than Hudi and Spark make such.
  public var cutsNanoseconds = false
  /// How long a write waits for other writers, in all.
  public var lockPatience: Duration = .seconds(60)
  /// How many small files are written at once; nil for as many as the storage likes.
  package var smallFilesAtOnce: Int?
  /// The clock: microseconds since 1970-01-01T00:00:00Z.
  public var now: @Sendable () -> Int64
  /// Randomness for file ids, and for the mark of an attempt.
  public var random: @Sendable () -> UInt64
  /// Told of what a user should know and need not act on.
  public var warn: @Sendable (String) -> Void = { _ in }

  /// The defaults: the system's clock and randomness, as many files at once as there are cores.
  public init() {
    parallelism = SystemWorld.coreCount
    now = { SystemWorld.microseconds() }
    random = {
      var generator = SystemRandomNumberGenerator()
      return generator.next()
    }
  }
}
