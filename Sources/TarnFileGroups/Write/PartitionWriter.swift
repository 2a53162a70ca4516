import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Writes new file groups of one partition, one after the other, each up to the target size.
///
/// A class, so that a load can hold those of several partitions.
package final class PartitionWriter: @unchecked Sendable {
  // Unchecked, since one task uses it at a time: a load waits for its tasks before it goes on.
  private let files: CommitFiles
  private let partitionPath: String
  private let taskNumber: Int
  private let names: NewFileNames
  /// How many of the names have their marker.
  private var marked = 1
  /// The encoded size at which a file ends.
  private let targetSize: Int
  private var written: [WrittenFile] = []
  /// Deletions that the first of the files is to remember.
  package var tombstones: [KeyTombstone] = []
  /// The number of the next row.
  private var sequence = 0
  /// The file at hand.
  private var name: BaseFileName?
  private var writer: BaseFileWriter?
  private var target: (any ObjectWriter)?

  /// Begins without a file.
  ///
  /// - Parameters:
  ///   - fileID: A random id, of which the files' own are made. The marker of the first must be there before rows come.
  ///   - targetSize: The encoded size at which a file ends.
  package init(
    _ files: CommitFiles, partitionPath: String, taskNumber: Int, fileID: String, targetSize: Int
  ) {
    self.targetSize = targetSize
    self.files = files
    self.partitionPath = partitionPath
    self.taskNumber = taskNumber
    names = NewFileNames(fileID, partitionPath, taskNumber, files.stamp.instant)
  }

  /// The marker of the first file.
  package var firstMarker: CommitMarkers.Marker { names.marker(0) }

  /// Appends chosen rows.
  package func append(_ rows: [Int32], of source: KeyedRows) async throws {
    var rest = rows[...]
    while !rest.isEmpty {
      if name == nil { try await open() }
      let chunk = CommitFiles.step(
        rest, of: source.rows, most: chunkRows(writer?.rowCount ?? 0, writer?.encodedBytes ?? 0))
      try await writer?.append(incoming: chunk, of: source)
      rest = rest.dropFirst(chunk.count)
      if writer?.encodedBytes ?? 0 >= targetSize { try await end() }
      try Task.checkCancellation()
    }
  }

  /// Appends stored rows of other files, which keep their meta columns but for the name of their file.
  ///
  /// - Parameter rows: With the columns of a file.
  package func append(stored rows: RecordBatch) async throws {
    let none = KeyedRows(try RecordBatch.concatenate([], schema: files.format.schema), RecordKeys())
    var start = 0
    while start < rows.count {
      if name == nil { try await open() }
      let some = min(chunkRows(writer?.rowCount ?? 0, writer?.encodedBytes ?? 0), rows.count - start)
      try await writer?.append(
        stored: rows.slice(start..<start + some), [.stored(0..<some)], of: none)
      start += some
      if writer?.encodedBytes ?? 0 >= targetSize { try await end() }
      try Task.checkCancellation()
    }
  }

  /// About how many bytes of rows are held until their row group ends.
  package var heldBytes: Int { writer?.heldBytes ?? 0 }

  /// Ends the row group at hand, so that its rows are held no longer.
  package func endRowGroup() async throws { try await writer?.endRowGroup() }

  /// Ends the file at hand; the next rows begin another.
  package func endFile() async throws { try await end() }

  /// Ends the file at hand, and tells all that were written.
  package func finish() async throws -> [WrittenFile] {
    // Without rows there is still something to remember.
    if !tombstones.isEmpty, name == nil { try await open() }
    try await end()
    return written
  }

  /// Gives up the file at hand; those before stay.
  package func abandon() async {
    writer = nil
    name = nil
    await target?.abandon()
    target = nil
  }

  private func open() async throws {
    let name = names.name(written.count)
    if written.count >= marked {
      // As many again as there are, so that many files take few markers.
      try await files.markers.add((marked..<marked * 2).map(names.marker))
      marked *= 2
    }
    let target = try await files.storage.writer(at: TablePaths.join(partitionPath, name.name))
    self.target = target
    writer = try BaseFileWriter(
      files, partitionPath: partitionPath, name: name, taskNumber: taskNumber, firstSequence: sequence,
      to: target)
    self.name = name
  }

  private func end() async throws {
    guard let name, let file = try await finishFile() else { return }
    self.name = nil
    target = nil
    let statistics = WriteStatistics(
      fileID: name.fileID, path: TablePaths.join(partitionPath, name.name), partitionPath: partitionPath,
      previousCommit: nil, writes: Int64(file.rowCount), inserts: Int64(file.rowCount),
      size: Int64(file.size))
    var counts = SpliceCounts()
    counts.pagesEncoded = file.pageCount
    counts.bytesEncoded = file.encodedBytes
    written.append(WrittenFile(statistics: statistics, counts: counts, isSpliced: false))
  }

  private func finishFile() async throws -> WrittenParquetFile? {
    guard let writer = writer.take() else { return nil }
    sequence = writer.sequence
    defer { tombstones = [] }
    return try await writer.finish(tombstones: tombstones)
  }

  /// How many rows to write before the size is looked at again.
  private func chunkRows(_ written: Int, _ bytes: Int) -> Int {
    guard written > 0 else { return min(CommitFiles.stepRows, files.format.pageRows) }
    let perRow = max(bytes / written, 1)
    return min(max((targetSize - bytes) / perRow, 1), CommitFiles.stepRows)
  }
}
