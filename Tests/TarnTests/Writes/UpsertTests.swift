import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct UpsertTests {
  @Test func rowsComeBackAsTheyWereWritten() async throws {
    let fixture = try await TableFixture()
    let report = try await fixture.upsert(
      Trade("b", 2, "OKX", 150, "x"), Trade("a", 1, "Kraken", nil, nil), Trade("c", 3, "OKX", -1, ""))
    #expect(report.inserted == 3)
    #expect(report.files == 2)
    #expect(
      try await fixture.rows() == [
        Trade("a", 1, "Kraken", nil, nil), Trade("b", 2, "OKX", 150, "x"), Trade("c", 3, "OKX", -1, ""),
      ])
  }

  @Test func ofOneKeyInABatchTheGreatestOrderingWinsAndTiesGoToTheLater() async throws {
    let fixture = try await TableFixture()
    let report = try await fixture.upsert(
      Trade("a", 2, "OKX", 1, "newest"), Trade("a", 1, "OKX", 2, "older"), Trade("b", 1, "OKX", 1, "first"),
      Trade("b", 1, "OKX", 1, "second"))
    #expect(report.superseded == 2)
    #expect(try await fixture.rows().map(\.note) == ["newest", "second"])
  }

  @Test func anOlderRowDoesNotReplaceAStoredOne() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 1, "stored"))
    let report = try await fixture.upsert(Trade("a", 4, "OKX", 2, "late"))
    #expect(report.stale == 1)
    #expect(report.instant == nil)
    #expect(try await fixture.rows().map(\.note) == ["stored"])
  }

  @Test func anEqualRowIsADuplicateAndWritesNothing() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 1, nil))
    let before = try await fixture.storage.listAll(prefix: "").objects.map(\.path)
    let report = try await fixture.upsert(Trade("a", 5, "OKX", 1, nil))
    #expect(report.duplicates == 1)
    #expect(report.updated == 0)
    #expect(try await fixture.storage.listAll(prefix: "").objects.map(\.path) == before)
  }

  @Test func withEqualOrderingTheIncomingRowWins() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 1, "stored"))
    let report = try await fixture.upsert(Trade("a", 5, "OKX", 1, "incoming"))
    #expect(report.updated == 1)
    #expect(try await fixture.rows().map(\.note) == ["incoming"])
  }

  @Test func withoutOrderingTheLaterRowWins() async throws {
    let fixture = try await TableFixture(orderedBy: nil)
    try await fixture.upsert(Trade("a", 5, "OKX", 1, "stored"))
    try await fixture.upsert(Trade("a", 4, "OKX", 1, "later"))
    #expect(try await fixture.rows().map(\.note) == ["later"])
    #expect(fixture.table.properties.payloadClass?.hasSuffix("OverwriteWithLatestAvroPayload") == true)
  }

  @Test func aKeyIsUniqueWithinItsPartitionOnly() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"))
    try await fixture.upsert(Trade("a", 2, "Kraken"))
    #expect(try await fixture.rows().map(\.exchange) == ["Kraken", "OKX"])
  }

  @Test func overTheTableARowMovesToItsNewPartition() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"))
    let report = try await fixture.apply([(Trade("a", 2, "Kraken"), false)])
    #expect(report.updated == 1)
    #expect(report.deleted == 0)
    #expect(try await fixture.rows() == [Trade("a", 2, "Kraken"), Trade("b", 1, "OKX")])
    let late = try await fixture.apply([(Trade("a", 1, "OKX", 9), false)])
    #expect(late.stale == 1)
    #expect(try await fixture.rows().count == 2)
  }

  @Test func aDeletionWithoutPartitionSearchesAll() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "Kraken"), Trade("c", 1, "Kraken"))
    let report = try await fixture.apply([
      (Trade("a", 2, nil), true), (Trade("c", 2, nil), true), (Trade("x", 1, nil), true),
    ])
    #expect(report.deleted == 2)
    #expect(report.notFound == 1)
    #expect(try await fixture.rows().map(\.id) == ["b"])
  }

  @Test func aLateDeletionIsStale() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX"))
    let report = try await fixture.apply([(Trade("a", 4, nil), true)])
    #expect(report.stale == 1)
    #expect(try await fixture.rows().count == 1)
  }

  @Test func deletingByKeyNeedsNoOrdering() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX"), Trade("b", 5, "OKX"))
    let report = try await fixture.delete("a", "nobody")
    #expect(report.deleted == 1)
    #expect(report.notFound == 1)
    #expect(try await fixture.rows().map(\.id) == ["b"])
  }

  @Test func deletingWithAPartitionLooksOnlyThere() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("a", 1, "Kraken"), Trade("b", 1, "OKX"))
    let keys = try Trade.batch([Trade("a", nil, "OKX"), Trade("b", nil, "Kraken")]).select(["id", "exchange"])
    let report = try await fixture.table.delete(keys)
    #expect(report.deleted == 1)
    #expect(report.notFound == 1)
    #expect(try await fixture.rows() == [Trade("a", 1, "Kraken"), Trade("b", 1, "OKX")])
    let mixed = try Trade.batch([Trade("a", nil, nil), Trade("b", nil, "OKX")]).select(["id", "exchange"])
    await #expect { try await fixture.table.delete(mixed) } throws: { ($0 as? TableError)?.code == .mismatch }
  }

  @Test func aPartitionEmptiedByDeletionsReadsAsEmptyAndTakesRowsAgain() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX"))
    try await fixture.delete("a")
    #expect(try await fixture.rows().isEmpty)
    try await fixture.upsert(Trade("a", 6, "OKX", 7))
    #expect(try await fixture.rows() == [Trade("a", 6, "OKX", 7)])
  }

  @Test func timeTravelSeesEachCommit() async throws {
    let fixture = try await TableFixture()
    let first = try await fixture.upsert(Trade("a", 1, "OKX", 1)).instant
    let second = try await fixture.upsert(Trade("a", 2, "OKX", 2), Trade("b", 1, "Kraken")).instant
    try await fixture.delete("a")
    let asOfFirst = try await TableFixture.rows(of: fixture.table.snapshot(asOf: first))
    let asOfSecond = try await TableFixture.rows(of: fixture.table.snapshot(asOf: second))
    #expect(asOfFirst == [Trade("a", 1, "OKX", 1)])
    #expect(asOfSecond == [Trade("a", 2, "OKX", 2), Trade("b", 1, "Kraken")])
    #expect(
      try await TableFixture.rows(of: fixture.table.snapshot(asOf: Instant("20200101000000000"))).isEmpty)
  }

  @Test func changesSinceACommitAreTheRowsWrittenAfterIt() async throws {
    let fixture = try await TableFixture()
    let first = try #require(try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX")).instant)
    let second = try #require(try await fixture.upsert(Trade("b", 2, "OKX"), Trade("c", 1, "Kraken")).instant)
    try await fixture.upsert(Trade("d", 1, "OKX"))
    let changes = try await TableFixture.rows(of: fixture.table.changes(since: first, until: second))
    #expect(changes == [Trade("b", 2, "OKX"), Trade("c", 1, "Kraken")])
  }

  @Test func untouchedRowsKeepTheirCommitTime() async throws {
    let fixture = try await TableFixture()
    let first = try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX")).instant
    let second = try await fixture.upsert(Trade("b", 2, "OKX")).instant
    var times: [String: String] = [:]
    var sequences: Set<String> = []
    var names: Set<String> = []
    for try await batch in try await fixture.table.snapshot() {
      for row in 0..<batch.count {
        times[Trade.rows(of: batch)[row].id] = batch["_hoodie_commit_time"]?.strings?.string(row)
        sequences.insert(batch["_hoodie_commit_seqno"]?.strings?.string(row) ?? "")
        names.insert(batch["_hoodie_file_name"]?.strings?.string(row) ?? "")
      }
    }
    #expect(times == ["a": first?.text, "b": second?.text])
    #expect(sequences.count == 2)
    #expect(names.count == 1)
    #expect(names.first?.contains(second?.text ?? "?") == true)
  }

  @Test func insertsFillSmallFilesAndThenOpenNewOnes() async throws {
    var options = TableOptions()
    options.tarn.smallFileLimit = 36_000
    options.tarn.targetFileSize = 50_000
    options.tarn.pageRows = 50
    let fixture = try await TableFixture(options: options)
    var generator = SeededGenerator(seed: 1)
    var count = 0
    for _ in 0..<6 {
      let trades = (0..<100).map { _ in
        count += 1
        return Trade("key-\(count)", 1, "OKX", Int128(generator.below(1_000)), "\(generator.next())")
      }
      try await fixture.table.upsert(try Trade.batch(trades))
    }
    #expect(try await fixture.rows().count == 600)
    let slices = try await fixture.table.snapshot().slices
    #expect(slices.count > 1)
    #expect(slices.count < 6)
  }

  @Test func insertLooksNothingUp() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"))
    let report = try await fixture.table.insert(
      try Trade.batch([Trade("a", 2, "OKX"), Trade("a", 2, "OKX")]))
    #expect(report.inserted == 2)
    #expect(try await fixture.rows().count == 3)
  }
}

@Suite struct RefusalTests {
  @Test func propertiesWithoutTheirChecksumAreReadButNotWrittenWith() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"))
    let whole = String(decoding: try await fixture.storage.readAll(TablePaths.properties), as: UTF8.self)
    let cut = whole.split(separator: "\n").filter { !$0.hasPrefix("hoodie.table.checksum") }
    try await fixture.storage.put(
      Array(cut.joined(separator: "\n").utf8), at: TablePaths.properties, if: .always)
    #expect(try await fixture.rows().count == 1)
    await #expect {
      try await fixture.table.upsert(try Trade.batch([Trade("b", 1, "OKX")]))
    } throws: { error in
      (error as? TableError)?.code == .damaged && "\(error)".contains("hoodie.table.checksum")
    }
    #expect(try await fixture.rows().count == 1)
  }

  @Test func aNewColumnThatAvroRefusesIsNotAdded() async throws {
    let fixture = try await TableFixture()
    var batch = try Trade.batch([Trade("a", 1, "OKX")])
    batch.schema.fields.append(Field("x-y", .string))
    batch.columns.append(Column(nulls: 1, of: .string))
    let rows = batch
    await #expect {
      try await fixture.table.upsert(rows)
    } throws: { error in
      (error as? TableError)?.code == .mismatch && "\(error)".contains("x-y")
    }
  }
}
