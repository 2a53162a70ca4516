import TarnBytes
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

import TarnParquet

/// Values replaced in pages of a damaged file.
@Suite struct DamagedSpliceHeavyTests {
  private static let options = ParquetWriteOptions(
    compression: .uncompressed, pageRows: 32,
    encodings: ["plain": .plain, "delta": .delta, "entry": .dictionary], writesChecksums: false)

  private static func rows(_ first: Int, _ count: Int) throws -> RecordBatch {
    func strings(_ text: (Int) -> String) throws -> Column {
      var builder = ColumnBuilder(.string)
      for row in first..<first + count { try builder.append(text(row)) }
      return builder.finish()
    }
    var numbers = ColumnBuilder(.int64)
    for row in first..<first + count { numbers.append(Int64(row * 77 % 1_000)) }
    return try RecordBatch(
      schema: Schema([
        Field("plain", .string), Field("delta", .string), Field("entry", .string), Field("number", .int64),
      ]),
      columns: [
        try strings { "plain \($0)" }, try strings { "delta \($0 * 31)" }, try strings { "entry \($0 % 5)" },
        numbers.finish(),
      ], count: count)
  }

  private static func file() async throws -> [UInt8] {
    let storage = InMemoryStorage()
    let rows = try rows(0, 64)
    var writer = try ParquetWriter(
      schema: rows.schema, to: try await storage.writer(at: "a"), path: "a", options: options)
    try await writer.append(rows)
    _ = try await writer.finish()
    return try await storage.readAll("a")
  }

  /// Splices a file whatever it holds, and tells whether that went well.
  private static func splice(_ bytes: [UInt8]) async throws -> Bool {
    let storage = InMemoryStorage()
    try await storage.put(bytes, at: "a", if: .always)
    let fresh = try rows(1_000, 4)
    do {
      let file = try await ParquetFile.open(storage, path: "a", size: bytes.count)
      guard let layout = try await file.spliceLayout(for: fresh.schema, options: options),
        layout.groups.count == 1, layout.groups[0].count == 2
      else { return false }
      let splicer = ParquetSplicer(
        file, layout: layout, fresh: fresh, columns: fresh.columns.map { _ in .compared }, options: options)
      _ = try await splicer.splice(
        group: 0,
        edits: [
          SlotEdit(slot: 0, replaced: [0, 7, 31], replacements: [0, 1, 2]),
          SlotEdit(slot: 1, replaced: [13], replacements: [3]),
        ])
      return true
    } catch is ParquetError {
      return false
    }
  }

  @Test func everyDamagedByteGivesAnErrorOrAResult() async throws {
    let bytes = try await Self.file()
    #expect(try await Self.splice(bytes))
    var failures = 0
    for position in bytes.indices {
      for value: UInt8 in [0, 0x7f, 0xff, bytes[position] ^ 1] where bytes[position] != value {
        var damaged = bytes
        damaged[position] = value
        if !(try await Self.splice(damaged)) { failures += 1 }
      }
    }
    #expect(failures > bytes.count / 4)
  }
}
