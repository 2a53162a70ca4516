import Foundation
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct SharedSampleTests {
  static let flat = [
    "alltypes_dictionary", "alltypes_plain.snappy", "alltypes_tiny_pages_plain", "binary_truncated_min_max",
    "data_index_bloom_encoding_stats", "datapage_v1-uncompressed-checksum",
    "datapage_v2_empty_datapage.snappy",
    "dict-page-offset-zero", "fixed_length_decimal", "floating_orders_nan_count", "int32_decimal",
    "int64_decimal", "nan_in_stats", "page_v2_empty_compressed", "rle-dict-snappy-checksum",
    "rle_boolean_encoding", "sort_columns",
  ]

  private func open(_ path: String) async throws -> ParquetFile {
    let url = URL(fileURLWithPath: path)
    let storage = LocalStorage(root: url.deletingLastPathComponent().path)
    return try await ParquetFile.open(storage, path: url.lastPathComponent)
  }

  @Test(arguments: flat) func aFlatFileReadsAsOtherReadersReadIt(name: String) async throws {
    let path = try TestWorld.requireShared("parquet-samples/\(name).parquet")
    let file = try await open(path)
    var rows: [RecordBatch] = []
    for group in 0..<file.rowGroupCount {
      rows.append(try await file.readRowGroup(group, columns: Array(file.schema.fields.indices)))
    }
    let batch = try RecordBatch.concatenate(rows, schema: file.schema)
    let lines = try TestWorld.lines(of: try TestWorld.requireShared("parquet-samples/\(name).jsonl"))
    #expect(batch.count == lines.count)
    for (row, line) in lines.enumerated() where row < batch.count {
      let object = try JSONValue(parsing: Array(line.utf8))
      for (index, field) in file.schema.fields.enumerated() {
        let found = text(batch.columns[index], row)
        let expected = text(object[field.name], field.type)
        #expect(found == expected, "\(field.name) of row \(row)")
        if found != expected { return }
      }
    }
  }

  @Test func aPageWhoseChecksumIsWrongIsRefusedByColumn() async throws {
    let file = try await open(
      try TestWorld.requireShared("parquet-samples/datapage_v1-corrupt-checksum.parquet"))
    let error = await #expect(throws: ParquetError.self) { _ = try await file.readRowGroup(0, columns: [0]) }
    #expect(error?.column == "a")
    #expect(error?.offset != nil)
  }

  @Test func everyFileGivesAResultOrAnErrorNeverACrash() async throws {
    let folder = try TestWorld.requireShared("parquet-samples")
    for folder in [folder, folder + "/bad"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".parquet")
      {
        do {
          let file = try await open(folder + "/" + name)
          for column in file.schema.fields.indices {
            for group in 0..<file.rowGroupCount {
              do { _ = try await file.readRowGroup(group, columns: [column]) } catch is ParquetError {}
            }
          }
        } catch is ParquetError {}
      }
    }
  }

  /// A value as text that both sides can make.
  private func text(_ column: Column, _ row: Int) -> String {
    if column.isNull(row) { return "null" }
    switch column.values {
    case .boolean(let bits): return "\(bits[row])"
    case .int8(let values): return "\(values[row])"
    case .int16(let values): return "\(values[row])"
    case .int32(let values): return "\(values[row])"
    case .int64(let values): return "\(values[row])"
    case .float(let values): return values[row].isNaN ? "nan" : "\(Double(values[row]))"
    case .double(let values): return values[row].isNaN ? "nan" : "\(values[row])"
    case .decimal(let values): return "\(values[row])"
    case .bytes(let strings):
      let bytes = strings[row].copied()
      return column.type == .binary
        ? Data(bytes).base64EncodedString() : String(decoding: bytes, as: UTF8.self)
    case .list, .structure, .map: return "nested"
    }
  }

  private func text(_ value: JSONValue?, _ type: DataType) -> String {
    switch value {
    case .object: return value?["base64"]?.string ?? value?["float"]?.string ?? "?"
    case .string(let string):
      if case .timestamp = type {
        return CivilTime.parse(Array(string.utf8).span.bytes).map { "\($0.microseconds)" } ?? "?"
      }
      if case .decimal = type { return string.filter { $0 != "." } }
      return string
    case .number(let digits):
      return type == .float || type == .double ? "\(Double(digits) ?? .nan)" : digits
    case .boolean(let value): return "\(value)"
    case .array: return "nested"
    case .null, nil: return "null"
    }
  }
}
