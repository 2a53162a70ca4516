import TarnAvro
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

extension WriteTransaction {
  /// Carries a plan out: requested, inflight, data files, completed.
  ///
  /// With `load`, the files are those that it writes, all of them new, and the plan is empty.
  ///
  /// What fails is taken back; only a completed file that the storage made before it failed stays, and the
  /// error says so.
  func commit(
    _ plan: WritePlan, _ batch: PreparedBatch, _ table: Target, _ operation: OperationType,
    _ report: inout CommitReport, load: ((CommitContext) async throws -> [WrittenFile])? = nil
  ) async throws(TableError) {
    let latest = table.state.timeline.lastInstant
    let now = settings.now()
    let instant = Instant.after(latest: latest, now: now)
    if let latest, instant <= latest {
      throw TableError(
        .damaged, "the timeline holds instant \(latest.text), after which there can be none: remove its files"
      )
    }
    // What the completed file makes part of the table is durable before it, all at once: one by one it would take long.
    let data = storage.batch()
    let context = context(instant, in: data, now: now, plan, batch, table)
    let log = CommitLog(storage)
    do throws(TimelineError) { try await log.begin(instant, plan: planned(plan, operation)) } catch {
      throw TableError(error)
    }
    do {
      try await context.markPartitions(plan.creations.map(\.partitionPath), settings)
      let written =
        if let load { try await load(context) } else { try await writeFiles(plan, context) }
      let statistics = written.map(\.statistics)
      try await TombstoneStore.write(plan.burials.tombstones(at: context.time), of: instant, in: data)
      try await data.settle()
      try await checkForConflicts(since: table.state.timeline, plan)
      try Task.checkCancellation()
      report.files = statistics.count
      if load != nil { report.inserted = statistics.reduce(0) { $0 + Int($1.inserts) } }
      report.splicedFiles = written.count { $0.isSpliced }
      for file in written {
        report.pagesCopied += file.counts.pagesCopied
        report.pagesEncoded += file.counts.pagesEncoded
        report.bytesCopied += file.counts.bytesCopied
        report.bytesEncoded += file.counts.bytesEncoded
        report.bytesRead += file.counts.bytesRead
      }
      // The time to the commit itself, which the report then says anew.
      report.writeDuration = .microseconds(settings.now() - now)
      var metadata = completed(statistics, operation, context)
      metadata.extra[CommitReport.summaryKey] = report.summary
      try await log.complete(instant, metadata)
      report.instant = instant
      report.bytesWritten = statistics.reduce(0) { $0 + Int($1.fileSize) }
    } catch {
      let housekeeping = Housekeeping(storage: storage, settings: settings)
      let stands = await housekeeping.takeBack(instant, plan)
      guard stands else { throw TableError(error) }
      throw TableError(
        .storage,
        "commit \(instant.text) stands, though the storage failed at its end: \(error); do not write the rows again"
      )
    }
  }

  private func context(
    _ instant: Instant, in storage: any Storage, now: Int64, _ plan: WritePlan, _ batch: PreparedBatch,
    _ table: Target
  ) -> CommitContext {
    CommitContext(
      storage: storage, instant: instant, schema: table.schema,
      footerSchema: AvroSchema.text(
        of: table.schema, table: table.state.properties.name, withMetaColumns: true),
      tableName: table.state.properties.name, options: table.options, bloom: table.bloom, batch: batch,
      populatesMetaColumns: table.state.properties.populatesMetaFields, storedKeys: table.storedKeys,
      keyColumn: table.generator.keyFields.count == 1 ? table.generator.keyFields.first : nil,
      memory: settings.memory, time: now / 1_000, revived: plan.revived)
  }

  /// The planned workload, as Spark's inflight instants have it, with Tarn's mark.
  private func planned(_ plan: WritePlan, _ operation: OperationType) -> CommitMetadata {
    var metadata = CommitMetadata(operation: operation)
    metadata.writer = String(settings.random(), radix: 16)
    for merge in plan.merges {
      let slice = merge.tagged.slice
      metadata.append(
        WriteStatistics(
          plannedFor: slice.fileID, previousCommit: slice.instant,
          updates: Int64(merge.updatedCount), inserts: Int64(merge.inserts.count)),
        partition: slice.partitionPath)
    }
    for creation in plan.creations {
      metadata.append(
        WriteStatistics(plannedFor: "", updates: 0, inserts: Int64(creation.inserts.count)),
        partition: creation.partitionPath)
    }
    return metadata
  }

  private func completed(
    _ statistics: [WriteStatistics], _ operation: OperationType, _ context: CommitContext
  ) -> CommitMetadata {
    var metadata = CommitMetadata(operation: operation)
    metadata.schema = AvroSchema.text(of: context.schema, table: context.tableName)
    for file in statistics { metadata.append(file, partition: file.partitionPath ?? "") }
    return metadata
  }

  /// Writes all files of a plan, some at once.
  private func writeFiles(_ plan: WritePlan, _ context: CommitContext) async throws -> [WrittenFile] {
    enum Piece: Sendable {
      case merge(WritePlan.Merge)
      case create(WritePlan.Creation)
    }
    let pieces = plan.merges.map(Piece.merge) + plan.creations.map(Piece.create)
    let warn = settings.warn
    let numbered = pieces.enumerated().map { (number: $0.offset, piece: $0.element) }
    let budget = MemoryBudget(settings.memory - footers.byteCount, besides: context.batch.changes.rows)
    let lists = try await concurrently(
      numbered, width: settings.parallelism, budget: budget.bytes,
      cost: {
        switch $0.piece {
        case .merge(let merge): MemoryBudget.cost(merge, context.options, memory: context.memory)
        case .create(let creation):
          MemoryBudget.cost(creation, context.fileSchema.fields.count, context.options)
        }
      }
    ) { entry in
      let writer = FileGroupWriter(
        context: context, taskNumber: entry.number, fileIDs: { newFileID(bucket: $0) }, warn: warn)
      switch entry.piece {
      case .merge(let merge): return try await writer.merge(merge)
      case .create(let creation): return try await writer.create(creation)
      }
    }
    return lists.flatMap { $0 }
  }

  /// A new file group's id, in a table with a bucket index that of a bucket.
  func newFileID(bucket: Int? = nil) -> String {
    var generator = GeneratorOfDraws(draw: settings.random)
    guard let bucket else { return FileID.random(using: &generator) }
    return BucketIndex.fileID(bucket: bucket, using: &generator)
  }

  /// Fails where another writer completed a commit on a touched file group meanwhile.
  private func checkForConflicts(since before: Timeline, _ plan: WritePlan) async throws {
    let now = try await Timeline.load(from: storage)
    let touched = Set(plan.merges.map(\.tagged.slice.fileID))
    let buckets = plan.creations.filter { $0.bucket != nil }
    for entry in now.completedCommits where !before.contains(entry.instant) {
      let metadata = try await CommitLog(storage).metadata(of: entry)
      if let fileID = metadata.touchedFileIDs.first(where: { touched.contains($0) }) {
        throw TableError(
          .conflict,
          "commit \(entry.instant.text) of another writer changed file group \(fileID) meanwhile: try again")
      }
      if let fileID = metadata.fileID(in: buckets) {
        throw TableError(
          .conflict,
          "commit \(entry.instant.text) of another writer made file group \(fileID) of a bucket meanwhile: try again"
        )
      }
    }
  }
}

extension CommitMetadata {
  /// The file groups that were written or hidden.
  fileprivate var touchedFileIDs: [String] {
    files.map(\.fileID) + (replaced?.pairs.flatMap(\.value) ?? [])
  }

  /// A file group that was written in one of some buckets.
  fileprivate func fileID(in buckets: [WritePlan.Creation]) -> String? {
    guard !buckets.isEmpty else { return nil }
    for (partition, files) in partitions.pairs {
      let numbers = Set(
        buckets.filter { ExactText($0.partitionPath) == ExactText(partition) }
          .compactMap(\.bucket))
      let found = files.first { BucketIndex.bucket(ofFileID: $0.fileID).map(numbers.contains) ?? false }
      if let found { return found.fileID }
    }
    return nil
  }
}

/// Lets a closure of random numbers serve where the standard library wants a generator.
private struct GeneratorOfDraws: RandomNumberGenerator {
  let draw: @Sendable () -> UInt64

  mutating func next() -> UInt64 { draw() }
}
