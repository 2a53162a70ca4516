import TarnColumns
import TarnTimeline

extension WriteTransaction {
  /// Writes a batch: its rows are keyed, looked up, decided, planned, written and committed.
  func run(
    _ changes: ChangeBatch, operation: OperationType, scope: KeyScope, kind: UpdateKind = .whole
  ) async throws(TableError) -> CommitReport {
    let (incoming, superseded) = try Incoming(state: state, settings: settings, kind: kind, scope: scope)
      .take(changes, operation)
    let (table, batch) = (incoming.table, incoming.batch)
    let begun = settings.now()
    let lookup = Lookup(state: state, table: table, settings: settings, reader: reader)
    let found = operation == .insert ? try await lookup.open(batch) : try await lookup.run(batch)
    let decisions = RowDecisions(
      batch: batch, table: table, kind: kind, reader: reader, parallelism: settings.parallelism)
    let (rowChanges, rowCounts) = try decisions.changes(
      try await decisions.decisions(for: found.files), found)
    var counts = rowCounts
    counts.superseded = superseded
    let plan = WritePlanner(options: table.options).plan(rowChanges, found.files)
    return try await finish(plan, counts, table, operation, found.recent, begun: begun) {
      files, _ in
      try await PlanWriter(files: files, rows: rowChanges.rows, settings: settings).write(plan)
    }
  }
}
