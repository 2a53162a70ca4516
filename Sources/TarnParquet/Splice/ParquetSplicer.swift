import TarnColumns

/// A row group made of pages of an older file and of new ones, ready to be written.
package struct SplicedRowGroup: Sendable {
  let chunks: [SplicedChunk]
  /// Rows of each slot: zero where all went, and new ones at the end.
  package let slotRows: [Int]
  /// What was copied and encoded.
  package let counts: SpliceCounts

  /// Number of rows.
  package var rowCount: Int { slotRows.reduce(0, +) }
}

/// Makes new versions of a file's row groups, decoding and encoding only pages that hold touched rows.
///
/// Columns are spliced side by side; row groups one at a time.
package final class ParquetSplicer: Sendable {
  private let file: ParquetFile
  private let layout: SpliceLayout
  private let fresh: RecordBatch
  private let columns: [SpliceColumn]
  private let options: ParquetWriteOptions
  private let workers: [SpliceWorker]

  /// Begins a splice.
  ///
  /// - Parameters:
  ///   - file: The older version.
  ///   - layout: Its slots.
  ///   - fresh: The rows that edits refer to, with the file's columns.
  ///   - columns: What is known of each column's values beforehand.
  ///   - options: Those of the new file's writer.
  package init(
    _ file: ParquetFile, layout: SpliceLayout, fresh: RecordBatch, columns: [SpliceColumn],
    options: ParquetWriteOptions
  ) {
    self.file = file
    self.layout = layout
    self.fresh = fresh
    self.columns = columns
    self.options = options
    workers = (0..<options.parallelism).map { _ in SpliceWorker(options.compression) }
  }

  /// Splices a row group.
  ///
  /// - Parameters:
  ///   - group: The row group.
  ///   - edits: What becomes of its slots, in ascending order of these, each at most once; those behind the
  ///     last slot append their rows as new slots.
  /// - Throws: ``ParquetError`` where the storage fails, a touched page is damaged, or a value does not fit
  ///   its type; `CancellationError` where the task is cancelled.
  package func splice(group: Int, edits: [SlotEdit]) async throws -> SplicedRowGroup {
    var slotRows = layout.groups[group].map(\.count)
    for edit in edits {
      if edit.slot < slotRows.count {
        slotRows[edit.slot] = edit.rowCount(before: slotRows[edit.slot])
      } else {
        slotRows.append(edit.appended.count)
      }
    }
    let chunks = try await chunks(group, edits)
    var counts = SpliceCounts()
    for chunk in chunks { counts += chunk.counts }
    return SplicedRowGroup(chunks: chunks, slotRows: slotRows, counts: counts)
  }

  private func chunks(_ group: Int, _ edits: [SlotEdit]) async throws -> [SplicedChunk] {
    guard workers.count > 1, !edits.isEmpty else {
      var chunks: [SplicedChunk] = []
      for column in columns.indices { chunks.append(try await chunk(group, column, edits, workers[0])) }
      return chunks
    }
    // The longest first, so that the tasks end together.
    let order = columns.indices.sorted {
      layout.chunks[group][$0].range.count > layout.chunks[group][$1].range.count
    }
    let queue = WorkQueue(order.count)
    return try await withThrowingTaskGroup(of: [(Int, SplicedChunk)].self) { tasks in
      for worker in workers {
        tasks.addTask { [self] in
          var done: [(Int, SplicedChunk)] = []
          while let next = queue.take() {
            try Task.checkCancellation()
            done.append((order[next], try await chunk(group, order[next], edits, worker)))
          }
          return done
        }
      }
      var all: [(Int, SplicedChunk)] = []
      for try await done in tasks { all += done }
      return all.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func chunk(
    _ group: Int, _ column: Int, _ edits: [SlotEdit], _ worker: SpliceWorker
  ) async throws(ParquetError) -> SplicedChunk {
    let splicer = ChunkSplicer(
      file: file, layout: layout.chunks[group][column], field: fresh.schema.fields[column],
      kind: columns[column], options: options, edits: edits, fresh: fresh.columns[column], worker: worker)
    var chunk = try await splicer.splice()
    if case .constant(let text) = columns[column] { chunk.pages = ChunkSplicer.renamed(chunk.pages, text) }
    return chunk
  }
}
