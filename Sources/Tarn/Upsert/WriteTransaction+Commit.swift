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
  /// What fails is taken back, unless it is not known whether the commit stands; the error says so then.
  func commit(
    _ plan: WritePlan, _ batch: PreparedBatch, _ table: Target, _ operation: OperationType,
    _ report: inout CommitReport, load: ((CommitContext) async throws -> [WrittenFile])? = nil
  ) async throws(TableError) {
    let now = settings.now()
    let instant = try newInstant(table.state.timeline, now: now)
    let attempt = CommitAttempt(instant, plan: planned(plan, operation), storage: storage, lock: lock)
    // What the completed file makes part of the table is durable before it, all at once: one by one it would take long.
    let data = storage.batch()
    let context = context(attempt, in: data, now: now, plan, batch, table)
    do throws(TimelineError) { try await attempt.begin() } catch { throw TableError(error) }
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
      report.add(written)
      // The time to the commit itself, which the report then says anew.
      report.writeDuration = .microseconds(settings.now() - now)
      var metadata = completed(statistics, operation, context)
      metadata.extra[CommitReport.summaryKey] = report.summary
      try await attempt.complete(metadata)
      report.instant = instant
      report.bytesWritten = statistics.reduce(0) { $0 + Int($1.fileSize) }
    } catch {
      let error = TableError(error)
      if error.code != .outcomeUnknown { await attempt.takeBack() }
      throw error
    }
  }

  /// The instant of a new commit.
  private func newInstant(_ timeline: Timeline, now: Int64) throws(TableError) -> Instant {
    let instant = Instant.after(latest: timeline.lastInstant, now: now)
    guard let last = timeline.entries.last, instant <= last.instant else { return instant }
    throw TableError(
      .damaged,
      "\(last.path): after this instant there can be none; no engine makes such a file, so remove it "
        + "(all files of that instant) and try again")
  }

  private func context(
    _ attempt: CommitAttempt, in storage: any Storage, now: Int64, _ plan: WritePlan, _ batch: PreparedBatch,
    _ table: Target
  ) -> CommitContext {
    CommitContext(
      storage: storage, attempt: attempt, schema: table.schema,
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
      /// With the id of the first new file group.
      case create(WritePlan.Creation, String)
    }
    let pieces =
      plan.merges.map(Piece.merge) + plan.creations.map { .create($0, newFileID(bucket: $0.bucket)) }
    let warn = settings.warn
    let numbered = pieces.enumerated().map { entry in
      (piece: entry.element, writer: FileGroupWriter(context: context, taskNumber: entry.offset, warn: warn))
    }
    try await context.attempt.markers.add(
      numbered.map { entry in
        switch entry.piece {
        case .merge(let merge): entry.writer.marker(of: merge)
        case .create(let creation, let fileID): entry.writer.marker(of: creation, fileID)
        }
      })
    let budget = MemoryBudget(settings.memory - footers.byteCount, besides: context.batch.changes.rows)
    let lists = try await concurrently(
      numbered, width: settings.parallelism, budget: budget.bytes,
      cost: {
        switch $0.piece {
        case .merge(let merge): MemoryBudget.cost(merge, context.options, memory: context.memory)
        case .create(let creation, _):
          MemoryBudget.cost(creation, context.fileSchema.fields.count, context.options)
        }
      }
    ) { entry in
      switch entry.piece {
      case .merge(let merge): return try await entry.writer.merge(merge)
      case .create(let creation, let fileID): return try await entry.writer.create(creation, fileID)
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
