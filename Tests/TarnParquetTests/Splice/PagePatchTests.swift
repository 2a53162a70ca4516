import TarnBytes
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

@testable import TarnParquet

/// Values replaced in pages as they are encoded, where pages are not what they say.
@Suite struct PagePatchHeavyTests {
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

  @Test func aPositionBehindTheDictionaryStaysDamageWhenTheDictionaryGrows() throws {
    // Four entries at first; a row refers to the fifth, which the patch adds.
    var page: [UInt8] = []
    page.appendIndices(([0, 1, 4, 3, 2, 1, 0, 3] as [UInt32]).span, entries: 5)
    let patch = PagePatch(rows: [5], bounds: EncodedBounds(minimum: [0], maximum: [9]))
    var out: [UInt8] = []
    #expect(throws: FormatError.self) {
      try patch.indices(
        page.span.bytes, count: 8, by: [4], before: 4, entries: 5, entry: { [UInt8($0)] }, into: &out)
    }
  }

  @Test func bytesBehindTheValuesAreLeftOut() throws {
    let patch = PagePatch(rows: [1], bounds: EncodedBounds(minimum: [0, 0], maximum: [9, 9]))
    var out: [UInt8] = []
    let page: [UInt8] = [1, 1, 2, 2, 3, 3, 0xee]
    let outcome = try patch.fixed(page.span.bytes, 2, count: 3, by: [7, 7], into: &out)
    #expect(outcome == .patched && out == [1, 1, 7, 7, 3, 3])
    out = []
    let strings: [UInt8] = [1, 0, 0, 0, 5, 2, 0, 0, 0, 6, 6, 0xee]
    let strung = try patch.prefixed(strings.span.bytes, count: 2, by: [1, 0, 0, 0, 8], into: &out)
    #expect(strung == .patched && out == [1, 0, 0, 0, 5, 1, 0, 0, 0, 8])
  }

  @Test func aValueThatIsABoundIsNotReplaced() throws {
    let patch = PagePatch(rows: [0], bounds: EncodedBounds(minimum: [1, 1], maximum: [3, 3]))
    var out: [UInt8] = []
    let page: [UInt8] = [1, 1, 2, 2, 3, 3]
    #expect(try patch.fixed(page.span.bytes, 2, count: 3, by: [7, 7], into: &out) == .looseBound)
    #expect(try patch.fixed(page.span.bytes, 2, count: 3, by: [1, 1], into: &out) == .same)
    #expect(out.isEmpty)
  }
}
