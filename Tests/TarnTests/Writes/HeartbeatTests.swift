import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Writers on a storage that knows nothing of processes: whether one lives its heartbeat tells, by the storage's clock.
@Suite struct HeartbeatTests {
  private static let hour: Int64 = 3_600_000_000

  private let clock = StillClock()
  private let store: InMemoryStorage

  init() {
    let clock = clock
    store = InMemoryStorage(clock: { clock.now() })
  }

  /// How a process works whose clock is wrong by some microseconds.
  private func settings(_ skew: Int64 = 0, heartbeat: Duration = .seconds(1_000)) -> TableSettings {
    var settings = TableSettings()
    settings.now = { [clock] in clock.now() + skew }
    settings.heartbeat = heartbeat
    return settings
  }

  private func create() async throws {
    _ = try await Table.create(
      at: .storage(RemoteStorage(store), name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: settings())
  }

  private func write(_ id: String, _ storage: any Storage, _ settings: TableSettings) async throws
    -> CommitReport
  {
    let table = try await Table.open(at: .storage(storage, name: "t"), settings: settings)
    return try await table.upsert(try Trade.batch([Trade(id, 1, "OKX")]))
  }

  private func ids() async throws -> [String] {
    let table = try await Table.open(at: .storage(RemoteStorage(store), name: "t"))
    #expect(try await table.check().isEmpty)
    var ids: [String] = []
    for try await batch in try await table.snapshot() { ids += Trade.rows(of: batch).map(\.id) }
    return ids.sorted()
  }

  private func beats() async throws -> [ObjectInfo] {
    try await store.listAll(prefix: ".hoodie/.heartbeat/").objects
  }

  /// Whether nothing is under way, and no sign is left.
  private func isTidy() async throws -> Bool {
    let (pending, beats) = (try await pending(), try await beats())
    return pending.isEmpty && beats.isEmpty
  }

  private func pending() async throws -> [Instant] {
    try await Timeline.load(from: store).pending.map(\.instant)
  }

  /// A writer that stands still before its first data file until a gate opens, once.
  private func waiting(_ came: Gate, _ goesOn: Gate, tellsTime: Bool = true) -> RemoteStorage {
    RemoteStorage(store, tellsTime: tellsTime) { (call: String) async throws(StorageError) in
      guard call.hasPrefix("writer "), !came.isOpen else { return }
      came.open()
      await goesOn.wait()
    }
  }

  @Test(arguments: [0, 5 * hour, -5 * hour], [true, false])
  func oneThatLivesIsLeftAloneAndItsHeartbeatGoes(skew: Int64, tellsTime: Bool) async throws {
    try await create()
    let (came, goesOn) = (Gate(), Gate())
    let slow = waiting(came, goesOn, tellsTime: tellsTime)
    async let report = write("slow", slow, settings(-skew))
    await came.wait()
    // As Hudi's writers have it: an object of the instant's name.
    let beat = try #require(try await beats().first)
    let instant = try #require(try await pending().first)
    #expect(beat.path == ".hoodie/.heartbeat/\(instant.text)")
    clock.advance(seconds: 119)
    _ = try await write("fast", RemoteStorage(store, tellsTime: tellsTime), settings(skew))
    #expect(try await pending() == [instant])
    goesOn.open()
    #expect(try await report.inserted == 1)
    #expect(try await ids() == ["fast", "slow"])
    #expect(try await isTidy())
  }

  @Test(arguments: [0, 5 * hour, -5 * hour], [true, false])
  func oneThatDiedIsRolledBackOnceItsHeartbeatHasStopped(skew: Int64, tellsTime: Bool) async throws {
    try await create()
    let isDead = Gate()
    let dying = RemoteStorage(store, tellsTime: tellsTime) { (call: String) async throws(StorageError) in
      if call.hasPrefix("put .hoodie/tarn/head") { isDead.open() }
      if isDead.isOpen { throw StorageError(.unknown, path: "", "the process is dead") }
    }
    await #expect(throws: TableError.self) { try await write("dead", dying, settings()) }
    let attempt = try #require(try await pending().first)
    let files = try await store.listAll(prefix: "exchange=").objects.filter { $0.path.contains(attempt.text) }
    #expect(files.count == 1)
    _ = try await write("a", RemoteStorage(store, tellsTime: tellsTime), settings(skew))
    #expect(try await pending() == [attempt])
    clock.advance(seconds: 121)
    _ = try await write("b", RemoteStorage(store, tellsTime: tellsTime), settings(skew))
    #expect(try await isTidy())
    #expect(
      try await store.listAll(prefix: "exchange=").objects.allSatisfy { !$0.path.contains(attempt.text) })
    #expect(try await store.listAll(prefix: ".hoodie/.temp/").objects.isEmpty)
    #expect(try await ids() == ["a", "b"])
  }

  @Test(arguments: ["writer ", "put .hoodie/tarn/head"])
  func oneThatIsRolledBackAliveBeginsAgainAndLosesNoRow(call: String) async throws {
    try await create()
    _ = try await write("first", RemoteStorage(store), settings())
    let (came, goesOn) = (Gate(), Gate())
    let slow = RemoteStorage(store) { (seen: String) async throws(StorageError) in
      guard seen.hasPrefix(call), !came.isOpen else { return }
      came.open()
      await goesOn.wait()
    }
    async let report = write("slow", slow, settings())
    await came.wait()
    let attempt = try #require(try await pending().first)
    clock.advance(seconds: 121)
    _ = try await write("fast", RemoteStorage(store), settings())
    #expect(try await pending().isEmpty)
    goesOn.open()
    let written = try await report
    #expect(try #require(written.instant) > attempt && written.inserted == 1)
    #expect(try await ids() == ["fast", "first", "slow"])
    #expect(try await isTidy())
  }

  @Test func aLongWriteRenewsIt() async throws {
    try await create()
    let (came, goesOn) = (Gate(), Gate())
    let lost = Mutex(0)
    let slow = RemoteStorage(store) { (call: String) async throws(StorageError) in
      if call.hasPrefix("put .hoodie/.heartbeat/"), came.isOpen {
        // Now and then the answer is lost, though it was renewed.
        let number = lost.withLock { lost in
          lost += 1
          return lost
        }
        if number % 3 == 2 {
          let path = String(call.dropFirst(4))
          let bytes = try await store.readAll(path)
          try await store.put(bytes, at: path, if: .always)
          throw StorageError(.unknown, path: path, "no answer")
        }
      }
      guard call.hasPrefix("writer "), !came.isOpen else { return }
      came.open()
      await goesOn.wait()
    }
    async let report = write("slow", slow, settings(heartbeat: .milliseconds(2)))
    await came.wait()
    for round in 0..<8 {
      clock.advance(seconds: 60)
      while try await beats().first?.modified != clock.now() { try await Task.sleep(for: .milliseconds(2)) }
      if round % 4 == 3 { _ = try await write("fast\(round)", RemoteStorage(store), settings()) }
    }
    #expect(try await pending().count == 1)
    goesOn.open()
    _ = try await report
    #expect(try await ids() == ["fast3", "fast7", "slow"])
    #expect(try await beats().isEmpty)
  }

  @Test func instantsFollowTheStoragesClock() async throws {
    try await create()
    let first = try #require(try await write("a", RemoteStorage(store), settings(5 * Self.hour)).instant)
    #expect(first == Instant(microseconds: clock.now()))
    clock.advance(seconds: 10)
    let second = try #require(try await write("b", RemoteStorage(store), settings(-5 * Self.hour)).instant)
    #expect(second == Instant(microseconds: clock.now()))
    // One that does not tell is no worse than a disk.
    let third = try #require(
      try await write("c", RemoteStorage(store, tellsTime: false), settings(-5 * Self.hour)).instant)
    #expect(third == second.next)
  }

  @Test func signsOfAttemptsThatNeverBeganGo() async throws {
    try await create()
    let isDead = Gate()
    let dying = RemoteStorage(store) { (call: String) async throws(StorageError) in
      if call.hasSuffix(".commit.requested") { isDead.open() }
      if isDead.isOpen { throw StorageError(.failed, path: "", "the process is dead") }
    }
    await #expect(throws: TableError.self) { try await write("dead", dying, settings()) }
    #expect(try await beats().count == 1)
    clock.advance(seconds: 121)
    let rollback = try await Table.open(at: .storage(RemoteStorage(store), name: "t"), settings: settings())
    _ = try await rollback.rollBackDeadAttempts()
    _ = try await write("a", RemoteStorage(store), settings())
    #expect(try await ids() == ["a"])
  }
}
