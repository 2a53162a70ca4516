import Tarn
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Base files whose pages are as Tarn writes them, and whose footers say other things of the keys.
@Suite struct ForeignFooterTests {
  private static let keys = (0..<100).map { "key-\($0)" }

  private static func table(hasKeyIndex: Bool) async throws -> SmallTable {
    var options = TableOptions()
    options.tarn.pageRows = 8
    options.tarn.hasKeyIndex = hasKeyIndex
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("note", .string)]), options: options)
    try await small.table.upsert(Self.rows(keys, "old"))
    return small
  }

  private static func rows(_ keys: [String], _ note: String) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for key in keys { try $0.append(key) } },
      "note": Column(repeating: note, count: keys.count),
    ])
  }

  /// The only base file.
  private static func file(_ small: SmallTable) async throws -> ParquetFile {
    let slice = try #require(try await small.table.snapshot().slices.first)
    return try await ParquetFile.open(small.storage, path: slice.path)
  }

  /// Writes the base file's rows again, page by page, with other values of some footer keys.
  private static func rewrite(_ small: SmallTable, _ values: [String: String]) async throws {
    let file = try await file(small)
    var writer = try ParquetWriter(
      schema: file.schema, to: try await small.storage.writer(at: file.path), path: file.path,
      options: ParquetWriteOptions(pageRows: 8))
    for group in 0..<file.rowGroupCount {
      try await writer.append(
        try await file.readRowGroup(group, columns: Array(file.schema.fields.indices)))
    }
    _ = try await writer.finish(
      keyValues: file.keyValues.map { ParquetKeyValue($0.key, values[$0.key] ?? $0.value) })
  }

  /// Hudi writes such filters where `hoodie.bloom.index.filter.type` says so; they tell no number of keys that they
  /// are made for.
  @Test func aFileWhoseBloomFilterDoesNotGrowIsSplicedAndTheFilterTakesTheNewKeys() async throws {
    let small = try await Self.table(hasKeyIndex: false)
    var filter = BloomFilter(.simple, sizing: .perFile(rows: Self.keys.count))
    for key in Self.keys { filter.insert(Array(key.utf8).span.bytes) }
    try await Self.rewrite(
      small,
      [BloomFilter.footerKey: filter.encoded(), BloomFilter.kindFooterKey: BloomFilter.Kind.simple.rawValue])
    var table = try await Table.open(at: small.table.location, settings: small.table.settings)
    let more = ["key-7", "key-70"] + (0..<20).map { "more-\($0)" }
    let report = try await table.upsert(Self.rows(more, "new"))
    #expect(report.updated == 2 && report.inserted == 20)
    #expect(report.files == 1 && report.splicedFiles == 1)

    let spliced = try await Self.file(small)
    #expect(spliced.keyValue(BloomFilter.kindFooterKey) == "SIMPLE")
    let text = try #require(spliced.keyValue(BloomFilter.footerKey))
    let after = try BloomFilter(decoding: Array(text.utf8).span.bytes, kindName: "SIMPLE")
    #expect(after.kind == .simple)
    let lacking = (Self.keys + more).filter { !after.mightContain(Array($0.utf8).span.bytes) }
    let hasOther = after.mightContain(Array("other".utf8).span.bytes)
    #expect(lacking.isEmpty && !hasOther)
    // The filter is asked, and rules out no key that is stored.
    table = try await Table.open(at: small.table.location, settings: small.table.settings)
    let again = try await table.upsert(Self.rows(Self.keys + more + ["last"], "newest"))
    #expect(again.updated == 120 && again.inserted == 1)
    #expect(try await small.texts("note") == Array(repeating: "newest", count: 121))
  }

  /// A reference beyond the file, into its pages, of another version, and none at all.
  @Test(arguments: [
    ("1 99999999 400 100", true), ("1 9223372036854770000 400 100", true), ("1 4 400 100", true),
    ("1 0 16 0", true), ("2 4 400 100", false), ("nonsense", false), ("", false),
  ])
  func aReferenceThatLeadsAstrayHidesNoKeyAndTheNextVersionHasAnIndex(
    _ text: String, isWarnedOf: Bool
  ) async throws {
    for change in ["upsert", "update", "delete"] {
      let small = try await Self.table(hasKeyIndex: true)
      try await Self.rewrite(small, [KeyIndexReference.footerKey: text])
      let table = try await Table.open(at: small.table.location, settings: small.table.settings)
      let before = small.warnings.all.count
      switch change {
      case "upsert":
        let report = try await table.upsert(Self.rows(["key-3", "key-99", "other"], "new"))
        #expect(report.updated == 2 && report.inserted == 1)
      case "update":
        #expect(try await table.update(where: .column("id") == "key-3", set: ["note": "new"]).updated == 1)
      default:
        #expect(try await table.delete(Self.rows(["key-3", "other"], "").select(["id"])).deleted == 1)
      }
      let warned = small.warnings.all[before...].filter { $0.contains("key index") }
      #expect(warned.isEmpty == !isWarnedOf, "\(change): \(warned)")
      let reference = try #require(try await Self.file(small).keyValue(KeyIndexReference.footerKey))
      #expect(KeyIndexReference(footerText: reference) != nil && reference != text)
      // The next write finds an index that is whole.
      let after = small.warnings.all.count
      #expect(try await table.upsert(Self.rows(["key-4", "key-5"], "last")).updated == 2)
      #expect(small.warnings.all.count == after)
      #expect(try await small.rows().count == ["upsert": 101, "update": 100][change] ?? 99)
    }
  }
}
