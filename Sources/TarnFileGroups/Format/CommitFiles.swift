import TarnAvro
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTimeline

/// What a commit puts into its files: its instant, and its time.
package struct CommitStamp: Sendable {
  /// The commit's instant.
  package let instant: Instant
  /// The commit's time, in milliseconds since 1970-01-01T00:00:00Z.
  package let time: Int64
  /// Tombstones of before this time have expired, in milliseconds since 1970-01-01T00:00:00Z.
  package let tombstoneExpiry: Int64

  /// Makes the stamp of a commit.
  package init(_ instant: Instant, time: Int64, tombstoneExpiry: Int64) {
    self.instant = instant
    self.time = time
    self.tombstoneExpiry = tombstoneExpiry
  }
}

/// What writes the base files of one commit: how they are made, what they carry, where they go.
package struct CommitFiles: Sendable {
  /// How the files are made.
  package let format: BaseFileFormat
  /// What they carry.
  package let stamp: CommitStamp
  /// Their names, which stand on the disk before the files do.
  package let markers: CommitMarkers
  /// Tells, just before a file appears, whether the attempt was rolled back by another.
  let standing: AttemptStanding
  /// What reads the versions before, and whose storage takes the files.
  package let reader: BaseFileReader
  /// The budget of memory, in bytes.
  package let memory: Int
  /// The Avro schema with meta columns, for footers.
  let avroSchema: String

  /// Makes what writes a commit's files.
  package init(
    _ format: BaseFileFormat, _ stamp: CommitStamp, _ markers: CommitMarkers,
    _ standing: AttemptStanding, _ reader: BaseFileReader, memory: Int
  ) {
    self.format = format
    self.stamp = stamp
    self.markers = markers
    self.standing = standing
    self.reader = reader
    self.memory = memory
    avroSchema = AvroSchema.text(of: format.schema, table: format.table, withMetaColumns: true)
  }

  /// Where the files go.
  package var storage: any Storage { reader.storage }

  /// Ends a file, and makes it appear if nobody took the attempt for a dead writer's.
  ///
  /// Where requests overlap, that is looked at while the rest of the file is on its way.
  func finish(
    _ writer: consuming ParquetWriter, _ pairs: [ParquetKeyValue]
  ) async throws -> WrittenParquetFile {
    var writer = writer
    guard storage.costs.overlaps else {
      try await standing.check()
      return try await writer.finish(keyValues: pairs)
    }
    async let stands: Void = standing.check()
    try await writer.end(keyValues: pairs)
    try await stands
    return try await writer.appear()
  }

  /// About how many bytes of rows are gathered at once while writing, save where one row takes more.
  static let stepBytes = 8 << 20
  /// The most rows that are gathered at once.
  static let stepRows = 32_768

  /// The first of some rows of a batch that are gathered at once.
  static func step(_ rows: ArraySlice<Int32>, of batch: RecordBatch, most: Int = stepRows) -> [Int32] {
    let some = rows.prefix(most)
    return Array(some.prefix(batch.count(of: some, atMost: stepBytes)))
  }
}
