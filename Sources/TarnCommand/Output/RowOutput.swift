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

/// Comma-separated values as RFC 4180 has them, with a header; a null is empty, an empty text `""`.
struct CSVOutput: RowOutput {
  private var buffer = OutputBuffer()

  init(_ schema: Schema) {
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { buffer.bytes.append(0x2c) }
      let start = buffer.bytes.count
      buffer.bytes.append(text: field.name)
      quoteIfNeeded(from: start)
    }
    buffer.bytes.append(text: "\r\n")
  }

  mutating func append(_ batch: RecordBatch) throws {
    for row in 0..<batch.count {
      for index in batch.columns.indices {
        if index > 0 { buffer.bytes.append(0x2c) }
        guard !batch.columns[index].isNull(row) else { continue }
        let start = buffer.bytes.count
        batch.columns[index].appendText(row, to: &buffer.bytes)
        quoteIfNeeded(from: start)
      }
      buffer.bytes.append(text: "\r\n")
      try buffer.flushIfFull()
    }
  }

  mutating func finish() throws { try buffer.flush() }

  private mutating func quoteIfNeeded(from start: Int) {
    let value = buffer.bytes[start...]
    let needs = value.isEmpty || value.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
    guard needs else { return }
    let copy = Array(value)
    buffer.bytes.removeSubrange(start...)
    buffer.bytes.append(0x22)
    for byte in copy {
      if byte == 0x22 { buffer.bytes.append(0x22) }
      buffer.bytes.append(byte)
    }
    buffer.bytes.append(0x22)
  }
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
