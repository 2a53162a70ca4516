import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Changes or deletes the rows for which a condition is true.
struct ConditionWrite: TableWrite {
  let change: ConditionalChange
  let condition: Condition

  var operation: OperationType {
    if case .delete = change { .delete } else { .upsert }
  }

  /// What becomes of the rows.
  struct Prepared: PreparedWrite {
    let files: [ChosenFile]
    let planned: PlannedWrite
  }

  func prepare(
    on table: PresentTable, after previous: Prepared?
  ) async throws(TableError) -> Prepared {
    let writable = try WritableTable(table.state, table.settings)
    let effect = try ConditionEffect(change, writable)
    let found = try await ConditionLookup(
      state: table.state, table: writable, settings: table.settings, reader: table.reader
    ).rows(where: condition)
    let (files, counts) = try await ConditionDecisions(
      effect: effect, reader: table.reader, parallelism: table.settings.filesAtOnce
    ).chosen(found)
    if counts.deleted > 0 { writable.warnOfForgottenDeletions(table.settings.warn) }
    let plan = WritePlanner(options: writable.options).plan(files)
    return Prepared(
      files: files, planned: PlannedWrite(writable, plan, counts, on: table.state, lookingIn: nil))
  }

  func write(
    _ prepared: Prepared, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile] {
    let none = KeyedRows(try RecordBatch.concatenate([], schema: prepared.planned.table.schema), RecordKeys())
    return try await PlanWriter(files: files, rows: none, settings: settings).write(prepared.planned.plan)
  }
}

extension ConditionWrite.Prepared {
  /// The condition is true for the same rows of the same files.
  func isUnaffected(by newer: ConditionWrite.Prepared) -> Bool {
    planned.table.present == newer.planned.table.present && files.count == newer.files.count
      && zip(files, newer.files).allSatisfy {
        $0.slice == $1.slice && $0.rows.positions == $1.rows.positions
      }
  }
}
