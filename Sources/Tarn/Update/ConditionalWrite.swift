import TarnAvro
import TarnBytes
import TarnColumns
import TarnExpressions
import TarnParquet
import TarnStorage
import TarnTimeline

/// What a condition does to the rows for which it is true.
enum ConditionalChange: Sendable {
  /// They go.
  case delete
  /// These columns get these values.
  case set([String: Literal?])
}

/// A file with rows for which a condition is true.
private struct FoundRows: Sendable {
  var tagged: TaggedSlice
  /// The rows that change.
  var edit: ConditionalEdit
  /// How many have the new values already.
  var duplicates = 0
}

extension WriteTransaction {
  /// Changes or deletes the rows for which a condition is true.
  ///
  /// Partitions are ruled out by their paths, row groups by their statistics; of the others only the columns of
  /// the condition and those that get values are read here; the rows that change are read when their file is written.
  func run(
    _ change: ConditionalChange, where condition: Condition
  ) async throws(TableError) -> CommitReport {
    let state = try await openForWriting()
    var isDeletion = false
    if case .delete = change { isDeletion = true }
    let operation: OperationType = isDeletion ? .delete : .upsert
    let nothing = ChangeBatch(upserting: try noRows(Schema([])))
    let table = try Target(state, nothing, operation, settings)
    let full =
      state.properties.populatesMetaFields ? MetaColumns.added(to: table.schema) : table.schema
    let search = try RowSearch(full, state.properties).narrowed(by: condition)
    let values = try Assignments(change, table)
    let slices = try await slices(of: search, table)
    let found = try await tableErrors {
      try await concurrently(slices, width: settings.parallelism) { slice in
        try await find(search, in: slice, table, values)
      }
    }
    var report = CommitReport()
    var plan = WritePlan()
    for file in found.compactMap(\.self) {
      report.duplicates += file.duplicates
      guard file.edit.count > 0 else { continue }
      let merge = WritePlan.Merge(tagged: file.tagged, resolution: FileResolution(), edit: file.edit)
      report.updated += merge.updatedCount
      report.deleted += merge.deletedCount
      plan.merges.append(merge)
    }
    if report.deleted > 0 { warnOfForgetting(table) }
    guard !plan.isEmpty else { return report }
    let keys = RecordKeyGenerator.Keys(keys: ByteStrings(), hashes: [], partitions: [], partitionOf: [])
    let batch = PreparedBatch(
      ChangeBatch(upserting: try noRows(table.schema)), keys: keys,
      orderedBy: state.properties.orderingField, scope: .partition, keepsAll: true)
    try await commit(plan, batch, table, operation, &report)
    return report
  }

  private func noRows(_ schema: Schema) throws(TableError) -> RecordBatch {
    do { return try RecordBatch.concatenate([], schema: schema) } catch { throw TableError(error) }
  }

  /// The slices of partitions in which there may be rows that are looked for.
  private func slices(of search: RowSearch, _ table: Target) async throws(TableError) -> [FileSlice] {
    let all = try await tableErrors {
      try await FileSystemView.load(
        from: storage, properties: table.state.properties, timeline: table.state.timeline
      ).slices()
    }
    let written = try await writtenFiles(table)
    guard let (rules, example) = try search.pruning(of: all, ofOthers: true),
      try await isTrue(rules, of: example)
    else {
      try written.check(all) { _ in true }
      return all
    }
    try written.check(all, of: rules.mayHold)
    var held: [FileSlice] = []
    for slice in all where try rules.mayHold(slice.partitionPath) { held.append(slice) }
    return held
  }

  private func isTrue(_ rules: PartitionPruning, of slice: FileSlice) async throws(TableError) -> Bool {
    let file: ParquetFile
    do { file = try await footers.open(slice, in: storage) } catch { throw TableError(error) }
    return try await rules.isTrue(of: slice, file)
  }

  private func find(
    _ search: RowSearch, in slice: FileSlice, _ table: Target, _ values: Assignments?
  ) async throws -> FoundRows? {
    let file = try await footers.open(slice, in: storage)
    let positions = try await self.positions(search, file)
    guard !positions.isEmpty else { return nil }
    // Written anew, the file would be Tarn's, and not be asked any more.
    _ = try await footers.open(slice, in: storage, checking: table.storedKeyCheck)
    let tagged = TaggedSlice(slice, file, footers)
    guard let values else {
      return FoundRows(tagged: tagged, edit: ConditionalEdit(positions, nil, table))
    }
    let changed = try await values.changed(positions, of: file)
    return FoundRows(
      tagged: tagged, edit: ConditionalEdit(changed, values, table),
      duplicates: positions.count - changed.count)
  }

  /// The positions in a file of the rows that are looked for.
  private func positions(_ search: RowSearch, _ file: ParquetFile) async throws(TableError) -> [Int] {
    var starts = [0]
    for group in 0..<file.rowGroupCount { starts.append(starts[group] + file.rowCount(inGroup: group)) }
    var positions: [Int] = []
    var last = -1
    var isSorted = true
    for selection in try await search.selections(of: file, in: storage, warn: settings.warn) {
      let start = starts[selection.group]
      _ = try await search.forEach(of: selection, in: file) { found in
        for range in found {
          isSorted = isSorted && start + range.lowerBound > last
          last = start + range.upperBound - 1
          positions += range.lazy.map { start + $0 }
        }
        return true
      }
    }
    if !isSorted { positions.sort() }
    return positions
  }
}

extension Table {
  /// Deletes the rows for which a condition is true.
  ///
  /// Only files that can hold such rows are opened. Meta columns that the table has may stand in the condition.
  ///
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one; the table is as it
  ///   was then.
  @discardableResult
  public func delete(where condition: Condition) async throws(TableError) -> CommitReport {
    try await write { transaction throws(TableError) in
      try await transaction.run(.delete, where: condition)
    }
  }

  /// Gives columns new values in the rows for which a condition is true.
  ///
  /// Rows that have these values already are counted as ``CommitReport/duplicates`` and not written.
  ///
  /// - Parameters:
  ///   - condition: The condition; meta columns that the table has may stand in it.
  ///   - values: The new value of each column, nil for null. Key and partition columns cannot be among them.
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one; the table is as it
  ///   was then.
  @discardableResult
  public func update(
    where condition: Condition, set values: [String: Literal?]
  ) async throws(TableError) -> CommitReport {
    try await write { transaction throws(TableError) in
      try await transaction.run(.set(values), where: condition)
    }
  }
}
