import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Carries out one piece of a plan: a new version of a file group, or new file groups.
package struct FileGroupWriter: Sendable {
  private let files: CommitFiles
  /// The rows of the batch.
  private let source: KeyedRows
  /// The number of this writer within the commit, which makes its names unique.
  private let taskNumber: Int

  /// Makes a writer of one piece.
  package init(_ files: CommitFiles, _ source: KeyedRows, taskNumber: Int) {
    self.files = files
    self.source = source
    self.taskNumber = taskNumber
  }

  /// The new version of a file group.
  private func name(of update: FileGroupUpdate) -> BaseFileName {
    BaseFileName(
      fileID: update.slice.fileID, writeToken: "\(taskNumber)-0-0", instant: files.stamp.instant)
  }

  /// What is to stand on the disk before the file does.
  package func marker(of update: FileGroupUpdate) -> CommitMarkers.Marker {
    CommitMarkers.Marker(
      .merge, TablePaths.join(update.slice.partitionPath, name(of: update).name))
  }

  /// What is to stand on the disk before the first of the new files does.
  package func marker(of creation: FileGroupCreation, _ fileID: String) -> CommitMarkers.Marker {
    NewFileNames(fileID, creation.partitionPath, taskNumber, files.stamp.instant).marker(0)
  }

  /// Writes the new version of a file group.
  package func write(_ update: FileGroupUpdate) async throws -> [WrittenFile] {
    let file = try await files.reader.open(update.slice)
    if let (column, why) = file.unreadable.first {
      throw FileGroupError(
        .unsupported, "\(update.slice.path): column \(column) cannot be carried over to a new file: \(why)",
        path: update.slice.path, column: column)
    }
    let name = name(of: update)
    let deletions = try await update.deletions(file, files.format)
    if let splice = try await FileSplice(file, update, source.rows, files) {
      do {
        let (changes, rows) = try await update.replacements(file, deletions, source)
        let (written, counts) = try await write(name, update) { target in
          try await SpliceWriter(
            files: files, update: update, changes: changes, source: rows, splice: splice, name: name,
            taskNumber: taskNumber
          ).write(to: target)
        }
        return [self.written(written, counts, name, update, isSpliced: true)]
      } catch let error as KeyIndexError {
        // Blocks of the index are checked when they are read, which may be as late as here.
        guard case .damaged = error else { throw error }
        files.reader.warn("\(error): the file is written anew, with a new index")
      }
    }
    let rewriter = FileRewriter(
      files: files, update: update, deletions: deletions, source: source, name: name, taskNumber: taskNumber)
    let written = try await write(name, update) { try await rewriter.write(file, to: $0) }
    var counts = SpliceCounts()
    counts.pagesEncoded = written.pageCount
    counts.bytesEncoded = written.encodedBytes
    counts.bytesRead = file.encodedBytes
    return [self.written(written, counts, name, update, isSpliced: false)]
  }

  /// Opens a file and writes it; where that fails, nothing appears.
  private func write<Result>(
    _ name: BaseFileName, _ update: FileGroupUpdate, _ body: (any ObjectWriter) async throws -> Result
  ) async throws -> Result {
    let target = try await files.storage.writer(
      at: TablePaths.join(update.slice.partitionPath, name.name))
    do { return try await body(target) } catch {
      await target.abandon()
      throw error
    }
  }

  private func written(
    _ file: WrittenParquetFile, _ counts: SpliceCounts, _ name: BaseFileName, _ update: FileGroupUpdate,
    isSpliced: Bool
  ) -> WrittenFile {
    let slice = update.slice
    let statistics = WriteStatistics(
      fileID: name.fileID, path: TablePaths.join(slice.partitionPath, name.name),
      partitionPath: slice.partitionPath, previousCommit: slice.instant, writes: Int64(file.rowCount),
      deletes: Int64(update.deletedCount), updates: Int64(update.updatedCount),
      inserts: Int64(update.inserts.count), size: Int64(file.size))
    return WrittenFile(statistics: statistics, counts: counts, isSpliced: isSpliced)
  }

  /// Writes new file groups for the inserts of one partition, each up to the target size; of a bucket, one.
  ///
  /// - Parameter fileID: The id of the first of them, whose marker is there already.
  package func write(_ creation: FileGroupCreation, _ fileID: String) async throws -> [WrittenFile] {
    let writer = PartitionWriter(
      files, partitionPath: creation.partitionPath, taskNumber: taskNumber, fileID: fileID,
      targetSize: creation.bucket == nil ? files.format.sizes.file : Int.max)
    do {
      try await writer.append(creation.inserts, of: source)
      return try await writer.finish()
    } catch {
      await writer.abandon()
      throw error
    }
  }
}

extension FileGroupUpdate {
  /// What becomes of stored rows as far as rows of the batch are not needed for it: a condition's deletions are made out.
  fileprivate func deletions(_ file: ParquetFile, _ format: BaseFileFormat) async throws -> StoredRowChanges {
    switch changes {
    case .rows(let rows): return rows
    case .condition(let chosen):
      var changes = StoredRowChanges()
      guard chosen.effect.isDeletion else { return changes }
      changes.deleted = chosen.positions
      guard !chosen.effect.columns.fields.isEmpty else { return changes }
      let stored = try await StoredRows.read(file, at: changes.deleted, as: chosen.effect.columns)
      if case .deleted(let tombstones) = try chosen.effect.outcome(stored, slice.partitionPath) {
        changes.tombstones = tombstones
      }
      return changes
    }
  }

  /// What becomes of stored rows, and the rows that take their places: those that a condition changes are read and made.
  fileprivate func replacements(
    _ file: ParquetFile, _ deletions: StoredRowChanges, _ source: KeyedRows
  ) async throws -> (StoredRowChanges, KeyedRows) {
    guard case .condition(let chosen) = changes, !chosen.effect.isDeletion else { return (deletions, source) }
    let positions = chosen.positions
    let stored = try await StoredRows.read(file, at: positions, as: chosen.effect.columns)
    guard case .replaced(let rows) = try chosen.effect.outcome(stored, slice.partitionPath) else {
      return (deletions, source)
    }
    var changes = deletions
    changes.replaced = positions.enumerated().map { RowReplacement(position: $0.element, row: $0.offset) }
    return (changes, rows)
  }
}
