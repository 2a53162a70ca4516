import Tarn
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables with columns that break ties behind the ordering column.
@Suite("Tie-breaking columns") struct TieBreakerTests {
  private static let schema = Schema([
    Field("id", .string), Field("at", .int64), Field("time", .int64), Field("place", .string),
    Field("what", .string),
  ])

  /// A change: its attribute, its time and its place in the stream; a deletion may lack the attribute.
  private struct Change {
    var id = "a"
    var at: Int64?
    var time: Int64?
    var place: String?
    var what: String?

    var isDelete: Bool { what == nil }
  }

  private static func options() -> TableOptions {
    var options = TableOptions()
    options.tarn.tieBreakers = ["time", "place"]
    return options
  }

  private static func table() async throws -> SmallTable {
    try await SmallTable(schema, orderedBy: "at", options: options())
  }

  @discardableResult
  private func apply(_ changes: Change..., to small: SmallTable) async throws -> CommitReport {
    try await apply(changes, to: small)
  }

  @discardableResult
  private func apply(_ changes: [Change], to small: SmallTable) async throws -> CommitReport {
    func numbers(_ values: [Int64?]) -> Column {
      column(.int64) { builder in
        for value in values { if let value { builder.append(value) } else { builder.appendNulls() } }
      }
    }
    func strings(_ values: [String?]) throws -> Column {
      try column(.string) { builder in
        for value in values { if let value { try builder.append(value) } else { builder.appendNulls() } }
      }
    }
    var bits = Bitmap()
    for change in changes { bits.append(change.isDelete) }
    let rows = try batch([
      "id": try strings(changes.map(\.id)), "at": numbers(changes.map(\.at)),
      "time": numbers(changes.map(\.time)), "place": try strings(changes.map(\.place)),
      "what": try strings(changes.map(\.what)),
    ])
    return try await small.table.apply(try ChangeBatch(rows: rows, isDelete: bits))
  }

  private func stored(_ small: SmallTable) async throws -> [String] { try await small.texts("what") }

  @Test("A late older change with an equal attribute does not overwrite a newer one")
  func lateTie() async throws {
    let small = try await Self.table()
    try await apply(Change(at: 5, time: 20, place: "1", what: "new"), to: small)
    let late = try await apply(Change(at: 5, time: 10, place: "2", what: "old"), to: small)
    #expect(late.stale == 1)
    #expect(try await stored(small) == ["new"])
    let again = try await apply(Change(at: 5, time: 20, place: "1", what: "new"), to: small)
    #expect(again.duplicates == 1)
    #expect(again.instant == nil)
    let next = try await apply(Change(at: 5, time: 20, place: "2", what: "next"), to: small)
    #expect(next.updated == 1)
    // The attribute goes before all.
    let lower = try await apply(Change(at: 4, time: 90, place: "9", what: "lower"), to: small)
    #expect(lower.stale == 1)
    #expect(try await stored(small) == ["next"])
  }

  @Test("A deletion of keys alone is ordered by the time of its change")
  func keysOnly() async throws {
    let small = try await Self.table()
    try await apply(Change(at: 5, time: 20, place: "1", what: "new"), to: small)
    #expect(try await apply(Change(time: 10, place: "9"), to: small).stale == 1)
    #expect(try await stored(small) == ["new"])
    #expect(try await apply(Change(time: 20, place: "2"), to: small).deleted == 1)
    // It is remembered by its time, whatever the attribute of what comes late.
    let late = try await apply(Change(at: 9, time: 19, place: "1", what: "late"), to: small)
    #expect(late.stale == 1)
    #expect(try await apply(Change(time: 15, place: "1"), to: small).instant == nil)
    let reborn = try await apply(Change(at: 1, time: 30, place: "1", what: "reborn"), to: small)
    #expect(reborn.inserted == 1)
    #expect(try await stored(small) == ["reborn"])
  }

  @Test("A deletion of keys alone, of a key that is not stored, is remembered by its time")
  func keysOnlyOvertakes() async throws {
    let small = try await Self.table()
    #expect(try await apply(Change(time: 20, place: "1"), to: small).notFound == 1)
    #expect(try await apply(Change(at: 9, time: 10, place: "1", what: "late"), to: small).stale == 1)
    #expect(try await apply(Change(at: 1, time: 21, place: "1", what: "new"), to: small).inserted == 1)
  }

  @Test("A deletion that tells no order deletes what is stored, and is remembered as that")
  func silentDeletion() async throws {
    let small = try await Self.table()
    try await apply(Change(at: 5, time: 20, place: "1", what: "new"), to: small)
    #expect(try await small.table.delete(keys: [["id": "a"]]).deleted == 1)
    #expect(try await apply(Change(at: 5, time: 20, place: "1", what: "new"), to: small).stale == 1)
    #expect(try await apply(Change(at: 5, time: 20, place: "2", what: "next"), to: small).inserted == 1)
    #expect(try await small.table.delete(where: Condition(parsing: "what = 'next'")).deleted == 1)
    #expect(try await apply(Change(at: 5, time: 20, place: "2", what: "next"), to: small).stale == 1)
    #expect(try await apply(Change(at: 5, time: 21, place: "1", what: "last"), to: small).inserted == 1)
  }

  @Test("Within a batch the same row stays, whatever the order in which its changes stand", arguments: 0..<60)
  func everyOrder(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var changes: [Change] = []
    // Times are distinct, so that there is one answer.
    for time in 1...4 {
      let isDelete = random.oneIn(3)
      changes.append(
        Change(
          at: isDelete && random.oneIn(2) ? nil : Int64(random.below(3)), time: Int64(time),
          place: "\(random.below(3))", what: isDelete ? nil : "\(time)"))
    }
    var answers: Set<[String]> = []
    for _ in 0..<6 {
      for index in changes.indices.dropFirst() { changes.swapAt(index, random.below(index + 1)) }
      let small = try await Self.table()
      try await apply(changes, to: small)
      answers.insert(try await stored(small))
    }
    #expect(answers.count == 1, "\(changes)")
  }

  @Test("A batch without the columns that break ties is compared by the ordering column alone")
  func withoutTies() async throws {
    let small = try await Self.table()
    try await apply(Change(at: 5, time: 20, place: "1", what: "new"), to: small)
    let mended = try await small.table.upsert(
      try batch(["id": texts("a"), "at": column(.int64) { $0.append(Int64(5)) }, "what": texts("mended")])
    )
    #expect(mended.updated == 1)
    #expect(try await stored(small) == ["mended"])
  }

  @Test("A table says which columns break ties, and refuses those that cannot")
  func definition() async throws {
    let small = try await Self.table()
    #expect(small.table.properties.tieBreakers == ["time", "place"])
    #expect(small.table.properties.orderingField == "at")
    func make(_ ties: [String], orderedBy ordering: String? = "at") async -> TableError? {
      var options = TableOptions()
      options.tarn.tieBreakers = ties
      do {
        _ = try await SmallTable(Self.schema, orderedBy: ordering, options: options)
        return nil
      } catch { return error as? TableError }
    }
    #expect(await make(["nothing"])?.code == .mismatch)
    #expect(await make(["at"])?.code == .mismatch)
    #expect(await make(["time", "time"])?.code == .mismatch)
    #expect(await make(["time"], orderedBy: nil)?.code == .mismatch)
    #expect(await make(["time"]) == nil)
  }
}
