import Synchronization
import TarnBytes
import TarnColumns
import TarnTimeline

/// Gives the batches of a load one after the other; nil at the end.
package typealias BatchSource = @Sendable () async throws -> RecordBatch?

/// Writes batches as they come into new file groups.
///
/// What is held at once follows the batch and the row groups under way, which end early where they pass the budget of
/// memory, and not the input; only the keys of open files stay for their indexes. While a batch is written, the next
/// is read and its keys are made.
struct BulkLoad: Sendable {
  let transaction: WriteTransaction
  let table: WriteTransaction.Target
  let context: CommitContext
  let first: RecordBatch
  /// The batches behind the first.
  let source: BatchSource

  /// Files that are open at once.
  ///
  /// Rows of further partitions are kept until they have used up their share of the budget, and then take the open
  /// ones' places.
  static let mostOpenPartitions = 128

  private var mostOpen: Int {
    min(Self.mostOpenPartitions, MemoryBudget.openFiles(budget, columns: context.fileSchema.fields.count))
  }

  /// Writes all batches.
  func write() async throws -> [WrittenFile] {
    var partitions = LoadedPartitions()
    do {
      var rows = 0
      var current = Optional(try prepared(first, after: 0))
      while let batch = current {
        let end = rows + batch.changes.count
        async let following = next(after: end)
        try await write(batch, &partitions)
        current = try await following
        rows = end
      }
      return try await finish(partitions)
    } catch {
      for writer in partitions.writers { await writer.abandon() }
      throw error
    }
  }

  private func next(after rows: Int) async throws -> PreparedBatch? {
    guard let batch = try await source() else { return nil }
    return try prepared(batch, after: rows)
  }

  /// A batch with its keys, which follows so many rows.
  private func prepared(_ batch: RecordBatch, after rows: Int) throws(TableError) -> PreparedBatch {
    do throws(TableError) {
      let changes = try SoftDeletes.taken(
        from: ChangeBatch(upserting: batch), table.schema, .insert, warn: transaction.settings.warn)
      return try transaction.prepare(changes, table, .insert, .partition, .whole)
    } catch {
      guard rows > 0 else { throw error }
      throw TableError(error.code, "\(error.message) (that batch begins with row \(rows) of the input)")
    }
  }

  private func write(_ batch: PreparedBatch, _ partitions: inout LoadedPartitions) async throws {
    let source = KeyedRows(batch)
    let mostOpen = mostOpen
    let places = try await places(of: batch.keys.partitions, &partitions)
    var rows = [[Int32]](repeating: [], count: places.count)
    for index in rows.indices {
      rows[index].reserveCapacity(batch.changes.count / places.count + batch.changes.count / 16)
    }
    for (row, partition) in batch.keys.partitionOf.enumerated() { rows[Int(partition)].append(Int32(row)) }
    var pieces: [(writer: PartitionWriter, rows: [Int32])] = []
    for (place, rows) in zip(places, rows) where !rows.isEmpty {
      if partitions.open.contains(place) || partitions.open.count < mostOpen {
        partitions.open.insert(place)
        pieces.append((partitions.writers[place], rows))
      } else {
        let kept = try KeyedRows(rows, of: source)
        partitions.waiting[place, default: []].append(kept)
        partitions.waitingBytes += kept.rows.byteCount
      }
    }
    _ = try await concurrently(pieces, width: transaction.settings.parallelism) {
      try await $0.writer.append($0.rows, of: source)
    }
    if partitions.waitingBytes > budget / 2 { try await admit(&partitions) }
    try await shrink(partitions.writers, to: budget)
  }

  /// Bytes for rows that are held, beside the batch at hand and the one that is read meanwhile.
  private var budget: Int {
    max(MemoryBudget(transaction.settings.memory, besides: first).bytes - first.byteCount, 0)
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
    let width = transaction.settings.parallelism
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
    try await context.markPartitions(new, transaction.settings)
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
          context, partitionPath: path, taskNumber: place, fileID: transaction.newFileID(),
          targetSize: context.options.targetFileSize))
      places.append(place)
    }
    try await context.attempt.markers.add(partitions.writers[known...].map(\.firstMarker))
    return places
  }

  /// Writes what was kept, and ends all files.
  private func finish(_ partitions: LoadedPartitions) async throws -> [WrittenFile] {
    var partitions = partitions
    try await admit(&partitions)
    return try await concurrently(partitions.writers, width: transaction.settings.parallelism) {
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

extension WriteTransaction {
  /// Writes batches of one schema, which are read as they are written where the table is empty.
  func load(_ schema: Schema, _ source: @escaping BatchSource) async throws(TableError) -> CommitReport {
    let state = try await openForWriting()
    let stored = try OwnOptions(state.properties).buckets
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
      from: ChangeBatch(
        upserting: try await tableErrors {
          try RecordBatch(
            schema: schema, columns: schema.fields.map { Column(nulls: 0, of: $0.type) }, count: 0)
        }), state.requireSchema(), .insert, warn: settings.warn)
    let table = try Target(state, none, .insert, settings)
    var report = CommitReport()
    let begun = settings.now()
    let quiet = WriteTransaction(
      storage: storage, settings: settings.warningOnce, footers: footers, lock: lock)
    let empty = try quiet.prepare(none, table, .insert, .partition, .whole)
    try await storeOwners(state)
    try await commit(WritePlan(), empty, table, .insert, &report) { context in
      try await BulkLoad(transaction: quiet, table: table, context: context, first: first, source: source)
        .write()
    }
    report.writeDuration = .microseconds(settings.now() - begun)
    return report
  }
}

extension TableSettings {
  /// Settings that warn once of what is the same but for numbers, as in one batch after the other.
  fileprivate var warningOnce: TableSettings {
    let warn = warn
    let said = WarningsSaid()
    var settings = self
    settings.warn = { text in
      if said.isNew(String(text.filter { !$0.isNumber })) { warn(text) }
    }
    return settings
  }
}

/// What was warned of.
private final class WarningsSaid: Sendable {
  private let texts = Mutex<Set<String>>([])

  func isNew(_ text: String) -> Bool { texts.withLock { $0.insert(text).inserted } }
}
