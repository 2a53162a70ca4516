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
    do { try condition.check(against: full) } catch { throw TableError(error) }
    let values = try Assignments(change, table)
    let slices = try await slices(where: condition, table)
    let found = try await tableErrors {
      try await concurrently(slices, width: settings.parallelism) { slice in
        try await find(condition, in: slice, full, table, values)
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

  /// The slices of partitions in which the condition may be true.
  private func slices(
    where condition: Condition, _ table: Target
  ) async throws(TableError) -> [FileSlice] {
    let properties = table.state.properties
    let all = try await tableErrors {
      try await FileSystemView.load(from: storage, properties: properties, timeline: table.state.timeline)
        .slices()
    }
    var known: [ExactText: Bool] = [:]
    func mayHold(_ partition: String) throws(TableError) -> Bool {
      // With a generator of its own kinds, Hudi makes paths of what it makes of the values.
      if case .custom = properties.keyGenerator { return true }
      if let holds = known[ExactText(partition)] { return holds }
      let holds = try PartitionValues(partition, table.generator.partition, table.schema).mayHold(condition)
      known[ExactText(partition)] = holds
      return holds
    }
    try await writtenFiles(table).check(all, of: mayHold)
    var held: [FileSlice] = []
    for slice in all where try mayHold(slice.partitionPath) { held.append(slice) }
    return held
  }

  private func find(
    _ condition: Condition, in slice: FileSlice, _ full: Schema, _ table: Target, _ values: Assignments?
  ) async throws -> FoundRows? {
    let file = try await footers.open(slice, in: storage)
    let positions = try await self.positions(condition, file, full)
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

  /// The positions of the rows for which the condition is true.
  private func positions(
    _ condition: Condition, _ file: ParquetFile, _ full: Schema
  ) async throws -> [Int] {
    let needed = Schema(full.fields.filter { condition.columns.contains($0.name) })
    for field in needed.fields {
      if let reason = file.unreadable[field.name] {
        throw TableError(.unsupported, "\(file.path): column \(field.name) cannot be read yet: \(reason)")
      }
    }
    let columns = needed.fields.compactMap { file.schema.index(of: $0.name) }
    var positions: [Int] = []
    var start = 0
    for group in 0..<file.rowGroupCount {
      let end = start + file.rowCount(inGroup: group)
      defer { start = end }
      guard try condition.mayHold(file, group: group, schema: full) else { continue }
      func take(_ rows: RecordBatch) throws {
        let rows = try BatchAlignment.align(rows, to: needed.relaxed)
        positions += try condition.rows(of: rows).map { start + Int($0) }
        start += rows.count
      }
      for try await rows in file.batches(columns: columns, groups: [group]) { try take(rows) }
    }
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
