import TarnColumns

/// Builds the chunks of one column of a schema, of which a nested one has several.
///
/// A class, so that a chunk's pages are not copied on their way into a task and out of it.
final class ColumnWriter: @unchecked Sendable {
  // Unchecked, since one task uses it at a time: the writer waits for its tasks before it goes on.
  let field: Field
  let stored: WrittenField
  var chunks: [ChunkWriter]

  /// Values beyond this do not fit into one page, save a single one.
  static let pageBytes = 1 << 20

  init?(_ field: Field, _ options: ParquetWriteOptions) {
    guard let stored = WrittenField(field) else { return nil }
    self.field = field
    self.stored = stored
    chunks = stored.leaves.map { ChunkWriter($0, options) }
  }

  // By their positions, since a chunk that is handed on would be copied, and writers ask often.
  var byteCount: Int { chunks.indices.reduce(0) { $0 + chunks[$1].byteCount } }
  /// About how many bytes are held besides what is to be written: tables to find entries by, and notes of pages.
  var workingBytes: Int { chunks.indices.reduce(0) { $0 + chunks[$1].workingBytes } }

  /// Appends rows as one page, or several where values are long; pages begin with a row.
  func append(
    _ column: Column, _ rows: Range<Int>, _ compressor: inout PageCompressor
  ) throws(FormatError) {
    if rows.count > 1, column.plainBytes(rows) > Self.pageBytes, !mayRefer(rows, of: column) {
      let middle = rows.lowerBound + rows.count / 2
      try append(column, rows.lowerBound..<middle, &compressor)
      try append(column, middle..<rows.upperBound, &compressor)
      return
    }
    guard field.type.isNested else {
      let cells = try PageCells(column, rows, isNullable: field.isNullable)
      try chunks[0].append(column, cells, &compressor)
      return
    }
    let leaves = try PageCells.ofLeaves(column, field, rows)
    for (index, (column, cells)) in leaves.enumerated() {
      try chunks[index].append(column, cells, &compressor)
    }
  }

  /// Whether a page of rows surely refers to a dictionary, so that it is short however long its strings are.
  private func mayRefer(_ rows: Range<Int>, of column: Column) -> Bool {
    guard case .dictionary(let strings) = column.values, !field.type.isNested else { return false }
    let nulls = column.validity == nil ? 0 : rows.count { column.isNull($0) }
    // A dictionary pays where each entry stands for two values.
    return rows.count - nulls >= 2 * strings.entries.strings.count
      && chunks[0].encoder.hasRoom(for: strings.entries)
  }
}

/// What a task that encodes needs for itself.
final class EncodingWorker: @unchecked Sendable {
  // Unchecked, since each task has its own, and the writer waits for them.
  var compressor: PageCompressor

  init(_ compression: ParquetWriteOptions.Compression) { compressor = PageCompressor(compression) }
}

/// Encodes pages of several columns at a time.
struct ColumnEncoding {
  let columns: [ColumnWriter]
  let workers: [EncodingWorker]

  /// Bytes of values below which a task would cost more than it saves.
  private static let leastBytes = 1 << 16

  /// What went wrong, and in which column.
  struct EncodingError: Error {
    var column: Int
    var problem: FormatError
  }

  /// Appends the pages of each column.
  func append(_ values: [Column], _ pages: [Range<Int>]) async throws(EncodingError) {
    guard let first = pages.first, let last = pages.last else { return }
    let rows = first.lowerBound..<last.upperBound
    let sizes = values.map { $0.pageBytes(rows.clamped(to: 0..<$0.count)) }
    guard workers.count > 1, columns.count > 1, sizes.reduce(0, +) >= Self.leastBytes else {
      for column in columns.indices { try append(values[column], pages, column, workers[0]) }
      return
    }
    // The longest first, so that the tasks end together.
    let order = columns.indices.sorted { sizes[$0] > sizes[$1] }
    let queue = WorkQueue(order.count)
    let failures = await withTaskGroup(of: EncodingError?.self) { group in
      for worker in workers.prefix(columns.count) {
        group.addTask { () -> EncodingError? in
          while let next = queue.take() {
            let column = order[next]
            do throws(EncodingError) {
              try append(values[column], pages, column, worker)
            } catch {
              return error
            }
          }
          return nil
        }
      }
      return await group.reduce(into: [EncodingError]()) { if let failure = $1 { $0.append(failure) } }
    }
    if let failure = failures.min(by: { $0.column < $1.column }) { throw failure }
  }

  /// Appends pages of one column.
  func append(_ values: Column, _ pages: [Range<Int>], toColumn column: Int) throws(EncodingError) {
    try append(values, pages, column, workers[0])
  }

  private func append(
    _ values: Column, _ pages: [Range<Int>], _ column: Int, _ worker: EncodingWorker
  ) throws(EncodingError) {
    do {
      for page in pages {
        let rows = page.clamped(to: 0..<values.count)
        if !rows.isEmpty { try columns[column].append(values, rows, &worker.compressor) }
      }
    } catch {
      throw EncodingError(column: column, problem: error)
    }
  }
}
