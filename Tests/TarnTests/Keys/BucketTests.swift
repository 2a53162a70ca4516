import Tarn
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables with a bucket index: which file groups they have, and what is refused.
@Suite struct BucketTests {
  private static func fixture(
    _ buckets: Buckets?, storage: any Storage = InMemoryStorage(),
    change: (inout TableOptions) -> Void = { _ in }
  ) async throws -> TableFixture {
    var options = TableOptions()
    options.tarn.buckets = buckets
    change(&options)
    return try await TableFixture(storage: storage, options: options)
  }

  private static func trades(_ ids: Range<Int>, time: Int64 = 1, _ exchange: String = "OKX") throws
    -> RecordBatch
  {
    try Trade.batch(ids.map { Trade("k\($0)", time, exchange) })
  }

  /// The table anew, with other buckets given, and without what it says of its own.
  private static func reopened(_ fixture: TableFixture, _ given: Buckets?, forgets: Bool = true) async throws
    -> Table
  {
    if forgets {
      var properties = try await TableProperties.load(from: fixture.storage)
      for key in ["tarn.index.type", "tarn.index.buckets", "tarn.index.bucket.fields"] {
        properties.entries[key] = nil
      }
      try await fixture.storage.delete(".hoodie/hoodie.properties")
      try await properties.create(in: fixture.storage, now: 1)
    }
    var settings = TableFixture.settings(fixture.warnings)
    settings.buckets = given
    return try await Table.open(at: .storage(fixture.storage, name: "memory/trades"), settings: settings)
  }

  @Test func aBucketHasOneFileGroupHoweverLargeAndIsNamedByItsNumber() async throws {
    let fixture = try await Self.fixture(Buckets(count: 2)) {
      $0.tarn.targetFileSize = 1_024
      $0.tarn.smallFileLimit = 0
    }
    try await fixture.table.upsert(try Self.trades(0..<3_000))
    try await fixture.table.insert(try Self.trades(3_000..<6_000))
    let slices = try await fixture.table.snapshot().slices
    #expect(slices.map { $0.fileID.prefix(9) }.sorted() == ["00000000-", "00000001-"])
    #expect(try await fixture.table.snapshot().count() == 6_000)
    try await BucketModelTests.check(fixture.table, 2, hashing: ["id"])
  }

  @Test func keysThatReleasesOfHudiHashAlikeAreTakenAndOthersRefused() async throws {
    var options = TableOptions()
    options.tarn.buckets = Buckets(count: 16)
    let small = try await SmallTable(
      Schema([Field("pk", .string), Field("sk", .string)]), key: ["pk", "sk"], options: options)
    let times = (0..<20).map { "2026-01-01T00:00:\(10 + $0)Z" }
    var (pk, sk) = (ColumnBuilder(.string), ColumnBuilder(.string))
    for time in times {
      try pk.append("u:1")
      try sk.append(time)
    }
    #expect(try await small.table.upsert(try batch(["pk": pk.finish(), "sk": sk.finish()])).inserted == 20)
    let rules = try [BucketIndex.KeyRule.hudi0, .hudi1].map {
      try #require(BucketIndex(count: 16, hashFields: ["pk", "sk"], rule: $0))
    }
    var refused = 0
    for value in 0..<40 {
      let rows = try batch(["pk": try texts("a,\(value)"), "sk": try texts("x")])
      let key = Array("pk:a,\(value),sk:x".utf8)
      if rules[0].bucket(ofKey: key.span.bytes) == rules[1].bucket(ofKey: key.span.bytes) {
        #expect(try await small.table.upsert(rows).inserted == 1)
      } else {
        await expectRefusal(.badRow, "row 0", "comma", "buckets") { try await small.table.upsert(rows) }
        refused += 1
      }
    }
    #expect(refused > 20)
    for slice in try await small.table.snapshot().slices {
      #expect(BucketIndex.bucket(ofFileID: slice.fileID) != nil)
    }
  }

  @Test func onlyTheFilesOfTheKeysBucketsAreLookedAt() async throws {
    let storage = FaultStorage(wrapping: InMemoryStorage())
    let fixture = try await Self.fixture(Buckets(count: 8), storage: storage)
    try await fixture.table.upsert(try Self.trades(0..<400))
    try await fixture.table.upsert(try Self.trades(0..<400, "Kraken"))
    let slices = try await fixture.table.snapshot().slices
    #expect(slices.count == 16)
    func files(_ body: () async throws -> Void) async throws -> Set<String> {
      let before = storage.calls.count
      try await body()
      let calls = storage.calls[before...]
      return Set(slices.map(\.path).filter { path in calls.contains("read \(path)") })
    }
    let one = try await files { try await fixture.table.upsert(try Self.trades(7..<8, time: 2)) }
    #expect(one.count == 1)
    let everywhere = try await files { try await fixture.delete("k9") }
    #expect(everywhere.count == 2)
    #expect(Set(everywhere.map { $0.split(separator: "/")[1].prefix(8) }).count == 1)
  }

  @Test func anEmptiedBucketRemembersItsDeletionsAndTakesRowsAgain() async throws {
    let fixture = try await Self.fixture(Buckets(count: 1))
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"))
    let group = try await fixture.table.snapshot().slices.map(\.fileID)
    try await fixture.apply([(Trade("a", 5, "OKX"), true), (Trade("b", 5, "OKX"), true)])
    #expect(try await fixture.rows().isEmpty)
    #expect(try await fixture.upsert(Trade("a", 4, "OKX")).stale == 1)
    #expect(try await fixture.upsert(Trade("a", 6, "OKX"), Trade("c", 1, "OKX")).inserted == 2)
    #expect(try await fixture.rows().map(\.id) == ["a", "c"])
    #expect(try await fixture.table.snapshot().slices.map(\.fileID) == group)
  }

  @Test func partsOfACompositeKeyAreHashedAlone() async throws {
    var options = TableOptions()
    options.tarn.buckets = Buckets(count: 4, fields: ["time"])
    let fixture = try await TableFixture(options: options, recordKey: ["id", "time"])
    #expect(fixture.table.properties.entries["tarn.index.bucket.fields"] == "time")
    try await fixture.table.upsert(try Self.trades(0..<50, time: 3))
    #expect(try await fixture.table.snapshot().slices.count == 1)
    try await fixture.table.upsert(try Self.trades(0..<50, time: 4))
    #expect(try await fixture.table.snapshot().slices.count == 2)
    #expect(try await fixture.table.upsert(try Self.trades(0..<20, time: 3)).duplicates == 20)
    try await BucketModelTests.check(fixture.table, 4, hashing: ["time"])
  }

  @Test func whatATableSaysOfItsBucketsStandsAndNothingElseIsTaken() async throws {
    let fixture = try await Self.fixture(Buckets(count: 3))
    let entries = fixture.table.properties.entries
    #expect(entries["tarn.index.type"] == "bucket" && entries["tarn.index.buckets"] == "3")
    #expect(entries["tarn.index.bucket.fields"] == nil)
    try await fixture.table.upsert(try Self.trades(0..<9))
    for same in [Buckets(count: 3), Buckets(count: 3, fields: ["id"])] {
      let table = try await Self.reopened(fixture, same, forgets: false)
      #expect(try await table.upsert(try Self.trades(0..<9)).duplicates == 9)
    }
    let table = try await Self.reopened(fixture, Buckets(count: 4), forgets: false)
    await expectRefusal(.mismatch, "has 3 buckets by id, and 4 buckets by id are given") {
      try await table.upsert(try Self.trades(0..<9))
    }
  }

  @Test func tablesOfOtherWritersNeedTheirBucketsToBeGivenAndTheRightOnes() async throws {
    let fixture = try await Self.fixture(Buckets(count: 4))
    try await fixture.table.upsert(try Self.trades(0..<90))
    let before = try await fixture.rows()
    let silent = try await Self.reopened(fixture, nil)
    // A new partition tells nothing, so the others are looked at.
    for exchange in ["OKX", "new"] {
      await expectRefusal(.mismatch, "trades", "--buckets N", "--bucket-field") {
        try await silent.upsert(try Self.trades(0..<3, exchange))
      }
    }
    await expectRefusal(.mismatch, "--buckets N") {
      try await silent.delete(try Self.trades(0..<3).select(["id"]))
    }
    for (count, words) in [(3, "bucket 3, and there are 3 buckets"), (5, "belongs into bucket")] {
      let wrong = try await Self.reopened(fixture, Buckets(count: count))
      await expectRefusal(.mismatch, words, ".parquet") {
        try await wrong.upsert(try Self.trades(0..<90, time: 2))
      }
    }
    let strange = try await Self.reopened(fixture, Buckets(count: 4, fields: ["note"]))
    await expectRefusal(.mismatch, "note", "id") { try await strange.upsert(try Self.trades(0..<3)) }
    #expect(try await fixture.rows() == before)
    // Conditions say nothing of keys, and need no buckets.
    #expect(try await silent.delete(where: .column("id") == "k1").deleted == 1)
    let right = try await Self.reopened(fixture, Buckets(count: 4))
    let report = try await right.upsert(try Self.trades(0..<95, time: 2))
    #expect(report.updated == 89 && report.inserted == 6)
    #expect(try await right.upsert(try Self.trades(0..<9, "new")).inserted == 9)
    try await BucketModelTests.check(right, 4, hashing: ["id"])
  }

  @Test func aTableWithoutBucketsTakesNoneAndAnEmptyOneDoes() async throws {
    let plain = try await Self.fixture(nil)
    try await plain.table.upsert(try Self.trades(0..<9))
    for exchange in ["OKX", "new"] {
      let given = try await Self.reopened(plain, Buckets(count: 4))
      await expectRefusal(.mismatch, "file groups have none") {
        try await given.upsert(try Self.trades(0..<3, exchange))
      }
    }
    let empty = try await Self.fixture(nil)
    let given = try await Self.reopened(empty, Buckets(count: 4))
    try await given.upsert(try Self.trades(0..<90))
    try await BucketModelTests.check(given, 4, hashing: ["id"])
  }

  @Test func aTableThatDeniesBucketsIsTakenAtItsWord() async throws {
    let fixture = try await Self.fixture(Buckets(count: 2))
    try await fixture.table.upsert(try Self.trades(0..<9))
    let table = try await Self.reopened(fixture, nil)
    let bytes = try await fixture.storage.readAll(".hoodie/hoodie.properties")
    try await fixture.storage.put(
      bytes + Array("tarn.index.type=file\n".utf8), at: ".hoodie/hoodie.properties", if: .always)
    #expect(try await table.upsert(try Self.trades(0..<12)).inserted == 3)
  }

  @Test func fileGroupsThatFitNoBucketAreRefusedWithoutAWrite() async throws {
    let fixture = try await Self.fixture(Buckets(count: 2))
    try await fixture.table.upsert(try Self.trades(0..<9))
    let slice = try #require(try await fixture.table.snapshot().slices.first)
    let name = try #require(BaseFileName(slice.path.split(separator: "/")[1]))
    let bytes = try await fixture.storage.readAll(slice.path)
    for (id, words) in [
      ("0000000a-b037-4532-a9df-3c5b05dd823d-0", "belongs to no bucket"),
      ("00000000-b037-4532-a9df-3c5b05dd823d-0", "has another file group"),
    ] {
      let other = BaseFileName(
        fileID: id.replacing("00000000", with: String(name.fileID.prefix(8))), writeToken: "0-0-0",
        instant: name.instant)
      let path = "\(slice.partitionPath)/\(other.name)"
      try await fixture.storage.put(bytes, at: path, if: .always)
      await expectRefusal(.damaged, words) { try await fixture.table.upsert(try Self.trades(0..<3, time: 2)) }
      try await fixture.storage.delete(path)
    }
    #expect(try await fixture.table.upsert(try Self.trades(0..<3, time: 2)).updated == 3)
  }

  @Test func choicesThatMakeNoSenseMakeNoTable() async throws {
    for (buckets, words) in [
      (Buckets(count: 0), "tarn.index.buckets=0"), (Buckets(count: 1_000_000), "from 1 to 999999"),
      (Buckets(count: 4, fields: ["price"]), "names price"),
    ] {
      await expectRefusal(.mismatch, words) { _ = try await Self.fixture(buckets) }
    }
    for lines in [
      "tarn.index.type=hash", "tarn.index.type=bucket", "tarn.index.type=bucket\ntarn.index.buckets=x",
    ] {
      let small = try await SmallTable(TableOptionTests.schema)
      try await small.appendProperties(lines)
      await expectRefusal(.damaged, "hoodie.properties", "tarn.index.") {
        try await small.table.upsert(try batch(["id": try texts("b")]))
      }
    }
  }

  @Test func randomFileIdsNeverLookLikeBuckets() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<2_000 {
      let first = FileID.random(using: &random).utf8.first ?? 0x30
      #expect(!(0x30...0x39).contains(first))
    }
  }
}
