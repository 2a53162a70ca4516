import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnIndex
import TarnTimeline

extension WriteTransaction {
  /// Changes or deletes the rows for which a condition is true.
  func run(
    _ change: ConditionalChange, where condition: Condition
  ) async throws(TableError) -> CommitReport {
    let table = try WritableTable(state, settings)
    let effect = try ConditionEffect(change, table)
    let begun = settings.now()
    let (found, recent) = try await ConditionLookup(
      state: state, table: table, settings: settings, reader: reader
    ).rows(where: condition)
    let (files, counts) = try await ConditionDecisions(
      effect: effect, reader: reader, parallelism: settings.parallelism
    ).chosen(found)
    if counts.deleted > 0 { table.warnOfForgottenDeletions(settings.warn) }
    let plan = WritePlanner(options: table.options).plan(files)
    let rows: KeyedRows
    do {
      rows = KeyedRows(try RecordBatch.concatenate([], schema: table.schema), RecordKeys())
    } catch { throw TableError(error) }
    let operation: OperationType = effect.assignments == nil ? .delete : .upsert
    return try await finish(plan, counts, table, operation, recent, begun: begun) { files, _ in
      try await PlanWriter(files: files, rows: rows, settings: settings).write(plan)
    }
  }
}
