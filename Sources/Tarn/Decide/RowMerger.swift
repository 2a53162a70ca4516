import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnParquet
import TarnTimeline

/// Makes whole rows of incoming ones and the stored rows that they met, where the incoming ones give only some columns
/// or a merge function decides; so what plans and writes files need not know of that.
///
/// It reads only the stored values that it needs, of the rows that are touched.
struct RowMerger: Sendable {
  let batch: KeyedBatch
  let table: WritableTable
  let kind: UpdateKind
  let reader: BaseFileReader

  /// Whether incoming rows are not whole yet.
  var isNeeded: Bool { kind.merge != nil || batch.given != nil }

  /// The decision for one file with its rows made whole.
  ///
  /// - Throws: ``TableError``, `mismatch` where a merge function gives other rows than it should.
  func merged(_ decision: FileDecision, of slice: FileSlice) async throws(TableError) -> FileDecision {
    guard !decision.replaced.isEmpty || !decision.moved.isEmpty else { return decision }
    do {
      let file = try await reader.open(slice)
      guard let merge = kind.merge else { return try await filled(decision, from: file) }
      return try await merged(decision, with: file, merge)
    } catch { throw TableError(error) }
  }

  /// Fills rows that give only some columns with stored values.
  private func filled(_ decision: FileDecision, from file: ParquetFile) async throws -> FileDecision {
    var result = decision
    var merged = MergedRows(rows: try RecordBatch.concatenate([], schema: table.schema), origins: [])
    var parts: [RecordBatch] = []
    for matches in [decision.replaced, decision.moved] where !matches.isEmpty {
      let origins = matches.map { Int32($0.row) }
      parts.append(
        try await filled(
          try batch.rows.gather(origins), from: file, at: matches.map(\.place.position)))
      merged.origins += origins
    }
    merged.rows = try RecordBatch.concatenate(parts, schema: table.schema)
    result.merged = merged
    return result
  }

  /// About how many bytes of stored and of incoming rows a merge function gets at once.
  private static let mergedBytes = 16 << 20

  /// Asks a merge function, which keeps the partition of each row, so that none moves.
  private func merged(
    _ decision: FileDecision, with file: ParquetFile, _ merge: MergeFunction
  ) async throws -> FileDecision {
    var result = decision
    var origins: [Int32] = []
    var parts: [RecordBatch] = []
    result.replaced = []
    let step = StoredRows.step(file, table.schema, bytes: Self.mergedBytes)
    var rest = decision.replaced[...]
    while !rest.isEmpty {
      let matches = Array(rest.prefix(step))
      rest = rest.dropFirst(matches.count)
      let some = matches.map { Int32($0.row) }
      let stored = try await StoredRows.read(file, at: matches.map(\.place.position), as: table.schema)
      let rows = try merged(stored, try batch.rows.gather(some), some, merge)
      let gone = Set(SoftDeletes.rows(of: rows).map(Int32.init))
      // Rows that come back as they were need no writing.
      let changed = rows.rowsThatDiffer(from: stored).filter { !gone.contains($0) }
      let settled = gone.union(changed)
      result.replaced += changed.map { matches[Int($0)] }
      result.deleted += gone.map { matches[Int($0)].place.position }
      result.duplicates += matches.indices.filter { !settled.contains(Int32($0)) }.map { matches[$0].row }
      origins += changed.map { some[Int($0)] }
      parts.append(try rows.gather(changed))
    }
    result.deleted.sort()
    result.merged = MergedRows(
      rows: try RecordBatch.concatenate(parts, schema: table.schema), origins: origins)
    return result
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

  /// What the merge function makes of pairs, some of them at a time.
  private func merged(
    _ stored: RecordBatch, _ incoming: RecordBatch, _ origins: [Int32], _ merge: MergeFunction
  ) throws -> RecordBatch {
    var parts: [RecordBatch] = []
    var start = 0
    while start < origins.count {
      // End to end, as the function has them, strings may take far more than in dictionaries.
      var part = stored.first(of: start..<origins.count, atMost: Self.mergedBytes, isWrittenOut: true)
      part = incoming.first(of: part, atMost: Self.mergedBytes, isWrittenOut: true)
      parts.append(
        try checked(stored.slice(part), incoming.slice(part), Array(origins[part]), merge))
      start = part.upperBound
    }
    return try RecordBatch.concatenate(parts, schema: table.schema)
  }

  /// What the merge function makes of pairs, checked.
  private func checked(
    _ stored: RecordBatch, _ incoming: RecordBatch, _ origins: [Int32], _ merge: MergeFunction
  ) throws -> RecordBatch {
    let rows: RecordBatch
    do { rows = try merge(stored.plain(), incoming.plain()) } catch let error as TableError {
      throw error
    } catch {
      throw TableError(.badRow, "the merge function failed: \(error)", cause: error)
    }
    guard rows.count == incoming.count else {
      throw TableError(
        .mismatch, "the merge function gave \(rows.count) rows for \(incoming.count) pairs: give one a pair")
    }
    if let field = table.schema.fields.first(where: { rows[$0.name] == nil }) {
      throw TableError(
        .mismatch, "the merge function gave no column \(field.name): give all of the table's",
        column: field.name)
    }
    guard try SchemaEvolution(schema: table.schema).evolved(by: rows.schema) == table.schema else {
      throw TableError(.mismatch, "the merge function gave columns that the table does not have")
    }
    let aligned = try rows.aligned(to: table.schema)
    var refused = RefusedRows()
    try ChangeBatch(upserting: aligned).refuseText(orderedBy: [], &refused)
    let keys = try table.keys.generator.keys(
      of: ChangeBatch(upserting: aligned), needsPartition: true, warn: { _ in })
    for (row, origin) in origins.enumerated() {
      let isSame = keys.texts.equals(row, batch.keys.texts, Int(origin))
      let partition = keys.partitions.path(ofRow: row)
      guard isSame, partition == batch.keys.partitions.path(ofRow: Int(origin)) else {
        let shown = batch.keys.texts.string(Int(origin)).prefix(60).debugDescription
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
