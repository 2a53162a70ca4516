import TarnColumns
import TarnFileGroups
import TarnTimeline

/// Gives columns wider types, by a commit without files.
struct WideningWrite: TableWrite {
  let types: [String: DataType]

  /// Hudi's own commits of a new schema call themselves so.
  var operation: OperationType { .insert }

  /// The table with the new types.
  struct Prepared: PreparedWrite {
    let planned: PlannedWrite

    var isNeeded: Bool { planned.claim.changesSchema }

    func isUnaffected(by newer: Prepared) -> Bool {
      planned.table.present == newer.planned.table.present
    }
  }

  func prepare(on table: PresentTable, after previous: Prepared?) async throws(TableError) -> Prepared {
    let state = table.state
    let present = try state.requireSchema()
    let widening = ColumnWidening(state.properties)
    var schema = present
    for (name, type) in types.sorted(by: { $0.key < $1.key }) {
      schema = try widening.widened(schema, name, to: SchemaEvolution.tableType(type))
    }
    if let warning = ColumnWidening.warning(from: present, to: schema) { table.settings.warn(warning) }
    let wider = schema
    let writable = try WritableTable(state, table.settings) { _ in wider }
    return Prepared(planned: PlannedWrite(writable, on: state))
  }

  func write(
    _ prepared: Prepared, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile] { [] }
}
