import Synchronization
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What is told of the work on a table.
@Suite struct ObserverTests {
  /// Keeps what it is told.
  private final class Recorder: TableObserver {
    private let kept = Mutex<[(event: TableEvent, table: String)]>([])

    func observe(_ event: TableEvent, of table: String) { kept.withLock { $0.append((event, table)) } }

    var events: [TableEvent.Kind] { kept.withLock { $0.map(\.event.kind) } }
    var lines: [String] { kept.withLock { $0.map(\.event.description) } }
    var tables: Set<String> { kept.withLock { Set($0.map(\.table)) } }

    /// The words of what was told, one an event.
    var words: [String] { events.map { String("\($0)".prefix { $0 != "(" }) } }
  }

  private static func settings(_ recorder: Recorder) -> TableSettings {
    var settings = TableFixture.settings(Collected())
    settings.observer = recorder
    return settings
  }

  @Test func aCommitTellsItsAttemptAndWhatItDid() async throws {
    let fixture = try await TableFixture()
    let recorder = Recorder()
    let table = try await Table.open(at: fixture.table.location, settings: Self.settings(recorder))
    let report = try await table.upsert(
      try Trade.batch([Trade("a", 5, "OKX", 100), Trade("b", 5, "OKX", 1)]))
    let instant = try #require(report.instant)
    #expect(
      recorder.events == [
        .attemptBegun(instant: instant, operation: "UPSERT", number: 1), .committed(report),
      ])
    #expect(recorder.tables == ["trades"])
    #expect(report.inserted == 2 && report.files == 1)
    #expect(report.commitDuration > .zero && report.duration >= report.commitDuration + report.writeDuration)
    // What changes nothing is no commit.
    try await table.upsert(try Trade.batch([Trade("a", 5, "OKX", 100)]))
    #expect(recorder.events.count == 2)
    #expect(recorder.lines[1].hasPrefix("commit \(instant.text) stands: 2 inserted, 0 updated"))
  }

  @Test func aWriteThatLosesTellsThatAndThatItBeginsAgain() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 100))
    let isDone = Atomic(false)
    let first = fixture.table
    let hooked = HookStorage(inner: fixture.storage) { call in
      // Another writer changes the same file while this one writes it.
      guard call.hasPrefix("writer "), call.contains(".parquet"),
        !isDone.exchange(true, ordering: .relaxed)
      else { return }
      _ = try? await first.upsert(try Trade.batch([Trade("a", 6, "OKX", 200)]))
    }
    let recorder = Recorder()
    let table = try await Table.open(
      at: .storage(hooked, name: "memory/trades"), settings: Self.settings(recorder))
    let report = try await table.upsert(try Trade.batch([Trade("a", 7, "OKX", 300)]))
    #expect(
      recorder.words == ["attemptBegun", "attemptLost", "writeBegunAgain", "attemptBegun", "committed"])
    guard case .attemptBegun(report.instant, "UPSERT", number: 2) = recorder.events[3] else {
      Issue.record("\(recorder.lines)")
      return
    }
    #expect(recorder.events[2] == .writeBegunAgain(number: 1))
    #expect(try await fixture.rows() == [Trade("a", 7, "OKX", 300)])
  }

  @Test func cleansChecksAndLoadsTellHowFarTheyAre() async throws {
    let recorder = Recorder()
    var options = TableOptions()
    options.tarn.retention = .commits(1)
    let table = try await Table.create(
      at: .storage(InMemoryStorage(), name: "memory/trades"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", options: options, settings: Self.settings(recorder))
    for time in 1...4 {
      try await table.upsert(
        try Trade.batch([
          Trade("a", Int64(time), "OKX", Int128(time)), Trade("b", Int64(time), "Kraken", Int128(time)),
        ]))
    }
    let before = recorder.events.count
    let report = try await table.clean(keeping: .commits(1))
    #expect(report.files.count == 4)
    guard recorder.events.count == before + 3,
      case .servicePlanned(let planned) = recorder.events[before],
      case .progress(let progress) = recorder.events[before + 1],
      case .serviceRun(let done) = recorder.events[before + 2]
    else {
      Issue.record("\(recorder.lines)")
      return
    }
    #expect(planned.service == .clean && planned.instant == nil)
    #expect(progress.description == "clean: 4 of 4 files")
    #expect(planned.files == 4 && planned.bytes == report.bytes)
    #expect(done.instant == report.instant && done.files == 4 && done.duration > .zero)
    // A plan alone is none.
    _ = try await table.clean(keeping: .commits(1), isPlan: true)
    #expect(recorder.events.count == before + 3)
    #expect(try await table.check().isEmpty)
    #expect(recorder.lines.suffix(2) == ["check: 1 of 2 files", "check: 2 of 2 files"])
  }

  @Test func clusteringsAndDropsAreTold() async throws {
    let recorder = Recorder()
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 100))
    let table = try await Table.open(at: fixture.table.location, settings: Self.settings(recorder))
    try await table.cluster(.columns(["price"]))
    #expect(recorder.words == ["attemptBegun", "progress", "committed", "serviceRun"])
    #expect(recorder.lines[1] == "cluster: 1 of 1 files")
    let report = try await Table.drop(at: table.location, settings: table.settings)
    guard case .servicePlanned(let planned)? = recorder.events.dropLast().last,
      case .serviceRun(let done)? = recorder.events.last
    else {
      Issue.record("\(recorder.lines)")
      return
    }
    #expect(planned.service == .drop && done.service == .drop)
    #expect(planned.files == report.files.count && done.files == report.files.count)
    #expect(done.bytes == report.bytes && recorder.tables == ["trades"])
  }

  @Test func whatAnotherWriterDecidedAndDidNotDoIsTold() async throws {
    let fixture = try await TableFixture()
    for time in 1...3 { try await fixture.upsert(Trade("a", Int64(time), "OKX", 100)) }
    var dying = HookStorage(inner: fixture.storage) { _ in }
    dying.failsMove = { $0.hasSuffix(".clean") }
    let cleaner = try await Table.open(
      at: .storage(dying, name: "memory/trades"), settings: fixture.table.settings)
    await #expect(throws: TableError.self) { try await cleaner.clean(keeping: .commits(1)) }
    let recorder = Recorder()
    let table = try await Table.open(at: fixture.table.location, settings: Self.settings(recorder))
    try await table.upsert(try Trade.batch([Trade("a", 9, "OKX", 1)]))
    #expect(recorder.words == ["rolledForward", "attemptBegun", "committed"])
    #expect(recorder.lines[0].hasPrefix("brought clean ") && recorder.lines[0].hasSuffix(" to its end"))
  }

  @Test func anAttemptThatIsRolledBackIsTold() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 5, "OKX", 100))
    let left = try #require(Instant("20250101000000000"))
    try await fixture.storage.put([], at: ".hoodie/\(left.text).commit.requested", if: .ifAbsent)
    try await fixture.storage.put([], at: ".hoodie/\(left.text).inflight", if: .ifAbsent)
    let recorder = Recorder()
    let table = try await Table.open(at: fixture.table.location, settings: Self.settings(recorder))
    try await table.rollBack(left)
    #expect(recorder.events == [.attemptRolledBack(instant: left)])
  }
}
