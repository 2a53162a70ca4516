import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// A column of a base file that cannot be read is none that is missing, whose values would be null.
@Suite struct UnreadableColumnTests {
  private static func rows(_ time: Int64) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for row in 0..<20 { try $0.append("key-\(row)") } },
      "time": column(.int64) { for _ in 0..<20 { $0.append(time) } },
      "note": Column(repeating: "x", count: 20),
    ])
  }

  @Test(arguments: ["id", "time", "note"]) func aColumnOfAnotherCodecIsNamedAndNeverNull(name: String)
    async throws
  {
    let schema = Schema([Field("id", .string), Field("time", .int64), Field("note", .string)])
    let small = try await SmallTable(schema, orderedBy: "time")
    try await small.table.upsert(try Self.rows(5))
    let slice = try #require(try await small.table.snapshot().slices.first)
    // LZO, of the column behind Hudi's own.
    let position = try #require(try await small.table.snapshot().schema.index(of: name))
    let bytes = try ExtremeNumbersTests.changed(try await small.storage.readAll(slice.path)) {
      $0[4]?.elements[0][1]?.elements[position][3]?[4] = .int32(3)
    }
    _ = try await small.storage.put(bytes, at: slice.path, if: .always)
    let table = try await Table.open(at: small.table.location, settings: small.table.settings)
    let others = schema.names.filter { $0 != name }
    #expect(try await table.snapshot().count() == 20)
    var found = 0
    for try await rows in try await table.snapshot().select(others) { found += rows.count }
    #expect(found == 20)
    // The same rows again, and newer ones: never "a duplicate" of what was not read.
    for time in [Int64(5), 6] {
      let error = await #expect(throws: TableError.self) { try await table.upsert(try Self.rows(time)) }
      #expect(error?.code == .unsupported, "\(error?.message ?? "")")
      #expect(error?.message.contains("column \(name) ") == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("codec LZO is not supported") == true)
    }
    // Of older rows, no more than the time is looked at.
    guard name == "time" else {
      #expect(try await table.upsert(try Self.rows(4)).stale == 20)
      return
    }
    await #expect(throws: TableError.self) { try await table.upsert(try Self.rows(4)) }
  }
}
