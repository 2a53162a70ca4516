import TarnColumns
import TarnParquet
import TarnTimeline

/// The rows of slices that are merged, batch by batch, in the order of the slices.
final class MergedRows: @unchecked Sendable {
  // Unchecked, since its one user awaits each batch before it asks for the next.
  private let files: CommitFiles
  private var slices: ArraySlice<FileSlice>
  private var batches: ParquetBatches.Iterator?
  /// Told of each slice whose rows were read.
  private let told: @Sendable () -> Void

  /// Bytes of a file that are read ahead of the rows at hand.
  private static let readAhead = 8 << 20

  /// Begins before the first row.
  ///
  /// - Parameter told: Told of each slice whose rows were read.
  init(_ slices: [FileSlice], _ files: CommitFiles, telling told: @escaping @Sendable () -> Void) {
    self.slices = slices[...]
    self.files = files
    self.told = told
  }

  /// The next batch, with the columns of the new files; nil at the end.
  ///
  /// - Throws: ``FileGroupError`` where a file cannot be read, or has a column that cannot be carried over.
  func next() async throws -> RecordBatch? {
    while true {
      if var rows = batches.take() {
        if let batch = try await rows.next(isolation: nil) {
          batches = rows
          return try batch.aligned(to: files.format.fileSchema)
        }
        told()
      }
      guard let slice = slices.popFirst() else { return nil }
      batches = try await open(slice).makeAsyncIterator()
    }
  }

  private func open(_ slice: FileSlice) async throws -> ParquetBatches {
    let file = try await files.reader.open(slice)
    if let (column, why) = file.unreadable.first {
      throw FileGroupError(
        .unsupported, "\(slice.path): column \(column) cannot be carried over to a new file: \(why)",
        path: slice.path, column: column)
    }
    return file.keepingDictionaries().batches(
      columns: file.columns(files.format.fileSchema), rowsPerBatch: CommitFiles.stepRows,
      bytesPerBatch: CommitFiles.stepBytes, readAhead: Self.readAhead)
  }
}
