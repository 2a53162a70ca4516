import TarnColumns
import TarnTimeline

extension WriteTransaction {
  /// Gives columns wider types, by a commit without files.
  func widen(_ types: [String: DataType]) async throws(TableError) -> CommitReport {
    let present = try state.requireSchema()
    let widening = ColumnWidening(state.properties)
    var schema = present
    for (name, type) in types.sorted(by: { $0.key < $1.key }) {
      schema = try widening.widened(schema, name, to: SchemaEvolution.tableType(type))
    }
    guard schema != present else { return CommitReport() }
    if let warning = ColumnWidening.warning(from: present, to: schema) { settings.warn(warning) }
    let wider = schema
    let table = try WritableTable(state, settings) { _ in wider }
    let recent = try await tableErrors {
      try await WrittenFiles(state, storage, parallelism: settings.parallelism) { _ in false }.recent
    }
    // Hudi's own commits of a new schema call themselves so.
    let committed = try await committer(table, .insert, recent).commit(
      WritePlan(), summary: { summary(RowCounts(), $0, .zero, $1) }
    ) { _, _ in [] }
    var report = CommitReport()
    report.instant = committed.instant
    return report
  }
}
