import Tarn
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Text that is not UTF-8, which other engines cannot read: refused when it comes in, by every road.
@Suite struct TextTests {
  private static let broken: [UInt8] = [0x61, 0xff, 0x62]

  /// A column of strings of which the row `bad` is not UTF-8.
  private static func column(_ count: Int, bad: Int, hasDictionary: Bool) throws -> Column {
    var strings = ByteStrings()
    for row in 0..<count {
      let bytes = row == bad ? broken : Array("ä\(row)".utf8)
      try strings.append(bytes.span.bytes)
    }
    guard hasDictionary else { return try Column(type: .string, values: .bytes(strings)) }
    let entries = DictionaryStrings.Entries(strings)
    return try Column(
      type: .string,
      values: .dictionary(DictionaryStrings(indices: (0..<UInt32(count)).map { $0 }, entries: entries)))
  }

  private static func rows(_ column: String, hasDictionary: Bool) throws -> RecordBatch {
    var rows = try Trade.batch((0..<4).map { Trade("k\($0)", 2, "OKX", 1, "new") })
    let index = try #require(rows.schema.index(of: column))
    rows.columns[index] = try Self.column(4, bad: 2, hasDictionary: hasDictionary)
    return rows
  }

  private typealias Write = @Sendable (Table, RecordBatch) async throws -> CommitReport

  private static let writes: [(name: String, write: Write)] = [
    ("upsert", { try await $0.upsert($1) }),
    ("partial upsert", { try await $0.upsert($1.select(["id", "exchange", "note"]), columns: .given) }),
    ("update", { try await $0.update($1.select(["id", "note"])) }),
    ("insert", { try await $0.insert($1) }),
    ("apply", { try await $0.apply(ChangeBatch(upserting: $1)) }),
    (
      "merge",
      { table, rows in
        try await table.upsert(try Trade.batch([Trade("a", 5, "OKX", 1, "fine")])) { _, _ in
          var made = try rows.gather([2])
          made.columns[0] = try texts("a")
          return made
        }
      }
    ),
    (
      "load",
      { table, rows in
        let source = OneBatch(rows)
        return try await table.insert(rows.schema) { await source.next() }
      }
    ),
  ]

  private actor OneBatch {
    private var batch: RecordBatch?

    init(_ batch: RecordBatch) { self.batch = batch }

    func next() -> RecordBatch? { batch.take() }
  }

  @Test(arguments: writes.indices, [false, true])
  func textThatIsNotUTF8IsRefusedByEveryRoad(_ index: Int, hasDictionary: Bool) async throws {
    let (name, write) = Self.writes[index]
    let fixture = try await TableFixture()
    // A load streams into an empty table only.
    if name != "load" {
      try await fixture.upsert(Trade("a", 1, "OKX", 100, "old"), Trade("k2", 1, "OKX", 1, "old"))
    }
    let before = try await fixture.rows()
    let rows = try Self.rows("note", hasDictionary: hasDictionary)
    let row = name == "merge" ? "row 0" : "row 2"
    await expectRefusal(.badRow, row, "column note is not UTF-8") { _ = try await write(fixture.table, rows) }
    #expect(try await fixture.rows() == before)
    #expect(try await fixture.table.timeline().pending.isEmpty)
  }

  @Test(arguments: ["id", "exchange"])
  func keysAndPartitionsAreRefusedToo(_ column: String) async throws {
    let fixture = try await TableFixture()
    let rows = try Self.rows(column, hasDictionary: true)
    await expectRefusal(.badRow, "row 2", "column \(column) is not UTF-8") {
      _ = try await fixture.table.upsert(rows)
    }
  }

  @Test func ofARowToDeleteOnlyTheKeyMatters() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("k2", 1, "OKX", 100, "old"))
    let rows = try Self.rows("note", hasDictionary: false)
    var bits = Bitmap(count: 4)
    bits[2] = true
    let report = try await fixture.table.apply(try ChangeBatch(rows: rows, isDelete: bits))
    #expect(report.deleted == 1 && report.inserted == 3)
  }

  @Test func anEntryOfADictionaryThatNoRowHasDoesNotMatter() throws {
    var strings = ByteStrings()
    try strings.append(Self.broken.span.bytes)
    try strings.append("fine")
    let all = try DictionaryStrings(indices: [1, 0, 1, 0], entries: .init(strings))
    let column = try Column(type: .string, values: .dictionary(all))
    #expect(column.rowsNotUTF8 == [1, 3])
    #expect(try column.gather([0, 2]).rowsNotUTF8 == [])
    let binary = try Column(type: .binary, values: .bytes(strings))
    #expect(binary.rowsNotUTF8 == [])
    var validity = Bitmap(repeating: true, count: 2)
    validity[0] = false
    #expect(try Column(type: .string, values: .bytes(strings), validity: validity).rowsNotUTF8 == [])
  }

  /// Another writer may have stored such text; what is not touched stays.
  @Test func storedTextIsNotLookedAt() async throws {
    var options = TableOptions()
    options.tarn.hasKeyIndex = false
    let fixture = try await TableFixture(partitionedBy: [], options: options)
    try await fixture.upsert(Trade("a", 1, "OKX", 100, "old"), Trade("b", 1, "Kraken", 200, "old"))
    try await FileRewriting.rewrite(fixture.table, fixture.storage) { rows in
      let index = try #require(rows.schema.index(of: "note"))
      rows.columns[index] = try Self.column(2, bad: 0, hasDictionary: false)
    }
    let table = try await Table.open(
      at: .storage(fixture.storage, name: "memory/trades"), settings: TableFixture.settings(Collected()))
    let partial = try Trade.batch([Trade("a", 2, "OKX")]).select(["id", "time", "exchange"])
    #expect(try await table.upsert(partial, columns: .given).updated == 1)
    #expect(try await table.upsert(try Trade.batch([Trade("b", 3, "x", 1, "fine")])).updated == 1)
    var notes: [[UInt8]] = []
    for try await batch in try await table.snapshot() {
      let strings = try #require(batch["note"]?.strings)
      notes += (0..<batch.count).map { strings[$0].copied() }
    }
    #expect(notes == [Self.broken, Array("fine".utf8)])
  }
}

/// Base files made anew behind a table's back, as another writer might have written them.
enum FileRewriting {
  /// Changes the rows of the table's only file.
  static func rewrite(
    _ table: Table, _ storage: any Storage, _ change: (inout RecordBatch) throws -> Void
  ) async throws {
    let slice = try #require(try await table.snapshot().slices.first)
    let file = try await ParquetFile.open(storage, path: slice.path)
    var rows = try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
    for index in rows.schema.fields.indices { rows.schema.fields[index].isNullable = true }
    try change(&rows)
    try await storage.delete(slice.path)
    var writer = try ParquetWriter(schema: rows.schema, to: try await storage.writer(at: slice.path))
    try await writer.append(rows)
    _ = try await writer.finish(keyValues: file.keyValues)
  }
}
