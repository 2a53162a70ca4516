import Tarn
import TarnBytes
import TarnColumns
import TarnTestSupport
import Testing

/// Keys that all have one XXH64, as somebody can make them who means it: batches, key indexes and tombstones must tell
/// them apart by the keys themselves.
@Suite struct CollidingKeyTests {
  private static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
  private static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f

  /// Different keys of 64 bytes with the same hash.
  ///
  /// XXH64 takes 32 bytes at a time, each eighth of 64 by itself: whatever the third eighth did to its number, the
  /// seventh can be chosen so that this is undone. Of 256 such choices one is ASCII.
  static func keys(_ count: Int) -> [String] {
    var inverse = prime2
    for _ in 0..<6 { inverse = inverse &* (2 &- prime2 &* inverse) }
    var random = SeededGenerator(seed: 5)
    let ascii: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    var keys: Set<String> = []
    while keys.count < count {
      let third = random.next() & ascii
      let mixed = third &* prime2
      let after = (mixed &<< 31 | mixed &>> 33) &* prime1
      let seventh = (0x0123_4567_89ab_cdef &- after) &* inverse
      guard seventh & ~ascii == 0 else { continue }
      var bytes = Array("0123456789abcdef".utf8)
      bytes.appendLittleEndian(third)
      bytes += Array("ghijklmnopqrstuvwxyz.-+/".utf8)
      bytes.appendLittleEndian(seventh)
      bytes += Array("ABCDEFGH".utf8)
      keys.insert(String(decoding: bytes, as: UTF8.self))
    }
    return keys.sorted()
  }

  private static func trades(_ keys: some Sequence<String>, _ time: Int64, _ note: String) -> [Trade] {
    keys.map { Trade($0, time, "OKX", 1, note) }
  }

  @Test(arguments: [true, false])
  func keysOfOneHashAreKeptApartByEveryKindOfWrite(hasKeyIndex: Bool) async throws {
    let keys = Self.keys(150)
    #expect(Set(keys.map { XXH64.hash(Array($0.utf8).span.bytes) }).count == 1)
    #expect(Set(keys).count == 150 && keys.allSatisfy { $0.utf8.count == 64 })
    let (stored, later, never) = (keys[..<60], keys[60..<120], keys[120...])
    var options = TableOptions()
    options.tarn.pageRows = 8
    options.tarn.hasKeyIndex = hasKeyIndex
    let fixture = try await TableFixture(options: options)
    let table = fixture.table
    var model: [String: Trade] = [:]
    func take(_ trades: [Trade]) throws -> RecordBatch {
      for trade in trades { model[trade.id] = trade }
      return try Trade.batch(trades)
    }
    func check(_ what: String) async throws {
      let expected = model.values.sorted { $0.id < $1.id }
      #expect(try await fixture.rows() == expected, "\(what)")
    }

    let others = (0..<200).map { "other-\($0)" }
    #expect(try await table.upsert(take(Self.trades(Array(stored) + others, 1, "first"))).inserted == 260)
    let second = try await table.upsert(take(Self.trades(later, 1, "second")))
    #expect(second.inserted == 60 && second.updated == 0)
    try await check("inserted")

    let third = try await table.upsert(take(Self.trades(stored.suffix(30), 2, "third")))
    #expect(third.updated == 30 && third.inserted == 0)
    let same = try await table.upsert(try Trade.batch(Self.trades(later, 1, "second")))
    #expect(same.duplicates == 60 && same.instant == nil)
    for key in later.prefix(20) { model[key]?.note = "part" }
    let part = try Trade.batch(Self.trades(Array(later.prefix(20)) + never, 2, "part"))
    let partial = try await table.update(part.select(["id", "exchange", "note"]))
    #expect(partial.updated == 20 && partial.notFound == 30)
    for key in later.suffix(10) { model[key]?.price = 2 }
    let merging: MergeFunction = { old, new in
      var rows = Trade.rows(of: old)
      for (index, trade) in Trade.rows(of: new).enumerated() {
        #expect(rows[index].id == trade.id)
        rows[index].price = (rows[index].price ?? 0) + (trade.price ?? 0)
      }
      return try Trade.batch(rows)
    }
    let merged = try await table.upsert(
      try Trade.batch(Self.trades(later.suffix(10), 9, "merged")), merging: merging)
    #expect(merged.updated == 10)
    try await check("changed")

    // Deletions are remembered by their keys: what only has the same hash comes late, and in.
    let gone = stored.prefix(40)
    for key in gone { model[key] = nil }
    let deleted = try await table.delete(try Trade.batch(Self.trades(gone, 5, "")).select(["id", "time"]))
    #expect(deleted.deleted == 40)
    let late = Self.trades(Array(gone) + never, 4, "late")
    let taken = hasKeyIndex ? Array(late.suffix(30)) : late
    _ = try take(taken)
    let report = try await table.apply(try ChangeBatch(upserting: Trade.batch(late)))
    #expect(report.inserted == taken.count && report.stale == late.count - taken.count)
    try await check("deleted")

    // Out of one partition, into another.
    let moved = later.map { Trade($0, 7, "Kraken", 3, "moved") }
    let move = try await table.apply(try ChangeBatch(upserting: take(moved)))
    #expect(move.updated == 60 && move.inserted == 0)
    try await check("moved")
  }
}
