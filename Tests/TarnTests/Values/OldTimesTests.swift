import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Dates and times from before calendars and zones were what they are.
@Suite struct OldTimesTests {
  static let schema = Schema([
    Field("id", .string), Field("day", .date), Field("at", .timestamp(.microseconds, .instant)),
  ])

  static func rows(_ day: Int32, _ at: Int64) throws -> RecordBatch {
    try batch([
      "id": try texts("a", "b"), "day": column(.date) { for day in [day, 19_000] { $0.append(day) } },
      "at": column(.timestamp(.microseconds, .instant)) { for at in [at, 0] { $0.append(at) } },
    ])
  }

  @Test func filesWithDatesAndTimesSayHowTheyAreCounted() async throws {
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(try Self.rows(-200_000, -6_000_000_000_000_000))
    // Written anew or spliced, the mark stays.
    try await small.table.upsert(try Self.rows(-200_001, 7))
    for slice in try await small.table.snapshot().slices {
      let file = try await ParquetFile.open(small.storage, path: slice.path)
      #expect(file.keyValue("org.apache.spark.version") == "3.5.0")
    }
    #expect(json(try await small.rows()["day"]) == ["\"1422-06-02\"", "\"2022-01-08\""])
    let plain = try await SmallTable(Schema([Field("id", .string)]))
    try await plain.table.upsert(try batch(["id": try texts("a")]))
    let slice = try #require(try await plain.table.snapshot().slices.first)
    let file = try await ParquetFile.open(plain.storage, path: slice.path)
    #expect(file.keyValue("org.apache.spark.version") == nil)
  }

  /// A file with Spark's marks in its footer.
  static func file(
    _ marks: [ParquetKeyValue], _ day: Int32, _ at: Int64, in storage: any Storage, at path: String
  ) async throws -> ParquetFile {
    let target = try await storage.writer(at: path)
    var writer = try ParquetWriter(schema: schema.nullable, to: target, path: path)
    try await writer.append(
      RecordBatch(schema: schema.nullable, columns: try rows(day, at).columns, count: 2))
    _ = try await writer.finish(keyValues: marks)
    return try await ParquetFile.open(storage, path: path)
  }

  @Test func rowsOfTheOldCalendarAreNeitherReadNorCarriedOver() async throws {
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(try Self.rows(-200_000, 0))
    // Its file as Spark would have written it, with the same digits for other days.
    let slice = try #require(try await small.table.snapshot().slices.first)
    let file = try await ParquetFile.open(small.storage, path: slice.path)
    let rows = try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
    try await small.storage.delete(slice.path)
    let target = try await small.storage.writer(at: slice.path)
    var writer = try ParquetWriter(schema: file.schema, to: target, path: slice.path)
    try await writer.append(rows)
    _ = try await writer.finish(keyValues: [ParquetKeyValue("org.apache.spark.legacyDateTime", "")])
    let before = try await small.contents()
    await expectRefusal(.unsupported, slice.path, "column day", "Spark 2", "CORRECTED") {
      _ = try await small.rows()
    }
    #expect(try await small.rows { try $0.select("id", "at") }.count == 2)
    for write in [
      { (table: Table) in _ = try await table.upsert(try Self.rows(1, 1)) },
      { (table: Table) in _ = try await table.delete(where: try Condition(parsing: "id = 'a'")) },
      { (table: Table) in
        _ = try await table.update(where: try Condition(parsing: "day is null"), set: ["day": nil])
      },
    ] {
      await expectRefusal(.unsupported, slice.path, "day") { try await write(small.table) }
    }
    #expect(try await small.contents() == before)
  }

  @Test func filesOfTheOldCalendarAreReadOnlyWhereItMakesNoDifference() async throws {
    let storage = InMemoryStorage()
    let legacy = [
      ParquetKeyValue("org.apache.spark.version", "3.5.0"),
      ParquetKeyValue("org.apache.spark.legacyDateTime", ""),
    ]
    let two = [ParquetKeyValue("org.apache.spark.version", "2.4.8")]
    let (day, at): (Int32, Int64) = (-141_427, -2_208_988_800_000_000)
    let cases: [([ParquetKeyValue], Int32, Int64, [String])] = [
      (legacy, day, at, []), (legacy, day - 1, at, ["day"]), (legacy, day, at - 1, ["at"]),
      (two, day - 1, at - 1, ["at", "day"]),
      ([ParquetKeyValue("org.apache.spark.version", "3.5.0")], day - 1, at - 1, []),
      ([], day - 1, at - 1, []),
      ([ParquetKeyValue("org.apache.spark.version", "20.0")], day - 1, at - 1, []),
    ]
    for (index, (marks, day, at, unreadable)) in cases.enumerated() {
      let file = try await Self.file(marks, day, at, in: storage, at: "f\(index).parquet")
      #expect(file.unreadable.keys.sorted() == unreadable)
      #expect(file.schema.names == Self.schema.names.filter { !unreadable.contains($0) })
    }
  }
}

extension Schema {
  /// The same columns, all of which take nulls.
  fileprivate var nullable: Schema { Schema(fields.map { Field($0.name, $0.type) }) }
}
