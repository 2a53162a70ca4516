import Tarn
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Key indexes that are damaged, and keys whose hashes are the same, in whole tables.
@Suite struct KeyIndexTableTests {
  private static func table() async throws -> SmallTable {
    var options = TableOptions()
    options.tarn.pageRows = 64
    return try await SmallTable(Schema([Field("id", .string), Field("note", .string)]), options: options)
  }

  private static func rows(_ keys: [String], _ note: String) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for key in keys { try $0.append(key) } },
      "note": Column(repeating: note, count: keys.count),
    ])
  }

  /// The only base file, and the range of its key index.
  private static func index(_ small: SmallTable) async throws -> (path: String, range: Range<Int>) {
    let slice = try #require(try await small.table.snapshot().slices.first)
    let file = try await ParquetFile.open(small.storage, path: slice.path)
    let text = try #require(file.keyValue(KeyIndexReference.footerKey))
    let reference = try #require(KeyIndexReference(footerText: text))
    return (slice.path, reference.offset..<reference.offset + reference.length)
  }

  @Test func aDamagedIndexIsWarnedOfAndMadeAnew() async throws {
    let small = try await Self.table()
    let keys = (0..<3_000).map { "key-\($0)" }
    try await small.table.upsert(Self.rows(keys, "old"))
    let (path, range) = try await Self.index(small)
    let whole = try await small.storage.readAll(path)
    let properties = try await small.storage.listAll(prefix: "").objects.map(\.path)
    // Bytes of the first block, of the middle, and of the directory at the end.
    for place in [range.lowerBound + 3, (range.lowerBound + range.upperBound) / 2, range.upperBound - 3] {
      for write in ["update", "insert", "delete"] {
        let copy = try await Self.table()
        for name in properties {
          let bytes = try await small.storage.readAll(name)
          try await copy.storage.put(bytes, at: name, if: .always)
        }
        var damaged = whole
        damaged[place] ^= 0x10
        try await copy.storage.put(damaged, at: path, if: .always)
        let warned = copy.warnings.all.count
        var left = Dictionary(uniqueKeysWithValues: keys.map { ($0, "old") })
        switch write {
        case "update":
          let report = try await copy.table.upsert(Self.rows(keys.filter { $0.hasSuffix("7") }, "new"))
          #expect(report.updated == 300 && report.inserted == 0)
          for key in keys where key.hasSuffix("7") { left[key] = "new" }
        case "insert":
          let more = (0..<500).map { "more-\($0)" }
          let report = try await copy.table.upsert(Self.rows(more, "new"))
          #expect(report.updated == 0 && report.inserted == 500)
          for key in more { left[key] = "new" }
        default:
          let gone = keys.filter { $0.hasSuffix("3") }
          #expect(try await copy.table.delete(Self.rows(gone, "").select(["id"])).deleted == 300)
          for key in gone { left[key] = nil }
        }
        let rows = try await copy.rows()
        #expect(json(rows["id"]) == left.keys.sorted().map { "\"\($0)\"" })
        #expect(json(rows["note"]) == left.sorted { $0.key < $1.key }.map { "\"\($0.value)\"" })
        #expect(copy.warnings.all.count > warned)
        // The next write finds an index that is whole.
        let after = copy.warnings.all.count
        #expect(try await copy.table.upsert(Self.rows([keys[0]], "last")).updated == 1)
        #expect(copy.warnings.all.count == after)
      }
    }
  }

  @Test func keysOfOneHashAreKeptApart() async throws {
    // Among so many keys some pairs have the same 32 bits.
    var seen: [UInt32: String] = [:]
    var pairs: [(String, String)] = []
    for number in 0..<300_000 {
      let key = "k\(number)"
      let hash = KeyIndex.shortened(XXH64.hash(Array(key.utf8).span.bytes))
      if let other = seen.updateValue(key, forKey: hash) { pairs.append((other, key)) }
    }
    #expect(pairs.count > 2)
    let small = try await Self.table()
    let others = (0..<500).map { "other-\($0)" }
    try await small.table.upsert(Self.rows(pairs.map(\.0) + others, "first"))
    let inserted = try await small.table.upsert(Self.rows(pairs.map(\.1), "second"))
    #expect(inserted.inserted == pairs.count && inserted.updated == 0)
    let updated = try await small.table.upsert(Self.rows(pairs.map(\.0), "third"))
    #expect(updated.updated == pairs.count && updated.inserted == 0)
    let deleted = try await small.table.delete(Self.rows(pairs.map(\.0), "").select(["id"]))
    #expect(deleted.deleted == pairs.count)
    let again = try await small.table.upsert(Self.rows(pairs.map(\.1), "fourth"))
    #expect(again.updated == pairs.count && again.inserted == 0)
    #expect(try await small.rows().count == pairs.count + others.count)
  }
}
