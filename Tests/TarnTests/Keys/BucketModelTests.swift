import Tarn
import TarnColumns
import TarnIndex
import TarnTestSupport
import TarnTimeline
import Testing

/// Random writes into bucketed tables, against a dictionary.
@Suite struct BucketModelTests {
  private static let exchanges = ["OKX", "Kraken", "a=b/c"]

  /// A table of few buckets over small pages, so that files hold many keys and are spliced.
  private static func fixture(_ seed: Int, _ generator: inout SeededGenerator) async throws -> TableFixture {
    var options = TableOptions()
    options.tarn.pageRows = [2, 7, 20][seed % 3]
    options.tarn.rowGroupSize = seed % 2 == 0 ? 2_048 : 32 << 20
    options.tarn.targetFileSize = generator.oneIn(2) ? 1_024 : 120 << 20
    options.tarn.hasKeyIndex = seed % 4 != 3
    options.tarn.buckets = Buckets(count: 1 + seed % 5)
    return try await TableFixture(options: options)
  }

  /// Each bucket of a partition has one file group at most, and each row lies in that of its key.
  static func check(_ table: Table, _ count: Int, hashing fields: [String]) async throws {
    let index = try #require(BucketIndex(count: count, hashFields: fields))
    var seen: Set<[String]> = []
    let snapshot = try await table.snapshot()
    for slice in try await snapshot.slices {
      let isNew = seen.insert([slice.partitionPath, String(slice.fileID.prefix(8))]).inserted
      #expect(isNew, "\(slice.path) is not alone in its bucket")
      #expect(slice.fileID.hasSuffix("-0") && slice.fileID.utf8.count == 38)
    }
    for try await batch in try snapshot.select("_hoodie_record_key", "_hoodie_file_name") {
      guard let keys = batch.columns[0].strings, let files = batch.columns[1].strings else { continue }
      for row in 0..<batch.count {
        let bucket = BucketIndex.bucket(ofFileID: files.string(row))
        #expect(index.bucket(ofKey: keys[row]) == bucket, "\(keys.string(row)) in \(files.string(row))")
      }
    }
  }

  /// Keys unique over the table: rows move, deletions are remembered, and late changes are dropped.
  @Test(arguments: 0..<6) func randomChangesEqualADictionary(seed: Int) async throws {
    var generator = SeededGenerator(seed: UInt64(700 + seed))
    let fixture = try await Self.fixture(seed, &generator)
    let remembers = seed % 4 != 3
    var model: [String: Trade] = [:]
    var buried: [String: Int64] = [:]
    var clock: Int64 = 0
    var spliced = 0
    for step in 0..<16 {
      var changes: [(Trade, isDelete: Bool)] = []
      for _ in 0..<generator.below(step == 0 ? 200 : 40) {
        clock += 1
        // Some come late.
        let time = generator.oneIn(4) ? max(clock - Int64(generator.below(60)), 1) * 2 - 1 : clock * 2
        let trade = Trade(
          "k\(generator.below(120))", time, Self.exchanges[generator.below(3)], Int128(generator.below(9)))
        guard !changes.contains(where: { $0.0.id == trade.id }) else { continue }
        let isDelete = generator.oneIn(3)
        changes.append((trade, isDelete))
        let stored = model[trade.id]?.time ?? (remembers ? buried[trade.id].map { $0 + 1 } : nil) ?? 0
        if isDelete {
          if model[trade.id].map({ ($0.time ?? 0) <= time }) ?? true {
            model[trade.id] = nil
            buried[trade.id] = max(buried[trade.id] ?? 0, time)
          }
        } else if time >= stored {
          model[trade.id] = trade
          buried[trade.id] = nil
        }
      }
      spliced += try await fixture.apply(changes).splicedFiles
      #expect(try await fixture.rows() == model.values.sorted { $0.id < $1.id }, "step \(step)")
      try await Self.check(fixture.table, 1 + seed % 5, hashing: ["id"])
    }
    #expect(spliced > 3 || !remembers)
  }

  /// Keys unique within their partition: upserts, partial updates, and what conditions and keys delete.
  @Test(arguments: 1..<6) func randomWritesOfEveryKindEqualADictionary(seed: Int) async throws {
    var generator = SeededGenerator(seed: UInt64(900 + seed))
    let fixture = try await Self.fixture(seed, &generator)
    var model: [[String]: Trade] = [:]
    var time: Int64 = 0
    for step in 0..<16 {
      time += 1
      var trades: [[String]: Trade] = [:]
      for _ in 0..<generator.below(step == 0 ? 150 : 30) {
        let trade = Trade(
          "k\(generator.below(60))", time, Self.exchanges[generator.below(3)], Int128(generator.below(900)),
          "n")
        trades[[trade.id, trade.exchange ?? ""]] = trade
      }
      let batch = try Trade.batch(Array(trades.values))
      switch generator.below(5) {
      case 0:
        let report = try await fixture.table.upsert(
          batch.select(["id", "exchange", "price"]), columns: .given)
        #expect(report.inserted == trades.keys.count { model[$0] == nil })
        for (key, trade) in trades {
          var row = model[key] ?? Trade(trade.id, nil, trade.exchange)
          row.price = trade.price
          model[key] = row
        }
      case 1:
        let bound = generator.below(9)
        try await fixture.table.delete(where: .column("price") < Literal(integerLiteral: bound))
        model = model.filter { ($0.value.price ?? 0) >= Int128(bound) * 100 }
      case 2:
        // In whatever partitions the keys are.
        try await fixture.table.delete(batch.select(["id"]))
        let ids = Set(trades.keys.map { $0[0] })
        model = model.filter { !ids.contains($0.key[0]) }
      case 3 where step % 5 == 4:
        // Emptied files take rows again.
        try await fixture.table.delete(where: .column("id") != "")
        model = [:]
      default:
        try await fixture.table.upsert(batch)
        for (key, trade) in trades { model[key] = trade }
      }
      let expected = model.values.sorted { ($0.id, $0.exchange ?? "") < ($1.id, $1.exchange ?? "") }
      #expect(try await fixture.rows() == expected, "step \(step)")
      try await Self.check(fixture.table, 1 + seed % 5, hashing: ["id"])
    }
  }
}
