import Tarn
import TarnColumns
import TarnExpressions
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct PruningTests {
  /// A file a partition: their times do not overlap, and the last has no price and no note.
  private static let trades = [
    Trade("1", 10, "a", 100), Trade("2", 19, "a", -250, "x"), Trade("3", 20, "b", 300),
    Trade("4", 29, "b", nil, "y"), Trade("5", 30, "c"), Trade("6", 39, "c"),
  ]

  private func fixture() async throws -> TableFixture {
    let fixture = try await TableFixture()
    for trade in Self.trades { try await fixture.upsert(trade) }
    return fixture
  }

  /// A condition, and what it is for a row: nil where it is neither true nor false.
  private struct JudgedCondition: Sendable {
    var predicate: Condition
    var truth: @Sendable (Trade) -> Bool?

    static func compare<T: Comparable & Sendable>(
      _ name: String, _ literal: Literal, _ value: T, _ field: @escaping @Sendable (Trade) -> T?
    ) -> [JudgedCondition] {
      let kinds: [(Comparison, @Sendable (T) -> Bool)] = [
        (.equal, { $0 == value }), (.notEqual, { $0 != value }), (.less, { $0 < value }),
        (.lessOrEqual, { $0 <= value }), (.greater, { $0 > value }), (.greaterOrEqual, { $0 >= value }),
      ]
      return kinds.map { kind, holds in
        JudgedCondition(predicate: .comparison(name, kind, literal)) { field($0).map(holds) }
      } + [
        JudgedCondition(predicate: .isIn(name, [literal])) { field($0).map { $0 == value } },
        JudgedCondition(predicate: .isNull(name)) { field($0) == nil },
      ]
    }
  }

  private static let conditions: [JudgedCondition] = {
    var all: [JudgedCondition] = []
    for time in [9, 10, 15, 19, 20, 29, 30, 39, 40] as [Int64] {
      all += JudgedCondition.compare("time", .number(String(time)), time) { $0.time }
    }
    for price in [-250, 0, 300, 400] as [Int128] {
      all += JudgedCondition.compare(
        "price", .number(String(price / 100) + (price == -250 ? ".5" : "")), price
      ) {
        $0.price
      }
    }
    for note in ["", "x", "xx", "z"] {
      all += JudgedCondition.compare("note", .string(note), note) { $0.note }
    }
    return all
  }()

  private func ids(_ fixture: TableFixture, _ predicate: Condition) async throws -> [String] {
    try await TableFixture.rows(of: try await fixture.table.snapshot().where(predicate)).map(\.id)
  }

  @Test func statisticsNeverHideARow() async throws {
    let fixture = try await fixture()
    for (index, condition) in Self.conditions.enumerated() {
      let found = try await ids(fixture, condition.predicate)
      #expect(found == Self.trades.filter { condition.truth($0) == true }.map(\.id), "\(condition.predicate)")
      let negated = try await ids(fixture, .not(condition.predicate))
      #expect(negated == Self.trades.filter { condition.truth($0) == false }.map(\.id))
      let other = Self.conditions[(index * 7 + 3) % Self.conditions.count]
      let both = try await ids(fixture, .and(condition.predicate, other.predicate))
      #expect(both == Self.trades.filter { condition.truth($0) == true && other.truth($0) == true }.map(\.id))
      let neither = try await ids(fixture, .not(.or(condition.predicate, other.predicate)))
      #expect(
        neither == Self.trades.filter { condition.truth($0) == false && other.truth($0) == false }.map(\.id))
    }
  }

  @Test func rowGroupsThatCannotHoldARowAreNotRead() async throws {
    let fixture = try await fixture()
    let slices = try await fixture.table.snapshot().slices
    // The pages of all files but one are destroyed; only their footers are whole.
    for slice in slices where !slice.path.hasPrefix("b/") && !slice.path.contains("=b/") {
      var bytes = try await fixture.storage.readAll(slice.path)
      for index in 4..<200 { bytes[index] = 0xff }
      try await fixture.storage.put(bytes, at: slice.path, if: .always)
    }
    let time = ColumnReference.column("time")
    #expect(try await ids(fixture, time >= 20 && time < 30) == ["3", "4"])
    #expect(try await ids(fixture, !(time < 20 || time > 29)) == ["3", "4"])
    #expect(try await ids(fixture, time.isIn([22, 29])) == ["4"])
    await #expect(throws: TableError.self) { _ = try await ids(fixture, time >= 19) }
  }
}
