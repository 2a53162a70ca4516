import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Hudi's storage-based lock, beside a writer of Hudi 1.2 that takes it as that does.
@Suite struct HudiLockTests {
  /// Who of Hudi's writers is where only one may be.
  private final class Inside: Sendable {
    private let state = Mutex<Set<String>>([])

    var owners: Set<String> { state.withLock { $0 } }

    func enter(_ owner: String) -> Bool {
      state.withLock { state in
        state.insert(owner)
        return state.count == 1
      }
    }

    func leave(_ owner: String) { state.withLock { _ = $0.remove(owner) } }
  }

  /// A writer of Hudi's, as far as its lock goes.
  private actor HudiClient {
    let owner: String
    private let storage: any Storage
    private let clock: StillClock
    private var tag: ObjectTag?

    init(_ owner: String, _ storage: any Storage, _ clock: StillClock) {
      self.owner = owner
      self.storage = storage
      self.clock = clock
    }

    private func put(_ isReleased: Bool, _ condition: PutCondition) async -> Bool {
      let end = clock.now() / 1_000 + 300_000
      let text = #"{"expired":\#(isReleased),"validUntil":\#(end),"owner":"\#(owner)","more":1}"#
      tag = try? await storage.put(Array(text.utf8), at: ".hoodie/.locks/table_lock.json", if: condition)
      return tag != nil
    }

    /// Tries to take it.
    func take() async -> Bool {
      guard let found = try? await storage.get(".hoodie/.locks/table_lock.json", limit: 1_000) else {
        return await put(false, .ifAbsent)
      }
      guard let file = HudiLockFile(parsing: found.bytes),
        file.isReleased || clock.now() / 1_000 > file.end + 500
      else { return false }
      return await put(false, .ifMatches(found.tag))
    }

    func renew() async -> Bool {
      guard let tag else { return false }
      return await put(false, .ifMatches(tag))
    }

    func release() async {
      guard let tag else { return }
      _ = await put(true, .ifMatches(tag))
    }
  }

  private let clock = StillClock()
  private let store: InMemoryStorage

  init() {
    let clock = clock
    store = InMemoryStorage(clock: { clock.now() })
  }

  private func settings(_ change: (inout TableSettings) -> Void = { _ in }) -> TableSettings {
    var settings = TableSettings()
    settings.now = { [clock] in clock.now() }
    settings.lockPatience = .milliseconds(50)
    settings.retries = 100
    change(&settings)
    return settings
  }

  private func create() async throws {
    _ = try await Table.create(
      at: .storage(RemoteStorage(store), name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: settings())
  }

  /// Makes a table beside which a writer of Hudi's has held its lock and let it go.
  private func createBesideHudi() async throws -> HudiClient {
    try await create()
    let client = HudiClient("hudi-1", store, clock)
    #expect(await client.take())
    await client.release()
    return client
  }

  private func write(
    _ id: String, _ storage: any Storage, _ settings: TableSettings? = nil
  ) async throws -> CommitReport {
    let table = try await Table.open(
      at: .storage(storage, name: "t"), settings: settings ?? self.settings())
    return try await table.upsert(try Trade.batch([Trade(id, 1, "OKX")]))
  }

  private func file() async throws -> HudiLockFile? {
    try await store.exists(HudiLockFile.path)
      ? HudiLockFile(parsing: try await store.readAll(HudiLockFile.path)) : nil
  }

  private func ids() async throws -> [String] {
    let table = try await Table.open(at: .storage(RemoteStorage(store), name: "t"))
    #expect(try await table.check().isEmpty)
    var ids: [String] = []
    for try await batch in try await table.snapshot() { ids += Trade.rows(of: batch).map(\.id) }
    return ids.sorted()
  }

  /// A storage on which something happens once, before a call that begins so while the lock is held by Tarn.
  private func disturbed(
    _ call: String, _ happens: @escaping @Sendable () async -> Void
  ) -> RemoteStorage {
    let hasHappened = Mutex(false)
    return RemoteStorage(store) { (seen: String) async throws(StorageError) in
      guard seen.hasPrefix(call), !hasHappened.withLock({ $0 }), try await store.exists(HudiLockFile.path),
        let file = HudiLockFile(parsing: try await store.readAll(HudiLockFile.path)), !file.isReleased
      else { return }
      hasHappened.withLock { $0 = true }
      await happens()
    }
  }

  // MARK: - When it is taken

  @Test func itIsTakenWhereHudiUsesItAndNotElsewhere() async throws {
    try await create()
    _ = try await write("a", RemoteStorage(store))
    #expect(try await file() == nil)
    // Long ago somebody did.
    let old = HudiLockFile(end: clock.now() / 1_000 - 25 * 3_600_000, owner: "old")
    try await store.put(old.bytes, at: HudiLockFile.path, if: .always)
    _ = try await write("b", RemoteStorage(store))
    #expect(try await file() == old)
    // An hour ago.
    let recent = HudiLockFile(end: clock.now() / 1_000 - 3_600_000, owner: "recent")
    try await store.put(recent.bytes, at: HudiLockFile.path, if: .always)
    _ = try await write("c", RemoteStorage(store))
    let own = try #require(try await file())
    #expect(own.isReleased && own.owner.utf8.count == 36 && own.end == clock.now() / 1_000 + 300_000)
    // Each time with another name.
    _ = try await write("d", RemoteStorage(store))
    #expect(try await file()?.owner != own.owner)
    #expect(try await ids() == ["a", "b", "c", "d"])
  }

  @Test func itIsTakenWhereThePropertiesOrTheCallerSaySo() async throws {
    try await create()
    _ = try await write("a", RemoteStorage(store), settings { $0.lock = .hudiStorage })
    #expect(try await file()?.isReleased == true)
    try await store.delete(HudiLockFile.path)
    let properties = try await store.readAll(TablePaths.properties)
    let line = "hoodie.write.lock.provider=org.apache.hudi.client.transaction.lock.StorageBasedLockProvider\n"
    try await store.put(properties + Array(line.utf8), at: TablePaths.properties, if: .always)
    // On a disk Hudi's writers refuse it.
    _ = try await write("b", store)
    #expect(try await file() == nil)
    _ = try await write("c", RemoteStorage(store))
    #expect(try await file()?.isReleased == true)
    #expect(try await ids() == ["a", "b", "c"])
  }

  // MARK: - Who holds it

  @Test func whoHoldsItForLongIsNamedAndNothingIsWritten() async throws {
    let hudi = try await createBesideHudi()
    #expect(await hudi.take())
    let error = await #expect(throws: TableError.self) { try await write("a", RemoteStorage(store)) }
    #expect(error?.code == .locked && error?.message.contains("hudi-1") == true, "\(error?.message ?? "")")
    #expect(try await Timeline.load(from: store).entries.isEmpty)
    // It ends half a second later than it says.
    clock.advance(seconds: 300)
    await #expect(throws: TableError.self) { try await write("a", RemoteStorage(store)) }
    #expect(await hudi.renew())
    clock.advance(seconds: 301)
    _ = try await write("a", RemoteStorage(store))
    #expect(await hudi.renew() == false)
    #expect(try await ids() == ["a"])
  }

  @Test func itIsWaitedFor() async throws {
    let hudi = try await createBesideHudi()
    #expect(await hudi.take())
    async let report = write("a", RemoteStorage(store), settings { $0.lockPatience = .seconds(60) })
    try await Task.sleep(for: .milliseconds(100))
    #expect(try await Timeline.load(from: store).completedCommits.isEmpty)
    await hudi.release()
    #expect(try await report.inserted == 1)
  }

  @Test func nobodyDecidesWhileAnotherHoldsIt() async throws {
    _ = try await createBesideHudi()
    let inside = Inside()
    let violations = Collected()
    let storage = RemoteStorage(store) { (call: String) async throws(StorageError) in
      await Task.yield()
      guard call.hasPrefix("put .hoodie/tarn/head") || call.hasPrefix("move ") else { return }
      for owner in inside.owners { violations.add("\(call) while \(owner) held it") }
    }
    let done = Collected()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<2 {
        group.addTask {
          defer { done.add("") }
          for round in 0..<4 {
            _ = try await write("\(number)-\(round)", storage, settings { $0.lockPatience = .seconds(3_600) })
          }
        }
        group.addTask {
          let client = HudiClient("hudi-\(number)", store, clock)
          for _ in 0..<100 where done.all.count < 2 {
            guard await client.take() else {
              try await Task.sleep(for: .milliseconds(2))
              continue
            }
            if !inside.enter(client.owner) { violations.add("two of Hudi's held it") }
            try await Task.sleep(for: .milliseconds(3))
            _ = await client.renew()
            try await Task.sleep(for: .milliseconds(3))
            inside.leave(client.owner)
            await client.release()
            try await Task.sleep(for: .milliseconds(10))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(violations.all.isEmpty, "\(violations.all)")
    #expect(try await ids().count == 8)
  }

  // MARK: - When it is lost

  @Test func whoIsPausedForTooLongSendsNoSwap() async throws {
    _ = try await createBesideHudi()
    _ = try await write("a", RemoteStorage(store))
    let before = try await store.get(HeadStore.path, limit: 1 << 20).tag
    // A minute is left less a second.
    let slow = disturbed("list .hoodie/") { clock.advance(seconds: 241) }
    let error = await #expect(throws: TableError.self) { try await write("b", slow) }
    #expect(
      error?.code == .conflict && error?.message.contains("Hudi's lock") == true, "\(error?.message ?? "")")
    #expect(try await store.get(HeadStore.path, limit: 1 << 20).tag == before)
    #expect(try await Timeline.load(from: store).pending.isEmpty)
    #expect(try await file()?.isReleased == true)
    _ = try await write("c", slow)
    #expect(try await ids() == ["a", "c"])
  }

  @Test func whoLosesItBeforeTheSwapGivesUpAndLeavesItToTheOther() async throws {
    let hudi = try await createBesideHudi()
    let slow = disturbed("list .hoodie/") {
      clock.advance(seconds: 301)
      #expect(await hudi.take())
    }
    let error = await #expect(throws: TableError.self) { try await write("a", slow) }
    #expect(error?.code == .conflict)
    #expect(try await file()?.owner == "hudi-1")
    #expect(try await file()?.isReleased == false)
    await hudi.release()
    _ = try await write("b", slow)
    #expect(try await ids() == ["b"])
  }

  @Test func whatIsDecidedWhenItIsLostAppearsWithTheNextWrite() async throws {
    let hudi = try await createBesideHudi()
    let slow = disturbed("put .hoodie/tarn/head") {
      clock.advance(seconds: 301)
      #expect(await hudi.take())
    }
    let report = try await write("a", slow)
    #expect(report.warnings.map(\.code) == [.notYetVisible])
    #expect(try await Timeline.load(from: store).completedCommits.isEmpty)
    // Whoever moves it takes the lock as well.
    let error = await #expect(throws: TableError.self) { try await write("b", RemoteStorage(store)) }
    #expect(error?.code == .locked)
    #expect(try await Timeline.load(from: store).completedCommits.isEmpty)
    await hudi.release()
    _ = try await write("c", RemoteStorage(store))
    #expect(try await ids() == ["a", "c"])
  }

  @Test func itIsRenewedWhileACommitLasts() async throws {
    _ = try await createBesideHudi()
    let slow = disturbed("list .hoodie/") {
      for _ in 0..<5 {
        clock.advance(seconds: 200)
        while (try? await file())??.end != clock.now() / 1_000 + 300_000 {
          try? await Task.sleep(for: .milliseconds(1))
        }
      }
    }
    _ = try await write("a", slow, settings { $0.lockTerms.interval = .milliseconds(2) })
    #expect(try await file()?.isReleased == true)
    #expect(try await ids() == ["a"])
  }

  /// A renewal has arrived, and its answer is on its way, when the commit is at its end.
  @Test func aRenewalThatIsUnderWayIsWaitedForBeforeItIsLetGo() async throws {
    _ = try await createBesideHudi()
    let renewals = Mutex(0)
    let (isRenewed, isAnswered) = (Gate(), Gate())
    let slow = SlowAnswers(inner: store) { path in
      // The commit is not decided before the lock was renewed.
      if path.contains(".content.") { await isRenewed.wait() }
      guard path == HudiLockFile.path else { return }
      let number = renewals.withLock { count in
        count += 1
        return count
      }
      guard number == 2 else { return }
      isRenewed.open()
      await isAnswered.wait()
    }
    async let report = write(
      "a", slow,
      settings {
        $0.lock = .hudiStorage
        $0.lockTerms.interval = .milliseconds(1)
      })
    await isRenewed.wait()
    // The commit goes on meanwhile, up to its end.
    while try await Timeline.load(from: store).completedCommits.isEmpty {
      try await Task.sleep(for: .milliseconds(1))
    }
    try await Task.sleep(for: .milliseconds(20))
    isAnswered.open()
    #expect(try await report.inserted == 1)
    #expect(try await file()?.isReleased == true)
  }

  @Test func anAnswerThatIsLostLosesNoLock() async throws {
    _ = try await createBesideHudi()
    let lost = Mutex(false)
    let storage = RemoteStorage(store) { (call: String) async throws(StorageError) in
      guard call.hasPrefix("put .hoodie/.locks/"),
        lost.withLock({ lost in
          defer { lost = true }
          return !lost
        })
      else { return }
      throw StorageError(.unknown, path: HudiLockFile.path, "no answer")
    }
    _ = try await write("a", storage)
    #expect(try await ids() == ["a"])
    // Where it arrived, the file says whose it is.
    let answers = Mutex(0)
    let silent = HookStorage(inner: store, before: { _ in }) { (path: String) throws(StorageError) in
      guard path == HudiLockFile.path,
        answers.withLock({ answers in
          answers += 1
          return answers == 1
        })
      else { return }
      throw StorageError(.unknown, path: path, "no answer")
    }
    _ = try await write("b", silent, settings { $0.lock = .hudiStorage })
    #expect(try await ids() == ["a", "b"])
    #expect(answers.withLock { $0 } >= 2)
    #expect(try await file()?.isReleased == true)
    let text = HudiLockFile(end: 1, owner: "x")
    #expect(HudiLockFile(parsing: text.bytes) == text)
    for broken in ["", "{}", #"{"expired":false,"owner":"a"}"#, #"{"expired":1,"validUntil":2,"owner":"a"}"#]
    {
      #expect(HudiLockFile(parsing: Array(broken.utf8)) == nil)
    }
    #expect(HudiLockFile(end: .max, owner: "x").isHeld(at: .max))
  }
}

/// A storage whose answers to puts a test holds back.
private struct SlowAnswers: Storage {
  let inner: InMemoryStorage
  let behindPut: @Sendable (String) async -> Void

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo { try await inner.info(of: path) }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await inner.get(path, limit: limit)
  }

  func read(_ path: String, range: Range<Int>, into buffer: inout ReadBuffer) async throws(StorageError) {
    try await inner.read(path, range: range, into: &buffer)
  }

  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    let tag = try await inner.put(bytes, at: path, if: condition)
    await behindPut(path)
    return tag
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try await inner.move(path, to: target)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await inner.writer(at: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] { await inner.delete(paths) }

  var costs: RequestCosts { inner.costs }

  func currentTime() -> Int64? { inner.currentTime() }
}
