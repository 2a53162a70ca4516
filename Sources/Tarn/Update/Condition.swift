import TarnAvro
import TarnBytes
import TarnColumns
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

/// The rows of one file for which a condition is true.
private struct FoundRows: Sendable {
  var tagged: TaggedSlice
  /// Their positions in the file, ascending.
  var positions: [Int]
  /// What they become, in the table's columns; nil where they go.
  var rows: RecordBatch?
  /// Their record keys.
  var keys = ByteStrings()
  /// Deleted keys that are to be remembered.
  var burials = Burials()
  /// Rows that have the new values already.
  var duplicates = 0
}

extension WriteTransaction {
  /// Changes or deletes the rows for which a condition is true.
  ///
  /// Partitions are ruled out by their paths, row groups by their statistics; of the others only the condition's
  /// columns are read, and then the rows that change.
  func run(
    _ change: ConditionalChange, where predicate: Predicate
  ) async throws(TableError) -> CommitReport {
    let state = try await openForWriting()
    var isDeletion = false
    if case .delete = change { isDeletion = true }
    let operation: OperationType = isDeletion ? .delete : .upsert
    let nothing = ChangeBatch(upserting: try noRows(Schema([])))
    let table = try Target(state, nothing, operation)
    let full =
      state.properties.populatesMetaFields ? MetaColumns.added(to: table.schema) : table.schema
    try predicate.check(against: full)
    let values = try Assignments(change, table)
    let slices = try await slices(where: predicate, table)
    let found = try await tableErrors {
      try await concurrently(slices, width: settings.parallelism) { slice in
        try await find(predicate, in: slice, full, table, values)
      }
    }
    var report = CommitReport()
    let (batch, plan) = try plan(found.compactMap { $0 }, table, &report)
    if report.deleted > 0 { warnOfForgetting(table) }
    guard !plan.isEmpty else { return report }
    try await commit(plan, batch, table, operation, &report)
    return report
  }

  private func noRows(_ schema: Schema) throws(TableError) -> RecordBatch {
    do { return try RecordBatch.concatenate([], schema: schema) } catch { throw TableError(error) }
  }

  /// The slices of partitions in which the condition may be true.
  private func slices(
    where predicate: Predicate, _ table: Target
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
      let holds = try PartitionValues(partition, table.generator.partition, table.schema).mayHold(predicate)
      known[ExactText(partition)] = holds
      return holds
    }
    try await writtenFiles(table).check(all, of: mayHold)
    var held: [FileSlice] = []
    for slice in all where try mayHold(slice.partitionPath) { held.append(slice) }
    return held
  }

  private func find(
    _ predicate: Predicate, in slice: FileSlice, _ full: Schema, _ table: Target, _ values: Assignments?
  ) async throws -> FoundRows? {
    let file = try await footers.open(slice, in: storage)
    let positions = try await self.positions(predicate, file, full)
    guard !positions.isEmpty else { return nil }
    var found = FoundRows(tagged: TaggedSlice(slice, file, footers), positions: positions)
    guard let values else {
      if table.remembers, let ordering = table.ordering {
        let rows = try await StoredRows.read(
          file, at: positions, as: table.storedKeys.schema.adding([ordering]))
        let keys = try table.storedKeys.keys(of: rows)
        guard let order = rows[ordering.name] else { return found }
        for row in 0..<rows.count { try found.burials.append(keys[row], orderedBy: order, row) }
      }
      return found
    }
    let stored = try await StoredRows.read(
      file, at: positions, as: table.schema.adding(table.storedKeys.schema.fields))
    var rows = try RecordBatch(
      schema: table.schema, columns: Array(stored.columns.prefix(table.schema.fields.count)),
      count: stored.count)
    let before = rows
    try values.apply(to: &rows)
    let changed = rows.rowsThatDiffer(from: before)
    found.duplicates = positions.count - changed.count
    found.positions = changed.map { positions[Int($0)] }
    found.rows = try rows.gather(changed)
    found.keys = try table.storedKeys.keys(
      of: try stored.select(table.storedKeys.schema.names).gather(changed))
    return found
  }

  /// The positions of the rows for which the condition is true.
  private func positions(
    _ predicate: Predicate, _ file: ParquetFile, _ full: Schema
  ) async throws -> [Int] {
    let needed = Schema(full.fields.filter { predicate.columns.contains($0.name) })
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
      guard try predicate.mayHold(file, group: group, schema: full) else { continue }
      func take(_ rows: RecordBatch) throws {
        let rows = try BatchAlignment.align(rows, to: needed.relaxed)
        positions += try predicate.rows(of: rows).map { start + Int($0) }
        start += rows.count
      }
      if columns.isEmpty {
        try take(try RecordBatch(schema: Schema([]), columns: [], count: end - start))
      } else {
        for try await rows in file.batches(columns: columns, groups: [group]) { try take(rows) }
      }
    }
    return positions
  }

  /// One batch of all rows that change, and the plan that puts them in the places of the old ones.
  private func plan(
    _ found: [FoundRows], _ table: Target, _ report: inout CommitReport
  ) throws(TableError) -> (PreparedBatch, WritePlan) {
    var plan = WritePlan()
    var keys = RecordKeyGenerator.Keys(keys: ByteStrings(), hashes: [], partitions: [], partitionOf: [])
    do throws(ColumnError) {
      for file in found {
        report.duplicates += file.duplicates
        guard !file.positions.isEmpty else { continue }
        var resolution = FileResolution()
        if file.rows == nil {
          resolution.deleted = file.positions
          resolution.burials = file.burials
          report.deleted += file.positions.count
        } else {
          let start = keys.keys.count
          resolution.updated = file.positions.enumerated().map {
            TaggedSlice.Match(stored: $0.element, incoming: start + $0.offset)
          }
          report.updated += file.positions.count
          let path = file.tagged.slice.partitionPath
          if keys.partitions.last.map({ ExactText($0) }) != ExactText(path) { keys.partitions.append(path) }
          try keys.keys.append(file.keys, 0..<file.keys.count)
          keys.partitionOf += [Int32](repeating: Int32(keys.partitions.count - 1), count: file.keys.count)
        }
        plan.merges.append(WritePlan.Merge(tagged: file.tagged, resolution: resolution))
      }
      keys.hashes = (0..<keys.keys.count).map { [keys = keys.keys] in keys.hash($0) }
      let rows = try RecordBatch.concatenate(found.compactMap(\.rows), schema: table.schema)
      let batch = PreparedBatch(
        ChangeBatch(upserting: rows), keys: keys, orderedBy: table.state.properties.orderingField,
        scope: .partition, keepsAll: true)
      return (batch, plan)
    } catch { throw TableError(error) }
  }
}

/// The values that rows get, each a column of one row.
private struct Assignments: Sendable {
  private var values: [(column: Int, value: Column)] = []

  /// Checks values against a table; nil where rows are deleted.
  ///
  /// - Throws: ``TableError`` with code `mismatch` for a column that is not there, names or places a row, or cannot
  ///   hold its value.
  init?(_ change: ConditionalChange, _ table: WriteTransaction.Target) throws(TableError) {
    guard case .set(let literals) = change else { return nil }
    guard !literals.isEmpty else { throw TableError(.mismatch, "an update needs a column to set") }
    for (name, literal) in literals.sorted(by: { $0.key < $1.key }) {
      guard let index = table.schema.index(of: name) else {
        throw TableError(
          .mismatch,
          "there is no column \(name) to set: the table has \(table.schema.names.joined(separator: ", "))")
      }
      let isKey = table.generator.keyFields.contains(name)
      guard !isKey, !table.generator.partition.fields.contains(name) else {
        throw TableError(
          .mismatch,
          "\(name) is a \(isKey ? "key" : "partition") column, which an update cannot set: delete the rows, and "
            + "upsert them anew")
      }
      let field = table.schema.fields[index]
      guard let literal else {
        guard field.isNullable else { throw TableError(.mismatch, "column \(name) takes no null") }
        values.append((index, Column(nulls: 1, of: field.type)))
        continue
      }
      values.append((index, try literal.stored(in: field)))
    }
  }

  func apply(to rows: inout RecordBatch) throws(ColumnError) {
    let first = [Int32](repeating: 0, count: rows.count)
    for (column, value) in values { rows.columns[column] = try value.gather(first) }
  }
}

extension Table {
  /// Deletes the rows for which a condition is true.
  ///
  /// Only files that can hold such rows are opened. Meta columns may stand in the condition.
  ///
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one; the table is as it
  ///   was then.
  @discardableResult
  public func delete(where predicate: Predicate) async throws(TableError) -> CommitReport {
    try await write { transaction throws(TableError) in
      try await transaction.run(.delete, where: predicate)
    }
  }

  /// Gives columns new values in the rows for which a condition is true.
  ///
  /// Rows that have these values already are counted as ``CommitReport/duplicates`` and not written.
  ///
  /// - Parameters:
  ///   - predicate: The condition; meta columns may stand in it.
  ///   - values: The new value of each column, nil for null. Key and partition columns cannot be among them.
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one; the table is as it
  ///   was then.
  @discardableResult
  public func update(
    where predicate: Predicate, set values: [String: Literal?]
  ) async throws(TableError) -> CommitReport {
    try await write { transaction throws(TableError) in
      try await transaction.run(.set(values), where: predicate)
    }
  }
}
