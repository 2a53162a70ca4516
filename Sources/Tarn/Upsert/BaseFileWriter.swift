import TarnAvro
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// What every file of one commit shares.
struct CommitContext: Sendable {
  let storage: any Storage
  /// The attempt that the files belong to.
  let attempt: CommitAttempt
  /// The table's data columns as of this commit.
  let schema: Schema
  /// The Avro schema with meta columns, for footers.
  let footerSchema: String
  let tableName: String
  let options: OwnOptions
  let bloom: BloomFilterChoice
  var batch: PreparedBatch
  /// Whether the meta columns are filled, and files have Bloom filters of their keys.
  let populatesMetaColumns: Bool
  /// Where the keys of stored rows are.
  let storedKeys: StoredKeys
  /// The one column that makes the record key; nil where there are several.
  let keyColumn: String?
  /// The budget of memory, in bytes.
  let memory: Int
  /// The commit's time, in milliseconds since 1970-01-01T00:00:00Z.
  let time: Int64
  /// Rows to insert whose keys were deleted before.
  let revived: Set<Int32>

  var instant: Instant { attempt.instant }

  /// Data columns behind the five meta columns.
  var fileSchema: Schema { MetaColumns.added(to: schema) }

  /// About how many bytes of rows are gathered at once while writing, save where one row takes more.
  static let stepBytes = 8 << 20
  /// The most rows that are gathered at once.
  static let stepRows = 32_768

  /// The first of some rows of a batch that are gathered at once.
  static func step(_ rows: ArraySlice<Int32>, of batch: RecordBatch, most: Int = stepRows) -> [Int32] {
    let some = rows.prefix(most)
    return Array(some.prefix(batch.count(of: some, atMost: stepBytes)))
  }

  /// Rows at which a row group ends, however few bytes they take: a merge holds one row group in memory.
  static let rowGroupRows = 1 << 17

  /// Rows of a page.
  var pageRows: Int {
    ParquetWriteOptions.pageRows(options.pageRows, columns: schema.fields.count + MetaColumns.all.count)
  }

  /// How base files are written.
  var parquetOptions: ParquetWriteOptions {
    let table = AvroSchema.sanitized(tableName)
    return ParquetWriteOptions(
      compression: options.compression, rowGroupBytes: options.rowGroupSize, rowGroupRows: Self.rowGroupRows,
      pageRows: pageRows, messageName: "hoodie.\(table).\(table)_record")
  }

  /// What the footer of a base file says besides its columns.
  ///
  /// Where there are dates or times, also that they are those of Spark 3, which counts days before 1582 as Tarn does:
  /// Spark otherwise fails on dates before 1582-10-15 and times before 1900. Source: Spark's `DataSourceUtils`
  /// (`datetimeRebaseSpec`), tried with Spark 3.5.
  ///
  /// Without meta columns there is no Bloom filter, as in Hudi's own files; their key range is Tarn's.
  func footerPairs(
    range: (least: String, greatest: String)?, filter: (text: String, kind: BloomFilter.Kind)?
  ) -> [ParquetKeyValue] {
    var pairs = [
      ParquetKeyValue("parquet.avro.schema", footerSchema), ParquetKeyValue("writer.model.name", "avro"),
    ]
    if schema.fields.contains(where: \.type.isDateOrTimestamp) {
      pairs.append(ParquetKeyValue(SparkCalendar.versionKey, SparkCalendar.version))
    }
    if let range {
      pairs.append(ParquetKeyValue(KeyRange.leastKey, range.least))
      pairs.append(ParquetKeyValue(KeyRange.greatestKey, range.greatest))
    }
    if let filter {
      pairs.append(ParquetKeyValue(BloomFilter.kindFooterKey, filter.kind.rawValue))
      pairs.append(ParquetKeyValue(BloomFilter.footerKey, filter.text))
    }
    return pairs
  }

  /// What the footer says of a key index.
  static func footerPairs(_ reference: KeyIndexReference, tombstones: Int) -> [ParquetKeyValue] {
    let index = ParquetKeyValue(KeyIndexReference.footerKey, reference.footerText)
    guard tombstones > 0 else { return [index] }
    return [index, ParquetKeyValue(KeyIndexReference.tombstonesFooterKey, "\(tombstones)")]
  }
}

/// Writes one base file: meta columns, key range, Bloom filter and footer as Hudi's writers leave them.
///
/// Source: format-tables 5 and 6.
struct BaseFileWriter: ~Copyable {
  let context: CommitContext
  let name: BaseFileName
  private var fresh: FreshRows
  private var parquet: ParquetWriter
  private var keys = KeyCollector()

  /// Begins a file.
  ///
  /// - Parameter firstSequence: The number of its first fresh row, behind those of this writer's other files.
  init(
    _ context: CommitContext, partitionPath: String, name: BaseFileName, taskNumber: Int,
    firstSequence: Int = 0, to target: any ObjectWriter
  ) throws {
    self.context = context
    self.name = name
    fresh = FreshRows(
      context, partitionPath: partitionPath, fileName: name.name, taskNumber: taskNumber,
      firstSequence: firstSequence)
    parquet = try ParquetWriter(
      schema: context.fileSchema, to: target, path: TablePaths.join(partitionPath, name.name),
      options: context.parquetOptions)
  }

  /// The number of the next fresh row.
  var sequence: Int { fresh.sequence }

  /// Rows so far.
  var rowCount: Int { parquet.rowCount }

  /// About how large the file is so far, in bytes.
  var encodedBytes: Int { parquet.encodedBytes }

  /// About how many bytes of rows are held until their row group ends.
  var heldBytes: Int { parquet.heldBytes }

  /// Ends the row group at hand, so that its rows are held no longer.
  mutating func endRowGroup() async throws { try await parquet.endRowGroup() }

  /// Appends rows of the batch, with fresh meta columns.
  mutating func append(incoming rows: [Int32]) async throws {
    try await append(incoming: rows, of: KeyedRows(context.batch))
  }

  /// Appends rows, with fresh meta columns.
  mutating func append(incoming rows: [Int32], of source: KeyedRows) async throws {
    let batch = try fresh.batch(rows, of: source)
    let hashes = rows.lazy.map { source.hashes[Int($0)] }
    if context.populatesMetaColumns, let strings = batch.columns[FileColumns.recordKey].strings {
      // They are not copied once more.
      keys.add(strings, hashes: hashes)
    } else {
      var strings = ByteStrings()
      try strings.append(source.keys, rows: rows.span)
      keys.add(strings, hashes: hashes)
    }
    try await parquet.append(batch)
  }

  /// Appends rows of the file's last version: runs of stored ones, and others in the places of those they replace.
  mutating func append(stored: RecordBatch, _ runs: [MergeRun], of source: KeyedRows) async throws {
    let incoming = runs.flatMap { run in if case .incoming(let rows) = run { rows } else { [Int32]() } }
    let meta = try fresh.metaColumns(of: incoming, source.keys)
    let data = source.rows
    var columns: [Column] = []
    for (index, field) in context.fileSchema.fields.enumerated() {
      var builder = ColumnBuilder(field.type)
      var used = 0
      for run in runs {
        switch run {
        case .stored(let range): try builder.append(stored.columns[index], range)
        case .incoming(let rows):
          if index < MetaColumns.all.count {
            try builder.append(meta[index], used..<used + rows.count)
          } else {
            try builder.append(data.columns[index - MetaColumns.all.count], rows: rows)
          }
          used += rows.count
        }
      }
      columns.append(builder.finish())
    }
    let count = columns.first?.count ?? 0
    // A stored row's file name is always that of the file it is in.
    columns[FileColumns.fileName] = try fresh.fileNames(count)
    let batch = try RecordBatch(schema: context.fileSchema, columns: columns, count: count)
    keys.add(try context.storedKeys.keys(of: batch))
    try await parquet.append(batch)
  }

  /// Ends the file and makes it appear.
  ///
  /// - Parameter tombstones: Those that its key index is to keep.
  consuming func finish(tombstones: [KeyTombstone] = []) async throws -> WrittenParquetFile {
    try await parquet.endRowGroup()
    let filter = context.populatesMetaColumns ? keys.filter(context.bloom) : nil
    var pairs = context.footerPairs(
      range: keys.range, filter: filter.map { (text: $0.encoded(), kind: $0.kind) })
    if context.options.hasKeyIndex {
      let image = keys.index(slotRows: parquet.slotRows, tombstones)
      let place = try await parquet.writeOpaque(image.bytes)
      let reference = image.reference(at: place.lowerBound)
      pairs += CommitContext.footerPairs(reference, tombstones: image.tombstoneCount)
    }
    return try await parquet.finish(keyValues: pairs)
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

/// A run of rows of a merged row group.
enum MergeRun: Sendable {
  /// Stored rows that stay, by their positions in the batch at hand.
  case stored(Range<Int>)
  /// Rows that come in.
  case incoming([Int32])
}

/// Collects a file's keys, in the order of its rows, for its key range, Bloom filter and index.
struct KeyCollector {
  private var parts: [ByteStrings] = []
  /// The hash of each key, as an index has it.
  private var hashes: [UInt32] = []

  mutating func add(_ keys: ByteStrings) {
    add(keys, hashes: (0..<keys.count).lazy.map { keys.hash($0) })
  }

  /// Adds keys whose hashes are known.
  mutating func add(_ keys: ByteStrings, hashes new: some Collection<UInt64>) {
    guard keys.count > 0 else { return }
    parts.append(keys)
    for hash in new { hashes.append(KeyIndex.shortened(hash)) }
  }

  /// The least and the greatest key, in the order of Java's strings.
  var range: (least: String, greatest: String)? {
    guard let first = parts.first else { return nil }
    var least = (keys: first, row: 0)
    var greatest = least
    for keys in parts {
      for row in 0..<keys.count {
        if JavaStringOrder.precedes(keys[row], least.keys[least.row]) { least = (keys, row) }
        if JavaStringOrder.precedes(greatest.keys[greatest.row], keys[row]) { greatest = (keys, row) }
      }
    }
    return (least.keys.string(least.row), greatest.keys.string(greatest.row))
  }

  func filter(_ choice: BloomFilterChoice) -> BloomFilter {
    var filter = BloomFilter(sizing: choice == .hudi ? .hudi : .perFile(rows: hashes.count))
    for keys in parts { filter.insert(keys) }
    return filter
  }

  /// The index of the keys, which lie in slots of so many rows.
  func index(slotRows: [Int], _ tombstones: [KeyTombstone]) -> KeyIndexImage {
    var builder = KeyIndexBuilder()
    builder.reserve(keys: hashes.count)
    var rest = slotRows[...]
    var left = 0
    var slot: Int32 = -1
    for hash in hashes {
      while left == 0, let rows = rest.popFirst() {
        slot = builder.beginSlot(rows: rows)
        left = rows
      }
      builder.add(hash: hash, slot: slot)
      left -= 1
    }
    for tombstone in tombstones { builder.add(tombstone) }
    return builder.finish()
  }
}

/// The order of `java.lang.String`, UTF-16 unit by unit, on UTF-8 bytes.
enum JavaStringOrder {
  static func precedes(_ left: RawSpan, _ right: RawSpan) -> Bool {
    left.withUnsafeBytes { a in
      right.withUnsafeBytes { b in
        let common = min(a.count, b.count)
        var index = 0
        while index < common, a[index] == b[index] { index += 1 }
        guard index < common else { return a.count < b.count }
        return weight(a[index]) < weight(b[index])
      }
    }
  }

  /// Surrogates, which begin four-byte sequences in UTF-8, come before U+E000 and what follows it.
  private static func weight(_ byte: UInt8) -> Int {
    byte == 0xee || byte == 0xef ? Int(byte) + 0x10 : Int(byte)
  }
}
