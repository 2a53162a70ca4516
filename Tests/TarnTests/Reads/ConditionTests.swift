import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct ConditionTests {
  @Test func deletingByConditionTakesTheRowsForWhichItIsTrue() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(
      Trade("a", 1, "OKX", 100, "x"), Trade("b", 2, "OKX", nil, "y"), Trade("c", 3, "Kraken", 300, nil),
      Trade("d", 4, "Kraken", 50, "z"))
    let report = try await fixture.table.delete(where: .column("price") > 90)
    #expect(report.deleted == 0)
    #expect(report.instant == nil)
    let second = try await fixture.table.delete(where: .column("price") >= 1)
    #expect(second.deleted == 2)
    #expect(second.files == 2)
    #expect(
      try await fixture.rows() == [Trade("b", 2, "OKX", nil, "y"), Trade("d", 4, "Kraken", 50, "z")])
    #expect(try await fixture.table.delete(where: Condition.column("note").isNull).instant == nil)
    #expect(try await fixture.table.delete(where: !Condition.column("note").isNull).deleted == 2)
    #expect(try await fixture.rows().isEmpty)
  }

  @Test func settingByConditionGivesNewValuesAndFreshMetaColumns() async throws {
    let fixture = try await TableFixture()
    let first = try await fixture.upsert(
      Trade("a", 1, "OKX", 100, "x"), Trade("b", 2, "OKX", 200, "y"), Trade("c", 3, "Kraken", 300, "z"))
    let report = try await fixture.table.update(
      where: .column("exchange") == "OKX" && .column("time") > 1,
      set: ["note": "seen", "price": 12.5, "time": 9])
    #expect(report.updated == 1)
    #expect(report.files == 1)
    #expect(
      try await fixture.rows() == [
        Trade("a", 1, "OKX", 100, "x"), Trade("b", 9, "OKX", 1250, "seen"), Trade("c", 3, "Kraken", 300, "z"),
      ])
    let since = try #require(first.instant)
    let changed = try await TableFixture.rows(of: fixture.table.changes(since: since))
    #expect(changed.map(\.id) == ["b"])
    var sequences: Set<String> = []
    for try await rows in try await fixture.table.snapshot() {
      for row in 0..<rows.count {
        sequences.insert(rows["_hoodie_commit_seqno"]?.strings?.string(row) ?? "")
      }
    }
    #expect(sequences.count == 3)
    let again = try await fixture.table.update(
      where: .column("exchange") == "OKX", set: ["note": "seen", "price": nil])
    #expect(again.updated == 2)
    let idle = try await fixture.table.update(where: .column("exchange") == "OKX", set: ["note": "seen"])
    #expect(idle.duplicates == 2)
    #expect(idle.instant == nil)
    #expect(try await fixture.rows().map(\.price) == [nil, nil, 300])
  }

  @Test func whatCannotBeSetIsRefusedAndNothingIsWritten() async throws {
    let schema = Schema([
      Field("id", .string, isNullable: false), Field("part", .string), Field("n", .int32, isNullable: false),
      Field("at", .timestamp(.milliseconds, .instant)), Field("price", .decimal(precision: 4, scale: 2)),
    ])
    let small = try await SmallTable(schema, partitionedBy: ["part"])
    let all = try batch([
      "id": try texts("a"), "part": try texts("p"), "n": column(.int32) { $0.append(Int32(1)) },
    ])
    try await small.table.upsert(all)
    let before = try await small.contents()
    let cases: [([String: Literal?], [String])] = [
      (["id": "b"], ["id is a key column"]), (["part": "q"], ["part is a partition column"]),
      (["n": nil], ["n takes no null"]), (["n": 1.5], ["n is int", "1.5"]),
      (["n": 3_000_000_000], ["cannot hold 3000000000"]), (["n": "x"], ["cannot hold 'x'"]),
      (["price": 100], ["price is decimal(4,2)"]), (["price": 1.005], ["cannot hold"]),
      (["at": "2026-01-01T00:00:00.0001Z"], ["cannot hold"]), (["zzz": 1], ["no column zzz"]),
      (["_hoodie_commit_time": "1"], ["no column _hoodie_commit_time"]), ([:], ["a column to set"]),
    ]
    for (values, words) in cases {
      for word in words {
        await expectRefusal(.mismatch, word) {
          try await small.table.update(where: .column("id") == "a", set: values)
        }
      }
    }
    await expectRefusal(.mismatch, "no column q") { try await small.table.delete(where: .column("q") == 1) }
    await expectRefusal(.mismatch, "n is int") { try await small.table.delete(where: .column("n") == "x") }
    #expect(try await small.contents() == before)
    try await small.table.update(
      where: .column("id") == "a", set: ["at": "2026-01-01T00:00:00.001Z", "price": -99.99, "n": -2])
    #expect(json(try await small.rows()["price"]) == ["\"-99.99\""])
    #expect(json(try await small.rows()["n"]) == ["-2"])
  }

  @Test func onlyFilesThatCanMatchAreOpened() async throws {
    let storage = FaultStorage(wrapping: InMemoryStorage())
    let fixture = try await TableFixture(storage: storage)
    try await fixture.upsert(
      Trade("a", 1, "OKX", 100), Trade("b", 1, "Kraken", 200), Trade("c", 1, "a/b", 300),
      Trade("d", 1, nil, 1))
    let slices = try await fixture.table.snapshot().slices
    func reads(_ body: (Table) async throws -> Void) async throws -> Set<String> {
      // Another table value knows no footers yet.
      let table = try await Table.open(at: fixture.table.location, settings: fixture.table.settings)
      let before = storage.calls.count
      try await body(table)
      let calls = storage.calls[before...]
      return Set(slices.filter { calls.contains("read \($0.path)") }.map(\.partitionPath))
    }
    // A value names its partition's folder.
    let okx = try await reads {
      try await $0.delete(where: .column("exchange") == "OKX" && .column("time") > 5)
    }
    #expect(okx == ["exchange=OKX"])
    let all = try await reads { try await $0.delete(where: .column("time") > 5) }
    #expect(all.count == 4)
    let odd = try await reads {
      try await $0.update(where: !(.column("exchange") != "a/b"), set: ["note": "x"])
    }
    // The path of null is that of the empty string too.
    #expect(odd == ["exchange=a%2Fb", "exchange=__HIVE_DEFAULT_PARTITION__"])
    #expect(try await fixture.rows().compactMap(\.note) == ["x"])
  }

  /// Random conditional updates and deletions, against a dictionary.
  @Test(arguments: 0..<6) func randomConditionsEqualADictionary(seed: Int) async throws {
    var generator = SeededGenerator(seed: UInt64(100 + seed))
    var options = TableOptions()
    options.tarn.pageRows = 1 + generator.below(20)
    options.tarn.smallFileLimit = generator.oneIn(2) ? 0 : 100 << 20
    let fixture = try await TableFixture(options: options)
    var model: [String: Trade] = [:]
    var time: Int64 = 0
    for step in 0..<20 {
      let trades = (0..<generator.below(40)).map { _ in
        let id = "k\(generator.below(150))"
        time += 1
        return Trade(
          id, time, ["OKX", "Kraken", "a=b/c"][id.utf8.count % 3],
          generator.oneIn(5) ? nil : Int128(generator.below(900)), "n\(generator.below(5))")
      }
      try await fixture.table.upsert(try Trade.batch(trades))
      for trade in trades { model[trade.id] = trade }
      let bound = generator.below(9)
      let note = "n\(generator.below(5))"
      let isNegated = generator.oneIn(3)
      let usesOr = generator.oneIn(2)
      let inner: Condition =
        usesOr
        ? .column("exchange") == "a=b/c" || .column("price") < Literal(integerLiteral: bound)
        : .column("note") == .string(note) && .column("price") > Literal(integerLiteral: bound)
      let predicate = isNegated ? !inner : inner
      func holds(_ row: Trade) -> Bool {
        let less = row.price.map { $0 < Int128(bound) * 100 }
        let greater = row.price.map { $0 > Int128(bound) * 100 }
        if usesOr {
          if row.exchange == "a=b/c" { return !isNegated }
          return less.map { $0 != isNegated } ?? false
        }
        if row.note != note { return isNegated }
        return greater.map { $0 != isNegated } ?? false
      }
      let found = model.values.filter(holds)
      if generator.oneIn(3) {
        let report = try await fixture.table.delete(where: predicate)
        #expect(report.deleted == found.count)
        for row in found { model[row.id] = nil }
      } else {
        let report = try await fixture.table.update(where: predicate, set: ["note": "set", "price": 1])
        #expect(report.updated + report.duplicates == found.count)
        for row in found {
          model[row.id]?.note = "set"
          model[row.id]?.price = 100
        }
      }
      #expect(try await fixture.rows() == model.values.sorted { $0.id < $1.id }, "step \(step)")
    }
  }

  /// Few rows of a file are spliced in; of a file of which many change, some thousand are held at a time.
  @Test(arguments: [true, false])
  func manyRowsChangeByCondition(populatesMetaColumns: Bool) async throws {
    var options = TableOptions()
    options.populatesMetaColumns = populatesMetaColumns
    options.tarn.pageRows = 2_000
    let small = try await SmallTable(
      Schema([Field("id", .int64), Field("kind", .int64), Field("note", .string)]), orderedBy: "kind",
      options: options)
    let count = 70_000
    try await small.table.insert(
      try batch([
        "id": column(.int64) { for row in 0..<count { $0.append(Int64(row)) } },
        "kind": column(.int64) { for row in 0..<count { $0.append(Int64(row % 10)) } },
        "note": Column(repeating: "old", count: count),
      ]))
    let few = try await small.table.update(where: .column("kind") == 3, set: ["note": "three"])
    #expect(few.updated == 7_000 && few.splicedFiles == 1 && few.duplicates == 0)
    let many = try await small.table.update(where: .column("kind") < 8, set: ["note": "many"])
    #expect(many.updated == 56_000 && many.files == 1 && many.splicedFiles == 0)
    let again = try await small.table.update(where: .column("kind") <= 8, set: ["note": "many"])
    #expect(again.updated == 7_000 && again.duplicates == 56_000)
    #expect(try await small.table.delete(where: .column("kind") > 1 && .column("kind") < 9).deleted == 49_000)
    var notes: [String] = []
    for try await rows in try await small.table.snapshot().select("id", "kind", "note") {
      let texts = try #require(rows["note"]?.strings)
      for row in 0..<rows.count {
        notes.append("\(json(rows["id"])[row]) \(json(rows["kind"])[row]) \(texts.string(row))")
        guard row < 3 else { break }
      }
    }
    #expect(notes.contains("0 0 many") && notes.allSatisfy { $0.hasSuffix("many") || $0.contains(" 9 old") })
    #expect(try await small.table.snapshot().count() == 21_000)
    // The deletions are remembered, with the ordering of what was stored.
    let late = try await small.table.upsert(
      try batch([
        "id": column(.int64) { $0.append(Int64(2)) }, "kind": column(.int64) { $0.append(Int64(2)) },
        "note": texts("late"),
      ]))
    #expect(late.stale == 1 && late.inserted == 0)
  }

  /// More rows than the budget lets be held together are not spliced in.
  @Test func aFileIsWrittenAnewWhereItsRowsPassTheBudget() async throws {
    let small = try await SmallTable(Schema([Field("id", .int64), Field("note", .string)]))
    let count = 20_000
    try await small.table.insert(
      try batch([
        "id": column(.int64) { for row in 0..<count { $0.append(Int64(row)) } },
        "note": Column(repeating: "old", count: count),
      ]))
    var settings = small.table.settings
    settings.memory = 64 << 10
    let frugal = try await Table.open(at: small.table.location, settings: settings)
    let report = try await frugal.update(where: .column("id") < 9_000, set: ["note": "new"])
    #expect(report.updated == 9_000 && report.files == 1 && report.splicedFiles == 0)
    let spliced = try await small.table.update(where: .column("id") >= 19_990, set: ["note": "new"])
    #expect(spliced.updated == 10 && spliced.splicedFiles == 1)
    #expect(try await small.table.snapshot().where(.column("note") == "new").count() == 9_010)
  }
}
