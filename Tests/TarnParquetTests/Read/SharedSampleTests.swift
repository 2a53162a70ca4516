import Foundation
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct SharedSampleTests {
  /// Every file of which the rows are known.
  static let names: [String] = {
    guard let folder = TestWorld.shared("parquet-samples") else { return [] }
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".jsonl") && !$0.contains("corrupt-checksum") }.map {
      String($0.dropLast(".jsonl".count))
    }.sorted()
  }()

  private func open(_ path: String) async throws -> ParquetFile {
    let url = URL(fileURLWithPath: path)
    let storage = LocalStorage(root: url.deletingLastPathComponent().path)
    return try await ParquetFile.open(storage, path: url.lastPathComponent)
  }

  @Test(arguments: names) func aFileReadsAsOtherReadersReadIt(name: String) async throws {
    let file = try await open(try TestWorld.requireShared("parquet-samples/\(name).parquet"))
    #expect(file.unreadable.isEmpty)
    let all = Array(file.schema.fields.indices)
    var groups: [RecordBatch] = []
    for group in 0..<file.rowGroupCount {
      groups.append(try await file.readRowGroup(group, columns: all))
    }
    let lines = try TestWorld.lines(of: try TestWorld.requireShared("parquet-samples/\(name).jsonl"))
    try check(try RecordBatch.concatenate(groups, schema: file.schema), lines)
    var batches: [RecordBatch] = []
    for try await batch in file.batches(columns: all, rowsPerBatch: 700, readAhead: 0) {
      #expect(batch.count > 0 && batch.count <= 700)
      batches.append(batch)
    }
    try check(try RecordBatch.concatenate(batches, schema: file.schema), lines)
  }

  @Test(arguments: names) func chosenRowsReadAsInTheWholeFile(name: String) async throws {
    let file = try await open(try TestWorld.requireShared("parquet-samples/\(name).parquet"))
    let all = Array(file.schema.fields.indices)
    for group in 0..<file.rowGroupCount {
      let whole = try await file.readRowGroup(group, columns: all)
      let count = whole.count
      guard count > 0 else { continue }
      for rows in [[0], [count - 1, 0, count / 2], Array(stride(from: count / 3, to: count, by: 17)), []] {
        let chosen = try await file.readRows(rows, inGroup: group, columns: all)
        #expect(chosen.count == rows.count)
        for (place, row) in rows.enumerated() {
          for (column, expected) in zip(chosen.columns, whole.columns) {
            #expect(column.isEqual(place, to: expected, row), "row \(row)")
          }
        }
      }
      await #expect(throws: ParquetError.self) {
        _ = try await file.readRows([count], inGroup: group, columns: all)
      }
    }
  }

  private func check(_ batch: RecordBatch, _ lines: [String]) throws {
    #expect(batch.count == lines.count)
    for (row, line) in lines.enumerated() where row < batch.count {
      let object = try JSONValue(parsing: Array(line.utf8))
      for (index, field) in batch.schema.fields.enumerated() {
        guard isSame(batch.columns[index], row, object[field.name]) else {
          var found: [UInt8] = []
          batch.columns[index].appendJSON(row, to: &found)
          Issue.record(
            "\(field.name) of row \(row): \(String(decoding: found, as: UTF8.self)), not \(object[field.name]?.text() ?? "there")"
          )
          return
        }
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
              do { _ = try await file.readRowGroup(group, columns: [column]) } catch {}
            }
          }
        } catch is ParquetError {}
      }
    }
  }

  /// Whether a value is what a line says; maps without entries are written as empty lists there.
  private func isSame(_ column: Column, _ row: Int, _ expected: JSONValue?) -> Bool {
    guard let expected, expected != .null else { return column.isNull(row) }
    if column.isNull(row) { return false }
    switch column.values {
    case .list(let offsets, let elements):
      let range = Int(offsets[row])..<Int(offsets[row + 1])
      guard let items = expected.elements, items.count == range.count else { return false }
      return zip(range, items).allSatisfy { isSame(elements, $0, $1) }
    case .map(let offsets, let keys, let items):
      let range = Int(offsets[row])..<Int(offsets[row + 1])
      if range.isEmpty { return expected.elements?.isEmpty ?? false || expected.members?.isEmpty ?? false }
      guard expected.members?.count == range.count else { return false }
      return range.allSatisfy { isSame(items, $0, expected[text(keys, $0)]) }
    case .structure(let columns, _):
      guard case .structure(let fields) = column.type else { return false }
      return zip(fields, columns).allSatisfy { isSame($1, row, expected[$0.name]) }
    default: return text(column, row) == text(expected, column.type)
    }
  }

  /// A value as text that both sides can make.
  private func text(_ column: Column, _ row: Int) -> String {
    if column.isNull(row) { return "null" }
    switch column.values {
    case .boolean(let bits): return "\(bits[row])"
    case .int8(let values): return "\(values[row])"
    case .int16(let values): return "\(values[row])"
    case .int32(let values):
      if column.type == .date {
        var text: [UInt8] = []
        column.appendText(row, to: &text)
        return String(decoding: text, as: UTF8.self)
      }
      return "\(values[row])"
    case .int64(let values): return "\(values[row])"
    case .float(let values): return values[row].isNaN ? "nan" : "\(Double(values[row]))"
    case .double(let values): return values[row].isNaN ? "nan" : "\(values[row])"
    case .decimal(let values): return "\(values[row])"
    case .bytes(let strings):
      let bytes = strings[row].copied()
      return column.type == .binary
        ? Data(bytes).base64EncodedString() : String(decoding: bytes, as: UTF8.self)
    case .dictionary, .list, .structure, .map: return "not plain"
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
