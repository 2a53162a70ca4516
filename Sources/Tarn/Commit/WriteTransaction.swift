import TarnAvro
import TarnBytes
import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// One write, from a batch to a completed commit: the stages in turn.
struct WriteTransaction: Sendable {
  /// The table as it was found, with nothing in a writer's way.
  let state: TableState
  let settings: TableSettings
  let reader: BaseFileReader
  /// Says whether this writer may commit.
  let authority: any WriterAuthority
  /// Which names own which columns, to be stored before the commit.
  let owners: ColumnOwners?

  var storage: any Storage { reader.storage }

  // MARK: - Rows

  /// Writes a batch.
  func run(
    _ changes: ChangeBatch, operation: OperationType, scope: KeyScope, kind: UpdateKind = .whole
  ) async throws(TableError) -> CommitReport {
    let changes = try SoftDeletes.taken(
      from: changes, state.requireSchema(), operation, warn: settings.warn)
    let table = try writableTable(changes.rows, operation)
    let intake = BatchIntake(table: table, kind: kind, scope: scope, warn: settings.warn)
    let (batch, superseded) =
      try operation == .insert ? (intake.loaded(changes.rows), 0) : intake.keyed(changes)
    let begun = settings.now()
    let candidates = try await SliceLookup(state: state, table: table, settings: settings, reader: reader)
      .slices(for: batch)
    let lookup = Lookup(table: table, settings: settings, timeline: state.timeline, reader: reader)
    let decisions = RowDecisions(
      batch: batch, table: table, kind: kind, reader: reader, parallelism: settings.parallelism)
    let found =
      operation == .insert
      ? try await lookup.open(batch, in: candidates.slices, candidates.buckets)
      : try await lookup.run(batch, in: candidates.slices, candidates.buckets)
    let (rowChanges, counts) = try decisions.changes(
      try await decisions.decisions(for: found.files), found)
    let plan = WritePlanner(options: table.options).plan(rowChanges, found.files)
    return try await finish(
      plan, counts + RowCounts(superseded: superseded), table, operation, candidates.recent, begun: begun
    ) { files, _ in
      try await PlanWriter(files: files, rows: rowChanges.rows, settings: settings).write(plan)
    }
  }

  /// The table as a batch leaves it.
  private func writableTable(
    _ rows: RecordBatch, _ operation: OperationType
  ) throws(TableError) -> WritableTable {
    let widening = settings.widensColumns ? ColumnWidening(state.properties) : nil
    return try WritableTable(state, settings) { (present) throws(TableError) in
      let evolved = try SchemaEvolution(schema: present).evolved(by: rows, widening)
      // Keys alone do not change a schema.
      return operation == .delete ? present : evolved
    }
  }

  // MARK: - Conditions

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
    let none = KeyedRows(try noRows(table.schema), RecordKeys())
    return try await finish(
      plan, counts, table, effect.assignments == nil ? .delete : .upsert, recent, begun: begun
    ) { files, _ in
      try await PlanWriter(files: files, rows: none, settings: settings).write(plan)
    }
  }

  private func noRows(_ schema: Schema) throws(TableError) -> RecordBatch {
    do { return try RecordBatch.concatenate([], schema: schema) } catch { throw TableError(error) }
  }

  // MARK: - Loads

  /// Writes batches of one schema, which are read as they are written where the table is empty.
  func load(_ schema: Schema, _ source: @escaping BatchSource) async throws(TableError) -> CommitReport {
    let stored = try TarnOptions(state.properties).buckets
    let isBucketed = settings.buckets != nil || stored != nil
    // Rows of a bucket go into one file, so that all of them must be at hand.
    guard state.timeline.lastInstant == nil, !isBucketed else {
      let all = try await tableErrors {
        var batches: [RecordBatch] = []
        while let batch = try await source() { batches.append(batch) }
        return try RecordBatch.concatenate(batches, schema: schema)
      }
      return try await run(ChangeBatch(upserting: all), operation: .insert, scope: .partition)
    }
    var first = try await tableErrors { try await source() }
    while let batch = first, batch.count == 0 { first = try await tableErrors { try await source() } }
    guard let first else { return CommitReport() }
    let none = try SoftDeletes.taken(
      from: ChangeBatch(upserting: try noRows(schema)), state.requireSchema(), .insert, warn: settings.warn)
    let table = try writableTable(none.rows, .insert)
    let begun = settings.now()
    let quiet = settings.warningOnce
    let intake = BatchIntake(table: table, kind: .whole, scope: .partition, warn: quiet.warn)
    try await storeOwners()
    let committed = try await committer(table, .insert, RecentCommits()).commit(
      WritePlan(), summary: { summary(RowCounts(inserted: Self.inserts($0)), $0, .zero, $1) }
    ) { files, partitions in
      try await BulkLoad(
        intake: intake, files: files, partitions: partitions, settings: quiet, first: first, source: source
      ).write()
    }
    var report = CommitReport(RowCounts(inserted: Self.inserts(committed.files)), committed.files)
    report.instant = committed.instant
    report.writeDuration = .microseconds(settings.now() - begun)
    return report
  }

  private static func inserts(_ files: [WrittenFile]) -> Int {
    files.reduce(0) { $0 + Int($1.statistics.inserts) }
  }

  // MARK: - Columns

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

  // MARK: - Commit

  /// Commits a plan, where there is something to write.
  private func finish(
    _ plan: WritePlan, _ counts: RowCounts, _ table: WritableTable, _ operation: OperationType,
    _ recent: RecentCommits, begun: Int64,
    _ write: (CommitFiles, AttemptPartitions) async throws -> [WrittenFile]
  ) async throws(TableError) -> CommitReport {
    let planned = settings.now()
    let lookUpDuration = Duration.microseconds(planned - begun)
    var report = CommitReport(counts)
    report.lookUpDuration = lookUpDuration
    guard !plan.isEmpty else { return report }
    try await storeOwners()
    if !plan.tombstones.isEmpty { try await tidyTombstones(table) }
    let committed = try await committer(table, operation, recent).commit(
      plan, summary: { summary(counts, $0, lookUpDuration, $1) }, write)
    report = CommitReport(counts, committed.files)
    report.instant = committed.instant
    report.lookUpDuration = lookUpDuration
    report.writeDuration = .microseconds(settings.now() - planned)
    return report
  }

  private func committer(
    _ table: WritableTable, _ operation: OperationType, _ recent: RecentCommits
  ) -> Committer {
    Committer(
      state: state, table: table, settings: settings, storage: storage, footers: reader.footers,
      authority: authority, operation: operation, recent: recent)
  }

  /// What the commit's metadata keeps of a write.
  private func summary(
    _ counts: RowCounts, _ files: [WrittenFile], _ lookUp: Duration, _ write: Duration
  ) -> String {
    var report = CommitReport(counts, files)
    report.lookUpDuration = lookUp
    report.writeDuration = write
    return report.summary
  }
}
