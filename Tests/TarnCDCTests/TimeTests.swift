import TarnBytes
import TarnCDC
import TarnColumns
import Testing

@Suite("Times as text")
struct TimeTests {
  static let schema = Schema([
    Field("id", .string), Field("at", .timestamp(.microseconds, .instant)),
    Field("ms", .timestamp(.milliseconds, .instant)), Field("local", .timestamp(.microseconds, .local)),
  ])

  @Test(
    "Times without zone are taken as UTC, or as clocks of a zone show them, and their columns are told of")
  func zones() async throws {
    let text = change(
      new:
        #""at":{"S":"1970-01-01T02:00:00"},"ms":{"S":"1970-01-01T00:00:00.001Z"},"local":{"S":"1970-01-01"}"#)
    var utc = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"])
    #expect(try await readAll(text, into: &utc).isEmpty)
    #expect(utc.found.zonelessColumns == ["at"])
    let rows = try utc.finish().rows
    #expect(rows.texts("at") == ["7200000000"] && rows.texts("ms") == ["1"] && rows.texts("local") == ["0"])

    var zoned = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"]) { _ in 3_600_000_000 }
    #expect(try await readAll(text, into: &zoned).isEmpty)
    let moved = try zoned.finish().rows
    #expect(
      moved.texts("at") == ["3600000000"] && moved.texts("ms") == ["1"] && moved.texts("local") == ["0"])

    var plain = try RowBatchBuilder(schema: Self.schema) { _ in -3_600_000_000 }
    let lines = #"{"ms":"1969-12-31 22:59:59.999"}{"ms":"1970-01-01T00:00+02:00"}"#
    #expect(try await readAll(lines, into: &plain).isEmpty)
    #expect(plain.found.zonelessColumns == ["ms"])
    #expect(try plain.finish().texts("ms") == ["-1", "-7200000"])
  }

  @Test(
    "Digits that would be lost reject the record",
    arguments: [
      (#""at":{"S":"2024-01-31T12:00:00.0000001Z"}"#, false),
      (#""at":{"S":"2024-01-31T12:00:00.0000010Z"}"#, true),
      (#""ms":{"S":"2024-01-31T12:00:00.0001"}"#, false),
      (#""ms":{"S":"2024-01-31T12:00:00.001000000"}"#, true),
    ])
  func lostDigits(_ member: String, _ fits: Bool) async throws {
    var builder = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"])
    let rejected = try await readAll(change(new: member), into: &builder)
    #expect(rejected.isEmpty == fits)
    if !fits { #expect(rejected.first?.reason.description.contains("digits would be lost") == true) }
  }
}
