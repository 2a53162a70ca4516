import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Decides what becomes of the rows of a batch, and of the stored rows that they met: first file by file, then for the
/// batch as a whole.
struct RowDecisions: Sendable {
  let batch: KeyedBatch
  let table: WritableTable
  let kind: UpdateKind
  let reader: BaseFileReader
  let parallelism: Int

  /// What becomes of the rows of files, each for itself.
  ///
  /// - Parameters:
  ///   - files: What was found in them.
  ///   - known: What was decided before, of file slices that are still as they were.
  /// - Throws: ``TableError`` where a file cannot be read.
  func decisions(
    for files: [FileMatches], knowing known: [FileSlice: FileDecision] = [:]
  ) async throws(TableError) -> [FileDecision] {
    let decider = RowDecider(
      batch: batch, kind: kind, keepsTombstones: table.keepsTombstones, reader: reader)
    let merger = RowMerger(batch: batch, table: table, kind: kind, reader: reader)
    return try await tableErrors {
      try await concurrently(files, width: parallelism) { file in
        if let known = known[file.slice] { return known }
        let decision = try await decider.decide(file)
        return merger.isNeeded ? try await merger.merged(decision, of: file.slice) : decision
      }
    }
  }

  /// What becomes of every row, once it is decided for each file.
  ///
  /// - Parameters:
  ///   - decisions: Those for the files of the lookup, in their order.
  ///   - lookup: What was found.
  /// - Throws: ``TableError`` with code `badRow` for a row that is not stored and cannot be inserted.
  func changes(
    _ decisions: [FileDecision], _ lookup: LookupResult
  ) throws(TableError) -> (changes: RowChanges, counts: RowCounts) {
    let isFound = lookup.foundRows(of: batch)
    let (inserts, insertCounts) = try inserts(decisions, isFound, lookup.deletions)
    var counts = insertCounts
    for decision in decisions {
      counts.updated += decision.replaced.count
      counts.deleted += decision.deleted.count - decision.moved.count
    }
    counts.stale += Set(decisions.flatMap(\.stale)).count
    counts.duplicates = Set(decisions.flatMap(\.duplicates)).count
    do {
      var written = WrittenRows(batch, lookup.buckets?.ofRow)
      let files = try written.add(decisions)
      let changes = RowChanges(
        files: files, inserts: written.byPartition(inserts, batch.keys.partitions),
        rows: try written.finish(table.schema), buckets: written.buckets,
        tombstones: try tombstones(isFound, lookup.deletions),
        revived: Set(inserts.filter { lookup.deletions?.contains($0) ?? false }))
      return (changes, counts)
    } catch { throw TableError(error) }
  }

  /// The rows to insert.
  private func inserts(
    _ decisions: [FileDecision], _ isFound: Bitmap, _ deletions: KnownDeletions?
  ) throws(TableError) -> (rows: [Int32], counts: RowCounts) {
    var counts = RowCounts()
    var isSettled = Bitmap(count: batch.count)
    var isMoved = Bitmap(count: batch.count)
    for decision in decisions {
      for row in decision.stale { isSettled[row] = true }
      for row in decision.duplicates { isSettled[row] = true }
      for match in decision.replaced { isSettled[match.row] = true }
      for match in decision.moved { isMoved[match.row] = true }
    }
    var inserts: [Int32] = []
    for row in batch.winners {
      let index = Int(row)
      if batch.isDelete[index] {
        if !isFound[index] { counts.notFound += 1 }
        continue
      }
      if isFound[index] {
        if isSettled[index] || !isMoved[index] { continue }
      } else if !kind.insertsNew {
        counts.notFound += 1
        continue
      } else if deletions?.covers(row, in: batch) == true {
        counts.stale += 1
        continue
      } else {
        try requireWhole(index)
      }
      if isMoved[index] { counts.updated += 1 } else { counts.inserted += 1 }
      inserts.append(row)
    }
    return (inserts, counts)
  }

  /// Checks that a row, which is not stored, can be inserted with what it gives.
  ///
  /// - Throws: ``TableError`` with code `badRow` where its partition, or a column that takes no null, is missing.
  private func requireWhole(_ row: Int) throws(TableError) {
    guard let given = batch.given else { return }
    let fields = batch.rows.schema.fields
    var missing = fields.indices.filter { !given.contains($0) && !fields[$0].isNullable }.map {
      fields[$0].name
    }
    if batch.keys.partitions[row] == nil { missing.append("partition") }
    guard !missing.isEmpty else { return }
    let key = batch.keys.texts.string(row).prefix(60).debugDescription
    throw TableError(
      .badRow,
      "row \(row) of the batch, \(key), is not stored and cannot be inserted without \(missing.joined(separator: ", ")): "
        + "give these columns, or update stored rows only", row: row)
  }

  /// The deletions of keys that are not stored: no file group is known to keep them, so the table does.
  ///
  /// One that is not newer than what is known already adds nothing.
  private func tombstones(
    _ isFound: Bitmap, _ deletions: KnownDeletions?
  ) throws(ColumnError) -> NewTombstones {
    var tombstones = NewTombstones()
    let ordering = batch.orderingValues
    guard table.keepsTombstones, !ordering.isEmpty else { return tombstones }
    for row in batch.winners {
      let index = Int(row)
      guard batch.isDelete[index], !isFound[index], deletions?.covers(row, in: batch) != true else {
        continue
      }
      // A key that is unique in the whole table was deleted from all its partitions.
      let partition = batch.scope == .table ? nil : batch.keys.partitions.path(ofRow: index)
      try tombstones.append(batch.keys.texts[index], orderedBy: ordering, index, partition: partition)
    }
    return tombstones
  }
}

extension LookupResult {
  /// The rows of the batch whose keys are stored.
  func foundRows(of batch: KeyedBatch) -> Bitmap {
    var isFound = Bitmap(count: batch.count)
    for file in files { for match in file.matches { isFound[match.row] = true } }
    return isFound
  }
}

/// The rows that are written: those of the batch, and behind them those that were made whole.
private struct WrittenRows {
  private let batch: KeyedBatch
  private var keys: RecordKeys
  private(set) var buckets: [Int32]?
  private var parts: [RecordBatch]
  /// For each row of the batch that is inserted in another form, that one.
  private var inserted: [Int32: Int32] = [:]

  init(_ batch: KeyedBatch, _ buckets: [Int32]?) {
    self.batch = batch
    self.buckets = buckets
    keys = batch.keys
    parts = [batch.rows]
  }

  /// Adds what was made whole, and says what becomes of the stored rows of each file.
  mutating func add(_ decisions: [FileDecision]) throws(ColumnError) -> [StoredRowChanges] {
    var files: [StoredRowChanges] = []
    for decision in decisions {
      var changes = StoredRowChanges()
      changes.deleted = decision.deleted
      changes.tombstones = decision.tombstones
      let start = keys.texts.count
      for (index, match) in decision.replaced.enumerated() {
        changes.replaced.append(
          RowReplacement(
            position: match.place.position, row: decision.merged == nil ? match.row : start + index))
      }
      if let merged = decision.merged {
        for index in decision.replaced.count..<merged.origins.count {
          inserted[merged.origins[index]] = Int32(start + index)
        }
        try keys.append(merged.origins, of: batch.keys)
        if let known = buckets { buckets? += merged.origins.map { known[Int($0)] } }
        parts.append(merged.rows)
      }
      files.append(changes)
    }
    return files
  }

  /// Rows to insert by the paths of their partitions.
  func byPartition(_ rows: [Int32], _ partitions: RowPartitions) -> [(path: String, rows: [Int32])] {
    partitions.grouped(rows).map { partition, rows in
      (partitions.path(partition), inserted.isEmpty ? rows : rows.map { inserted[$0] ?? $0 })
    }.sorted { $0.path < $1.path }
  }

  /// The rows with their keys.
  func finish(_ schema: Schema) throws(ColumnError) -> KeyedRows {
    guard parts.count > 1 else { return KeyedRows(batch.rows, keys) }
    return KeyedRows(try RecordBatch.concatenate(parts, schema: schema), keys)
  }
}
