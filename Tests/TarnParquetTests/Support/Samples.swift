import TarnColumns
import TarnParquet
import TarnStorage

/// Columns of every type that is written, deterministic.
enum Samples {
  static let types: [DataType] =
    [
      .boolean, .int8, .int16, .int32, .int64, .float, .double, .string, .binary, .date, .time,
      .timestamp(.milliseconds, .instant), .timestamp(.microseconds, .instant),
      .timestamp(.milliseconds, .local), .timestamp(.microseconds, .local),
    ] + [1, 2, 4, 9, 10, 18, 19, 20, 28, 38].map { .decimal(precision: $0, scale: $0 / 2) }

  /// Which values are null.
  enum Nulls: CaseIterable {
    case none, some, manyThenNone, noneThenAll, all

    func isNull(_ row: Int, of count: Int) -> Bool {
      switch self {
      case .none: false
      case .some: row % 7 == 3 || row % 50 > 40
      case .manyThenNone: row < count / 2
      case .noneThenAll: row >= count / 2
      case .all: true
      }
    }
  }

  /// A column of `count` values, of which there are about `distinct` different ones.
  static func column(_ type: DataType, _ count: Int, _ nulls: Nulls, distinct: Int) throws -> Column {
    var builder = ColumnBuilder(type)
    for row in 0..<count {
      if nulls.isNull(row, of: count) {
        builder.appendNulls()
      } else {
        try append(row % distinct, to: &builder)
      }
    }
    return builder.finish()
  }

  private static func append(_ seed: Int, to builder: inout ColumnBuilder) throws {
    let mixed = Int64(bitPattern: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
    switch builder.type {
    case .boolean: builder.append(mixed & 1 == 0)
    case .int8: builder.append(Int8(truncatingIfNeeded: mixed))
    case .int16: builder.append(Int16(truncatingIfNeeded: mixed))
    case .int32, .date: builder.append(Int32(truncatingIfNeeded: mixed))
    case .int64, .timestamp, .time: builder.append(mixed)
    case .float: builder.append(seed % 10 == 0 ? -Float.infinity : Float(seed) / 3)
    case .double: builder.append(seed % 10 == 0 ? -0.0 : Double(mixed) / 3)
    case .string: try builder.append(seed == 0 ? "" : "value ü \(String(seed, radix: 36))")
    case .binary: try builder.append([UInt8](repeating: UInt8(seed & 0xff), count: seed % 40).span.bytes)
    case .decimal(let precision, _):
      let bound = (0..<precision).reduce(Int128(1)) { power, _ in power * 10 }
      let value = Int128(mixed) << 64 | Int128(UInt64(bitPattern: mixed))
      builder.append(seed % 5 == 0 ? bound - 1 : seed % 5 == 1 ? 1 - bound : value % bound)
    case .list, .structure, .map: break
    }
  }
}

/// A file system of one file, so to speak.
struct Shelf {
  let storage = InMemoryStorage()
  let path = "file.parquet"

  func write(
    _ batches: [RecordBatch], _ schema: Schema, _ options: ParquetWriteOptions = ParquetWriteOptions(),
    keyValues: [ParquetKeyValue] = []
  ) async throws -> WrittenParquetFile {
    var writer = try ParquetWriter(
      schema: schema, to: try await storage.writer(at: path), path: path, options: options)
    for batch in batches { try await writer.append(batch) }
    return try await writer.finish(keyValues: keyValues)
  }

  func put(_ bytes: [UInt8]) async throws {
    _ = try await storage.put(bytes, at: path, if: .always)
  }

  func open() async throws -> ParquetFile { try await ParquetFile.open(storage, path: path) }

  func readAll(_ file: ParquetFile) async throws -> RecordBatch {
    var parts: [RecordBatch] = []
    for group in 0..<file.rowGroupCount {
      parts.append(try await file.readRowGroup(group, columns: Array(file.schema.fields.indices)))
    }
    return try RecordBatch.concatenate(parts, schema: file.schema)
  }
}

/// Whether two columns hold the same values, bit for bit.
func isSame(_ left: Column, _ right: Column) -> Bool {
  guard left.type == right.type, left.count == right.count else { return false }
  for row in 0..<left.count where left.isNull(row) != right.isNull(row) { return false }
  switch (left.values, right.values) {
  case (.boolean(let a), .boolean(let b)): return a == b
  case (.int8(let a), .int8(let b)): return a == b
  case (.int16(let a), .int16(let b)): return a == b
  case (.int32(let a), .int32(let b)): return a == b
  case (.int64(let a), .int64(let b)): return a == b
  case (.float(let a), .float(let b)): return a.map(\.bitPattern) == b.map(\.bitPattern)
  case (.double(let a), .double(let b)): return a.map(\.bitPattern) == b.map(\.bitPattern)
  case (.decimal(let a), .decimal(let b)): return a == b
  case (.bytes(let a), .bytes(let b)): return a.offsets == b.offsets && a.bytes == b.bytes
  default: return false
  }
}
