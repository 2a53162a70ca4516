import Tarn
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Deletions are remembered, so that what comes late does not bring rows back.
@Suite struct TombstoneTests {
  /// Options under which few rows fill several pages.
  private static func smallPages() -> TableOptions {
    var options = TableOptions()
    options.tarn.pageRows = 2
    return options
  }

  private static func trades(_ count: Int, time: Int64 = 1, in exchange: String = "OKX") -> [Trade] {
    (0..<count).map { Trade("k\($0)", time, exchange) }
  }

  /// How many tombstones the present base files say they have.
  private func tombstoneCount(_ fixture: TableFixture) async throws -> Int {
    var count = 0
    let timeline = try await fixture.table.timeline()
    let view = try await FileSystemView.load(
      from: fixture.storage, properties: fixture.table.properties, timeline: timeline)
    for slice in view.slices() {
      let file = try await ParquetFile.open(fixture.storage, path: slice.path, size: slice.size)
      let text = file.keyValue(KeyIndexReference.tombstonesFooterKey) ?? "0"
      count += try #require(Int(text))
    }
    return count
  }

  private func storedFiles(_ fixture: TableFixture) async throws -> Int {
    try await fixture.storage.listAll(prefix: TombstoneFile.folder).objects.count
  }

  @Test func aChangeOlderThanItsKeysDeletionIsDroppedInTheSameAndInLaterCommits() async throws {
    let fixture = try await TableFixture(options: Self.smallPages())
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"), Trade("c", 1, "OKX"))
    let same = try await fixture.apply([(Trade("a", 5, "OKX"), true), (Trade("a", 3, "OKX"), false)])
    #expect(same.deleted == 1)
    #expect(same.superseded == 1)
    for time in [2, 5, nil] as [Int64?] {
      let late = try await fixture.upsert(
        Trade("a", time, "OKX"), Trade("b", 2, "OKX", time.map { Int128($0) }))
      #expect(late.stale == 1)
      #expect(late.inserted == 0)
    }
    let last = try #require(try await fixture.table.timeline().completedCommits.last)
    let report = try await CommitLog(fixture.storage).metadata(of: last).extra["tarn.report"]
    #expect(report?.contains(#""stale":1"#) == true)
    #expect(try await fixture.rows().map(\.id) == ["b", "c"])
  }

  @Test func aNewerInsertBringsTheKeyBackAndEndsItsTombstone() async throws {
    let fixture = try await TableFixture(options: Self.smallPages())
    try await fixture.table.upsert(try Trade.batch(Self.trades(6)))
    try await fixture.apply([(Trade("k0", 5, "OKX"), true)])
    #expect(try await tombstoneCount(fixture) == 1)
    let report = try await fixture.upsert(Trade("k0", 6, "OKX", 1))
    #expect(report.inserted == 1)
    #expect(report.stale == 0)
    #expect(try await tombstoneCount(fixture) == 0)
    #expect(try await fixture.rows().count == 6)
  }

  @Test func aDeletionWithoutOrderingTakesThatOfTheStoredRow() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX"), Trade("b", 5, "OKX"), Trade("c", nil, "OKX"))
    try await fixture.delete("a", "c", "nobody")
    try await fixture.table.delete(where: .column("id") == "b")
    let late = try await fixture.upsert(
      Trade("a", 5, "OKX"), Trade("b", 4, "OKX"), Trade("c", nil, "OKX"), Trade("nobody", nil, "OKX"))
    #expect(late.stale == 2)
    #expect(late.inserted == 2)
    let newer = try await fixture.upsert(Trade("a", 6, "OKX"), Trade("b", 6, "OKX"))
    #expect(newer.inserted == 2)
  }

  @Test func tombstonesOutliveSplicesAndRewrites() async throws {
    let fixture = try await TableFixture(options: Self.smallPages())
    try await fixture.table.upsert(try Trade.batch(Self.trades(40)))
    let deletion = try await fixture.apply([(Trade("k0", 5, "OKX"), true), (Trade("k7", 5, "OKX"), true)])
    #expect(deletion.splicedFiles == 1)
    for time in 2...4 as ClosedRange<Int64> {
      let splice = try await fixture.upsert(Trade("k1", time, "OKX"))
      #expect(splice.splicedFiles == 1)
      #expect(try await tombstoneCount(fixture) == 2)
    }
    let rewrite = try await fixture.table.upsert(
      try Trade.batch(Self.trades(40, time: 9).filter { $0.id != "k0" && $0.id != "k7" }))
    #expect(rewrite.files == 1)
    #expect(rewrite.splicedFiles == 0)
    #expect(try await tombstoneCount(fixture) == 2)
    let late = try await fixture.upsert(Trade("k0", 5, "OKX"), Trade("k7", 4, "OKX"))
    #expect(late.stale == 2)
    #expect(late.instant == nil)
    #expect(try await fixture.rows().count == 38)
  }

  @Test func tombstonesOutliveAFileWhoseRowsAllGo() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"))
    try await fixture.apply([(Trade("a", 5, nil), true), (Trade("b", 5, nil), true)])
    #expect(try await fixture.rows().isEmpty)
    #expect(try await tombstoneCount(fixture) == 2)
    #expect(try await fixture.upsert(Trade("a", 4, "OKX")).stale == 1)
    // Rows come into the emptied file.
    try await fixture.upsert(Trade("c", 1, "OKX"))
    #expect(try await tombstoneCount(fixture) == 2)
    #expect(try await fixture.upsert(Trade("b", 4, "OKX")).stale == 1)
    #expect(try await fixture.rows().map(\.id) == ["c"])
  }

  @Test func overTheTableADeletionHoldsInOtherPartitionsAndWithinPartitionsNot() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"), Trade("c", 1, "Kraken"))
    try await fixture.apply([(Trade("a", 5, nil), true), (Trade("b", 5, "OKX"), true)])
    let late = try await fixture.apply([(Trade("a", 4, "Kraken"), false), (Trade("b", 4, "Bybit"), false)])
    #expect(late.stale == 2)
    let within = try await fixture.upsert(Trade("a", 4, "Kraken"))
    #expect(within.inserted == 1)
    #expect(try await fixture.rows() == [Trade("a", 4, "Kraken"), Trade("c", 1, "Kraken")])
  }

  @Test func aRemovalThatOvertakesItsInsertIsRememberedByTheTable() async throws {
    let fixture = try await TableFixture()
    let removal = try await fixture.apply([(Trade("a", 5, nil), true)])
    #expect(removal.notFound == 1)
    #expect(removal.files == 0)
    #expect(removal.instant != nil)
    #expect(try await storedFiles(fixture) == 1)
    // Delivered again, it changes nothing.
    let again = try await fixture.apply([(Trade("a", 5, nil), true)])
    #expect(again.notFound == 1)
    #expect(again.instant == nil)
    #expect(try await fixture.apply([(Trade("a", 3, "OKX"), false)]).stale == 1)
    #expect(try await fixture.upsert(Trade("a", 5, "Kraken")).stale == 1)
    #expect(try await fixture.rows().isEmpty)
    let newer = try await fixture.apply([(Trade("a", 6, "OKX"), false)])
    #expect(newer.inserted == 1)
  }

  @Test func aDeletionOfAKeyThatIsNotStoredHoldsInItsPartition() async throws {
    let fixture = try await TableFixture()
    let keys = try Trade.batch([Trade("a", 5, "OKX")]).select(["id", "time", "exchange"])
    let report = try await fixture.table.delete(keys)
    #expect(report.notFound == 1)
    #expect(try await fixture.upsert(Trade("a", 4, "OKX")).stale == 1)
    #expect(try await fixture.upsert(Trade("a", 4, "Kraken")).inserted == 1)
  }

  @Test func ofSeveralDeletionsTheGreatestOrderingCounts() async throws {
    let fixture = try await TableFixture()
    for time in [4, 7, 5] as [Int64] { try await fixture.apply([(Trade("a", time, nil), true)]) }
    #expect(try await storedFiles(fixture) == 2)
    #expect(try await fixture.upsert(Trade("a", 7, "OKX")).stale == 1)
    // Rows that are inserted unseen may be older than their key's tombstone, which stays.
    try await fixture.table.insert(try Trade.batch([Trade("b", 9, "OKX"), Trade("c", 1, "OKX")]))
    try await fixture.delete("b")
    try await fixture.table.insert(try Trade.batch([Trade("b", 3, "OKX")]))
    try await fixture.delete("b")
    #expect(try await fixture.upsert(Trade("b", 8, "OKX")).stale == 1)
    #expect(try await fixture.upsert(Trade("b", 10, "OKX")).inserted == 1)
  }

  @Test func aStoredRowDecidesWhateverItsKeysTombstoneSays() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"))
    try await fixture.apply([(Trade("a", 9, nil), true)])
    // As another engine would write it, without a look at tombstones.
    try await fixture.table.insert(try Trade.batch([Trade("a", 2, "OKX")]))
    let report = try await fixture.upsert(Trade("a", 3, "OKX"))
    #expect(report.updated == 1)
    #expect(report.stale == 0)
  }

  @Test func manyDeletionsOfUnknownKeysAreMergedIntoFewFiles() async throws {
    let fixture = try await TableFixture()
    for number in 0..<24 { try await fixture.apply([(Trade("a\(number)", 5, nil), true)]) }
    #expect(try await storedFiles(fixture) <= 10)
    let late = try await fixture.apply((0..<24).map { (Trade("a\($0)", 5, "OKX"), false) })
    #expect(late.stale == 24)
  }

  @Test func expiredDeletionsAreForgottenAndDropped() async throws {
    let clock = SettableClock()
    var settings = TableFixture.settings(Collected())
    settings.now = { clock.now() }
    var options = Self.smallPages()
    options.tarn.tombstoneRetentionHours = 2
    let storage = InMemoryStorage()
    let table = try await Table.create(
      at: .storage(storage, name: "memory/trades"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", options: options, settings: settings)
    #expect(table.properties.entries["tarn.tombstone.retention.hours"] == "2")
    try await table.upsert(try Trade.batch(Self.trades(20)))
    try await table.apply(
      try ChangeBatch(
        rows: try Trade.batch([Trade("k0", 5, "OKX"), Trade("k1", 5, "OKX"), Trade("x", 5, "OKX")]),
        isDelete: Bitmap(repeating: true, count: 3)))
    clock.advance(hours: 1)
    let late = try Trade.batch([Trade("k0", 4, "OKX"), Trade("x", 4, "OKX")])
    #expect(try await table.apply(ChangeBatch(upserting: late)).stale == 2)
    clock.advance(hours: 2)
    #expect(try await table.apply(ChangeBatch(upserting: late)).inserted == 2)
    let view = try await FileSystemView.load(
      from: storage, properties: table.properties, timeline: try await table.timeline())
    for slice in view.slices() {
      let file = try await ParquetFile.open(storage, path: slice.path, size: slice.size)
      #expect(file.keyValue(KeyIndexReference.tombstonesFooterKey) == nil)
    }
  }

  @Test func aTableWithoutKeyIndexRemembersNothingAndSaysSo() async throws {
    var options = TableOptions()
    options.tarn.hasKeyIndex = false
    let fixture = try await TableFixture(options: options)
    try await fixture.upsert(Trade("a", 1, "OKX"), Trade("b", 1, "OKX"))
    #expect(fixture.warnings.all.isEmpty)
    try await fixture.apply([(Trade("a", 5, nil), true), (Trade("x", 5, nil), true)])
    #expect(fixture.warnings.all.count == 1)
    #expect(fixture.warnings.all.first?.contains("remembers no deletions") == true)
    #expect(try await fixture.upsert(Trade("a", 4, "OKX"), Trade("x", 4, "OKX")).inserted == 2)
    try await fixture.table.delete(where: .column("id") == "b")
    #expect(fixture.warnings.all.count == 2)
  }

  @Test func withoutAnOrderingColumnNothingNeedsToBeRemembered() async throws {
    let fixture = try await TableFixture(orderedBy: nil)
    try await fixture.upsert(Trade("a", 5, "OKX"))
    try await fixture.apply([(Trade("a", 5, nil), true), (Trade("x", 5, nil), true)])
    #expect(try await storedFiles(fixture) == 0)
    #expect(try await fixture.upsert(Trade("a", 1, "OKX"), Trade("x", 1, "OKX")).inserted == 2)
  }

  @Test func aDeletionIsRememberedExactlyIfItsCommitStands() async throws {
    var call = 0
    while true {
      call += 1
      let storage = InMemoryStorage()
      let fixture = try await TableFixture(storage: storage)
      let faulty = FaultStorage(wrapping: storage, crashAtCall: call)
      let deletion = try ChangeBatch(
        rows: try Trade.batch([Trade("a", 5, nil)]), isDelete: Bitmap(repeating: true, count: 1))
      do {
        let table = try await Table.open(
          at: .storage(faulty, name: "memory/trades"), settings: TableFixture.settings(Collected()))
        _ = try await table.apply(deletion)
      } catch {}
      // What was decided appears at the latest with the next write.
      let stands = try Head(parsing: try await storage.readAll(HeadStore.path)).sequence > 0
      let late = try await fixture.upsert(Trade("a", 4, "OKX"))
      #expect(late.stale == (stands ? 1 : 0), "call \(call)")
      #expect(try await storedFiles(fixture) == (stands ? 1 : 0), "call \(call)")
      guard faulty.hasFailed else { break }
    }
    #expect(call > 8)
  }
}

/// Ordering columns of every type that a table takes.
@Suite struct TombstoneOrderingTests {
  @Test(arguments: [
    DataType.int32, .int64, .float, .double, .decimal(precision: 20, scale: 3), .string,
    .date, .timestamp(.milliseconds, .instant), .timestamp(.microseconds, .instant),
  ])
  func everyTypeOfOrderingColumnComparesAsItsValuesDo(type: DataType) async throws {
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("at", type)]), orderedBy: "at")
    let (low, high) = (try Self.value(type, 0), try Self.value(type, 1))
    try await small.table.upsert(try batch(["id": texts("a", "b"), "at": try Self.values(type, [0, 0])]))
    func delete(_ id: String, _ at: Column) async throws {
      _ = try await small.table.delete(try batch(["id": texts(id), "at": at]))
    }
    // One is stored and one is not; one has the lower value and one the higher.
    try await delete("a", low)
    try await delete("x", low)
    try await delete("b", high)
    try await delete("y", high)
    for id in ["a", "b", "x", "y"] {
      let late = try await small.table.upsert(try batch(["id": texts(id), "at": low]))
      #expect(late.stale == 1, "\(id)")
    }
    for (id, isNewer) in [("a", true), ("x", true), ("b", false), ("y", false)] {
      let change = try await small.table.upsert(try batch(["id": texts(id), "at": high]))
      #expect(change.inserted == (isNewer ? 1 : 0), "\(id)")
    }
  }

  private static func value(_ type: DataType, _ number: Int) throws -> Column { try values(type, [number]) }

  /// Values of which those for 0 come before those for 1.
  private static func values(_ type: DataType, _ numbers: [Int]) throws -> Column {
    try column(type) { builder in
      for number in numbers {
        switch type {
        case .int32, .date: builder.append(Int32(number == 0 ? -2 : 256))
        case .float: builder.append(Float(number) - 0.5)
        case .double: builder.append(Double(number) - 0.5)
        case .decimal: builder.append(Int128(number == 0 ? -70_000 : 12_345_678_901_234_567))
        case .string: try builder.append(number == 0 ? "10" : "9")
        default: builder.append(Int64(number == 0 ? 255 : 86_399_000_000))
        }
      }
    }
  }
}
