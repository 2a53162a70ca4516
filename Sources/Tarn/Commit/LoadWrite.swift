import TarnColumns
import TarnFileGroups
import TarnTimeline

extension WriteTransaction {
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
    let quiet = settings.warningOnce
    let intake = try Incoming(state: state, settings: settings, kind: .whole, scope: .partition)
      .intake(ofLoad: schema, quiet.warn)
    let begun = settings.now()
    try await storeOwners()
    let committed = try await committer(intake.table, .insert, RecentCommits()).commit(
      WritePlan(), summary: { summary(Self.counts($0), $0, .zero, $1) }
    ) { files, partitions in
      try await BulkLoad(
        intake: intake, files: files, partitions: partitions, settings: quiet, first: first, source: source
      ).write()
    }
    var report = CommitReport(Self.counts(committed.files), committed.files)
    report.instant = committed.instant
    report.writeDuration = .microseconds(settings.now() - begun)
    return report
  }

  private static func counts(_ files: [WrittenFile]) -> RowCounts {
    RowCounts(inserted: files.reduce(0) { $0 + Int($1.statistics.inserts) })
  }
}
