import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// Carries a plan out: writes its base files, some at once, under the memory budget.
struct PlanWriter: Sendable {
  let files: CommitFiles
  /// The rows of the batch.
  let rows: KeyedRows
  let settings: TableSettings

  /// A piece of a plan.
  private enum Piece: Sendable {
    case update(FileGroupUpdate)
    /// With the id of the first new file group.
    case create(FileGroupCreation, String)
  }

  /// Writes all files.
  func write(_ plan: WritePlan) async throws -> [WrittenFile] {
    try await settings.mark(plan.creations.map(\.partitionPath), files)
    let fileIDs = FileIDs(settings.random)
    let pieces =
      plan.updates.map(Piece.update)
      + plan.creations.map { Piece.create($0, fileIDs.next(bucket: $0.bucket)) }
    let work = pieces.enumerated().map { entry in
      (piece: entry.element, writer: FileGroupWriter(files, rows, taskNumber: entry.offset))
    }
    try await files.markers.add(
      work.map { entry in
        switch entry.piece {
        case .update(let update): entry.writer.marker(of: update)
        case .create(let creation, let fileID): entry.writer.marker(of: creation, fileID)
        }
      })
    let budget = MemoryBudget(settings.memory - files.reader.footers.byteCount, besides: rows.rows)
    let format = files.format
    let memory = files.memory
    if let kept = files.storage as? KeptReads {
      for update in plan.updates where MemoryBudget.isReadInWindows(update, format) {
        kept.forgetRows(of: update.slice.path)
      }
    }
    let written = try await concurrently(
      work, width: settings.filesAtOnce, budget: budget.bytes,
      cost: {
        switch $0.piece {
        case .update(let update): MemoryBudget.cost(update, format, memory: memory)
        case .create(let creation, _): MemoryBudget.cost(creation, format)
        }
      }
    ) { entry in
      switch entry.piece {
      case .update(let update): return try await entry.writer.write(update)
      case .create(let creation, let fileID): return try await entry.writer.write(creation, fileID)
      }
    }
    return written.flatMap { $0 }
  }
}

extension TableSettings {
  /// Lets other engines know the partitions of files to come.
  func mark(_ partitions: [String], _ files: CommitFiles) async throws {
    try await PartitionMetadata.ensure(
      in: files.storage, partitions: partitions, instant: files.stamp.instant, now: now(),
      width: smallFilesAtOnce ?? files.storage.costs.requestsAtOnce)
  }
}

/// Makes ids of new file groups.
struct FileIDs: Sendable {
  private let draw: @Sendable () -> UInt64

  /// Draws random numbers.
  init(_ draw: @escaping @Sendable () -> UInt64) { self.draw = draw }

  /// A new id, in a table with a bucket index that of a bucket.
  func next(bucket: Int? = nil) -> String {
    var generator = Draws(draw: draw)
    guard let bucket else { return FileID.random(using: &generator) }
    return BucketIndex.fileID(bucket: bucket, using: &generator)
  }

  /// Lets a closure of random numbers serve where the standard library wants a generator.
  private struct Draws: RandomNumberGenerator {
    let draw: @Sendable () -> UInt64

    mutating func next() -> UInt64 { draw() }
  }
}
