import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables that a writer must leave as they are, and clocks that are wrong.
@Suite struct AdverseTests {
  private func started() async throws -> (InMemoryStorage, Workload) {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    for step in 0..<3 { try await workload.take(step) }
    return (storage, workload)
  }

  // MARK: - A head of a later format

  @Test func aTableWithAHeadOfALaterFormatIsReadAndNotWritten() async throws {
    let (storage, workload) = try await started()
    let text = String(decoding: try await storage.readAll(HeadStore.path), as: UTF8.self)
    let later = text.replacing("\"format\":1", with: "\"format\":3")
    #expect(later != text)
    try await storage.put(Array(later.utf8), at: HeadStore.path, if: .always)
    let before = try await storage.listAll(prefix: "").objects
    let writes: [@Sendable () async throws -> Void] = [
      { try await workload.take(3) }, { try await workload.take(4) },
      { _ = try await workload.open().rollBackDeadAttempts() },
      { _ = try await workload.open().widen(["price": .decimal(precision: 12, scale: 2)]) },
    ]
    for write in writes {
      let error = await #expect(throws: TableError.self) { try await write() }
      #expect(error?.code == .unsupported)
      #expect(
        error?.message.contains("its format is 3") == true && error?.message.contains("later build") == true,
        "\(error?.message ?? "")")
      #expect(error?.path == HeadStore.path)
    }
    #expect(try await storage.listAll(prefix: "").objects == before)
    #expect(try await workload.rows() == Workload.rows(after: 3))
  }

  // MARK: - A folder that may only be read

  @Test func whereNothingMayBeWrittenTheTableStaysAsItWas() async throws {
    let (storage, workload) = try await started()
    let before = try await storage.listAll(prefix: "").objects
    for step in 3...4 {
      let barred = Workload(storage: ReadOnlyStorage(storage))
      let error = await #expect(throws: TableError.self) { try await barred.take(step) }
      #expect(error?.code == .permissionDenied, "\(error?.message ?? "")")
      let line = error?.description ?? ""
      #expect(!line.contains("\n") && line.contains(".hoodie/") && line.contains("may not"), "\(line)")
      #expect(try await barred.rows() == Workload.rows(after: 3))
    }
    #expect(try await storage.listAll(prefix: "").objects == before)
    // Data files alone may be barred too.
    let half = Workload(storage: ReadOnlyStorage(storage, below: "exchange="))
    let error = await #expect(throws: TableError.self) { try await half.take(3) }
    #expect(error?.code == .permissionDenied && error?.path?.hasPrefix("exchange=") == true)
    #expect(try await workload.objection(after: 3, leavesNothing: true) == nil)
  }

  // MARK: - Clocks

  private func table(_ storage: any Storage, _ clock: StillClock, _ warnings: Collected) async throws -> Table
  {
    var settings = TableSettings()
    settings.now = { clock.now() }
    settings.observer = EventHandler.warnings { warnings.add($0) }
    // What was is read.
    settings.runsServices = false
    return try await Table.open(at: .storage(storage, name: "crash/trades"), settings: settings)
  }

  private static let year: Int64 = 365 * 24 * 3_600

  @Test func aClockThatJumpsByYearsHidesNoRow() async throws {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    let (clock, warnings) = (StillClock(), Collected())
    let table = try await table(storage, clock, warnings)
    let second = try await self.table(storage, clock, warnings)
    var instants: [Instant] = []
    var ids: [String] = []
    for (number, years) in [0, 12, -30, 3, 40, -80, 55].enumerated() {
      clock.advance(seconds: Int64(years) * Self.year)
      for (writer, table) in [table, second].enumerated() {
        let id = "\(number)-\(writer)"
        ids.append(id)
        let report = try await table.upsert(
          try Trade.batch([Trade(id, 1, "OKX"), Trade("same", Int64(ids.count), "OKX")]))
        instants.append(try #require(report.instant))
      }
    }
    #expect(instants == instants.sorted() && Set(instants).count == instants.count)
    let rows = try await workload.rows()
    #expect(rows.map(\.id) == (ids + ["same"]).sorted())
    #expect(rows.last?.time == Int64(ids.count))
    // What was written as of each instant is what had been written then.
    for (index, instant) in instants.enumerated() {
      #expect(try await workload.rows(asOf: instant).count == index + 2)
    }
    #expect(warnings.all.contains { $0.contains("more than a day ahead") })
    #expect(try await table.check() == [])
    // A dead writer's attempt of another time goes as any other.
    clock.advance(seconds: 20 * Self.year)
    let dead = FaultStorage(wrapping: storage, crashAtCall: 12)
    _ = try? await self.table(dead, clock, warnings).upsert(try Trade.batch([Trade("dead", 1, "OKX")]))
    #expect(dead.hasFailed)
    clock.advance(seconds: -60 * Self.year)
    try await table.upsert(try Trade.batch([Trade("last", 1, "OKX")]))
    #expect(try await table.timeline().pending.isEmpty)
    #expect(try await table.check() == [])
  }
}

/// A storage in which a process may read and not write, below a prefix.
private struct ReadOnlyStorage: Storage, LifeSigns {
  private let inner: InMemoryStorage
  private let prefix: String

  init(_ inner: InMemoryStorage, below prefix: String = "") {
    self.inner = inner
    self.prefix = prefix
  }

  private func check(_ path: String) throws(StorageError) {
    guard path.hasPrefix(prefix) else { return }
    throw StorageError(.permissionDenied, path: path, "this process may not write here")
  }

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
    try check(path)
    return try await inner.put(bytes, at: path, if: condition)
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try check(target)
    try await inner.move(path, to: target)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try check(path)
    return try await inner.writer(at: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    var failures: [StorageError] = []
    for path in paths {
      do throws(StorageError) {
        // What is not there need not go.
        guard try await inner.exists(path) else { continue }
        try check(path)
        failures += await inner.delete([path])
      } catch { failures.append(error) }
    }
    return failures
  }

  var costs: RequestCosts { inner.costs }

  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try check(path)
    return try await inner.beginSign(bytes, at: path)
  }

  func isHeld(_ path: String) async throws(StorageError) -> Bool { try await inner.isHeld(path) }
}
