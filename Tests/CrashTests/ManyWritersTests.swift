import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Writers that work at the same time, and writes that are asked for twice.
@Suite struct ManyWritersTests {
  private func create(_ storage: any Storage, retries: Int = 10) async throws -> Table {
    var settings = TableSettings()
    settings.retries = retries
    return try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: settings)
  }

  private func open(_ storage: any Storage, retries: Int = 10) async throws -> Table {
    var settings = TableSettings()
    settings.retries = retries
    return try await Table.open(at: .storage(storage, name: "t"), settings: settings)
  }

  private func rows(_ table: Table) async throws -> [Trade] {
    var rows: [Trade] = []
    for try await batch in try await table.snapshot() { rows += Trade.rows(of: batch) }
    return rows.sorted { $0.id < $1.id }
  }

  // MARK: - Once

  @Test func aVersionOfAnApplicationIsWrittenOnceHoweverOftenItIsAskedFor() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    func write(_ version: Int64) async throws -> CommitReport {
      let options = WriteOptions(
        transaction: WriteTransaction(application: "orders", version: version),
        metadata: ["offset": "\(version)"])
      return try await table.writing(options).insert(
        try Trade.batch([Trade("a\(version)", 1, "OKX"), Trade("b\(version)", 1, "OKX")]))
    }
    let first = try await write(5)
    let again = try await write(5)
    #expect(again.instant == first.instant && again.inserted == 2 && again.position == first.position)
    #expect(try await rows(table).count == 2)
    let stale = await #expect(throws: TableError.self) { try await write(4) }
    #expect(stale?.code == .staleTransaction)
    #expect(stale?.message.contains("version 5") == true)
    let next = try await write(6)
    #expect(next.instant != first.instant)
    let entry = try #require(try await table.timeline().latest)
    #expect(try await table.metadata(of: entry).extra["offset"] == "6")
    // A head that is lost is made anew, and knows it all the same.
    try await storage.delete(HeadStore.path)
    #expect(try await write(6).instant == next.instant)
    // One that changes no row is a commit too.
    let none = ChangeBatch(upserting: try Trade.batch([]))
    let options = WriteOptions(transaction: WriteTransaction(application: "other", version: 1))
    #expect(try await table.writing(options).apply(none).instant != nil)
    #expect(try await table.check().isEmpty)
  }

  @Test func keysOfTheCallersMetadataAreTheirOwn() async throws {
    let table = try await create(InMemoryStorage())
    for key in ["tarn.report", "schema"] {
      let error = await #expect(throws: TableError.self) {
        try await table.writing(WriteOptions(metadata: [key: "x"])).upsert(
          try Trade.batch([Trade("a", 1, "OKX")]))
      }
      #expect(error?.code == .mismatch)
    }
  }

  // MARK: - At the same time

  @Test(arguments: [false, true])
  func tasksOfOneProcessCommitAtOnceAndLoseNothing(inOnePartition: Bool) async throws {
    let storage = InMemoryStorage()
    let swaps = Mutex(0)
    let counted = HookStorage(inner: storage) { call in
      if call == "put .hoodie/tarn/head" { swaps.withLock { $0 += 1 } }
      await Task.yield()
    }
    let table = try await create(counted, retries: 100)
    let (tasks, rounds) = (8, 3)
    let reports = try await withThrowingTaskGroup(of: [CommitReport].self) { group in
      for task in 0..<tasks {
        group.addTask {
          var reports: [CommitReport] = []
          for round in 0..<rounds {
            let exchange = inOnePartition ? "OKX" : "E\(task)"
            let own = Trade("\(task)-\(round)", 1, exchange)
            let shared = Trade("both", Int64(round * tasks + task), exchange)
            reports.append(try await table.upsert(try Trade.batch([own, shared])))
          }
          return reports
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let found = try await rows(table)
    #expect(found.count == tasks * rounds + (inOnePartition ? 1 : tasks))
    #expect(Set(found.map { "\($0.id) \($0.exchange ?? "")" }).count == found.count)
    if inOnePartition { #expect(found.first { $0.id == "both" }?.time == Int64(tasks * rounds - 1)) }
    let positions = reports.compactMap(\.position)
    #expect(Set(positions.map(\.epoch)).count == 1)
    #expect(positions.map(\.sequence).sorted() == (1...Int64(positions.count)).map { $0 })
    // Some of them shared a swap.
    if !inOnePartition { #expect(swaps.withLock { $0 } < tasks * rounds) }
    #expect(try await table.check().isEmpty)
  }

  @Test func twoThatInsertOneNewKeyAtOnceHaveItOnce() async throws {
    let storage = InMemoryStorage()
    _ = try await create(storage)
    let first = First()
    let hooked = HookStorage(inner: storage) { call in
      guard call == "put .hoodie/tarn/head", first.comes() else { return }
      _ = try? await open(storage).upsert(
        try Trade.batch([Trade("new", 9, "OKX", 1), Trade("theirs", 1, "OKX")]))
    }
    let report = try await open(hooked).upsert(
      try Trade.batch([Trade("new", 3, "OKX", 2), Trade("mine", 1, "OKX")]))
    #expect(report.inserted == 1 && report.stale == 1)
    let found = try await rows(open(storage))
    #expect(found.map(\.id) == ["mine", "new", "theirs"])
    #expect(found[1].time == 9)
  }

  /// A row is left out because a newer one is stored, which another writer then deletes: behind that deletion the row is
  /// new, also in a table that remembers no deletions.
  @Test func aRowThatIsLeftOutStandsOnTheOneThatIsStored() async throws {
    let storage = InMemoryStorage()
    var options = TableOptions()
    options.tarn.tombstoneRetentionHours = 0
    _ = try await Table.create(
      at: .storage(storage, name: "memory/trades"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", options: options)
    try await open(storage).upsert(try Trade.batch([Trade("k", 9, "OKX", 1), Trade("other", 1, "OKX")]))
    let first = First()
    let hooked = HookStorage(inner: storage) { call in
      guard call == "put .hoodie/tarn/head", first.comes() else { return }
      var key = ColumnBuilder(.string)
      try? key.append("k")
      guard
        let keys = try? RecordBatch(schema: Schema([Field("id", .string)]), columns: [key.finish()])
      else { return }
      _ = try? await open(storage).delete(keys)
    }
    let report = try await open(hooked).upsert(
      try Trade.batch([Trade("k", 3, "OKX", 2), Trade("new", 1, "Kraken")]))
    #expect(report.inserted == 2 && report.stale == 0)
    let found = try await rows(open(storage))
    #expect(found.map(\.id) == ["k", "new", "other"])
    #expect(found.first?.time == 3)
  }

  @Test func whatCameElsewhereMeanwhileCostsNoNewFile() async throws {
    let storage = InMemoryStorage()
    _ = try await create(storage)
    let writers = Mutex(0)
    let first = First()
    let hooked = HookStorage(inner: storage) { call in
      if call.hasPrefix("writer ") { writers.withLock { $0 += 1 } }
      guard call == "put .hoodie/tarn/head", first.comes() else { return }
      _ = try? await open(storage).upsert(try Trade.batch([Trade("theirs", 1, "OKX")]))
    }
    // In another partition, and with another key in the same one: the files that were written are right.
    let report = try await open(hooked, retries: 0).upsert(
      try Trade.batch([Trade("mine", 1, "OKX"), Trade("mine", 1, "FTX")]))
    #expect(report.inserted == 2 && writers.withLock { $0 } == 2)
    #expect(try await rows(open(storage)).count == 3)
  }

  @Test func aSlowWriterAmongFastOnesGetsOn() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    try await table.upsert(try Trade.batch([Trade("a", 0, "OKX")]))
    let done = Collected()
    let slow = HookStorage(inner: storage) { _ in try? await Task.sleep(for: .milliseconds(15)) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<3 {
        group.addTask {
          let table = try await open(storage, retries: 1_000)
          var number: Int64 = 1
          while done.all.isEmpty {
            try await table.upsert(try Trade.batch([Trade("a", number, "OKX", Int128(writer))]))
            number += 1
          }
        }
      }
      group.addTask {
        defer { done.add("done") }
        _ = try await open(slow).upsert(try Trade.batch([Trade("a", 1_000_000, "OKX", 7)]))
      }
      try await group.waitForAll()
    }
    #expect(try await rows(table).first?.time == 1_000_000)
    #expect(try await TimelineListing.load(from: storage).tickets.isEmpty)
  }

  private static let tickets = ["0123456789abcdef", "fedcba9876543210"].map {
    Ticket(Instant(microseconds: 1_700_000_000_000_000), mark: $0).path
  }

  @Test func nobodyWaitsForTheTicketOfADeadWriter() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    try await table.upsert(try Trade.batch([Trade("a", 1, "OKX")]))
    // Nobody holds it.
    for path in Self.tickets { try await storage.put([1], at: path, if: .ifAbsent) }
    let looks = Mutex(0)
    let watched = HookStorage(inner: storage) { call in
      if call == "list .hoodie/" { looks.withLock { $0 += 1 } }
    }
    try await open(watched).upsert(try Trade.batch([Trade("b", 1, "OKX")]))
    // Who waits looks again and again.
    #expect((1..<8).contains(looks.withLock { $0 }))
    #expect(try await TimelineListing.load(from: storage).tickets.isEmpty)
  }

  @Test func theTicketsOfLivingWritersAreWaitedForUntilTheyGo() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    try await table.upsert(try Trade.batch([Trade("a", 1, "OKX")]))
    let signs = try await [
      storage.beginSign([1], at: Self.tickets[0]), storage.beginSign([1], at: Self.tickets[1]),
    ]
    async let report = table.upsert(try Trade.batch([Trade("b", 1, "OKX")]))
    for sign in signs {
      try await Task.sleep(for: .milliseconds(200))
      #expect(try await table.timeline().completedCommits.count == 1)
      await sign.end()
    }
    #expect(try await report.inserted == 1)
  }

  @Test func aWriterThatLosesTooOftenSaysAgainstWhom() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    try await table.upsert(try Trade.batch([Trade("a", 0, "OKX")]))
    let number = Mutex<Int64>(1)
    let hooked = HookStorage(inner: storage) { call in
      guard call.hasPrefix("writer ") else { return }
      let time = number.withLock { number in
        number += 1
        return number
      }
      _ = try? await table.upsert(try Trade.batch([Trade("a", time, "OKX")]))
    }
    let error = await #expect(throws: TableError.self) {
      try await open(hooked, retries: 2).upsert(try Trade.batch([Trade("a", 100, "OKX")]))
    }
    #expect(error?.code == .conflict)
    #expect(error?.message.contains("began again 2 times") == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("changed file group") == true, "\(error?.message ?? "")")
    #expect(try await table.check().isEmpty)
  }

  @Test func aDecisionThatLeftTheTimelineLeavesTheHead() async throws {
    let storage = InMemoryStorage()
    let table = try await create(storage)
    try await table.upsert(try Trade.batch([Trade("a", 1, "OKX")]))
    var stuck = HookStorage(inner: storage, before: { _ in })
    stuck.failsMove = { $0.hasSuffix(".commit") }
    let report = try await open(stuck).upsert(try Trade.batch([Trade("b", 1, "FTX")]))
    #expect(report.warnings.map(\.code) == [.notYetVisible])
    let instant = try #require(report.instant)
    func named() async throws -> [Instant] {
      try Head(parsing: try await storage.readAll(HeadStore.path)).named.map(\.instant)
    }
    #expect(try await named().contains(instant))
    // As where another engine undid or archived it meanwhile.
    for object in try await storage.listAll(prefix: ".hoodie/\(instant.text)").objects {
      try await storage.delete(object.path)
    }
    try await table.upsert(try Trade.batch([Trade("c", 1, "OKX")]))
    #expect(try await !named().contains(instant))
  }
}

/// Tells the first time from all others.
private final class First: Sendable {
  private let hasCome = Mutex(false)

  /// Whether it is the first time.
  func comes() -> Bool {
    hasCome.withLock { come in
      defer { come = true }
      return !come
    }
  }
}
