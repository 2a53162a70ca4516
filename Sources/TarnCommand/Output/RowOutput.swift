import TarnBytes
import TarnColumns
import TarnParquet

/// Takes batches of one schema and writes their rows to standard output.
protocol RowOutput {
  mutating func append(_ batch: RecordBatch) async throws
  mutating func finish() async throws
}

extension OutputFormat {
  /// The one for people on a terminal, the one for programs elsewhere.
  static var standard: OutputFormat { StandardOutput.isTerminal ? .table : .jsonl }

  /// An output of this format.
  func output(_ schema: Schema) throws -> any RowOutput {
    switch self {
    case .table: return TableOutput(schema)
    case .jsonl: return LinesOutput(schema)
    case .csv: return CSVOutput(schema)
    case .parquet:
      guard !StandardOutput.isTerminal else {
        throw CommandError("Parquet is nothing for a terminal: send it to a file with > FILE")
      }
      return try ParquetOutput(schema)
    }
  }

  /// Writes one batch, and ends.
  func write(_ batch: RecordBatch) async throws {
    var output = try output(batch.schema)
    try await output.append(batch)
    try await output.finish()
  }
}

/// JSON lines.
struct LinesOutput: RowOutput {
  private var buffer = OutputBuffer()
  private var lines: JSONLines

  init(_ schema: Schema) { lines = JSONLines(schema) }

  mutating func append(_ batch: RecordBatch) throws {
    var rest = 0..<batch.count
    while !rest.isEmpty {
      rest = lines.append(firstOf: rest, of: batch, to: &buffer.bytes)
      try buffer.flushIfFull()
    }
  }

  mutating func finish() throws { try buffer.flush() }
}

/// A Parquet file, written as a stream; a class, since its writer cannot be copied.
final class ParquetOutput: RowOutput {
  private var writer: ParquetWriter?

  init(_ schema: Schema) throws {
    writer = try ParquetWriter(schema: schema, to: StandardOutputObject(), path: StandardOutput.name)
  }

  func append(_ batch: RecordBatch) async throws {
    guard var writer = writer.take() else { return }
    try await writer.append(batch)
    self.writer = consume writer
  }

  func finish() async throws {
    guard let writer = writer.take() else { return }
    _ = try await writer.finish()
  }
}
