import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// Gives the batches of a load one after the other; nil at the end.
package typealias BatchSource = @Sendable () async throws -> RecordBatch?

/// Writes batches as they come into new file groups.
///
/// What is held at once follows the batch and the row groups under way, which end early where they pass the budget of
/// memory, and not the input; only the keys of open files stay for their indexes. While a batch is written, the next
/// is read and its keys are made.
struct BulkLoad: Sendable {
  let intake: BatchIntake
  let files: CommitFiles
  let settings: TableSettings
  let first: RecordBatch
  /// The batches behind the first.
  let source: BatchSource

  /// Files that are open at once.
  ///
  /// Rows of further partitions are kept until they have used up their share of the budget, and then take the open
  /// ones' places.
  static let mostOpenPartitions = 128

  private var mostOpen: Int {
    min(
      Self.mostOpenPartitions, MemoryBudget.openFiles(budget, columns: files.format.fileSchema.fields.count))
  }

  /// Writes all batches.
  func write() async throws -> [WrittenFile] {
    var partitions = LoadedPartitions()
    do {
      var rows = 0
      var current = Optional(try prepared(first, after: 0))
      while let batch = current {
        let end = rows + batch.count
        async let following = next(after: end)
        try await write(batch, &partitions)
        current = try await following
        rows = end
        settings.tell(.progress(WorkProgress(.load, rows, "rows")))
      }
      return try await finish(partitions)
    } catch {
      for writer in partitions.writers { await writer.abandon() }
      throw error
    }
  }

  private func next(after rows: Int) async throws -> KeyedBatch? {
    guard let batch = try await source() else { return nil }
    return try prepared(batch, after: rows)
  }

  /// A batch with its keys, which follows so many rows.
  private func prepared(_ batch: RecordBatch, after rows: Int) throws(TableError) -> KeyedBatch {
    do throws(TableError) {
      let changes = try SoftDeletes.taken(
        from: ChangeBatch(upserting: batch), intake.table.schema, .insert, warn: settings.warn)
      return try intake.loaded(changes.rows)
    } catch {
      guard rows > 0 else { throw error }
      throw error.with(error.code, "\(error.message) (that batch begins with row \(rows) of the input)")
    }
  }

  private func write(_ batch: KeyedBatch, _ partitions: inout LoadedPartitions) async throws {
    let source = batch.keyedRows
    let mostOpen = mostOpen
    let places = try await places(of: batch.keys.partitions.paths, &partitions)
    var pieces: [(writer: PartitionWriter, rows: [Int32])] = []
    for (place, rows) in zip(places, batch.keys.partitions.rows()) where !rows.isEmpty {
      if partitions.open.contains(place) || partitions.open.count < mostOpen {
        partitions.open.insert(place)
        pieces.append((partitions.writers[place], rows))
      } else {
        let kept = try KeyedRows(rows, of: source)
        partitions.waiting[place, default: []].append(kept)
        partitions.waitingBytes += kept.rows.byteCount
      }
    }
    _ = try await concurrently(pieces, width: settings.parallelism) {
      try await $0.writer.append($0.rows, of: source)
    }
    if partitions.waitingBytes > budget / 2 { try await admit(&partitions) }
    try await shrink(partitions.writers, to: budget)
  }

  /// Bytes for rows that are held, beside the batch at hand and the one that is read meanwhile.
  private var budget: Int {
    max(MemoryBudget(settings.memory, besides: first).bytes - first.byteCount, 0)
  }

  /// Ends row groups, the largest first, until what is held fits.
  private func shrink(_ writers: [PartitionWriter], to budget: Int) async throws {
    var held = writers.map { (writer: $0, bytes: $0.heldBytes) }.sorted { $0.bytes < $1.bytes }
    var total = held.reduce(0) { $0 + $1.bytes }
    while total > budget, let largest = held.popLast() {
      try await largest.writer.endRowGroup()
      total -= largest.bytes
    }
  }

  /// Ends the open files, and writes the rows that were kept.
  private func admit(_ partitions: inout LoadedPartitions) async throws {
    let width = settings.parallelism
    let mostOpen = mostOpen
    var places = partitions.waiting.keys.sorted()[...]
    while !places.isEmpty {
      let open = partitions.open.map { partitions.writers[$0] }
      _ = try await concurrently(open, width: width) { try await $0.endFile() }
      let next = places.prefix(mostOpen)
      let pieces = next.map { (writer: partitions.writers[$0], rows: partitions.waiting[$0] ?? []) }
      _ = try await concurrently(pieces, width: width) { piece in
        for rows in piece.rows { try await piece.writer.append(rows.all, of: rows) }
      }
      partitions.open = Set(next)
      places = places.dropFirst(next.count)
    }
    partitions.waiting = [:]
    partitions.waitingBytes = 0
  }

  /// The numbers of partitions, of which new ones get a writer.
  private func places(of paths: [String], _ partitions: inout LoadedPartitions) async throws -> [Int] {
    let new = paths.filter { partitions.places[ExactText($0)] == nil }
    try await settings.mark(new, files)
    var places: [Int] = []
    let known = partitions.writers.count
    for path in paths {
      if let place = partitions.places[ExactText(path)] {
        places.append(place)
        continue
      }
      let place = partitions.writers.count
      partitions.places[ExactText(path)] = place
      partitions.writers.append(
        PartitionWriter(
          files, partitionPath: path, taskNumber: place, fileID: FileIDs(settings.random).next(),
          targetSize: files.format.sizes.file))
      places.append(place)
    }
    try await files.markers.add(partitions.writers[known...].map(\.firstMarker))
    return places
  }

  /// Writes what was kept, and ends all files.
  private func finish(_ partitions: LoadedPartitions) async throws -> [WrittenFile] {
    var partitions = partitions
    try await admit(&partitions)
    return try await concurrently(partitions.writers, width: settings.parallelism) {
      try await $0.finish()
    }.flatMap { $0 }
  }
}

/// The partitions that a load has met.
private struct LoadedPartitions {
  var places: [ExactText: Int] = [:]
  var writers: [PartitionWriter] = []
  /// Those whose writers may have a file open.
  var open: Set<Int> = []
  /// The rows of others, and the bytes they take.
  var waiting: [Int: [KeyedRows]] = [:]
  var waitingBytes = 0
}
