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
  let instant: Instant
  /// The table's data columns as of this commit.
  let schema: Schema
  /// The Avro schema with meta columns, for footers.
  let footerSchema: String
  let tableName: String
  let options: OwnOptions
  let bloom: BloomFilterChoice
  let batch: PreparedBatch

  /// Data columns behind the five meta columns.
  var fileSchema: Schema { MetaColumns.added(to: schema) }
}

/// Writes one base file: meta columns, key range, Bloom filter and footer as Hudi's writers leave them.
///
/// Source: format-tables 5 and 6.
struct BaseFileWriter: ~Copyable {
  let context: CommitContext
  let partitionPath: String
  let name: BaseFileName
  /// The number of this writer within the commit, which with the rows' own makes sequence numbers unique.
  let taskNumber: Int
  private var parquet: ParquetWriter
  /// The number of the next fresh row.
  private(set) var sequence: Int
  private var keys = KeyCollector()

  /// Rows at which a row group ends, however few bytes they take: a merge holds one row group in memory.
  private static let rowGroupRows = 1 << 17

  /// Begins a file.
  ///
  /// - Parameter firstSequence: The number of its first fresh row, behind those of this writer's other files.
  init(
    _ context: CommitContext, partitionPath: String, name: BaseFileName, taskNumber: Int,
    firstSequence: Int = 0, to target: any ObjectWriter
  ) throws {
    sequence = firstSequence
    self.context = context
    self.partitionPath = partitionPath
    self.name = name
    self.taskNumber = taskNumber
    let table = AvroSchema.sanitized(context.tableName)
    let options = ParquetWriteOptions(
      compression: context.options.compression, rowGroupBytes: context.options.rowGroupSize,
      rowGroupRows: Self.rowGroupRows,
      pageRows: context.options.pageRows, messageName: "hoodie.\(table).\(table)_record")
    parquet = try ParquetWriter(
      schema: context.fileSchema, to: target, path: TablePaths.join(partitionPath, name.name),
      options: options)
  }

  /// Rows so far.
  var rowCount: Int { parquet.rowCount }

  /// About how large the file is so far, in bytes.
  var encodedBytes: Int { parquet.encodedBytes }

  /// Appends rows of the batch, with fresh meta columns.
  mutating func append(incoming rows: [Int32]) async throws {
    let data = try context.batch.changes.rows.gather(rows)
    let keyColumn = try keyColumn(rows)
    if let strings = keyColumn.strings { keys.add(strings) }
    let columns = try freshMetaColumns(keyColumn, count: rows.count) + data.columns
    try await parquet.append(try RecordBatch(schema: context.fileSchema, columns: columns, count: rows.count))
  }

  /// Appends a row group of the file's last version: `kept` runs of stored rows, and rows of the batch
  /// in the places of those they replace.
  mutating func append(stored: RecordBatch, _ runs: [MergeRun]) async throws {
    let incoming = runs.flatMap { run in if case .incoming(let rows) = run { rows } else { [Int32]() } }
    let keyColumn = try keyColumn(incoming)
    let fresh = try freshMetaColumns(keyColumn, count: incoming.count)
    let data = context.batch.changes.rows
    var columns: [Column] = []
    for (index, field) in context.fileSchema.fields.enumerated() {
      var builder = ColumnBuilder(field.type)
      var used = 0
      for run in runs {
        switch run {
        case .stored(let range): try builder.append(stored.columns[index], range)
        case .incoming(let rows):
          if index < MetaColumns.all.count {
            try builder.append(fresh[index], used..<used + rows.count)
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
    columns[4] = try Column(repeating: name.name, count: count)
    if let strings = columns[2].strings { keys.add(strings) }
    try await parquet.append(try RecordBatch(schema: context.fileSchema, columns: columns, count: count))
  }

  private func keyColumn(_ rows: [Int32]) throws -> Column {
    var strings = ByteStrings()
    try strings.append(context.batch.keys.keys, rows: rows.span)
    return try Column(type: .string, values: .bytes(strings))
  }

  private mutating func freshMetaColumns(_ keys: Column, count: Int) throws -> [Column] {
    var numbers = ByteStrings()
    let prefix = Array("\(context.instant.text)_\(taskNumber)_".utf8)
    numbers.reserve(strings: count, bytes: count * (prefix.count + 7))
    for _ in 0..<count {
      let number = sequence
      try numbers.appendBuilt {
        $0.append(contentsOf: prefix)
        $0.append(decimal: number)
      }
      sequence += 1
    }
    return [
      try Column(repeating: context.instant.text, count: count),
      try Column(type: .string, values: .bytes(numbers)),
      keys,
      try Column(repeating: partitionPath, count: count),
      try Column(repeating: name.name, count: count),
    ]
  }

  /// Ends the file and makes it appear; returns its size in bytes.
  consuming func finish() async throws -> Int {
    var pairs = [
      ParquetKeyValue("parquet.avro.schema", context.footerSchema),
      ParquetKeyValue("writer.model.name", "avro"),
    ]
    if let range = keys.range {
      pairs.append(ParquetKeyValue(KeyRange.leastKey, range.least))
      pairs.append(ParquetKeyValue(KeyRange.greatestKey, range.greatest))
    }
    let filter = keys.filter(context.bloom)
    pairs.append(ParquetKeyValue(BloomFilter.kindFooterKey, filter.kind.rawValue))
    pairs.append(ParquetKeyValue(BloomFilter.footerKey, filter.encoded()))
    return try await parquet.finish(keyValues: pairs).size
  }
}

/// A run of rows of a merged row group.
enum MergeRun: Sendable {
  /// Stored rows that stay, by their positions in the row group.
  case stored(Range<Int>)
  /// Rows of the batch.
  case incoming([Int32])
}

/// Collects a file's keys for its key range and Bloom filter.
private struct KeyCollector {
  private var parts: [ByteStrings] = []
  private var count = 0

  mutating func add(_ keys: ByteStrings) {
    guard keys.count > 0 else { return }
    parts.append(keys)
    count += keys.count
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
    var filter = BloomFilter(sizing: choice == .hudi ? .hudi : .perFile(rows: count))
    for keys in parts { for row in 0..<keys.count { filter.insert(keys[row]) } }
    return filter
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
