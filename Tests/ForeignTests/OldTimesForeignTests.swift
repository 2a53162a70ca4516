import Tarn
import TarnColumns
import TarnTestSupport
import Testing

/// Dates and times of long ago, read by other engines.
@Suite(.serialized) struct OldTimesForeignTests {
  @Test func datesAndTimesOfLongAgoNeedNoSettingOfSpark() async throws {
    try Spark.hudi015.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/t"
      let rows = { (id: String, day: Int32, at: Int64) in
        try WideningForeignTests.batch([
          "id": WideningForeignTests.texts(id), "day": WideningForeignTests.column(.date) { $0.append(day) },
          "at": WideningForeignTests.column(.timestamp(.microseconds, .instant)) { $0.append(at) },
        ])
      }
      let table = try await Table.create(
        at: .local(path), schema: try rows("", 0, 0).schema, recordKey: ["id"])
      try await table.upsert(try rows("a", -200_000, -6_000_000_000_000_000))
      try await table.upsert(try rows("b", -700_000, -60_000_000_000_000_000))
      try await table.upsert(try rows("a", -141_428, -2_208_988_800_000_001))
      let columns = ["id", "day", "at"]
      let expected = try await WideningForeignTests.rows(table, columns)
      #expect(try await Spark.hudi015.read(path, select: columns) == expected)
      #expect(try await ForeignReader.hudi(table: path, select: columns) == expected)
      #expect(try await ForeignReader.daft(table: path, select: columns) == expected)
    }
  }
}
