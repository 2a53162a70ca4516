import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// How many requests of a write wait for each other, one after the other, where each takes long.
///
/// Nothing here depends on real time: a clock moves only when all that can go on has done so.
@Suite struct RoundTripTests {
  private static let parts = 6

  private static func trade(_ part: Int, _ time: Int64, _ note: String) -> Trade {
    Trade("t\(part)", time, "X\(part)", 1, note)
  }

  /// What makes a file too long for its end to be all of it.
  private static func filling(_ part: Int) -> [Trade] {
    var random = SeededGenerator(seed: UInt64(part) + 1)
    return (0..<300).map { number in
      let note = (0..<64).map { _ in String(random.next(), radix: 36) }.joined()
      return Trade("t\(part)-\(number)", 1, "X\(part)", 1, note)
    }
  }

  private static func settings(_ seed: UInt64) -> TableSettings {
    var settings = TableSettings()
    let random = Mutex(SeededGenerator(seed: seed))
    settings.random = { random.withLock { $0.next() } }
    settings.heartbeat = .seconds(1_000_000)
    settings.parallelism = 8
    settings.runsServices = false
    return settings
  }

  /// What some work of a process took that knows nothing of a table with a file in each of six partitions.
  private static func work(
    inParts: Bool, _ body: @escaping @Sendable (TableLocation, TableSettings) async throws -> Void
  ) async throws -> (rounds: Int, log: [String]) {
    try await OwnExecutor.run { executor in
      let clock = SteppedClock(step: 1_000)
      let memory = InMemoryStorage(clock: { clock.now() })
      let near = TableLocation.storage(memory, name: "memory/far")
      try executor.finish {
        let table = try await Table.create(
          at: near, schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time",
          settings: settings(1))
        try await table.upsert(try Trade.batch((0..<parts).flatMap(filling)))
        for time in Int64(1)...3 {
          try await table.upsert(try Trade.batch((0..<parts).map { trade($0, time, "note \(time)") }))
        }
      }
      let storage = DistantStorage(memory, sendsParts: inParts)
      let far = TableLocation.storage(storage, name: "memory/far")
      try executor.finish({ try await body(far, settings(2)) }, idle: storage.answer)
      return (storage.rounds, storage.log)
    }
  }

  @Test(arguments: [false, true], [1, parts])
  func whatAnUpsertWaitsForIsFewRoundTripsHoweverManyFilesItTouches(inParts: Bool, files: Int) async throws {
    let (rounds, log) = try await Self.work(inParts: inParts) { location, settings in
      let table = try await Table.open(at: location, settings: settings)
      let report = try await table.upsert(
        try Trade.batch((0..<files).map { Self.trade($0, 9, "changed") }))
      #expect(report.updated == files && report.files == files)
    }
    #expect(rounds <= 14, "\(log.joined(separator: "\n"))")
    #expect(log.count <= 20 + 10 * files, "\(log.joined(separator: "\n"))")
  }

  /// What is known of deletions of keys that are not stored is listed beside the look for them.
  @Test func manyRowsOfWhichSomeAreNewTakeNoMore() async throws {
    let (rounds, log) = try await Self.work(inParts: true) { location, settings in
      let table = try await Table.open(at: location, settings: settings)
      let report = try await table.upsert(
        try Trade.batch(
          (0..<120).map { Trade("t\($0 % 6)-\(200 + $0)", 9, "X\($0 % 6)", 1, "changed") }))
      #expect(report.updated == 100 && report.inserted == 20 && report.files == Self.parts)
    }
    #expect(rounds <= 14, "\(log.joined(separator: "\n"))")
    #expect(log.count <= 21 + 10 * Self.parts, "\(log.joined(separator: "\n"))")
  }

  /// The command line asks for the columns before it reads rows.
  @Test(arguments: [1, parts])
  func askingForTheColumnsFirstTakesNoMore(files: Int) async throws {
    let (rounds, log) = try await Self.work(inParts: true) { location, settings in
      let table = try await Table.open(at: location, settings: settings)
      let schema = try await table.schema()
      #expect(schema.fields.count == Trade.schema.fields.count)
      try await table.upsert(try Trade.batch((0..<files).map { Self.trade($0, 9, "changed") }))
    }
    #expect(rounds <= 14, "\(log.joined(separator: "\n"))")
  }
}
