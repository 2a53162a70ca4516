import Foundation
import Tarn
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct CodableRowTests {
  private enum Side: String, Codable { case buy, sell }

  private struct Order: Encodable {
    var id: String
    var count: Int
    var small: Int16?
    var price: Double?
    var ratio: Float
    var isOpen: Bool?
    var side: Side
    var at: Date?
    var day: String?
    var note: String?
    var blob: [UInt8]?
  }

  private static let schema = Schema([
    Field("id", .string), Field("count", .int64), Field("small", .int32),
    Field("price", .decimal(precision: 10, scale: 2)), Field("ratio", .float), Field("isOpen", .boolean),
    Field("side", .string), Field("at", .timestamp(.microseconds, .instant)), Field("day", .date),
    Field("note", .string),
  ])

  @Test func propertiesGoToTheirColumnsAndNewOnesAreAdded() async throws {
    let small = try await SmallTable(Self.schema)
    let orders = [
      Order(
        id: "a", count: -5, small: 7, price: 101.25, ratio: 0.5, isOpen: true, side: .sell,
        at: Date(timeIntervalSince1970: 1_767_225_600.123456), day: "2026-01-02", note: "x", blob: nil),
      Order(id: "b", count: 1 << 40, ratio: .infinity, side: .buy, blob: [1, 2]),
    ]
    #expect(try await small.table.upsert(orders).inserted == 2)
    let rows = try await small.rows()
    #expect(json(rows["count"]) == ["-5", "1099511627776"])
    #expect(json(rows["small"]) == ["7", "null"])
    #expect(json(rows["price"]) == ["\"101.25\"", "null"])
    #expect(json(rows["ratio"]) == ["0.5", "\"Infinity\""])
    #expect(json(rows["isOpen"]) == ["true", "null"])
    #expect(json(rows["side"]) == ["\"sell\"", "\"buy\""])
    #expect(json(rows["at"]) == ["\"2026-01-01T00:00:00.123456Z\"", "null"])
    #expect(json(rows["day"]) == ["\"2026-01-02\"", "null"])
    #expect(json(rows["note"]) == ["\"x\"", "null"])
    #expect(json(rows["blob"]) == ["null", "\"AQI=\""])
    #expect(rows.schema["blob"]?.type == .binary)
  }

  @Test func timesBeforeAndAfterTheEpochsAreExactToTheMicrosecond() throws {
    struct Row: Encodable { var at: Date }
    for micros in [
      -1, 0, 1, 978_307_199_999_999, 978_307_200_000_001, 1_767_225_600_999_999, -5_000_000_000_123_457,
    ] {
      let whole = Int64(micros).quotientAndRemainder(dividingBy: 1_000_000)
      let date = Date(timeIntervalSince1970: Double(whole.quotient)).addingTimeInterval(
        Double(whole.remainder) / 1e6)
      let rows = try RecordBatch(encoding: [Row(at: date)], schema: Schema([]))
      guard case .int64(let values) = rows.columns[0].values else { return #expect(Bool(false)) }
      #expect(values == [Int64(micros)])
    }
  }

  @Test func onlyPropertiesChangeInAPartialUpdate() async throws {
    struct Part: Encodable {
      var id: String
      var note: String?
    }
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert([Order(id: "a", count: 1, ratio: 1, side: .buy, note: "old")])
    try await small.table.upsert([Part(id: "a", note: nil)], columns: .given)
    let rows = try await small.rows()
    #expect(json(rows["note"]) == ["null"])
    #expect(json(rows["count"]) == ["1"])
    #expect(try await small.table.upsert([Part](), columns: .given).instant == nil)
  }

  private struct Empty: Encodable {}
  private struct Nested: Encodable {
    var id = "a"
    var inner = Empty()
  }
  private struct Listed: Encodable {
    var id = "a"
    var tags = ["x"]
  }
  private class Base: Encodable { var id = "a" }
  private final class Derived: Base {
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Name.self)
      try container.encode("x", forKey: .note)
      try super.encode(to: container.superEncoder())
    }
    private enum Name: String, CodingKey { case note }
  }

  @Test func whatIsNoFlatRowIsRefused() async throws {
    let small = try await SmallTable(Self.schema)
    await expectRefusal(.badRow, "row 0, property inner", "flatten") {
      try await small.table.upsert([Nested()])
    }
    await expectRefusal(.badRow, "row 0, property tags", "flatten") {
      try await small.table.upsert([Listed()])
    }
    await expectRefusal(.badRow, "row 0", "flatten") { try await small.table.upsert([Derived()]) }
    await expectRefusal(.badRow, "row 0", "flatten") { try await small.table.upsert([["a"]]) }
    await expectRefusal(.badRow, "row 0", "flatten") { try await small.table.upsert(["a"]) }
    await expectRefusal(.badRow, "row 0, property a", "flatten") {
      try await small.table.upsert([["a": [1]]])
    }
  }

  @Test func whatDoesNotFitItsColumnIsRefused() async throws {
    let small = try await SmallTable(Self.schema)
    func refuse(_ row: [String: some Encodable & Sendable], _ words: String) async {
      await expectRefusal(.badRow, "row 0", words) { try await small.table.upsert([row]) }
    }
    await refuse(["small": Int64.max], "small is int: it cannot hold 9223372036854775807")
    await refuse(["count": UInt64.max], "count is long")
    await refuse(["count": 1.5], "count is long: it cannot hold 1.5")
    await refuse(["price": 1.005], "price is decimal(10,2)")
    await refuse(["price": 1_000_000_000], "price is decimal(10,2)")
    await refuse(["price": "12x"], "price is decimal(10,2)")
    await refuse(["ratio": 0.1], "ratio is float")
    await refuse(["note": 5], "note is string")
    await refuse(["isOpen": "yes"], "isOpen is boolean")
    await refuse(["day": "tomorrow"], "day is date")
    await refuse(["count": Date()], "a time")
    await refuse(["at": Date(timeIntervalSince1970: 1e300)], "so far away")
    await refuse(["note": "no key"], "no record key")
  }

  @Test func keysByColumnDeleteTheirRows() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(
      Trade("a", 1, "OKX"), Trade("a", 5, "Kraken"), Trade("b", 5, "OKX"), Trade("c", 5, "OKX"))
    let placed = try await fixture.table.delete(keys: [
      ["id": "a", "exchange": "OKX"], ["id": "x", "exchange": "OKX"],
    ])
    #expect(placed.deleted == 1)
    #expect(placed.notFound == 1)
    let ordered = try await fixture.table.delete(keys: [["id": "a", "time": 4], ["id": "b"]])
    #expect(ordered.deleted == 1)
    #expect(ordered.stale == 1)
    #expect(try await fixture.rows().map(\.id) == ["a", "c"])
    #expect(try await fixture.table.delete(keys: []).instant == nil)
    await expectRefusal(.mismatch, "key 1", "id is missing") {
      try await fixture.table.delete(keys: [["id": "a"], ["exchange": "OKX"]])
    }
    await expectRefusal(.mismatch, "price does not belong") {
      try await fixture.table.delete(keys: [["id": "a", "price": 1]])
    }
    await expectRefusal(.mismatch, "id is string") { try await fixture.table.delete(keys: [["id": 1]]) }
    await expectRefusal(.mismatch, "exchange", "all keys") {
      try await fixture.table.delete(keys: [["id": "a", "exchange": "OKX"], ["id": "c"]])
    }
    #expect(try await fixture.rows().count == 2)
  }

  @Test func keysOfSeveralColumnsDeleteTheirRows() async throws {
    let schema = Schema([Field("a", .string), Field("n", .int64), Field("note", .string)])
    let small = try await SmallTable(schema, key: ["a", "n"])
    let numbers = column(.int64) { for value in [1, 2] as [Int64] { $0.append(value) } }
    try await small.table.upsert(try batch(["a": try texts("x", "x"), "n": numbers]))
    #expect(try await small.table.delete(keys: [["a": "x", "n": 2]]).deleted == 1)
    #expect(json(try await small.rows()["n"]) == ["1"])
  }
}
