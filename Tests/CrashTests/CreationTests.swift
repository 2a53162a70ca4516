import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Processes that create one table at once, one of which takes its creation back.
@Suite struct CreationTests {
  private func create(_ storage: any Storage) async throws -> Table {
    var settings = TableSettings()
    settings.lockPatience = .milliseconds(20)
    // One after the other: what fails cancels what is under way beside it, and the other process with it.
    settings.parallelism = 1
    settings.smallFilesAtOnce = 1
    return try await Table.create(
      at: .storage(storage, name: "t"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], settings: settings)
  }

  /// Opens the table, or creates it where there is none, and writes a row.
  private func write(_ storage: any Storage) async throws {
    let table: Table
    do {
      var settings = TableSettings()
      settings.lockPatience = .milliseconds(20)
      table = try await Table.open(at: .storage(storage, name: "t"), settings: settings)
    } catch {
      guard error.code == .noTable else { throw error }
      table = try await create(storage)
    }
    try await table.upsert(try Trade.batch([Trade("theirs", 1, "Kraken")]))
  }

  /// Creates a table, fails to write into it, and takes it back; another process comes in at one call.
  private func failToCreate(
    _ storage: any Storage, at moment: Int
  ) async throws -> (isReached: Bool, call: String, isGone: Bool, other: TableError?, hasWritten: Bool) {
    let state = Mutex((calls: 0, call: "", other: TableError?.none, hasWritten: false))
    var hooked = HookStorage(inner: storage) { call in
      let isDue = state.withLock { state in
        state.calls += 1
        if state.calls == moment { state.call = call }
        return state.calls == moment
      }
      guard isDue else { return }
      do {
        try await write(storage)
        state.withLock { $0.hasWritten = true }
      } catch { state.withLock { $0.other = error as? TableError } }
    }
    // The first partition is marked and the second is not, so that there is something to take back.
    hooked.afterPut = { (path: String) throws(StorageError) in
      if path.hasPrefix("exchange=OKX") { throw StorageError(.failed, path: path, "the disk is going") }
    }
    var isGone = false
    do {
      let table = try await create(hooked)
      let rows = try Trade.batch([Trade("mine", 1, "OKX"), Trade("more", 1, "FTX")])
      await #expect(throws: TableError.self) { try await table.upsert(rows) }
      isGone = await table.takeBackCreation()
    } catch let error as TableError { #expect(error.code == .tableExists) }
    return state.withLock { ($0.calls >= moment, $0.call, isGone, $0.other, $0.hasWritten) }
  }

  private func raceAtEachCall(_ make: (Int) -> any Storage) async throws {
    var (written, gone) = (0, 0)
    for moment in 1... {
      let storage = make(moment)
      let result = try await failToCreate(storage, at: moment)
      guard result.isReached else {
        #expect(result.isGone)
        #expect(try await storage.listAll(prefix: "").objects.isEmpty)
        break
      }
      let call = "call \(moment), \(result.call)"
      if result.isGone { gone += 1 }
      if result.hasWritten {
        written += 1
        // Whatever was answered with success is there to stay.
        let table = try await Table.open(at: .storage(storage, name: "t"))
        #expect(try await table.snapshot().count() == 1, "\(call)")
        #expect(!result.isGone, "\(call)")
      } else {
        #expect(result.other?.code == .conflict || result.other?.code == .noTable, "\(call)")
        // Where it is gone, the other may have created its own by now, and found it locked.
        if !result.isGone { #expect(try await storage.exists(TablePaths.properties), "\(call)") }
      }
      // And the place takes the next table or write.
      try await write(storage)
    }
    #expect(written >= 3 && gone > 0)
  }

  @Test func aTableThatAnotherProcessOpenedAtAnyCallIsNotTakenBack() async throws {
    try await raceAtEachCall { _ in InMemoryStorage() }
  }

  @Test func onTheDiskTooItIsNotTakenBack() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      try await raceAtEachCall { LocalStorage(root: "\(folder)/\($0)", synchronizes: false) }
    }
  }

  @Test func theLoserOfARaceTakesNothingBack() async throws {
    let storage = InMemoryStorage()
    try await write(storage)
    let before = try await storage.listAll(prefix: "").objects
    await #expect(throws: TableError.self) { _ = try await create(storage) }
    let opened = try await Table.open(at: .storage(storage, name: "t"))
    #expect(await !opened.takeBackCreation())
    #expect(try await storage.listAll(prefix: "").objects == before)
  }

  @Test func aTableThatChangedSinceOrHoldsAnythingIsNotTakenBack() async throws {
    for change in ["properties", "action", "file", "lock"] {
      let storage = InMemoryStorage()
      let table = try await create(storage)
      var lock: (any StorageLock)?
      switch change {
      case "properties":
        let bytes = try await storage.readAll(TablePaths.properties)
        try await storage.put(bytes + Array("a=b\n".utf8), at: TablePaths.properties, if: .always)
      case "action":
        try await storage.put([], at: ".hoodie/20260101000000000.commit.requested", if: .ifAbsent)
      case "file": try await storage.put([], at: ".hoodie/.temp/20260101000000000/MARKERS0", if: .ifAbsent)
      default: lock = try await storage.heldLock(TablePaths.writerLock, patience: .zero)
      }
      #expect(await !table.takeBackCreation(), "\(change)")
      #expect(try await storage.exists(TablePaths.properties), "\(change)")
      await lock?.release()
    }
  }

  /// Below a table's place may lie others, which have partitions of their own.
  @Test func whatBelongsToATableBelowStays() async throws {
    let storage = InMemoryStorage()
    let below = ["other/.hoodie/hoodie.properties", "other/exchange=OKX/.hoodie_partition_metadata"]
    for path in below { try await storage.put([1], at: path, if: .ifAbsent) }
    let table = try await create(storage)
    #expect(await table.takeBackCreation())
    #expect(try await storage.listAll(prefix: "").objects.map(\.path) == below)
  }

  @Test func aTableThatIsCreatedWhileItIsLookedForIsFoundAndNotCalledDamaged() async throws {
    let storage = InMemoryStorage()
    let hooked = HookStorage(inner: storage) { call in
      if call == "list .hoodie/" { _ = try? await create(storage) }
    }
    #expect(try await Table.open(at: .storage(hooked, name: "t")).properties.name == "t")
  }

  /// What a creation has made before its properties are there is no table, nor a damaged one.
  @Test func aPlaceWhereATableIsBeingCreatedHasNoTableYet() async throws {
    let storage = InMemoryStorage()
    try await storage.put([], at: ".hoodie/.temp/tarn-1", if: .ifAbsent)
    try await storage.put([], at: ".hoodie/.tarn.lock", if: .ifAbsent)
    let error = await #expect(throws: TableError.self) {
      _ = try await Table.open(at: .storage(storage, name: "t"))
    }
    #expect(error?.code == .noTable)
    try await storage.put([], at: ".hoodie/20260101000000000.commit", if: .ifAbsent)
    let damaged = await #expect(throws: TableError.self) {
      _ = try await Table.open(at: .storage(storage, name: "t"))
    }
    #expect(damaged?.code == .damaged)
  }
}
