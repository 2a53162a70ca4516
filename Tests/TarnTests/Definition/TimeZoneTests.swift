import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Instants are in the zone that the table says.
@Suite struct TimeZoneTests {
  private static let hour: Int64 = 3_600_000_000
  /// Half past one on the morning on which New York's clocks go back from two to one.
  private static let before: Int64 = 1_793_511_000_000_000

  /// New York's, on that day.
  private static func offset(_ time: Int64) -> Int64 { time < before + hour / 2 ? -4 * hour : -5 * hour }

  private let clock = StillClock(at: before)
  private let storage = InMemoryStorage()

  private func open(_ zone: String?) async throws -> Table {
    var settings = TableSettings()
    settings.now = { [clock] in clock.now() }
    settings.localOffset = { Self.offset($0) }
    let location = TableLocation.storage(storage, name: "t")
    _ = try await Table.create(
      at: location, schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time",
      settings: settings)
    let key = "hoodie.table.timeline.timezone"
    let text = String(decoding: try await storage.readAll(TablePaths.properties), as: UTF8.self)
    #expect(text.contains("\(key)=UTC\n"))
    let line = zone.map { "\(key)=\($0)\n" } ?? ""
    try await storage.put(
      Array(text.split(separator: "\(key)=UTC\n").joined(separator: line).utf8), at: TablePaths.properties,
      if: .always)
    return try await Table.open(at: location, settings: settings)
  }

  private func write(_ table: Table, _ id: String) async throws -> String {
    let report = try await table.upsert(try Trade.batch([Trade(id, 1, "OKX")]))
    return try #require(report.instant).text
  }

  @Test(
    arguments: [
      ("UTC", "20261101053000000"), ("utc", "20261101053000000"), ("LOCAL", "20261101013000000"),
      (nil, "20261101013000000"),
    ] as [(String?, String)])
  func instantsAndTimesAreOfTheTablesZone(zone: String?, text: String) async throws {
    let table = try await open(zone)
    #expect(try await write(table, "a") == text)
    #expect(table.instant(at: Self.before).text == text)
    #expect(try await table.snapshot(asOf: table.instant(at: Self.before)).count() == 1)
    #expect(try await table.snapshot(asOf: table.instant(at: Self.before - 1_000)).count() == 0)
  }

  @Test func instantsRiseWhereTheClocksGoBack() async throws {
    let table = try await open("LOCAL")
    let warned = Collected()
    var settings = table.settings
    settings.observer = EventHandler.warnings { warned.add($0) }
    let again = try await Table.open(at: table.location, settings: settings)
    #expect(try await write(again, "a") == "20261101013000000")
    clock.advance(seconds: 3_540)
    #expect(try await write(again, "b") == "20261101013000001")
    clock.advance(seconds: 120)
    #expect(try await write(again, "c") == "20261101013100000")
    #expect(warned.all.isEmpty, "\(warned.all)")
  }
}
