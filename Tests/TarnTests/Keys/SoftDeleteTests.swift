import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Hudi's column `_hoodie_is_deleted`, by which rows of a batch delete, and Hudi's other names.
@Suite struct SoftDeleteTests {
  private static let schema = Schema([Field("id", .string), Field("ts", .int64), Field("v", .string)])
  private static let deleted = "_hoodie_is_deleted"

  private struct Row {
    var id: String
    var ts: Int64?
    var v: String?
    var isDeleted: Bool?

    init(_ id: String, _ ts: Int64?, _ v: String?, _ isDeleted: Bool? = nil) {
      self.id = id
      self.ts = ts
      self.v = v
      self.isDeleted = isDeleted
    }
  }

  private func rows(_ rows: Row...) throws -> RecordBatch {
    var (id, ts, v) = (ColumnBuilder(.string), ColumnBuilder(.int64), ColumnBuilder(.string))
    var isDeleted = ColumnBuilder(.boolean)
    for row in rows {
      try id.append(row.id)
      if let value = row.ts { ts.append(value) } else { ts.appendNulls() }
      if let value = row.v { try v.append(value) } else { v.appendNulls() }
      if let value = row.isDeleted { isDeleted.append(value) } else { isDeleted.appendNulls() }
    }
    return try batch([
      "id": id.finish(), "ts": ts.finish(), "v": v.finish(), Self.deleted: isDeleted.finish(),
    ])
  }

  private func table(keepsColumn: Bool = false, ordered: Bool = true) async throws -> SmallTable {
    var schema = Self.schema
    if keepsColumn { schema.fields.append(Field(Self.deleted, .boolean)) }
    let table = try await SmallTable(schema, orderedBy: ordered ? "ts" : nil)
    try await table.table.upsert(
      try rows(Row("a", 1, "a"), Row("b", 1, "b"), Row("c", 1, "c")).select(Self.schema.names))
    return table
  }

  /// The rows as texts, and whether the table has the column.
  private func stored(_ table: SmallTable) async throws -> (rows: [String], hasColumn: Bool) {
    let rows = try await table.rows()
    let (ids, values) = (json(rows["id"]), json(rows["v"]))
    return (zip(ids, values).map { "\($0)=\($1)" }, rows[Self.deleted] != nil)
  }

  /// What Hudi 0.15 makes of these rows, tried with Spark, but that the column is not added.
  @Test(arguments: [false, true])
  func anUpsertDeletesWhatSaysThatItIsDeleted(keepsColumn: Bool) async throws {
    let table = try await table(keepsColumn: keepsColumn)
    let report = try await table.table.upsert(
      try rows(
        Row("a", 2, "x", true), Row("b", 2, "y", false), Row("c", 2, "z"), Row("n", 2, "n", true),
        Row("m", 2, "m")))
    #expect(report.deleted == 1 && report.updated == 2 && report.inserted == 1 && report.notFound == 1)
    let (stored, hasColumn) = try await stored(table)
    #expect(stored == [#""b"="y""#, #""c"="z""#, #""m"="m""#])
    #expect(hasColumn == keepsColumn)
    if keepsColumn { #expect(json(try await table.rows()[Self.deleted]) == ["false", "null", "null"]) }
  }

  @Test func theOrderingColumnDecidesOfSuchDeletionsAsOfOthers() async throws {
    let table = try await table()
    try await table.table.upsert(try rows(Row("a", 5, "five")).select(Self.schema.names))
    let report = try await table.table.upsert(
      try rows(
        Row("a", 2, nil, true), Row("b", 3, nil, true), Row("b", 2, "older"), Row("c", 2, nil, true),
        Row("c", 3, "newer", false)))
    #expect(report.stale == 1 && report.deleted == 1)
    #expect(try await stored(table).rows == [#""a"="five""#, #""c"="newer""#])
    // A deletion is remembered.
    #expect(try await table.table.upsert(try rows(Row("b", 2, "late"))).stale == 1)
  }

  @Test func changesPartialUpdatesAndUpdatesDeleteToo() async throws {
    let table = try await table()
    let gone = try rows(Row("a", 2, "x", true), Row("n", 2, "x", true))
    #expect(try await table.table.apply(ChangeBatch(upserting: gone)).deleted == 1)
    let partial = try rows(Row("b", 2, nil, true), Row("c", 2, nil, false)).select(["id", "ts", Self.deleted])
    let report = try await table.table.upsert(partial, columns: .given)
    #expect(report.deleted == 1 && report.updated == 1)
    #expect(try await stored(table).rows == [#""c"="c""#])
    let update = try rows(Row("c", 3, nil, true), Row("n", 3, nil, true)).select(["id", Self.deleted])
    let last = try await table.table.update(update)
    #expect(last.deleted == 1 && last.notFound == 1)
    #expect(try await stored(table) == ([], false))
  }

  @Test func anUpsertThatMergesDeletesBeforeAndAfterTheFunction() async throws {
    let table = try await table(keepsColumn: true)
    let incoming = try rows(
      Row("a", 2, "x", true), Row("b", 2, "gone"), Row("c", 2, "z"), Row("n", 2, "n", true))
    let report = try await table.table.upsert(incoming) { _, incoming in
      var rows = incoming
      let texts = incoming["v"]?.strings
      var bits = ColumnBuilder(.boolean)
      for row in 0..<incoming.count { bits.append(texts?.string(row) == "gone") }
      let index = rows.schema.index(of: "_hoodie_is_deleted") ?? 0
      rows.columns[index] = bits.finish()
      return rows
    }
    #expect(report.deleted == 2 && report.updated == 1 && report.notFound == 1)
    #expect(try await stored(table).rows == [#""c"="z""#])
  }

  @Test func rowsOfASwiftTypeDeleteToo() async throws {
    struct Item: Encodable {
      var id: String
      var ts: Int
      var v: String?
      var isDeleted: Bool?

      enum CodingKeys: String, CodingKey {
        case id, ts, v
        case isDeleted = "_hoodie_is_deleted"
      }
    }
    let table = try await table()
    try await table.table.upsert([
      Item(id: "a", ts: 2, v: nil, isDeleted: true),
      Item(id: "b", ts: 2, v: "y", isDeleted: false), Item(id: "m", ts: 2, v: "m"),
    ])
    #expect(try await stored(table) == ([#""b"="y""#, #""c"="c""#, #""m"="m""#], false))
  }

  /// As Hudi's insert does, which looks no key up either.
  @Test func anInsertLeavesSuchRowsOutAndSaysSo() async throws {
    let table = try await table()
    let more = try rows(Row("a", 2, "x", true), Row("n", 2, "n", true), Row("m", 2, "m", false))
    #expect(try await table.table.insert(more).inserted == 1)
    #expect(table.warnings.all.contains { $0.contains("2 of 3 rows have _hoodie_is_deleted = true") })
    #expect(try await stored(table) == ([#""a"="a""#, #""b"="b""#, #""c"="c""#, #""m"="m""#], false))
    let empty = try await SmallTable(Self.schema)
    let parts = Mutex([more, try rows(Row("o", 1, "o", true)), try rows(Row("p", 1, "p"))][...])
    let report = try await empty.table.insert(more.schema) { parts.withLock { $0.popFirst() } }
    #expect(report.inserted == 2)
    #expect(try await stored(empty) == ([#""m"="m""#, #""p"="p""#], false))
  }

  @Test func aColumnOfAnotherTypeIsRefusedAsHudiDoes() async throws {
    let table = try await table()
    let text = try batch(["id": texts("a"), Self.deleted: texts("true")])
    await expectRefusal(.mismatch, Self.deleted, "must be boolean") { try await table.table.upsert(text) }
    await expectRefusal(.mismatch, Self.deleted, "must be boolean") {
      _ = try await SmallTable(Schema([Field("id", .string), Field(Self.deleted, .string)]))
    }
    let keeping = try await self.table(keepsColumn: true)
    await expectRefusal(.mismatch, Self.deleted, "delete the rows") {
      try await keeping.table.update(where: .column("id") == "a", set: [Self.deleted: true])
    }
  }

  /// Spark drops some of these columns, and folds the case of all.
  @Test(arguments: [
    "_hoodie_operation", "_Hoodie_Commit_Time", "_HOODIE_RECORD_KEY", "_HOODIE_IS_DELETED", "_hoodie_mine",
  ])
  func hudisOwnNamesAreRefusedInAnyCase(name: String) async throws {
    let table = try await table()
    let before = try await table.contents()
    let more = try batch(["id": texts("a"), "ts": column(.int64) { $0.append(Int64(2)) }, name: texts("x")])
    await expectRefusal(.mismatch, "column \(name)", "rename") { try await table.table.upsert(more) }
    #expect(try await table.contents() == before)
    await expectRefusal(.mismatch, "column \(name)", "rename") {
      _ = try await SmallTable(Schema([Field("id", .string), Field(name, .string)]))
    }
  }

  @Test func metaColumnsAsATableIsReadWithThemAreLeftOut() async throws {
    let table = try await table()
    let read = try await table.rows()
    #expect(read["_hoodie_commit_time"] != nil)
    #expect(try await table.table.upsert(read).duplicates == 3)
  }
}
