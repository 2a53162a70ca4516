import Tarn
import TarnColumns
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct MergeFunctionTests {
  /// Adds prices; of notes the stored one stays.
  private static let adding: MergeFunction = { stored, incoming in
    var rows = Trade.rows(of: incoming)
    for (index, old) in Trade.rows(of: stored).enumerated() {
      rows[index].price = (rows[index].price ?? 0) + (old.price ?? 0)
      rows[index].note = old.note
    }
    return try Trade.batch(rows)
  }

  @Test func theFunctionMakesTheRowsOfMatchesAndOthersAreInserted() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(
      Trade("a", 5, "OKX", 100, "first"), Trade("b", 5, "OKX", 7, "b"), Trade("c", 5, "Kraken", 1, "c"))
    let report = try await fixture.table.upsert(
      try Trade.batch([
        Trade("c", 1, "Kraken", 10, "x"), Trade("a", 6, "OKX", 23, "y"), Trade("d", 1, "OKX", 4, "d"),
        Trade("b", 5, "OKX", 0, "z"),
      ]), merging: Self.adding)
    #expect(report.updated == 2)
    #expect(report.inserted == 1)
    #expect(report.duplicates == 1)
    #expect(report.stale == 0)
    #expect(
      try await fixture.rows() == [
        Trade("a", 6, "OKX", 123, "first"), Trade("b", 5, "OKX", 7, "b"), Trade("c", 1, "Kraken", 11, "c"),
        Trade("d", 1, "OKX", 4, "d"),
      ])
  }

  @Test func whatComesBackAsItWasMakesNoCommit() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 100))
    let report = try await fixture.table.upsert(
      try Trade.batch([Trade("a", 6, "OKX", 1)]), merging: { stored, _ in stored })
    #expect(report.duplicates == 1)
    #expect(report.instant == nil)
  }

  @Test func pairsHaveEqualKeysInEveryFile() async throws {
    var options = TableOptions()
    options.tarn.smallFileLimit = 0
    options.tarn.pageRows = 3
    let fixture = try await TableFixture(options: options)
    let trades = (0..<60).map { Trade("k\($0)", 1, $0 % 2 == 0 ? "OKX" : "Kraken", Int128($0), "n\($0)") }
    for part in [trades[..<20], trades[20..<45], trades[45...]] {
      try await fixture.table.upsert(try Trade.batch(Array(part)))
    }
    let again = trades.reversed().map { Trade($0.id, 2, $0.exchange, 1_000, "new") }
    let report = try await fixture.table.upsert(try Trade.batch(again), merging: Self.adding)
    #expect(report.updated == 60)
    let expected = trades.map { Trade($0.id, 2, $0.exchange, ($0.price ?? 0) + 1_000, $0.note) }
    #expect(try await fixture.rows() == expected.sorted { $0.id < $1.id })
  }

  @Test func whatTheFunctionMustNotDoIsRefusedAndNothingIsWritten() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 100), Trade("b", 5, "OKX", 100))
    let before = try await fixture.rows()
    let rows = try Trade.batch([Trade("a", 6, "OKX", 1), Trade("b", 6, "OKX", 1)])
    struct Failure: Error {}
    let cases: [(TableError.Code, String, MergeFunction)] = [
      (.mismatch, "1 rows for 2 pairs", { _, incoming in incoming.slice(0..<1) }),
      (.mismatch, "key or partition", { _, incoming in try incoming.gather([1, 0]) }),
      (
        .mismatch, "no column price",
        { _, incoming in try incoming.select(["id", "time", "exchange", "note"]) }
      ),
      (.badRow, "Failure", { _, _ in throw Failure() }),
      (
        .mismatch, "columns that the table does not have",
        { _, incoming in
          var more = incoming
          more.schema.fields.append(Field("extra", .string))
          more.columns.append(Column(nulls: incoming.count, of: .string))
          return more
        }
      ),
      (
        .mismatch, "key or partition",
        { _, incoming in
          var moved = Trade.rows(of: incoming)
          for index in moved.indices { moved[index].exchange = "Kraken" }
          return try Trade.batch(moved)
        }
      ),
    ]
    for (code, words, merge) in cases {
      await expectRefusal(code, words) { try await fixture.table.upsert(rows, merging: merge) }
    }
    #expect(try await fixture.rows() == before)
    #expect(try await fixture.table.timeline().completedCommits.count == 1)
  }
}
