import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct PartialUpdateTests {
  private static func keys(_ ids: [String]) throws -> Column {
    try column(.string) { for id in ids { try $0.append(id) } }
  }

  private static func numbers(_ values: [Int64]) -> Column {
    column(.int64) { for value in values { $0.append(value) } }
  }

  @Test func onlyTheGivenColumnsChange() async throws {
    let fixture = try await TableFixture()
    let first = try await fixture.upsert(
      Trade("a", 1, "OKX", 100, "old"), Trade("b", 1, "OKX", 200, "b"), Trade("c", 1, "Kraken", 300, "c"))
    let part = try batch([
      "id": try texts("a", "c"), "exchange": try texts("OKX", "Kraken"), "time": Self.numbers([2, 2]),
      "note": try texts("new", nil),
    ])
    let report = try await fixture.table.upsert(part, columns: .given)
    #expect(report.updated == 2)
    #expect(report.inserted == 0)
    #expect(
      try await fixture.rows() == [
        Trade("a", 2, "OKX", 100, "new"), Trade("b", 1, "OKX", 200, "b"), Trade("c", 2, "Kraken", 300, nil),
      ])
    let since = try #require(first.instant)
    let changed = try await TableFixture.rows(of: fixture.table.changes(since: since))
    #expect(changed.map(\.id) == ["a", "c"])
  }

  @Test func withoutOrderingTheRowIsNewerAndKeepsTheStoredOrdering() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 9, "OKX", 100, "old"))
    let part = try batch(["id": try texts("a"), "exchange": try texts("OKX"), "note": try texts("new")])
    #expect(try await fixture.table.upsert(part, columns: .given).updated == 1)
    #expect(try await fixture.rows() == [Trade("a", 9, "OKX", 100, "new")])
    let again = try await fixture.table.upsert(part, columns: .given)
    #expect(again.duplicates == 1)
    #expect(again.instant == nil)
  }

  @Test func withOrderingALateRowIsStale() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 9, "OKX", 100, "old"))
    let part = try batch([
      "id": try texts("a"), "exchange": try texts("OKX"), "time": Self.numbers([8]),
      "note": try texts("late"),
    ])
    #expect(try await fixture.table.upsert(part, columns: .given).stale == 1)
    #expect(try await fixture.rows().map(\.note) == ["old"])
  }

  @Test func rowsThatAreNotStoredAreInsertedWithNulls() async throws {
    let fixture = try await TableFixture()
    let part = try batch(["id": try texts("a"), "exchange": try texts("OKX"), "note": try texts("n")])
    #expect(try await fixture.table.upsert(part, columns: .given).inserted == 1)
    #expect(try await fixture.rows() == [Trade("a", nil, "OKX", nil, "n")])
  }

  @Test func withoutPartitionRowsAreFoundWhereverTheyAre() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 1), Trade("b", 1, "Kraken", 2), Trade("c", 1, nil, 3))
    let part = try batch(["id": try texts("b", "c"), "note": try texts("x", "y")])
    #expect(try await fixture.table.upsert(part, columns: .given).updated == 2)
    #expect(
      try await fixture.rows() == [
        Trade("a", 1, "OKX", 1), Trade("b", 1, "Kraken", 2, "x"), Trade("c", 1, nil, 3, "y"),
      ])
    let stranger = try batch(["id": try texts("a", "z"), "note": try texts("x", "y")])
    await expectRefusal(.badRow, "row 1", "\"z\"", "partition") {
      try await fixture.table.upsert(stranger, columns: .given)
    }
    #expect(try await fixture.rows()[0].note == nil)
  }

  @Test func anUpdateCountsWhatIsNotStored() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 1), Trade("b", 1, "Kraken", 2))
    let report = try await fixture.table.update(
      try batch(["id": try texts("a", "z"), "note": try texts("x", "y")]))
    #expect(report.updated == 1)
    #expect(report.notFound == 1)
    #expect(report.inserted == 0)
    #expect(try await fixture.rows() == [Trade("a", 1, "OKX", 1, "x"), Trade("b", 1, "Kraken", 2)])
  }

  @Test func aMissingColumnThatTakesNoNullIsRefusedForNewRowsOnly() async throws {
    let schema = Schema([
      Field("id", .string, isNullable: false), Field("n", .int64, isNullable: false), Field("note", .string),
    ])
    let small = try await SmallTable(schema)
    try await small.table.upsert(
      try batch(["id": try texts("a"), "n": Self.numbers([1]), "note": try texts("old")]))
    try await small.table.upsert(
      try batch(["id": try texts("a"), "note": try texts("new")]), columns: .given)
    #expect(json(try await small.rows()["note"]) == ["\"new\""])
    await expectRefusal(.badRow, "\"b\"", "without n") {
      try await small.table.upsert(
        try batch(["id": try texts("a", "b"), "note": try texts("x", "y")]), columns: .given)
    }
    let null = column(.int64) { $0.appendNulls() }
    await expectRefusal(.badRow, "has no n") {
      try await small.table.upsert(try batch(["id": try texts("a"), "n": null]), columns: .given)
    }
    #expect(json(try await small.rows()["n"]) == ["1"])
  }

  @Test func aNewColumnIsAddedAndSomePartitionColumnsAreNoPlace() async throws {
    let schema = Schema([Field("id", .string), Field("x", .string), Field("y", .string)])
    let small = try await SmallTable(schema, partitionedBy: ["x", "y"])
    try await small.table.upsert(
      try batch(["id": try texts("a", "b"), "x": try texts("1", "2"), "y": try texts("1", "2")]))
    try await small.table.upsert(
      try batch(["id": try texts("b"), "note": try texts("new")]), columns: .given)
    #expect(json(try await small.rows()["note"]) == ["null", "\"new\""])
    await expectRefusal(.mismatch, "x, y") {
      try await small.table.upsert(
        try batch(["id": try texts("b"), "x": try texts("2")]), columns: .given)
    }
    await expectRefusal(.badRow, "column id is null") {
      try await small.table.upsert(try batch(["note": try texts("q")]), columns: .given)
    }
  }

  @Test func overTheTableAPartialRowMovesWithItsStoredValues() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 100, "old"), Trade("b", 1, "OKX", 200, "b"))
    let part = try batch(["id": try texts("a"), "exchange": try texts("Kraken"), "time": Self.numbers([2])])
    let report = try await fixture.table.upsert(part, columns: .given, scope: .table)
    #expect(report.updated == 1)
    #expect(report.deleted == 0)
    #expect(
      try await fixture.rows() == [Trade("a", 2, "Kraken", 100, "old"), Trade("b", 1, "OKX", 200, "b")])
  }

  /// Random partial upserts over several files with small pages, against a dictionary.
  @Test(arguments: 0..<6) func randomPartialUpdatesEqualADictionary(seed: Int) async throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    var options = TableOptions()
    options.tarn.pageRows = 1 + generator.below(20)
    options.tarn.smallFileLimit = generator.oneIn(2) ? 0 : 100 << 20
    let fixture = try await TableFixture(orderedBy: seed % 2 == 0 ? "time" : nil, options: options)
    var model: [String: Trade] = [:]
    for step in 0..<25 {
      let count = 1 + generator.below(40)
      let ids = Set((0..<count).map { _ in "k\(generator.below(120))" }).sorted()
      var trades: [Trade] = []
      for id in ids {
        let time = generator.oneIn(8) ? nil : Int64(generator.below(30) + step)
        trades.append(
          Trade(
            id, time, ["OKX", "Kraken"][id.utf8.count % 2],
            generator.oneIn(5) ? nil : Int128(generator.below(9)), "n\(generator.below(5))"))
      }
      var names = ["id", "exchange"]
      for name in ["time", "price", "note"] where generator.oneIn(2) { names.append(name) }
      let part = try Trade.batch(trades).select(names)
      let onlyStored = generator.oneIn(4)
      if onlyStored {
        try await fixture.table.update(part)
      } else {
        try await fixture.table.upsert(part, columns: .given)
      }
      for trade in trades {
        if model[trade.id] == nil, onlyStored { continue }
        var row = model[trade.id] ?? Trade(trade.id, nil, trade.exchange)
        if seed % 2 == 0, names.contains("time"), let known = row.time, known > trade.time ?? Int64.min {
          continue
        }
        if names.contains("time") { row.time = trade.time }
        if names.contains("price") { row.price = trade.price }
        if names.contains("note") { row.note = trade.note }
        model[trade.id] = row
      }
      #expect(try await fixture.rows() == model.values.sorted { $0.id < $1.id }, "step \(step)")
    }
  }
}
