import TarnAvro
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// A commit that was completed.
struct Committed: Sendable {
  /// Its instant.
  let instant: Instant
  /// The base files that it wrote.
  let files: [WrittenFile]
}

/// Makes a commit of what a write does: requested, inflight, data files, completed.
struct Committer: Sendable {
  let state: TableState
  let table: WritableTable
  let settings: TableSettings
  let storage: any Storage
  let footers: FooterCache
  let authority: any WriterAuthority
  let operation: OperationType
  /// What the commits before wrote.
  let recent: RecentCommits

  /// Commits a plan.
  ///
  /// What fails is rolled back, unless it is not known whether the commit stands; the error says so then.
  ///
  /// - Parameters:
  ///   - plan: What is written.
  ///   - summary: What the commit's metadata keeps of it, of its files, its counts and the time it took so far.
  ///   - write: Writes the files; what it is given marks partitions.
  func commit(
    _ plan: WritePlan, summary: ([WrittenFile], Duration) -> String,
    _ write: (CommitFiles, AttemptPartitions) async throws -> [WrittenFile]
  ) async throws(TableError) -> Committed {
    let now = settings.now()
    let instant = try newInstant(now: now)
    // What the completed file makes part of the table is durable before it, all at once: one by one it would take long.
    let data = storage.batch()
    let format = try table.fileFormat()
    let attempt: CommitAttempt
    do throws(TimelineError) {
      attempt = try await CommitAttempt(instant, plan: planned(plan), in: storage, authority)
    } catch { throw TableError(error) }
    let time = now / 1_000
    let stamp = CommitStamp(instant, time: time, tombstoneExpiry: table.tombstoneExpiry(at: time))
    let files = CommitFiles(
      format, stamp, attempt.markers, BaseFileReader(data, footers, warn: settings.warn),
      memory: settings.memory)
    let written: [WrittenFile]
    do {
      try await attempt.partitions.mark(
        plan.creations.map(\.partitionPath), in: data, now: settings.now(),
        width: settings.smallFilesAtOnce ?? data.costs.requestsAtOnce)
      written = try await write(files, attempt.partitions)
      try await TombstoneStore.write(plan.tombstones.tombstones(at: time), of: instant, in: data)
      try await data.settle()
      try await ConflictCheck(plan, since: state.timeline).run(storage)
      try Task.checkCancellation()
    } catch {
      await attempt.rollBack()
      throw TableError(error)
    }
    var metadata = completed(written.map(\.statistics))
    metadata.extra[CommitReport.summaryKey] = summary(written, .microseconds(settings.now() - now))
    metadata.extra[RecentCommits.key] = recent.text
    do throws(TimelineError) { try await attempt.complete(metadata) } catch {
      throw TableError(error, of: instant)
    }
    return Committed(instant: instant, files: written)
  }

  /// The instant of a new commit.
  private func newInstant(now: Int64) throws(TableError) -> Instant {
    let timeline = state.timeline
    let instant = Instant.after(latest: timeline.lastInstant, now: now)
    guard let last = timeline.entries.last, instant <= last.instant else { return instant }
    throw TableError(
      .damaged,
      "\(last.path): after this instant there can be none; no engine makes such a file, so remove it "
        + "(all files of that instant) and try again", path: last.path)
  }

  /// The planned workload, as Spark's inflight instants have it, with Tarn's mark.
  private func planned(_ plan: WritePlan) -> CommitMetadata {
    var metadata = CommitMetadata(operation: operation)
    metadata.writer = String(settings.random(), radix: 16)
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

  private func completed(_ statistics: [WriteStatistics]) -> CommitMetadata {
    var metadata = CommitMetadata(operation: operation)
    metadata.schema = AvroSchema.text(of: table.schema, table: table.properties.name)
    for file in statistics { metadata.append(file, partition: file.partitionPath ?? "") }
    return metadata
  }
}
