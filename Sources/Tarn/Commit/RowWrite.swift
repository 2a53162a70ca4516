import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Writes a batch: its rows are keyed, looked up, decided, planned and written.
struct RowWrite: TableWrite {
  let changes: ChangeBatch
  let operation: OperationType
  let scope: KeyScope
  var kind = UpdateKind.whole

  func prepare(
    on table: PresentTable, after previous: PreparedRows?
  ) async throws(TableError) -> PreparedRows {
    let (incoming, superseded) = try incoming(table, previous)
    let batch = incoming.batch
    let lookup = Lookup(
      state: table.state, table: incoming.table, settings: table.settings, reader: table.reader)
    let known = previous?.found.files ?? []
    let found =
      operation == .insert
      ? try await lookup.open(batch, knowing: known) : try await lookup.run(batch, knowing: known)
    let decider = RowDecisions(
      batch: batch, table: incoming.table, kind: kind, reader: table.reader,
      parallelism: table.settings.filesAtOnce)
    let decisions = try await decider.decisions(for: found.files, knowing: previous?.known ?? [:])
    let (rowChanges, rowCounts) = try decider.changes(decisions, found)
    var counts = rowCounts
    counts.superseded = superseded
    return PreparedRows(
      incoming, found, decisions, rowChanges, counts, on: table.state, looksKeysUp: operation != .insert)
  }

  /// The keyed batch, which holds as long as the table has the columns for which it was made.
  private func incoming(
    _ table: PresentTable, _ previous: PreparedRows?
  ) throws(TableError) -> (incoming: IncomingBatch, superseded: Int) {
    if let previous, previous.planned.table.present == table.state.schema,
      previous.planned.table.properties == table.state.properties
    {
      return (
        IncomingBatch(table: previous.planned.table, batch: previous.batch),
        previous.planned.counts.superseded
      )
    }
    return try Incoming(state: table.state, settings: table.settings, kind: kind, scope: scope)
      .take(changes, operation)
  }

  func write(
    _ prepared: PreparedRows, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile] {
    try await PlanWriter(files: files, rows: prepared.rows, settings: settings).write(prepared.planned.plan)
  }
}
