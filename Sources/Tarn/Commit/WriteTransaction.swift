import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// One write, which ends with a completed commit; its kinds are extensions, in which the stages follow one another.
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

  /// Commits a plan, where there is something to write.
  func finish(
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

  func committer(
    _ table: WritableTable, _ operation: OperationType, _ recent: RecentCommits
  ) -> Committer {
    Committer(
      state: state, table: table, settings: settings, storage: storage, footers: reader.footers,
      authority: authority, operation: operation, recent: recent)
  }

  /// What the commit's metadata keeps of a write.
  func summary(
    _ counts: RowCounts, _ files: [WrittenFile], _ lookUp: Duration, _ write: Duration
  ) -> String {
    var report = CommitReport(counts, files)
    report.lookUpDuration = lookUp
    report.writeDuration = write
    return report.summary
  }
}
