import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Batches that are odd, and tables that are damaged, for every kind of write.
@Suite struct BadInputTests {
  private typealias Write = @Sendable (Table, RecordBatch) async throws -> CommitReport

  /// Every kind of write that takes rows.
  private static let writes: [(name: String, write: Write)] = [
    ("upsert", { try await $0.upsert($1) }),
    ("partial upsert", { try await $0.upsert($1.select(["id", "exchange", "note"]), columns: .given) }),
    (
      "partial upsert without partition", { try await $0.upsert($1.select(["id", "note"]), columns: .given) }
    ),
    ("update", { try await $0.update($1.select(["id", "note"])) }),
    ("merge", { try await $0.upsert($1, merging: { $1 }) }),
    ("insert", { try await $0.insert($1) }),
    ("apply", { try await $0.apply(ChangeBatch(upserting: $1)) }),
    ("delete", { try await $0.delete($1.select(["id"])) }),
  ]

  private static func fixture() async throws -> TableFixture {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 100, "old"), Trade("b", 1, "Kraken", 200, "old"))
    return fixture
  }

  private static func contents(_ fixture: TableFixture) async throws -> [String] {
    try await fixture.storage.listAll(prefix: "").objects.filter { !$0.path.hasSuffix(".lock") }
      .map { "\($0.path) \($0.size)" }
  }

  @Test(arguments: writes.indices) func aBatchWithoutRowsMakesNoCommit(_ index: Int) async throws {
    let fixture = try await Self.fixture()
    let before = try await Self.contents(fixture)
    let report = try await Self.writes[index].write(fixture.table, try Trade.batch([]))
    #expect(report.instant == nil)
    #expect(report.inserted + report.updated + report.deleted + report.notFound == 0)
    #expect(try await Self.contents(fixture) == before)
  }

  @Test func aBatchWithoutRowsAddsNoColumn() async throws {
    let fixture = try await Self.fixture()
    var empty = try Trade.batch([])
    empty.schema.fields.append(Field("extra", .string))
    empty.columns.append(Column(nulls: 0, of: .string))
    let none = try RecordBatch(schema: Schema([]), columns: [], count: 0)
    #expect(try await fixture.table.upsert(empty).instant == nil)
    #expect(try await fixture.table.upsert(none).instant == nil)
    #expect(try await fixture.table.delete(none).instant == nil)
    #expect(try await fixture.table.schema() == Trade.schema)
  }

  @Test(arguments: writes.indices) func nullAndEmptyKeysAreRefused(_ index: Int) async throws {
    let fixture = try await Self.fixture()
    let before = try await Self.contents(fixture)
    var rows = try Trade.batch([Trade("a", 2, "OKX", 1, "new"), Trade("", 2, "OKX", 1, "new")])
    let empty = rows
    await expectRefusal(.badRow, "row 1", "id is empty") {
      _ = try await Self.writes[index].write(fixture.table, empty)
    }
    rows.columns[0] = try texts("a", nil)
    let null = rows
    await expectRefusal(.badRow, "row 1", "id is null") {
      _ = try await Self.writes[index].write(fixture.table, null)
    }
    #expect(try await Self.contents(fixture) == before)
  }

  @Test func oneKeyAThousandTimesIsOneRow() async throws {
    let fixture = try await Self.fixture()
    let same = (1...1_000).map { Trade("a", Int64($0 % 500), "OKX", Int128($0), "n\($0)") }
    let report = try await fixture.table.upsert(try Trade.batch(same))
    #expect(report.updated == 1)
    #expect(report.superseded == 999)
    #expect(try await fixture.rows()[0] == Trade("a", 499, "OKX", 999, "n999"))
    let part = try Trade.batch(same).select(["id", "note"])
    #expect(try await fixture.table.update(part).superseded == 999)
    #expect(try await fixture.rows()[0] == Trade("a", 499, "OKX", 999, "n1000"))
    let merged = try await fixture.table.upsert(
      try Trade.batch(same),
      merging: { stored, incoming in
        #expect(stored.count == 1)
        return incoming
      })
    #expect(merged.updated == 1)
    #expect(try await fixture.rows()[0].note == "n999")
    let deleted = try await fixture.table.delete(try Trade.batch(same).select(["id"]))
    #expect(deleted.deleted == 1)
    #expect(deleted.superseded == 999)
    #expect(try await fixture.rows().count == 1)
  }

  @Test func keysOf64KilobytesAreKeysAsOthers() async throws {
    let fixture = try await TableFixture()
    let long = String(repeating: "k", count: 64 << 10)
    let trades = (0..<8).map { Trade(long + "\($0)", 1, "OKX", Int128($0), "old") }
    #expect(try await fixture.table.upsert(try Trade.batch(trades)).inserted == 8)
    #expect(try await fixture.table.upsert(try Trade.batch(trades)).duplicates == 8)
    let next = try Trade.batch([Trade(long + "3", 2, "OKX", 9, "new"), Trade(long, 2, "OKX", 9, "new")])
    let report = try await fixture.table.upsert(next)
    #expect(report.updated == 1)
    #expect(report.inserted == 1)
    #expect(try await fixture.table.update(try next.select(["id", "price"])).duplicates == 2)
    #expect(
      try await fixture.table.update(where: .column("id") == .string(long), set: ["price": 5]).updated == 1)
    #expect(try await fixture.table.delete(keys: [["id": .string(long + "7")], ["id": "k"]]).deleted == 1)
    let rows = try await fixture.rows()
    #expect(rows.count == 8)
    #expect(rows[0] == Trade(long, 2, "OKX", 500, "new"))
    #expect(rows[4] == Trade(long + "3", 2, "OKX", 9, "new"))
  }

  /// So many of them that the keys of one slot fill several pages, and then so few that each has its own.
  @Test(arguments: [(rows: 4_096, count: 60), (rows: 2, count: 9)])
  func filesOfLongKeysAreSplicedByTheirKeyIndex(pageRows: (rows: Int, count: Int)) async throws {
    var options = TableOptions()
    options.tarn.pageRows = pageRows.rows
    let fixture = try await TableFixture(options: options)
    let long = String(repeating: "ü", count: 32 << 10)
    // They differ at their ends alone, where bounds that are cut short do not see it.
    let trades = (10..<10 + pageRows.count).map { Trade(long + "\($0)", 1, "OKX", Int128($0), "old") }
    #expect(try await fixture.table.upsert(try Trade.batch(trades)).inserted == trades.count)
    let changed = trades.prefix(3).map { Trade($0.id, 2, "OKX", 7, "new") }
    let report = try await fixture.table.upsert(
      try Trade.batch(changed + [Trade(long + "0", 2, "OKX", 7, "new")]))
    #expect(report.updated == 3 && report.inserted == 1)
    #expect(report.splicedFiles == 1)
    let gone = [trades[4], trades[trades.count - 1]]
    let deleted = try await fixture.table.delete(try Trade.batch(gone).select(["id"]))
    #expect(deleted.deleted == 2 && deleted.splicedFiles == 1)
    let left = trades.dropFirst(3).filter { trade in !gone.contains { $0.id == trade.id } }
    let expected = changed + left + [Trade(long + "0", 2, "OKX", 7, "new")]
    #expect(try await fixture.rows() == expected.sorted { $0.id < $1.id })
    // A key index that does not fit its file is warned of.
    #expect(fixture.warnings.all.isEmpty, "\(fixture.warnings.all.map { $0.suffix(200) })")
    let slice = try #require(try await fixture.table.snapshot().slices.first)
    let file = try await ParquetFile.open(fixture.storage, path: slice.path)
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
  }

  @Test(arguments: writes.indices) func aVanishedBaseFileEndsTheWrite(_ index: Int) async throws {
    let fixture = try await Self.fixture()
    let slice = try #require(
      try await fixture.table.snapshot().slices.first { $0.partitionPath == "exchange=OKX" })
    try await fixture.storage.delete(slice.path)
    let before = try await Self.contents(fixture)
    let rows = try Trade.batch([Trade("a", 2, "OKX", 1, "new")])
    await expectRefusal(.damaged, slice.path, "it is gone") {
      _ = try await Self.writes[index].write(fixture.table, rows)
    }
    await expectRefusal(.damaged, slice.path) { try await fixture.table.delete(where: .column("id") == "a") }
    await expectRefusal(.damaged, slice.path) {
      try await fixture.table.update(where: .column("exchange") == "OKX", set: ["note": "x"])
    }
    #expect(try await Self.contents(fixture) == before)
    // Other partitions can be written.
    try await fixture.upsert(Trade("b", 2, "Kraken", 1, "new"))
    #expect(
      try await fixture.table.update(where: .column("exchange") == "Kraken", set: ["note": "x"]).updated == 1)
  }
}

/// What a writer knows of files that other commits wrote.
@Suite struct VanishedFileTests {
  @Test func anOlderVersionDoesNotStandInForOneThatIsGone() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 1))
    try await fixture.upsert(Trade("a", 2, "OKX", 2))
    let slice = try #require(try await fixture.table.snapshot().slices.first)
    for step in 0..<5 { try await fixture.upsert(Trade("b", Int64(step), "Kraken", 1)) }
    try await fixture.storage.delete(slice.path)
    await expectRefusal(.damaged, slice.path) { try await fixture.upsert(Trade("a", 3, "OKX", 3)) }
    await expectRefusal(.damaged, slice.path) { try await fixture.delete("a") }
    // What was superseded may go.
    let old = try #require(try await fixture.table.timeline().completedCommits.first).instant
    try await fixture.upsert(Trade("b", 9, "Kraken", 1))
    for object in try await fixture.storage.listAll(prefix: "exchange=Kraken/").objects
    where object.path.hasSuffix(".parquet") {
      let latest = try await fixture.table.snapshot().slices.map(\.path)
      if !latest.contains(object.path) { try await fixture.storage.delete(object.path) }
    }
    #expect(old < slice.instant)
    try await fixture.upsert(Trade("b", 10, "Kraken", 2))
  }
}
