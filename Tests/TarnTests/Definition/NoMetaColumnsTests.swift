import Tarn
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables whose meta columns are empty, so that keys are those of the key fields.
@Suite struct NoMetaColumnsTests {
  static let schema = Schema([
    Field("id", .string), Field("sub", .int32), Field("price", .decimal(precision: 10, scale: 2)),
    Field("ts", .int64), Field("note", .string),
  ])

  private static func options(_ change: (inout TableOptions) -> Void = { _ in }) -> TableOptions {
    var options = TableOptions()
    options.populatesMetaColumns = false
    options.tarn.pageRows = 64
    change(&options)
    return options
  }

  /// Rows by number: `id` and `sub` name a row together, and so do `sub` and `price`; every fifth `sub` is null.
  private static func rows(_ numbers: some Sequence<Int>, at time: Int64, _ note: String) throws
    -> RecordBatch
  {
    var builders = schema.fields.map { ColumnBuilder($0.type) }
    for number in numbers {
      try builders[0].append("key-\(number)")
      if number % 5 == 0 { builders[1].appendNulls() } else { builders[1].append(Int32(number)) }
      builders[2].append(Int128(number))
      builders[3].append(time)
      try builders[4].append(note)
    }
    return try RecordBatch(schema: schema, columns: builders.map { $0.finish() })
  }

  /// The notes by number, of which the prices are made.
  private static func notes(_ small: SmallTable) async throws -> [Int: String] {
    let rows = try await small.rows()
    let notes = try #require(rows["note"]?.strings)
    let prices = json(rows["price"]).map { Int($0.filter(\.isNumber)) ?? -1 }
    return Dictionary(prices.enumerated().map { ($0.element, notes.string($0.offset)) }) { _, _ in "twice" }
  }

  static let keys = [["id"], ["id", "sub"], ["sub", "price"], ["price"]]

  @Test(arguments: keys, [true, false])
  func rowsAreFoundByTheirKeyFields(key: [String], hasKeyIndex: Bool) async throws {
    let small = try await SmallTable(
      Self.schema, key: key, orderedBy: "ts", options: Self.options { $0.tarn.hasKeyIndex = hasKeyIndex })
    try await small.table.upsert(Self.rows(0..<2_000, at: 1, "old"))
    var expected = Dictionary(uniqueKeysWithValues: (0..<2_000).map { ($0, "old") })

    let few = Array(stride(from: 3, to: 2_000, by: 400)) + Array(2_000..<2_030)
    let upserted = try await small.table.upsert(Self.rows(few, at: 2, "new"))
    #expect(upserted.updated == 5 && upserted.inserted == 30 && upserted.splicedFiles == 1)
    for number in few { expected[number] = "new" }

    let late = try await small.table.upsert(Self.rows([3, 4], at: 1, "late"))
    #expect(late.stale == 1 && late.updated == 1)
    expected[4] = "late"

    let names = Array(Set(key + ["note"])).sorted()
    let partial = try await small.table.upsert(
      Self.rows([7, 8], at: 3, "part").select(names + ["ts"]), columns: .given)
    #expect(partial.updated == 2)
    expected[7] = "part"
    expected[8] = "part"

    let merged = try await small.table.upsert(Self.rows([9, 10], at: 4, "more")) { stored, incoming in
      var rows = incoming
      let place = try #require(rows.schema.index(of: "note"))
      let before = try #require(stored["note"]?.strings)
      rows.columns[place] = try column(.string) {
        for row in 0..<incoming.count { try $0.append(before.string(row) + " and more") }
      }
      return rows
    }
    #expect(merged.updated == 2)
    expected[9] = "old and more"
    expected[10] = "old and more"

    #expect(try await small.table.delete(Self.rows([11, 12, 5_000], at: 5, "").select(key)).deleted == 2)
    expected[11] = nil
    expected[12] = nil
    #expect(
      try await small.table.update(where: .column("ts") == 4, set: ["note": "set"]).updated == 2)
    expected[9] = "set"
    expected[10] = "set"
    #expect(try await small.table.delete(where: .column("note") == "part").deleted == 2)
    expected[7] = nil
    expected[8] = nil
    #expect(try await Self.notes(small) == expected)

    // Deletions are remembered with the key index only.
    let overtaken = try await small.table.upsert(Self.rows([7, 11], at: 1, "late"))
    #expect(overtaken.stale == (hasKeyIndex ? 2 : 0) && overtaken.inserted == (hasKeyIndex ? 0 : 2))
    if !hasKeyIndex { for number in [7, 11] { expected[number] = "late" } }
    #expect(try await Self.notes(small) == expected)
    #expect(small.warnings.all.allSatisfy { $0.contains("key index") || $0.contains("deletion") })
  }

  @Test func filesAreAsHudisWithTheNameAlone() async throws {
    let small = try await SmallTable(Self.schema, orderedBy: "ts", options: Self.options())
    try await small.table.upsert(Self.rows(0..<1_000, at: 1, "old"))
    try await small.table.upsert(Self.rows(500..<510, at: 2, "new"))
    let slice = try #require(try await small.table.snapshot().slices.first)
    let file = try await ParquetFile.open(small.storage, path: slice.path)
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
    #expect(file.keyValue(BloomFilter.footerKey) == nil && file.keyValue(BloomFilter.kindFooterKey) == nil)
    #expect(file.keyValue("hoodie_min_record_key") == "key-0")
    #expect(file.keyValue(KeyIndexReference.footerKey) != nil)
    let rows = try await file.readRowGroup(0, columns: Array(0..<file.schema.fields.count))
    #expect(rows.count == 1_000)
    for name in [
      "_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path",
    ] {
      #expect(rows[name]?.nullCount == 1_000, "\(name)")
    }
    let names = try #require(rows["_hoodie_file_name"]?.strings)
    #expect((0..<names.count).allSatisfy { slice.path.hasSuffix(names.string($0)) })
    let properties = try await TableProperties.load(from: small.storage)
    #expect(!properties.populatesMetaFields)
    #expect(try await small.table.snapshot().schema.names == Self.schema.names)
  }

  @Test func whatNeedsMetaColumnsIsRefused() async throws {
    let small = try await SmallTable(Self.schema, orderedBy: "ts", options: Self.options())
    let first = try #require(try await small.table.upsert(Self.rows(0..<10, at: 1, "old")).instant)
    await expectRefusal(.unsupported, "meta columns") { _ = try await small.table.changes(since: first) }
    await expectRefusal(.mismatch, "_hoodie_commit_time") {
      try await small.table.delete(where: .column("_hoodie_commit_time") > "2020")
    }
    await expectRefusal(.badRow, "null") {
      try await small.table.upsert(
        try batch(["id": texts(nil), "ts": column(.int64) { $0.append(Int64(1)) }]))
    }
  }

  @Test func anUpdateCopiesWhatItLeavesAlone() async throws {
    let small = try await SmallTable(
      Self.schema, key: ["id", "sub"], orderedBy: "ts", options: Self.options())
    try await small.table.upsert(Self.rows(0..<6_400, at: 1, "old"))
    let report = try await small.table.upsert(Self.rows([100], at: 2, "new"))
    // Of the one slot that is touched, only the pages of `ts` and `note` differ, and all file names.
    #expect(report.pagesEncoded <= 3, "\(report.pagesEncoded)")
    #expect(report.pagesCopied >= 100 * 9 - 2)
  }

  @Test func aDamagedIndexIsWarnedOf() async throws {
    let small = try await SmallTable(
      Self.schema, key: ["id", "sub"], orderedBy: "ts", options: Self.options())
    try await small.table.upsert(Self.rows(0..<3_000, at: 1, "old"))
    let slice = try #require(try await small.table.snapshot().slices.first)
    let file = try await ParquetFile.open(small.storage, path: slice.path)
    let reference = try #require(
      file.keyValue(KeyIndexReference.footerKey).flatMap { KeyIndexReference(footerText: $0) })
    var bytes = try await small.storage.readAll(slice.path)
    bytes[reference.offset + reference.length / 2] ^= 1
    try await small.storage.put(bytes, at: slice.path, if: .always)
    let report = try await small.table.upsert(Self.rows(0..<3_000, at: 2, "new"))
    #expect(report.updated == 3_000 && report.inserted == 0)
    #expect(!small.warnings.all.isEmpty)
  }

  /// Where another writer widens a key field, its values have another text, which no index of before knows.
  @Test func keysAreFoundAfterTheirFieldWasWidened() async throws {
    let small = try await SmallTable(
      Self.schema, key: ["id", "sub"], orderedBy: "ts", options: Self.options())
    let first = try #require(try await small.table.upsert(Self.rows(0..<500, at: 1, "old")).instant)
    let path = ".hoodie/\(first.text).commit"
    let before = String(decoding: try await small.storage.readAll(path), as: UTF8.self)
    let decimal = #"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":12,\"scale\":2}"#
    let after = before.replacing(#"\"int\""#, with: decimal)
    try #require(after != before)
    try await small.storage.put(Array(after.utf8), at: path, if: .always)
    let type = DataType.decimal(precision: 12, scale: 2)
    #expect(try await small.table.schema()["sub"]?.type == type)
    let rows = try Self.rows(400..<600, at: 2, "new")
    for turn in 1...2 {
      let report = try await small.table.upsert(rows)
      #expect(report.updated + report.duplicates == (turn == 1 ? 100 : 200), "turn \(turn)")
      #expect(report.inserted == (turn == 1 ? 100 : 0))
    }
    #expect(try await small.table.snapshot().count() == 600)
  }

  @Test func keysMoveBetweenPartitions() async throws {
    let small = try await SmallTable(
      Self.schema, key: ["id"], partitionedBy: ["note"], orderedBy: "ts", options: Self.options())
    try await small.table.upsert(Self.rows(0..<500, at: 1, "a"))
    try await small.table.upsert(Self.rows(500..<600, at: 1, "b"))
    let report = try await small.table.upsert(Self.rows(400..<550, at: 2, "b"), scope: .table)
    #expect(report.updated == 150 && report.inserted == 0)
    let notes = try await Self.notes(small)
    #expect(notes.count == 600 && notes.values.filter { $0 == "a" }.count == 400)
  }

  @Test func aKeyWithoutTextIsRefused() async throws {
    let properties = TableProperties(
      name: "doubles", recordKeyFields: ["x"],
      createSchema: """
        {"type":"record","name":"doubles_record","fields":[{"name":"x","type":"double"}]}
        """)
    for populates in [true, false] {
      let storage = InMemoryStorage()
      var entries = properties
      entries.entries["hoodie.populate.meta.fields"] = String(populates)
      try await entries.create(in: storage, now: 0)
      let table = try await Table.open(at: .storage(storage, name: "memory/doubles"))
      await expectRefusal(.unsupported, "x", "floating-point") {
        try await table.upsert(try batch(["x": column(.double) { $0.append(1.5) }]))
      }
    }
  }
}
