import TarnAvro
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Writes one base file: meta columns, key range, Bloom filter and footer as Hudi's writers leave them.
///
/// Source: format-tables 5 and 6.
struct BaseFileWriter: ~Copyable {
  private let files: CommitFiles
  let name: BaseFileName
  private var meta: MetaColumnBuilder
  private var parquet: ParquetWriter
  private var keys = KeyCollector()

  /// Begins a file.
  ///
  /// - Parameter firstSequence: The number of its first fresh row, behind those of this writer's other files.
  init(
    _ files: CommitFiles, partitionPath: String, name: BaseFileName, taskNumber: Int,
    firstSequence: Int = 0, to target: any ObjectWriter
  ) throws {
    self.files = files
    self.name = name
    meta = MetaColumnBuilder(
      files, partitionPath: partitionPath, fileName: name.name, taskNumber: taskNumber,
      firstSequence: firstSequence)
    parquet = try ParquetWriter(
      schema: files.format.fileSchema, to: target, path: TablePaths.join(partitionPath, name.name),
      options: files.format.parquetOptions)
  }

  /// The number of the next fresh row.
  var sequence: Int { meta.sequence }

  /// Rows so far.
  var rowCount: Int { parquet.rowCount }

  /// About how large the file is so far, in bytes.
  var encodedBytes: Int { parquet.encodedBytes }

  /// About how many bytes of rows are held until their row group ends.
  var heldBytes: Int { parquet.heldBytes }

  /// Ends the row group at hand, so that its rows are held no longer.
  mutating func endRowGroup() async throws { try await parquet.endRowGroup() }

  /// Appends rows, with fresh meta columns.
  mutating func append(incoming rows: [Int32], of source: KeyedRows) async throws {
    let batch = try meta.rows(rows, of: source)
    let hashes = rows.lazy.map { source.hashes[Int($0)] }
    if files.format.fillsMetaColumns, let strings = batch.columns[FileColumns.recordKey].strings {
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
    if runs.count == 1, case .stored(0..<stored.count)? = runs.first {
      // Nothing comes between: the columns are taken as they are.
      return try await append(whole: stored.columns, stored.count)
    }
    let incoming = runs.flatMap { run in if case .incoming(let rows) = run { rows } else { [Int32]() } }
    let metaColumns = try meta.columns(of: incoming, source.keys)
    let data = source.rows
    var columns: [Column] = []
    for (index, field) in files.format.fileSchema.fields.enumerated() {
      var builder = ColumnBuilder(field.type)
      var used = 0
      for run in runs {
        switch run {
        case .stored(let range): try builder.append(stored.columns[index], range)
        case .incoming(let rows):
          if index < MetaColumns.all.count {
            try builder.append(metaColumns[index], used..<used + rows.count)
          } else {
            try builder.append(data.columns[index - MetaColumns.all.count], rows: rows)
          }
          used += rows.count
        }
      }
      columns.append(builder.finish())
    }
    try await append(whole: columns, columns.first?.count ?? 0)
  }

  /// Appends rows with the columns of a file, but for the name of theirs.
  private mutating func append(whole columns: [Column], _ count: Int) async throws {
    var columns = columns
    // A stored row's file name is always that of the file it is in.
    columns[FileColumns.fileName] = try meta.fileNames(count)
    let batch = try RecordBatch(schema: files.format.fileSchema, columns: columns, count: count)
    keys.add(try files.format.keys.keys(of: batch))
    try await parquet.append(batch)
  }

  /// Ends the file and makes it appear.
  ///
  /// - Parameter tombstones: Those that its key index is to keep.
  consuming func finish(tombstones: [KeyTombstone] = []) async throws -> WrittenParquetFile {
    try await parquet.endRowGroup()
    let filter = files.format.fillsMetaColumns ? keys.filter(files.format.encoding.bloom) : nil
    var pairs = files.footerPairs(
      range: keys.range, filter: filter.map { (text: $0.encoded(), kind: $0.kind) })
    if files.format.hasKeyIndex {
      let image = keys.index(slotRows: parquet.slotRows, tombstones)
      let place = try await parquet.writeOpaque(image.bytes)
      let reference = image.reference(at: place.lowerBound)
      pairs += CommitFiles.footerPairs(reference, tombstones: image.tombstoneCount)
    }
    return try await files.finish(parquet, pairs)
  }
}

/// A run of rows of a merged row group.
enum MergeRun: Sendable {
  /// Stored rows that stay, by their positions in the batch at hand.
  case stored(Range<Int>)
  /// Rows that come in.
  case incoming([Int32])
}
