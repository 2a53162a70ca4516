import TarnBytes
import TarnColumns
import TarnStorage

/// Writes a Parquet file as a stream: at most one row group is held in memory.
///
/// Pages are data pages of version 1 in PLAIN or with a dictionary, which all engines read. Every column
/// has bounds and a null count in the footer. After an error nothing but ``abandon()`` makes sense.
public struct ParquetWriter: ~Copyable {
  /// The columns.
  public let schema: Schema
  /// The file's path, for errors.
  public let path: String
  /// Number of rows so far.
  public private(set) var rowCount = 0

  private let options: ParquetWriteOptions
  private let target: any ObjectWriter
  private var compressor: PageCompressor
  private var chunks: [ChunkWriter]
  private var groups: [RowGroupMetadata] = []
  /// Rows that do not fill a page yet.
  private var waiting: [ColumnBuilder]
  private var waitingRows = 0
  /// Rows encoded for the present row group.
  private var groupRows = 0
  /// Bytes given to the storage.
  private var written = 0

  /// Begins a file.
  ///
  /// - Throws: ``ParquetError`` where a column's type cannot be written, or two columns have one name.
  public init(
    schema: Schema, to target: any ObjectWriter, path: String = "",
    options: ParquetWriteOptions = ParquetWriteOptions()
  ) throws(ParquetError) {
    var chunks: [ChunkWriter] = []
    var names: Set<String> = []
    for field in schema.fields {
      guard let chunk = ChunkWriter(field) else {
        throw ParquetError(
          .unsupported, path: path, column: field.name,
          "columns of type \(field.type.name) cannot be written yet")
      }
      guard names.insert(field.name).inserted else {
        throw ParquetError(
          .schemaMismatch, path: path, column: field.name, "there are two columns of this name")
      }
      chunks.append(chunk)
    }
    self.schema = schema
    self.path = path
    self.options = options
    self.target = target
    self.chunks = chunks
    compressor = PageCompressor(options.compression)
    waiting = schema.fields.map { ColumnBuilder($0.type) }
  }

  /// About how many bytes the file would have if it were finished now, without the footer.
  public var encodedBytes: Int {
    written + bufferedBytes + waitingRows * (rowCount > waitingRows ? encodedPerRow : 16 * chunks.count)
  }

  private var bufferedBytes: Int { chunks.reduce(0) { $0 + $1.byteCount } }
  private var encodedPerRow: Int { (written + bufferedBytes) / max(rowCount - waitingRows, 1) }

  /// Appends a batch of any size, whose columns must be those of the schema in its order.
  ///
  /// - Throws: ``ParquetError`` where the columns differ, a value does not fit its type, or the storage fails.
  public mutating func append(_ batch: RecordBatch) async throws(ParquetError) {
    try check(batch)
    rowCount += batch.count
    var next = 0
    if waitingRows > 0 {
      next = min(options.pageRows - waitingRows, batch.count)
      try wait(batch, 0..<next)
      if waitingRows == options.pageRows { try await encodeWaiting() }
    }
    while batch.count - next >= options.pageRows {
      try await encode(batch.columns, next..<next + options.pageRows)
      next += options.pageRows
    }
    try wait(batch, next..<batch.count)
  }

  private func check(_ batch: RecordBatch) throws(ParquetError) {
    guard batch.columns.count == schema.fields.count else {
      throw ParquetError(
        .schemaMismatch, path: path,
        "a batch of \(batch.columns.count) columns for a file of \(schema.fields.count)")
    }
    for (mine, theirs) in zip(schema.fields, batch.schema.fields)
    where mine.name != theirs.name || mine.type != theirs.type {
      throw ParquetError(
        .schemaMismatch, path: path, column: mine.name,
        "a batch has \(theirs.name) of type \(theirs.type.name) where \(mine.type.name) was expected")
    }
  }

  /// Keeps rows for the next page.
  private mutating func wait(_ batch: RecordBatch, _ rows: Range<Int>) throws(ParquetError) {
    guard !rows.isEmpty else { return }
    for index in waiting.indices {
      do {
        try waiting[index].append(batch.columns[index], rows)
      } catch {
        throw ParquetError(
          .valueOutOfRange, path: path, column: schema.fields[index].name, error.description)
      }
    }
    waitingRows += rows.count
  }

  private mutating func encodeWaiting() async throws(ParquetError) {
    guard waitingRows > 0 else { return }
    let columns = waiting.map { $0.finish() }
    waiting = schema.fields.map { ColumnBuilder($0.type) }
    let count = waitingRows
    waitingRows = 0
    try await encode(columns, 0..<count)
  }

  /// Encodes a page of each column, and ends the row group where it is full.
  private mutating func encode(_ columns: [Column], _ rows: Range<Int>) async throws(ParquetError) {
    for index in chunks.indices {
      do {
        try chunks[index].append(columns[index], rows, &compressor)
      } catch {
        throw ParquetError(error.code, path: path, column: schema.fields[index].name, error.message)
      }
    }
    groupRows += rows.count
    if bufferedBytes >= options.rowGroupBytes || groupRows >= options.rowGroupRows { try await endGroup() }
  }

  private mutating func endGroup() async throws(ParquetError) {
    guard groupRows > 0 else { return }
    try await begin()
    var group = RowGroupMetadata(
      rowCount: groupRows, fileOffset: written, compressedByteCount: 0, ordinal: groups.count)
    for index in chunks.indices {
      let finished: ChunkWriter.Finished
      do {
        finished = try chunks[index].finish(at: written, codec: options.codec, &compressor)
      } catch {
        throw ParquetError(error.code, path: path, column: schema.fields[index].name, error.message)
      }
      try await write(finished.dictionary)
      try await write(finished.pages)
      group.byteCount += finished.metadata.uncompressedSize
      group.compressedByteCount = (group.compressedByteCount ?? 0) + finished.metadata.compressedSize
      group.columns.append(finished.metadata)
    }
    groups.append(group)
    groupRows = 0
  }

  /// Writes the magic number that a file begins with, once.
  private mutating func begin() async throws(ParquetError) {
    guard written == 0 else { return }
    var magic: [UInt8] = []
    magic.appendLittleEndian(ParquetMagic.plain)
    try await write(magic)
  }

  private mutating func write(_ bytes: [UInt8]) async throws(ParquetError) {
    guard !bytes.isEmpty else { return }
    do {
      try await target.write(bytes)
    } catch {
      throw ParquetError(error, path: path)
    }
    written += bytes.count
  }

  /// Ends the file and makes it appear.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, or a value that still waited does not fit its type.
  public consuming func finish(
    keyValues: [ParquetKeyValue] = []
  ) async throws(ParquetError) -> WrittenParquetFile {
    try await encodeWaiting()
    try await endGroup()
    try await begin()
    var footer = footer(keyValues).encoded()
    guard footer.count <= Int(UInt32.max) else {
      throw ParquetError(.unsupported, path: path, "the footer would pass 4 GiB: use larger row groups")
    }
    footer.appendLittleEndian(UInt32(footer.count))
    footer.appendLittleEndian(ParquetMagic.plain)
    try await write(footer)
    do {
      let tag = try await target.finish()
      return WrittenParquetFile(size: written, rowCount: rowCount, rowGroupCount: groups.count, tag: tag)
    } catch {
      throw ParquetError(error, path: path)
    }
  }

  private func footer(_ keyValues: [ParquetKeyValue]) -> FileMetadata {
    var root = SchemaElement()
    root.name = options.messageName
    root.childCount = chunks.count
    var metadata = FileMetadata()
    metadata.schema = [root] + chunks.map(\.element)
    metadata.rowCount = rowCount
    metadata.groups = groups
    metadata.keyValues = keyValues
    metadata.createdBy = options.createdBy
    return metadata
  }

  /// Gives up: no file appears.
  public consuming func abandon() async { await target.abandon() }
}

/// What was written.
public struct WrittenParquetFile: Sendable {
  /// The file's size in bytes.
  public let size: Int
  /// Number of rows.
  public let rowCount: Int
  /// Number of row groups.
  public let rowGroupCount: Int
  /// The tag that the storage gave the file.
  public let tag: ObjectTag
}
