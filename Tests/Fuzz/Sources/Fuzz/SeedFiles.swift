import TarnColumns
import TarnParquet
import TarnStorage

/// Small files of one column: of every type, encoding and codec that is written.
enum SeedFiles {
  private static let types: [DataType] =
    [
      .boolean, .int8, .int32, .int64, .float, .double, .string, .date, .time,
      .timestamp(.microseconds, .instant), .decimal(precision: 9, scale: 2),
      .decimal(precision: 38, scale: 9),
    ] + nested

  private static let nested: [DataType] = [
    .list(Field("element", .int64)),
    .structure([Field("a", .string), Field("b", .double, isNullable: false)]),
    .map(
      key: Field("key", .string, isNullable: false), value: Field("value", .list(Field("element", .int32)))),
  ]

  static func all() async throws -> [[UInt8]] {
    var files: [[UInt8]] = []
    for type in types {
      for choice in [ParquetWriteOptions.EncodingChoice.plain, .dictionary, .delta] {
        files.append(try await file(type, choice, .uncompressed))
      }
    }
    for codec in [ParquetWriteOptions.Compression.snappy, .gzip(level: 1), .zstd(level: 1)] {
      files.append(try await file(.string, .automatic, codec))
      files.append(try await file(nested[2], .automatic, codec))
    }
    return files
  }

  private static func file(
    _ type: DataType, _ choice: ParquetWriteOptions.EncodingChoice, _ codec: ParquetWriteOptions.Compression
  ) async throws -> [UInt8] {
    let field = Field("c", type)
    let batch = try RecordBatch(schema: Schema([field]), columns: [try column(type, 40)])
    let paths = ["c", "c.list.element", "c.a", "c.b", "c.key_value.key", "c.key_value.value.list.element"]
    // Without checksums, which would refuse nearly every input.
    let options = ParquetWriteOptions(
      compression: codec, pageRows: 16,
      encodings: Dictionary(uniqueKeysWithValues: paths.map { ($0, choice) }), writesChecksums: false,
      bloomFilterColumns: ["c"])
    let storage = InMemoryStorage()
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: "file"), options: options)
    try await writer.append(batch)
    _ = try await writer.finish(keyValues: [ParquetKeyValue("k", "v")])
    return try await storage.readAll("file")
  }

  private static func column(_ type: DataType, _ count: Int) throws -> Column {
    switch type {
    case .list(let element):
      return try Column(
        type: type, values: .list(offsets: offsets(count), elements: try column(element.type, 2 * count)))
    case .map(let key, let value):
      return try Column(
        type: type,
        values: .map(
          offsets: offsets(count), keys: try column(key.type, 2 * count),
          values: try column(value.type, 2 * count)))
    case .structure(let fields):
      return try Column(
        type: type, values: .structure(try fields.map { try column($0.type, count) }, count: count))
    default:
      var builder = ColumnBuilder(type)
      for row in 0..<count { try append(row, to: &builder) }
      return builder.finish()
    }
  }

  /// None, one, two or more values.
  private static func offsets(_ count: Int) -> [Int32] { (0...count).map { Int32($0 + $0 % 2) } }

  private static func append(_ row: Int, to builder: inout ColumnBuilder) throws {
    switch builder.type {
    // Keys, and fields that are never null, have no nulls either.
    case .string: try builder.append("value \(row % 7)")
    case .double: builder.append(Double(row) / 3)
    case _ where row % 5 == 3: builder.appendNulls()
    case .boolean: builder.append(row % 3 == 0)
    case .int8: builder.append(Int8(row))
    case .int32, .date: builder.append(Int32(row % 9))
    case .float: builder.append(Float(row) / 3)
    case .decimal: builder.append(Int128(row * 17))
    default: builder.append(Int64(row) * 1_000_003)
    }
  }
}
