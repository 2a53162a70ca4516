import TarnColumns
import TarnTimeline

/// The rows of a write, and the table as they leave it.
struct IncomingBatch: Sendable {
  /// The table.
  let table: WritableTable
  /// The rows.
  let batch: KeyedBatch
}

/// Takes what a write is given: rows that say themselves that they are deletions, columns that are new, keys.
struct Incoming: Sendable {
  let state: TableState
  let settings: TableSettings
  let kind: UpdateKind
  let scope: KeyScope

  /// Takes changes, each key once.
  ///
  /// - Returns: The rows, and how many lost to another of the batch.
  /// - Throws: ``TableError``, `badRow` for a row that the table cannot hold, `mismatch` for a column that does not fit.
  func take(
    _ changes: ChangeBatch, _ operation: OperationType
  ) throws(TableError) -> (incoming: IncomingBatch, superseded: Int) {
    let changes = try plain(changes, operation)
    let table = try table(for: changes.rows, operation)
    let intake = intake(table, settings.warn)
    guard operation != .insert else {
      return (IncomingBatch(table: table, batch: try intake.loaded(changes.rows)), 0)
    }
    let (batch, superseded) = try intake.keyed(changes)
    return (IncomingBatch(table: table, batch: batch), superseded)
  }

  /// The rows that the table cannot hold, in ascending order.
  ///
  /// - Throws: ``TableError`` where the batch as a whole cannot be written.
  func refusedRows(in changes: ChangeBatch) throws(TableError) -> [RefusedRow] {
    let changes = try plain(changes, .upsert)
    var refused = RefusedRows(areNoted: true)
    _ = try intake(try table(for: changes.rows, .upsert), settings.warn).align(changes, &refused)
    return refused.rows.sorted { $0.row < $1.row }
  }

  /// What keys the batches of a load, whose columns are these.
  ///
  /// - Parameter warn: Told once of what is the same in many batches.
  func intake(
    ofLoad schema: Schema, _ warn: @escaping @Sendable (String) -> Void
  ) throws(TableError) -> BatchIntake {
    let none: RecordBatch
    do { none = try RecordBatch.concatenate([], schema: schema) } catch { throw TableError(error) }
    let changes = try plain(ChangeBatch(upserting: none), .insert)
    return intake(try table(for: changes.rows, .insert), warn)
  }

  private func plain(
    _ changes: ChangeBatch, _ operation: OperationType
  ) throws(TableError) -> ChangeBatch {
    try SoftDeletes.taken(from: changes, state.requireSchema(), operation, warn: settings.warn)
  }

  private func intake(_ table: WritableTable, _ warn: @escaping @Sendable (String) -> Void) -> BatchIntake {
    BatchIntake(table: table, kind: kind, scope: scope, warn: warn)
  }

  /// The table as a batch leaves it.
  private func table(for rows: RecordBatch, _ operation: OperationType) throws(TableError) -> WritableTable {
    let widening = settings.widensColumns ? ColumnWidening(state.properties) : nil
    return try WritableTable(state, settings) { (present) throws(TableError) in
      let evolved = try SchemaEvolution(schema: present).evolved(by: rows, widening)
      // Keys alone do not change a schema.
      return operation == .delete ? present : evolved
    }
  }
}
