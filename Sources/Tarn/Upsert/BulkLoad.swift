import Synchronization
import TarnBytes
import TarnColumns
import TarnTimeline

/// Gives the batches of a load one after the other; nil at the end.
package typealias BatchSource = @Sendable () async throws -> RecordBatch?

/// Writes batches as they come into new file groups.
///
/// What is held at once follows the batch and the row groups under way, not the input. While a batch is written,
/// the next is read and its keys are made.
struct BulkLoad: Sendable {
  let transaction: WriteTransaction
  let table: WriteTransaction.Target
  let context: CommitContext
  let first: RecordBatch
  /// The batches behind the first.
  let source: BatchSource

  /// Partitions beyond these have their rows kept until the others are written, as each open file takes memory.
  static let mostOpenPartitions = 64

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
      return try transaction.prepare(ChangeBatch(upserting: batch), table, .insert, .partition, .whole)
    } catch {
      guard rows > 0 else { throw error }
      throw TableError(error.code, "\(error.message) (that batch begins with row \(rows) of the input)")
    }
  }

  private func write(_ batch: PreparedBatch, _ partitions: inout LoadedPartitions) async throws {
    let source = KeyedRows(batch)
    let places = try await places(of: batch.keys.partitions, &partitions)
    var rows = [[Int32]](repeating: [], count: places.count)
    for index in rows.indices {
      rows[index].reserveCapacity(batch.changes.count / places.count + batch.changes.count / 16)
    }
    for (row, partition) in batch.keys.partitionOf.enumerated() { rows[Int(partition)].append(Int32(row)) }
    var pieces: [(writer: PartitionWriter, rows: [Int32])] = []
    for (place, rows) in zip(places, rows) where !rows.isEmpty {
      if place < Self.mostOpenPartitions {
        pieces.append((partitions.writers[place], rows))
      } else {
        partitions.waiting[place, default: []].append(try KeyedRows(rows, of: source))
      }
    }
    _ = try await concurrently(pieces, width: transaction.settings.parallelism) {
      try await $0.writer.append($0.rows, of: source)
    }
  }

  /// The numbers of partitions, of which new ones get a writer.
  private func places(of paths: [String], _ partitions: inout LoadedPartitions) async throws -> [Int] {
    var places: [Int] = []
    for path in paths {
      if let place = partitions.places[ExactText(path)] {
        places.append(place)
        continue
      }
      let settings = transaction.settings
      try await PartitionMetadata.ensure(
        in: context.storage, partition: path, instant: context.instant, now: settings.now())
      let place = partitions.writers.count
      partitions.places[ExactText(path)] = place
      partitions.writers.append(
        PartitionWriter(
          context, partitionPath: path, taskNumber: place, fileID: transaction.newFileID(),
          targetSize: context.options.targetFileSize))
      places.append(place)
    }
    return places
  }

  /// Writes what was kept, and ends all files.
  private func finish(_ partitions: LoadedPartitions) async throws -> [WrittenFile] {
    let pieces = partitions.writers.enumerated().map {
      (writer: $0.element, waiting: partitions.waiting[$0.offset] ?? [])
    }
    return try await concurrently(pieces, width: transaction.settings.parallelism) { piece in
      for rows in piece.waiting {
        try await piece.writer.append(Array(0..<Int32(rows.rows.count)), of: rows)
      }
      return try await piece.writer.finish()
    }.flatMap { $0 }
  }
}

/// The partitions that a load has met.
private struct LoadedPartitions {
  var places: [ExactText: Int] = [:]
  var writers: [PartitionWriter] = []
  /// The rows of partitions whose writers have no file yet.
  var waiting: [Int: [KeyedRows]] = [:]
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
    guard let first = try await tableErrors({ try await source() }) else { return CommitReport() }
    let none = ChangeBatch(
      upserting: try await tableErrors {
        try RecordBatch(
          schema: schema, columns: schema.fields.map { Column(nulls: 0, of: $0.type) }, count: 0)
      })
    let table = try Target(state, none, .insert)
    var report = CommitReport()
    let begun = settings.now()
    let quiet = WriteTransaction(storage: storage, settings: settings.warningOnce, footers: footers)
    let empty = try quiet.prepare(none, table, .insert, .partition, .whole)
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
