import TarnAvro
import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// What the attempt of a write puts into the table: the files of the timeline, and those of the data.
struct AttemptContents<Write: TableWrite>: Sendable {
  let write: Write
  let options: WriteOptions

  /// What an attempt puts on the timeline when it begins.
  func plan(_ prepared: Write.Prepared, mark: UInt64) throws(TableError) -> AttemptPlan {
    AttemptPlan(
      write.action, request: try write.request(prepared), workload(prepared.planned.plan, mark: mark))
  }

  /// The planned workload, as Spark's inflight instants have it, with Tarn's mark.
  private func workload(_ plan: WritePlan, mark: UInt64) -> CommitMetadata {
    var metadata = CommitMetadata(operation: write.operation)
    metadata.writer = String(mark, radix: 16)
    for update in plan.updates {
      metadata.append(
        WriteStatistics(
          plannedFor: update.slice.fileID, previousCommit: update.slice.instant,
          updates: Int64(update.updatedCount), inserts: Int64(update.inserts.count)),
        partition: update.slice.partitionPath)
    }
    for creation in plan.creations {
      metadata.append(
        WriteStatistics(plannedFor: "", updates: 0, inserts: Int64(creation.inserts.count)),
        partition: creation.partitionPath)
    }
    return metadata
  }

  /// Writes the data files, which are durable then.
  func files(
    of prepared: Write.Prepared, _ instant: Instant, _ markers: CommitMarkers, _ standing: AttemptStanding,
    _ table: PresentTable
  ) async throws -> [WrittenFile] {
    let settings = table.settings
    let planned = prepared.planned
    // What the completed file makes part of the table is durable before it, all at once: one by one it would take long.
    let data = table.reader.storage.batch()
    let time = settings.now() / 1_000
    let stamp = CommitStamp(instant, time: time, tombstoneExpiry: planned.table.tombstoneExpiry(at: time))
    let files = CommitFiles(
      try planned.table.fileFormat(), stamp, markers, standing,
      BaseFileReader(data, table.reader.footers, warn: settings.warn), memory: settings.memory)
    let written = try await write.write(prepared, files, settings)
    let tombstones = planned.plan.tombstones
    if !tombstones.isEmpty {
      try await standing.check()
      try await TombstoneStore.write(tombstones.tombstones(at: time), of: instant, in: data)
    }
    try await data.settle()
    // A commit without files has not asked yet.
    try await standing.settle()
    return written
  }

  /// The partitions in which a write leaves more small files than there may be.
  func crowdedPartitions(_ planned: PlannedWrite, _ files: [WrittenFile]) -> [String] {
    SmallFiles(options: planned.table.options).crowded(by: files, besides: planned.neighbours)
  }

  /// What the completed file will say, but for the commit's position.
  func completed(
    _ planned: PlannedWrite, _ files: [WrittenFile], _ report: CommitReport
  ) -> CommitMetadata {
    let table = planned.table
    var metadata = CommitMetadata(operation: write.operation)
    for (key, value) in options.metadata.sorted(by: { $0.key < $1.key }) { metadata.extra[key] = value }
    metadata.schema = AvroSchema.text(of: table.schema, table: table.properties.name)
    for file in files { metadata.append(file.statistics, partition: file.statistics.partitionPath ?? "") }
    if write.action == .replacecommit {
      var replaced = OrderedMap<[String]>()
      for slice in planned.plan.replaced { replaced[slice.partitionPath, default: []].append(slice.fileID) }
      metadata.replaced = replaced
    }
    metadata.extra[CommitMetadata.reportKey] = report.summary
    if let transaction = options.transaction {
      metadata.extra[ApplicationVersion.key] = "\(transaction.version) \(transaction.application)"
    }
    return metadata
  }
}
