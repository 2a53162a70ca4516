import TarnColumns
import TarnParquet
import TarnStorage

/// Makes whole rows of incoming ones and the stored rows that they met, so that what writes files need not know
/// of partial updates and merge functions.
///
/// It reads only the stored values that it needs, of the rows that are touched.
struct Completion: Sendable {
  let storage: any Storage
  let batch: PreparedBatch
  let table: WriteTransaction.Target
  let kind: UpdateKind
  let parallelism: Int

  /// Whether incoming rows are not whole yet.
  var isNeeded: Bool { kind.merge != nil || batch.given != nil }

  /// What the rows of one file became.
  private struct FileRows: Sendable {
    var rows: RecordBatch
    /// The incoming row behind each of them.
    var origins: [Int32]
    var resolution: FileResolution
    /// Incoming rows that were to move, and of which the merge function makes deletions.
    var gone: Set<Int32> = []
  }

  /// Appends the whole rows to the batch, and points the resolutions at them.
  ///
  /// - Parameters:
  ///   - resolutions: What becomes of the stored rows of each of `tagged`.
  ///   - inserts: Rows to insert by partition; those that were found in another partition get their whole rows.
  func complete(
    _ tagged: [TaggedSlice], _ resolutions: inout [FileResolution], _ inserts: inout [Int32: [Int32]]
  ) async throws -> PreparedBatch {
    let inserted = Set(inserts.values.joined())
    let work = Array(zip(tagged, resolutions))
    let files = try await concurrently(work, width: parallelism) { tagged, resolution in
      try await complete(tagged, resolution, inserted)
    }
    var whole = batch
    var moved: [Int32: Int32] = [:]
    var gone: Set<Int32> = []
    for (index, file) in files.enumerated() {
      guard let file else { continue }
      let start = whole.keys.keys.count
      resolutions[index] = file.resolution
      for place in resolutions[index].updated.indices {
        resolutions[index].updated[place].incoming = start + place
      }
      for place in file.resolution.updated.count..<file.origins.count {
        moved[file.origins[place]] = Int32(start + place)
      }
      gone.formUnion(file.gone)
      try whole.append(origins: file.origins)
      whole.changes.isDelete.append(repeating: false, count: file.origins.count)
    }
    let parts = [batch.changes.rows] + files.compactMap { $0?.rows }
    whole.changes.rows = try RecordBatch.concatenate(parts, schema: table.schema)
    for (partition, rows) in inserts {
      inserts[partition] = rows.filter { !gone.contains($0) }.map { moved[$0] ?? $0 }
    }
    return whole
  }

  private func complete(
    _ tagged: TaggedSlice, _ resolution: FileResolution, _ inserted: Set<Int32>
  ) async throws -> FileRows? {
    let moved = resolution.moved.filter { inserted.contains(Int32($0.incoming)) }
    guard !resolution.updated.isEmpty || !moved.isEmpty else { return nil }
    let file = try await tagged.open(storage)
    var result = FileRows(
      rows: try RecordBatch.concatenate([], schema: table.schema), origins: [], resolution: resolution)
    var parts: [RecordBatch] = []
    result.resolution.updated = []
    let step =
      kind.merge == nil ? Int.max : StoredRows.step(file, table.schema, bytes: Self.mergedBytes)
    for (isMoved, all) in [(false, resolution.updated), (true, moved)] where !all.isEmpty {
      var rest = all[...]
      while !rest.isEmpty {
        let matches = Array(rest.prefix(step))
        rest = rest.dropFirst(matches.count)
        parts.append(try await rows(of: matches, in: file, isMoved: isMoved, &result))
      }
    }
    result.resolution.deleted.sort()
    result.rows = try RecordBatch.concatenate(parts, schema: table.schema)
    return result
  }

  /// About how many bytes of stored and of incoming rows a merge function gets at once.
  private static let mergedBytes = 16 << 20

  /// The whole rows of matches, and what becomes of these.
  private func rows(
    of matches: [TaggedSlice.Match], in file: ParquetFile, isMoved: Bool, _ result: inout FileRows
  ) async throws -> RecordBatch {
    let origins = matches.map { Int32($0.incoming) }
    let incoming = try batch.changes.rows.gather(origins)
    guard let merge = kind.merge else {
      result.origins += origins
      if !isMoved { result.resolution.updated += matches }
      return try await filled(incoming, from: file, at: matches.map(\.stored))
    }
    let stored = try await StoredRows.read(file, at: matches.map(\.stored), as: table.schema)
    var parts: [RecordBatch] = []
    var start = 0
    while start < matches.count {
      // End to end, as the function has them, strings may take far more than in dictionaries.
      var part = stored.first(of: start..<matches.count, atMost: Self.mergedBytes, isWrittenOut: true)
      part = incoming.first(of: part, atMost: Self.mergedBytes, isWrittenOut: true)
      parts.append(
        try merged(stored.slice(part), incoming.slice(part), Array(origins[part]), merge))
      start = part.upperBound
    }
    let rows = try RecordBatch.concatenate(parts, schema: table.schema)
    let gone = Set(SoftDeletes.rows(of: rows).map(Int32.init))
    if isMoved {
      let deleted = Set(gone.map { origins[Int($0)] })
      result.gone.formUnion(deleted)
      result.resolution.moved.removeAll { deleted.contains(Int32($0.incoming)) }
    } else {
      result.resolution.deleted += gone.map { matches[Int($0)].stored }
    }
    // Rows that come back as they were need no writing, unless they move.
    let kept = isMoved ? Array(0..<Int32(rows.count)) : rows.rowsThatDiffer(from: stored)
    let changed = kept.filter { !gone.contains($0) }
    result.origins += changed.map { origins[Int($0)] }
    if !isMoved {
      let settled = gone.union(changed)
      result.resolution.updated += changed.map { matches[Int($0)] }
      result.resolution.duplicates += matches.indices.filter { !settled.contains(Int32($0)) }
        .map { matches[$0].incoming }
    }
    return try rows.gather(changed)
  }

  /// The incoming rows with stored values in the columns that the batch does not give.
  private func filled(
    _ incoming: RecordBatch, from file: ParquetFile, at positions: [Int]
  ) async throws -> RecordBatch {
    let given = batch.given ?? []
    let missing = table.schema.fields.indices.filter { !given.contains($0) }
    let stored = try await StoredRows.read(
      file, at: positions, as: Schema(missing.map { table.schema.fields[$0] }))
    var rows = incoming
    for (place, column) in zip(missing, stored.columns) { rows.columns[place] = column }
    return rows
  }

  /// What the merge function makes of pairs, checked.
  private func merged(
    _ stored: RecordBatch, _ incoming: RecordBatch, _ origins: [Int32], _ merge: MergeFunction
  ) throws -> RecordBatch {
    let rows: RecordBatch
    do { rows = try merge(stored.plain(), incoming.plain()) } catch let error as TableError {
      throw error
    } catch {
      throw TableError(.badRow, "the merge function failed: \(error)")
    }
    guard rows.count == incoming.count else {
      throw TableError(
        .mismatch, "the merge function gave \(rows.count) rows for \(incoming.count) pairs: give one a pair")
    }
    if let field = table.schema.fields.first(where: { rows[$0.name] == nil }) {
      throw TableError(.mismatch, "the merge function gave no column \(field.name): give all of the table's")
    }
    guard try BatchAlignment(schema: table.schema).evolved(by: rows.schema) == table.schema else {
      throw TableError(.mismatch, "the merge function gave columns that the table does not have")
    }
    let aligned = try BatchAlignment.align(rows, to: table.schema)
    var refused = RefusedRows()
    try BatchAlignment.refuseText(ChangeBatch(upserting: aligned), orderedBy: nil, &refused)
    let keys = try table.generator.keys(
      of: ChangeBatch(upserting: aligned), needsPartition: true, warn: { _ in })
    for (row, origin) in origins.enumerated() {
      let isSame = keys.keys.equals(row, batch.keys.keys, Int(origin))
      let partition = keys.partitions[Int(keys.partitionOf[row])]
      guard isSame, partition == batch.keys.partitions[Int(batch.keys.partitionOf[Int(origin)])] else {
        let shown = batch.keys.keys.string(Int(origin)).prefix(60).debugDescription
        throw TableError(
          .mismatch, "the merge function changed the key or partition of \(shown): keep both, and the order")
      }
    }
    return aligned
  }
}

extension RecordBatch {
  /// The rows that differ in any column from the row at their place in another batch of the same columns.
  func rowsThatDiffer(from other: RecordBatch) -> [Int32] {
    equalRows(to: other).inverted.setPositions
  }
}
