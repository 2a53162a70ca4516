import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// A base file that was written, and what that took.
struct WrittenFile: Sendable {
  var statistics: WriteStatistics
  var counts: SpliceCounts
  /// Whether pages of its last version were copied, rather than all rows written anew.
  var isSpliced: Bool
}

/// Carries out one piece of a write plan: a merged file group, or new ones.
struct FileGroupWriter: Sendable {
  let context: CommitContext
  let taskNumber: Int
  let warn: @Sendable (String) -> Void

  /// Bytes of a file that is written anew which are read ahead of the rows at hand.
  private static let readAhead = 8 << 20

  /// The new version of a file group.
  private func name(of merge: WritePlan.Merge) -> BaseFileName {
    BaseFileName(
      fileID: merge.tagged.slice.fileID, writeToken: "\(taskNumber)-0-0", instant: context.instant)
  }

  /// What is to stand on the disk before the file does.
  func marker(of merge: WritePlan.Merge) -> CommitMarkers.Marker {
    CommitMarkers.Marker(
      .merge, TablePaths.join(merge.tagged.slice.partitionPath, name(of: merge).name))
  }

  /// What is to stand on the disk before the first of the new files does.
  func marker(of creation: WritePlan.Creation, _ fileID: String) -> CommitMarkers.Marker {
    NewFileNames(fileID, creation.partitionPath, taskNumber, context.instant).marker(0)
  }

  /// Writes the new version of a file group.
  func merge(_ merge: WritePlan.Merge) async throws -> [WrittenFile] {
    let tagged = merge.tagged
    let file = try await tagged.open(context.storage)
    if let (column, why) = file.unreadable.first {
      throw TableError(
        .unsupported, "\(tagged.slice.path): column \(column) cannot be carried over to a new file: \(why)")
    }
    let name = name(of: merge)
    let merge = try await context.withDeletions(merge, file)
    if let splice = try await FileSplice(file, merge, context, warn: warn) {
      do {
        let (context, merge) = try await context.withUpdates(merge, file)
        let (written, counts) = try await write(name, merge) { target in
          try await SpliceWriter(
            context: context, merge: merge, splice: splice, name: name, taskNumber: taskNumber
          ).write(to: target)
        }
        return [self.written(written, counts, name, merge, isSpliced: true)]
      } catch let error as KeyIndexError {
        // Blocks of the index are checked when they are read, which may be as late as here.
        guard case .damaged = error else { throw error }
        warn("\(error): the file is written anew, with a new index")
      }
    }
    let written = try await write(name, merge) { try await rewrite(merge, file, name, to: $0) }
    var counts = SpliceCounts()
    counts.pagesEncoded = written.pageCount
    counts.bytesEncoded = written.encodedBytes
    counts.bytesRead = file.encodedBytes
    return [self.written(written, counts, name, merge, isSpliced: false)]
  }

  /// Opens a file and writes it; where that fails, nothing appears.
  private func write<Result>(
    _ name: BaseFileName, _ merge: WritePlan.Merge, _ body: (any ObjectWriter) async throws -> Result
  ) async throws -> Result {
    let target = try await context.storage.writer(
      at: TablePaths.join(merge.tagged.slice.partitionPath, name.name))
    do { return try await body(target) } catch {
      await target.abandon()
      throw error
    }
  }

  private func written(
    _ file: WrittenParquetFile, _ counts: SpliceCounts, _ name: BaseFileName, _ merge: WritePlan.Merge,
    isSpliced: Bool
  ) -> WrittenFile {
    let slice = merge.tagged.slice
    let statistics = WriteStatistics(
      fileID: name.fileID, path: TablePaths.join(slice.partitionPath, name.name),
      partitionPath: slice.partitionPath, previousCommit: slice.instant, writes: Int64(file.rowCount),
      deletes: Int64(merge.deletedCount), updates: Int64(merge.updatedCount),
      inserts: Int64(merge.inserts.count), size: Int64(file.size))
    return WrittenFile(statistics: statistics, counts: counts, isSpliced: isSpliced)
  }

  /// Writes all rows anew, some of the old file's at a time, however large its row groups are.
  private func rewrite(
    _ merge: WritePlan.Merge, _ file: ParquetFile, _ name: BaseFileName, to target: any ObjectWriter
  ) async throws -> WrittenParquetFile {
    var writer = try BaseFileWriter(
      context, partitionPath: merge.tagged.slice.partitionPath, name: name, taskNumber: taskNumber, to: target
    )
    var start = 0
    var deleted = merge.resolution.deleted[...]
    var updated = merge.resolution.updated[...]
    let batch = KeyedRows(context.batch)
    let columns = context.fileSchema.fields.compactMap { file.schema.index(of: $0.name) }
    let rowsOfFile = file.keepingDictionaries().batches(
      columns: columns, rowsPerBatch: CommitContext.stepRows, bytesPerBatch: CommitContext.stepBytes,
      readAhead: Self.readAhead)
    for try await rows in rowsOfFile {
      let stored = try BatchAlignment.align(rows, to: context.fileSchema)
      let end = start + stored.count
      defer { start = end }
      if let edit = merge.edit, let values = edit.values {
        try await append(stored, start, edit, values, merge.tagged.slice.partitionPath, &writer)
        continue
      }
      let gone = deleted.prefix { $0 < end }
      let replaced = updated.prefix { $0.stored < end }
      deleted = deleted.dropFirst(gone.count)
      updated = updated.dropFirst(replaced.count)
      try await append(stored, from: start, gone, replaced, of: batch, &writer)
    }
    try await append(merge.inserts, &writer)
    return try await writer.finish(tombstones: try await context.tombstones(of: merge, warn))
  }

  /// Appends stored rows, of which some go and others are replaced, no more at a time than those in their places allow.
  private func append(
    _ stored: RecordBatch, from start: Int, _ deleted: ArraySlice<Int>,
    _ updated: ArraySlice<TaggedSlice.Match>, of batch: KeyedRows, _ writer: inout BaseFileWriter
  ) async throws {
    var gone = deleted
    var replaced = updated
    var first = start
    let end = start + stored.count
    while first < end {
      let incoming = replaced.map { Int32($0.incoming) }
      let few = replaced.prefix(
        incoming.isEmpty ? 0 : CommitContext.step(incoming[...], of: batch.rows).count)
      let rest = replaced.dropFirst(few.count)
      let rows = first..<(rest.first?.stored ?? end)
      let going = gone.prefix { $0 < rows.upperBound }
      try await writer.append(
        stored: stored.slice(rows.lowerBound - start..<rows.upperBound - start),
        Self.runs(rows, deleted: Array(going), updated: Array(few)), of: batch)
      gone = gone.dropFirst(going.count)
      replaced = rest
      first = rows.upperBound
      try Task.checkCancellation()
    }
  }

  /// Appends stored rows, of which some change by a condition.
  private func append(
    _ stored: RecordBatch, _ start: Int, _ edit: ConditionalEdit, _ values: Assignments, _ partition: String,
    _ writer: inout BaseFileWriter
  ) async throws {
    let range = start..<start + stored.count
    let matches = edit.positions(range).enumerated().map {
      TaggedSlice.Match(stored: $0.element, incoming: $0.offset)
    }
    let chosen = try stored.gather(matches.map { Int32($0.stored - start) })
    let batch = try edit.batch(of: chosen, values, partition: partition)
    try await writer.append(
      stored: stored, Self.runs(range, deleted: [], updated: matches), of: KeyedRows(batch))
    try Task.checkCancellation()
  }

  /// The runs of merged rows; positions are the file's on the way in, the batch's on the way out.
  static func runs(
    _ rows: Range<Int>, deleted: [Int], updated: [TaggedSlice.Match]
  ) -> [MergeRun] {
    var runs: [MergeRun] = []
    var position = rows.lowerBound
    var gone = deleted[...]
    var replaced = updated[...]
    var pending: [Int32] = []
    func keep(upTo end: Int) {
      guard position < end else { return }
      if !pending.isEmpty {
        runs.append(.incoming(pending))
        pending.removeAll()
      }
      runs.append(.stored(position - rows.lowerBound..<end - rows.lowerBound))
    }
    while true {
      let nextGone = gone.first ?? Int.max
      let nextReplaced = replaced.first?.stored ?? Int.max
      let next = min(nextGone, nextReplaced)
      guard next != Int.max else { break }
      keep(upTo: next)
      if next == nextReplaced, let match = replaced.first {
        pending.append(Int32(match.incoming))
        replaced = replaced.dropFirst()
      } else {
        gone = gone.dropFirst()
      }
      position = next + 1
    }
    keep(upTo: rows.upperBound)
    if !pending.isEmpty { runs.append(.incoming(pending)) }
    return runs
  }

  private func append(_ rows: [Int32], _ writer: inout BaseFileWriter) async throws {
    var rest = rows[...]
    while !rest.isEmpty {
      let step = CommitContext.step(rest, of: context.batch.changes.rows)
      try await writer.append(incoming: step)
      rest = rest.dropFirst(step.count)
      try Task.checkCancellation()
    }
  }

  /// Writes new file groups for the inserts of one partition, each up to the target size; of a bucket, one.
  ///
  /// - Parameter fileID: The id of the first of them, whose marker is there already.
  func create(_ creation: WritePlan.Creation, _ fileID: String) async throws -> [WrittenFile] {
    let writer = PartitionWriter(
      context, partitionPath: creation.partitionPath, taskNumber: taskNumber, fileID: fileID,
      targetSize: creation.bucket == nil ? context.options.targetFileSize : Int.max)
    do {
      try await writer.append(creation.inserts, of: KeyedRows(context.batch))
      return try await writer.finish()
    } catch {
      await writer.abandon()
      throw error
    }
  }
}
