import DynamoDBJSON
import Foundation
import TarnCDC
import TarnColumns
import TarnStorage

/// What is done with a file of change records, on one thread.
enum ChangesTask: String {
  /// Bytes become typed columns of all twelve attributes.
  case columns
  /// Records are found, and nothing is made of them.
  case records
  /// Transformation events of a delivery stream are answered, each record with a line of plain JSON.
  case transformation

  private static let decimal = DataType.decimal(precision: 38, scale: 18)
  /// The attributes, with the types that their records make them.
  private static let schema = Schema([
    Field("transaction_id", .string), Field("user_id", .string), Field("timestamp", .int64),
    Field("exchange", .string), Field("trading_pair", .string), Field("order_type", .string),
    Field("price", decimal), Field("quantity", decimal), Field("trade_fee", decimal),
    Field("trade_status", .string), Field("order_source", .string), Field("wallet_address", .string),
  ])

  /// Does it so many times.
  ///
  /// - Returns: The least processor time that it took, in seconds, the reading of the file among that. There is one thread,
  ///   so that it is what it would take on a machine that does nothing else.
  func run(file: String, records: Int, repeats: Int) async throws -> Double {
    if self == .transformation {
      return try TransformationTask.run(file: file, records: records, repeats: repeats)
    }
    let url = URL(fileURLWithPath: file)
    let storage = LocalStorage(root: url.deletingLastPathComponent().path)
    var best = Double.infinity
    for _ in 0..<repeats {
      let begin = Self.processorTime()
      let found = try await count(storage, url.lastPathComponent)
      best = min(best, Self.processorTime() - begin)
      guard found == records else { throw UsageError("\(file) gave \(found) records") }
    }
    return best
  }

  /// What the process has taken of all processors, in seconds.
  static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func count(_ storage: LocalStorage, _ name: String) async throws -> Int {
    var reader = RecordReader(storage: storage, paths: [name])
    if self == .records {
      var inference = SchemaInference(.changeRecords)
      while try await reader.read(into: &inference, limit: .max) {}
      return inference.count
    }
    var builder = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["transaction_id"])
    var rows = 0
    var more = true
    while more {
      more = try await reader.read(into: &builder, limit: 16_384)
      rows += try builder.finish().count
    }
    return rows
  }
}
