import Foundation
import TarnColumns
import TarnParquet
import TarnStorage

/// Small files: of one column of every type, encoding and codec that is written, of several columns and row groups,
/// in encodings that are only read, and of other writers where there are such.
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

  /// The most bytes of a seed; longer inputs are mutated less often.
  static let greatestSize = 8 << 10

  /// All files, of which the ones of Tarn's own making are known to be good.
  static func all() async throws -> [[UInt8]] {
    var files: [[UInt8]] = []
    for type in types {
      for choice in [ParquetWriteOptions.EncodingChoice.plain, .dictionary, .delta] {
        files.append(try await file([type], choice, .uncompressed))
      }
    }
    for codec in [ParquetWriteOptions.Compression.snappy, .gzip(level: 1), .zstd(level: 1)] {
      files.append(try await file([.string], .automatic, codec))
      files.append(try await file([nested[2]], .automatic, codec))
    }
    for choice in [ParquetWriteOptions.EncodingChoice.plain, .dictionary, .delta] {
      files.append(
        try await file([.int64, .string, .boolean, nested[0]], choice, .uncompressed, groupRows: 20))
      files.append(try await file(nested, choice, .uncompressed, groupRows: 20))
    }
    files.append(try await file([.timestamp(.microseconds, .instant)] + nested, .automatic, .zstd(level: 1)))
    files += RawFile.all
    for (number, file) in files.enumerated() {
      let check = try await ParquetCheck.run(try await open(file))
      guard check.findings.isEmpty, file.count <= greatestSize else {
        throw UsageError(description: "seed \(number) of \(file.count) bytes is not good: \(check.findings)")
      }
    }
    for sample in samples() where (try? await open(sample)) != nil { files.append(sample) }
    return files
  }

  /// Small files of other writers, in the folder that TARN_FUZZ_SAMPLES names.
  private static func samples() -> [[UInt8]] {
    guard let folder = ProcessInfo.processInfo.environment["TARN_FUZZ_SAMPLES"] else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // Checksums would refuse nearly every input.
    return names.sorted().filter { $0.hasSuffix(".parquet") && !$0.contains("checksum") }.compactMap {
      guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) else { return nil }
      return bytes.count <= greatestSize ? Array(bytes) : nil
    }
  }

  /// Opens the bytes of a file.
  static func open(_ bytes: [UInt8]) async throws -> ParquetFile {
    let storage = InMemoryStorage()
    _ = try await storage.put(bytes, at: "file", if: .always)
    return try await ParquetFile.open(storage, path: "file")
  }

  private static func file(
    _ types: [DataType], _ choice: ParquetWriteOptions.EncodingChoice,
    _ codec: ParquetWriteOptions.Compression, groupRows: Int = 40
  ) async throws -> [UInt8] {
    let fields = zip(["c", "d", "e", "f"], types).map { Field($0, $1) }
    let batch = try RecordBatch(schema: Schema(fields), columns: try fields.map { try column($0.type, 40) })
    let ways = ["", ".list.element", ".a", ".b", ".key_value.key", ".key_value.value.list.element"]
    let paths = fields.flatMap { field in ways.map { field.name + $0 } }
    // Without checksums, which would refuse nearly every input.
    let options = ParquetWriteOptions(
      compression: codec, rowGroupRows: groupRows, pageRows: 16,
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
