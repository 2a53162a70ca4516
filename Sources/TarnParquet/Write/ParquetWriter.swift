import TarnBytes
import TarnColumns
import TarnStorage

/// Writes a Parquet file as a stream: at most one row group is held in memory.
///
/// Pages are data pages of version 1 in encodings that all engines read, columns are encoded side by side,
/// and every column has bounds, null counts, checksums and a page index. After an error nothing but
/// ``abandon()`` makes sense.
public struct ParquetWriter: ~Copyable {
  /// The columns.
  public let schema: Schema
  /// The file's path, for errors.
  public let path: String
  /// Number of rows so far.
  public internal(set) var rowCount = 0

  let options: ParquetWriteOptions
  /// Whether pages have fewer rows than they should, since there are many columns.
  private let hasShortPages: Bool
  private let target: any ObjectWriter
  private let encoding: ColumnEncoding
  var groups: [RowGroupMetadata] = []
  var indexes = PageIndexes()
  /// Rows that do not fill a page yet.
  private var waiting: [ColumnBuilder]
  private var waitingRows = 0
  /// Rows encoded for the present row group.
  private var groupRows = 0
  /// Bytes given to the storage.
  private var written = 0
  /// Chunks that are written at the end.
  var late = LateChunks()
  private var edit: KeyValueEdit?

  /// The most pages of a column that are encoded at a time.
  private static let greatestStep = 16

  /// Begins a file.
  ///
  /// - Throws: ``ParquetError`` where a column's type cannot be written, or two columns have one name.
  public init(
    schema: Schema, to target: any ObjectWriter, path: String = "",
    options: ParquetWriteOptions = ParquetWriteOptions()
  ) throws(ParquetError) {
    var columns: [ColumnWriter] = []
    var names: Set<String> = []
    for field in schema.fields {
      guard let column = ColumnWriter(field, options) else {
        throw ParquetError(
          .unsupported, path: path, column: field.name, "type \(field.type.name) cannot be written")
      }
      guard names.insert(field.name).inserted else {
        throw ParquetError(
          .schemaMismatch, path: path, column: field.name, "there are two columns of this name")
      }
      columns.append(column)
    }
    self.schema = schema
    self.path = path
    let pageRows = ParquetWriteOptions.pageRows(options.pageRows, columns: columns.count)
    hasShortPages = pageRows < options.pageRows
    var options = options
    options.pageRows = pageRows
    self.options = options
    self.target = target
    encoding = ColumnEncoding(
      columns: columns,
      workers: (0..<options.parallelism).map { _ in EncodingWorker(options.compression) })
    waiting = schema.fields.map { ColumnBuilder($0.type) }
  }

  /// About how many bytes the file would have if it were finished now, without the footer.
  public var encodedBytes: Int {
    written + bufferedBytes
      + waitingRows * (rowCount > waitingRows ? encodedPerRow : 16 * encoding.columns.count)
  }

  /// About how many bytes of rows are held until their row group ends.
  package var heldBytes: Int {
    encodedBytes - written + encoding.columns.reduce(0) { $0 + $1.workingBytes }
  }

  /// Encoded bytes at which the present row group ends.
  private var rowGroupBytes: Int { options.rowGroupBytes(behind: written) }

  private var bufferedBytes: Int { encoding.columns.reduce(0) { $0 + $1.byteCount } }
  private var encodedPerRow: Int { (written + bufferedBytes) / max(rowCount - waitingRows, 1) }

  /// Appends a batch of any size, whose columns must be those of the schema in its order.
  ///
  /// - Throws: ``ParquetError`` where the columns differ, a value does not fit its type, or the storage fails.
  public mutating func append(_ batch: RecordBatch) async throws(ParquetError) {
    try check(batch)
    rowCount += batch.count
    var next = 0
    while next < batch.count {
      if waitingRows == 0, batch.count - next >= options.pageRows,
        !isLong(batch.columns, next..<next + options.pageRows)
      {
        let pages = nextPages(batch.columns, next..<batch.count)
        try await encode(batch.columns, pages)
        next = pages.last?.upperBound ?? batch.count
      } else {
        let taken = min(options.pageRows - waitingRows, batch.count - next)
        let rows = Self.part(batch.columns, next..<next + taken)
        try wait(batch, rows)
        next = rows.upperBound
        if waitingRows == options.pageRows { try await encodeWaiting() } else { try await encodeLong() }
      }
    }
  }

  /// Bytes of values beyond which not all rows of a page are put together before any of them is encoded.
  private static let longBytes = 4 << 20

  /// Whether rows of a page take so many bytes in a column that they are not encoded at once.
  private func isLong(_ columns: [Column], _ rows: Range<Int>) -> Bool {
    columns.contains { $0.waitingBytes(rows) > Self.longBytes }
  }

  /// The first of some rows, as many as may wait at once, and at least one.
  private static func part(_ columns: [Column], _ rows: Range<Int>) -> Range<Int> {
    var part = rows
    while part.count > 1, columns.reduce(0, { $0 + $1.waitingBytes(part) }) > longBytes {
      part = part.lowerBound..<part.lowerBound + part.count / 2
    }
    return part
  }

  /// Encodes what waits of columns with long values; the other columns' rows go on waiting for a page to be full.
  private mutating func encodeLong() async throws(ParquetError) {
    var columns: [(column: Int, values: Column)] = []
    for index in waiting.indices
    where waiting[index].count > 0 && waiting[index].stringByteCount > ColumnWriter.pageBytes {
      columns.append((index, waiting[index].finish()))
      waiting[index] = ColumnBuilder(schema.fields[index].type)
    }
    guard !columns.isEmpty else { return }
    do throws(ColumnEncoding.EncodingError) {
      for (index, values) in columns {
        try encoding.append(values, [0..<values.count], toColumn: index)
      }
    } catch { throw failure(error.column, error.problem) }
    if bufferedBytes >= rowGroupBytes { try await endRowGroup() }
  }

  /// The pages that can be encoded at once: all but the last certainly do not fill the row group.
  private func nextPages(_ columns: [Column], _ rows: Range<Int>) -> [Range<Int>] {
    var pages: [Range<Int>] = []
    var start = rows.lowerBound
    var bytesLeft = rowGroupBytes - bufferedBytes
    while rows.upperBound - start >= options.pageRows, pages.count < Self.greatestStep {
      let page = start..<start + options.pageRows
      pages.append(page)
      start = page.upperBound
      // Twice, since values may stand in a dictionary besides.
      bytesLeft -= columns.reduce(0) { $0 + 2 * $1.pageBytes(page) + 1_024 }
      if bytesLeft <= 0 || groupRows + pages.count * options.pageRows >= options.rowGroupRows { break }
    }
    return pages
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
      // A page's room at once, since lists that double leave as much unused; of few columns, whose pages are longer,
      // so much might not be needed.
      if waitingRows == 0, hasShortPages { waiting[index].reserve(options.pageRows) }
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
    try await encode(columns, [0..<count])
  }

  /// Encodes pages of each column, and ends the row group where it is full.
  ///
  /// A column that has fewer rows than a page had the first of them encoded before.
  private mutating func encode(_ columns: [Column], _ pages: [Range<Int>]) async throws(ParquetError) {
    do {
      try await encoding.append(columns, pages)
    } catch {
      throw failure(error.column, error.problem)
    }
    groupRows += pages.reduce(0) { $0 + $1.count }
    if bufferedBytes >= rowGroupBytes || groupRows >= options.rowGroupRows { try await endGroup() }
  }

  private func failure(_ column: Int, _ problem: FormatError) -> ParquetError {
    ParquetError(problem.code, path: path, column: schema.fields[column].name, problem.message)
  }

  private mutating func endGroup() async throws(ParquetError) {
    guard groupRows > 0 else { return }
    try await begin()
    var group = RowGroupMetadata(
      rowCount: groupRows, fileOffset: written, compressedByteCount: 0, ordinal: groups.count)
    var pageIndex = PageIndexes.Group()
    var filters: [(column: Int, bytes: [UInt8])] = []
    for (index, column) in encoding.columns.enumerated() {
      for chunk in column.chunks.indices {
        let isLate = options.lateColumns.contains(index)
        let finished: ChunkWriter.Finished
        do {
          finished = try column.chunks[chunk].finish(
            at: isLate ? 0 : written, &encoding.workers[0].compressor)
        } catch {
          throw failure(index, error)
        }
        if isLate {
          late.append(
            [.bytes(finished.dictionary), .bytes(finished.pages)], finished.offsetIndex, group: groups.count,
            column: group.columns.count)
        } else {
          try await write(finished.dictionary)
          try await write(finished.pages)
        }
        group.byteCount += finished.metadata.uncompressedSize
        group.compressedByteCount = (group.compressedByteCount ?? 0) + finished.metadata.compressedSize
        pageIndex.append(finished.offsetIndex, finished.columnIndex)
        if let filter = finished.bloomFilter { filters.append((group.columns.count, filter)) }
        group.columns.append(finished.metadata)
      }
    }
    // After the loop, when nothing else holds the pages, so that their memory is used again.
    for column in encoding.columns { for chunk in column.chunks.indices { column.chunks[chunk].reset() } }
    for (column, bytes) in filters {
      group.columns[column].bloomFilterOffset = written
      group.columns[column].bloomFilterSize = bytes.count
      try await write(bytes)
    }
    groups.append(group)
    indexes.append(options.writesPageIndex ? pageIndex : nil, rows: groupRows)
    groupRows = 0
  }

  /// Rows of the slots of the row groups that have ended; see ``SpliceLayout``.
  package var slotRows: [Int] { indexes.slotRows }

  /// Bytes given to the storage so far: where what is written next begins.
  package var position: Int { written }

  /// Copies a range of another file that is no part of any column; see ``writeOpaque(_:)``.
  package mutating func copyOpaque(
    _ range: Range<Int>, from source: String, tag: ObjectTag? = nil
  ) async throws(ParquetError) {
    try await endRowGroup()
    try await begin()
    try await copy(range, of: source, tag)
  }

  /// Copies a range of another file of the same storage, where there is one.
  mutating func copy(
    _ range: Range<Int>?, of source: String, _ tag: ObjectTag?
  ) async throws(ParquetError) {
    guard let range, !range.isEmpty else { return }
    do {
      try await target.copy(range, of: source, tag: tag)
    } catch {
      throw ParquetError(error, path: path)
    }
    written += range.count
  }

  /// Ends the present row group, if it has rows.
  ///
  /// - Throws: ``ParquetError`` where a value does not fit its type, or the storage fails.
  public mutating func endRowGroup() async throws(ParquetError) {
    try await encodeWaiting()
    try await endGroup()
  }

  /// Writes bytes that are no part of any column, behind the rows so far, whose row group ends.
  ///
  /// Readers do not look at them; a key-value entry can tell where they lie. Long ones may be written in
  /// parts, which then follow one another.
  ///
  /// - Returns: Where they lie in the file.
  /// - Throws: ``ParquetError`` where a value that still waited does not fit its type, or the storage fails.
  public mutating func writeOpaque(_ bytes: [UInt8]) async throws(ParquetError) -> Range<Int> {
    try await endRowGroup()
    try await begin()
    let start = written
    try await write(bytes)
    return start..<written
  }

  /// Writes the magic number that a file begins with, once.
  mutating func begin() async throws(ParquetError) {
    guard written == 0 else { return }
    var magic: [UInt8] = []
    magic.appendLittleEndian(ParquetMagic.plain)
    try await write(magic)
  }

  /// Gives bytes to the storage.
  mutating func write(_ bytes: [UInt8]) async throws(ParquetError) {
    guard !bytes.isEmpty else { return }
    do {
      try await target.write(bytes)
    } catch {
      throw ParquetError(error, path: path)
    }
    written += bytes.count
  }

  /// Has a value of the key-value metadata changed once it stands in the footer.
  ///
  /// - Parameters:
  ///   - key: Its key.
  ///   - body: Gets bytes, and where among them the value begins, which goes to their end and keeps its length.
  package mutating func editValue(of key: String, _ body: @escaping @Sendable (inout [UInt8], Int) -> Void) {
    edit = KeyValueEdit(key: key, body: body)
  }

  /// Ends the file and makes it appear.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, or a value that still waited does not fit its type.
  public consuming func finish(
    keyValues: [ParquetKeyValue] = []
  ) async throws(ParquetError) -> WrittenParquetFile {
    try await writeFooter(keyValues)
    return try await appear()
  }

  /// Writes all that the file holds, and sends it on its way; nothing but ``appear()`` may follow.
  ///
  /// - Throws: ``ParquetError``, as ``finish(keyValues:)`` does.
  package mutating func end(keyValues: [ParquetKeyValue]) async throws(ParquetError) {
    try await writeFooter(keyValues)
    do { try await target.end() } catch { throw ParquetError(error, path: path) }
  }

  private mutating func writeFooter(_ keyValues: [ParquetKeyValue]) async throws(ParquetError) {
    try await endRowGroup()
    try await begin()
    try await writeLateChunks()
    for series in indexes.encoded(at: written, &groups) { try await write(series) }
    var footer = footer(keyValues).encoded(edit)
    guard footer.count <= Int(UInt32.max) else {
      throw ParquetError(.unsupported, path: path, "the footer would pass 4 GiB: use larger row groups")
    }
    footer.appendLittleEndian(UInt32(footer.count))
    footer.appendLittleEndian(ParquetMagic.plain)
    try await write(footer)
  }

  /// Makes a file appear of which all is written; see ``end(keyValues:)``.
  ///
  /// - Throws: ``ParquetError`` where the storage fails.
  package consuming func appear() async throws(ParquetError) -> WrittenParquetFile {
    do {
      let tag = try await target.finish()
      return WrittenParquetFile(
        size: written, rowCount: rowCount, rowGroupCount: groups.count,
        pageCount: indexes.pageCount,
        encodedBytes: groups.reduce(0) { $0 + ($1.compressedByteCount ?? 0) }, tag: tag)
    } catch {
      throw ParquetError(error, path: path)
    }
  }

  private func footer(_ keyValues: [ParquetKeyValue]) -> FileMetadata {
    var root = SchemaElement()
    root.name = options.messageName
    root.childCount = encoding.columns.count
    var metadata = FileMetadata()
    metadata.schema = [root] + encoding.columns.flatMap { $0.stored.elements }
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
  /// Number of data pages.
  public let pageCount: Int
  /// Bytes that the pages of all columns take, with their headers.
  public let encodedBytes: Int
  /// The tag that the storage gave the file.
  public let tag: ObjectTag
}
