import TarnColumns
import TarnFileGroups
import TarnTimeline

/// Writes batches of one schema into an empty table as they are read.
struct LoadWrite: TableWrite {
  let schema: Schema
  /// The first batch that has rows.
  let first: RecordBatch
  /// Gives those behind it, once.
  let source: BatchSource
  /// What was warned of: each batch would be again.
  private let said = SaidWarnings()

  /// - Parameters:
  ///   - schema: The columns of each batch.
  ///   - first: The first batch that has rows.
  ///   - source: Gives those behind it, once.
  init(schema: Schema, first: RecordBatch, source: @escaping BatchSource) {
    self.schema = schema
    self.first = first
    self.source = source
  }

  var operation: OperationType { .insert }
  /// Its rows have been read.
  var canBeginAgain: Bool { false }

  /// The table that takes the rows; what is written is known once it is.
  struct Prepared: PreparedWrite {
    let intake: BatchIntake
    let planned: PlannedWrite

    var isNeeded: Bool { true }

    func counts(of files: [WrittenFile]) -> RowCounts {
      RowCounts(inserted: files.reduce(0) { $0 + Int($1.statistics.inserts) })
    }

    /// Rows that are not looked up stand on nothing but the columns.
    func isUnaffected(by newer: Prepared) -> Bool {
      planned.table.present == newer.planned.table.present
    }
  }

  func prepare(on table: PresentTable, after previous: Prepared?) async throws(TableError) -> Prepared {
    let settings = table.settings.warningOnce(said)
    let intake = try Incoming(
      state: table.state, settings: settings, kind: .whole, scope: .partition
    ).intake(ofLoad: schema, settings.warn)
    return Prepared(intake: intake, planned: PlannedWrite(intake.table, on: table.state))
  }

  func check(on table: PresentTable) async throws(TableError) {
    let intake = try await prepare(on: table, after: nil).intake
    let changes = try SoftDeletes.taken(
      from: ChangeBatch(upserting: first), intake.table.schema, .insert,
      warn: table.settings.warningOnce(said).warn)
    _ = try intake.loaded(changes.rows)
  }

  func write(
    _ prepared: Prepared, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile] {
    try await BulkLoad(
      intake: prepared.intake, files: files, settings: settings.warningOnce(said), first: first,
      source: source
    ).write()
  }
}
