import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

@Suite("The first load of a table, batch by batch")
struct BulkLoadTests {
  private static let schema = Schema([
    Field("id", .string), Field("place", .string), Field("note", .string),
  ])

  /// A source of batches, of which the last may be one that cannot be taken.
  private actor Batches {
    private var rest: ArraySlice<RecordBatch>

    init(_ batches: [RecordBatch]) { rest = batches[...] }

    func next() -> RecordBatch? { rest.popFirst() }
  }

  private static func batch(_ rows: Range<Int>, places: Int) throws -> RecordBatch {
    var columns = [ColumnBuilder(.string), ColumnBuilder(.string)]
    var notes = ByteStrings()
    try notes.append("one")
    try notes.append("two")
    for row in rows {
      try columns[0].append("key \(row)")
      try columns[1].append("place \(row % places)")
    }
    let note = try DictionaryStrings(indices: rows.map { UInt32($0 % 2) }, entries: .init(notes))
    return try RecordBatch(
      schema: schema,
      columns: columns.map { $0.finish() } + [try Column(type: .string, values: .dictionary(note))])
  }

  private static func table() async throws -> SmallTable {
    try await SmallTable(schema, partitionedBy: ["place"])
  }

  @Test("All rows of all batches are stored once, in more partitions than are held open")
  func storesAllRows() async throws {
    let small = try await Self.table()
    let batches = Batches(
      try stride(from: 0, to: 9_000, by: 1_000).map { try Self.batch($0..<$0 + 1_000, places: 70) })
    let report = try await small.table.insert(Self.schema) { await batches.next() }
    #expect(report.inserted == 9_000)
    #expect(report.files == 70)
    let rows = try await small.rows()
    #expect(rows.count == 9_000)
    let keys = try await small.texts("id")
    #expect(keys == (0..<9_000).map { "key \($0)" }.sorted())
    #expect(
      try await small.texts("note")
        == keys.map { $0.last.flatMap { Int(String($0)) }.map { $0 % 2 == 0 ? "one" : "two" } })
    #expect(Set(try await small.texts("_hoodie_commit_seqno")).count == 9_000)
    // The keys are found again.
    let again = try await small.table.upsert(try Self.batch(100..<300, places: 70))
    #expect(again.inserted == 0)
    #expect(again.updated + again.duplicates == 200)
  }

  @Test("A row that cannot be taken ends the load, and nothing is stored")
  func badRowStoresNothing() async throws {
    let small = try await Self.table()
    var bad = try Self.batch(1_000..<1_100, places: 3)
    bad.columns[0] = Column(nulls: 100, of: .string)
    let batches = Batches([try Self.batch(0..<1_000, places: 3), bad])
    let error = await #expect(throws: TableError.self) {
      try await small.table.insert(Self.schema) { await batches.next() }
    }
    #expect(error?.code == .badRow)
    #expect(error?.message.contains("row 1000 of the input") == true)
    #expect(try await small.contents().allSatisfy { !$0.contains(".parquet") && !$0.contains(".inflight") })
    #expect(try await small.rows().count == 0)
  }

  @Test("A load without rows makes no commit, and one into a table with rows adds to it")
  func emptyAndSecondLoad() async throws {
    let small = try await Self.table()
    let none = Batches([])
    #expect(try await small.table.insert(Self.schema) { await none.next() }.instant == nil)
    for first in [0, 500] {
      let batches = Batches([
        try Self.batch(first..<first + 200, places: 2), try Self.batch(first + 200..<first + 500, places: 2),
      ])
      #expect(try await small.table.insert(Self.schema) { await batches.next() }.inserted == 500)
    }
    #expect(try await small.texts("id") == (0..<1_000).map { "key \($0)" }.sorted())
  }
}
