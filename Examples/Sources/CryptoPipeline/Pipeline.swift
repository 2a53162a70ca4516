import CryptoStream
import Tarn
import TarnCDC
import TarnColumns
import TarnStorage

/// Ingests the batches of a change stream into a table, one commit a batch.
struct Pipeline {
  let landing: any Storage
  let location: TableLocation

  /// Files so small that the busiest exchange needs two, and no other.
  static var options: TableOptions {
    var options = TableOptions()
    options.tarn.targetFileSize = 352 << 10
    options.tarn.smallFileLimit = 320 << 10
    return options
  }

  /// Opens the table as a process would that runs once a batch; the clock, here a virtual one, is injected.
  func open(at clock: Int64) async throws(TableError) -> Table {
    var settings = TableSettings()
    settings.now = { clock }
    return try await Table.open(at: location, settings: settings)
  }

  /// Creates the table.
  func create(at clock: Int64) async throws(TableError) {
    var settings = TableSettings()
    settings.now = { clock }
    _ = try await Table.create(
      at: location, schema: TradeSchema.lake, recordKey: [TradeSchema.key],
      partitionedBy: [TradeSchema.partition], orderedBy: TradeSchema.ordering, options: Self.options,
      settings: settings)
  }

  /// Reads a batch's objects, transforms the changes, and applies them in one commit.
  func ingest(_ batch: CryptoStream.Batch) async throws -> CommitReport {
    var builder = try ChangeBatchBuilder(
      schema: TradeSchema.raw, keyFields: [TradeSchema.key], partitionFields: [TradeSchema.partition])
    var reader = RecordReader(storage: landing, paths: batch.objects.map(\.path))
    let transform = TradeTransform(ingestionTime: batch.clock)
    var parts: [ChangeBatch] = []
    var more = true
    while more {
      more = try await reader.read(into: &builder, limit: Int.max)
      parts.append(try transform.apply(to: builder.finish()))
    }
    return try await open(at: batch.clock).apply(try Self.joined(parts), scope: .table)
  }

  /// The parts that a builder has made since it was full, in one batch.
  private static func joined(_ parts: [ChangeBatch]) throws -> ChangeBatch {
    if parts.count == 1, let only = parts.first { return only }
    var isDelete = Bitmap()
    for part in parts {
      for row in 0..<part.count { isDelete.append(part.isDelete[row]) }
    }
    return try ChangeBatch(
      rows: try RecordBatch.concatenate(parts.map(\.rows), schema: TradeSchema.lake), isDelete: isDelete)
  }
}
