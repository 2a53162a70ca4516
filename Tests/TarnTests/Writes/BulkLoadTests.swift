import Synchronization
import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite("The first load of a table, batch by batch")
struct BulkLoadTests {
  private static let schema = Schema([
    Field("id", .string), Field("place", .string), Field("note", .string),
  ])

  /// A source of batches, of which the last may be one that cannot be taken.
  private actor Batches {
    private var rest: ArraySlice<RecordBatch>

    init(_ batches: [RecordBatch]) { rest = batches[...] }

    func next() -> RecordBatch? { rest.popFirst() }
  }

  private static func batch(_ rows: Range<Int>, places: Int) throws -> RecordBatch {
    var columns = [ColumnBuilder(.string), ColumnBuilder(.string)]
    var notes = ByteStrings()
    try notes.append("one")
    try notes.append("two")
    for row in rows {
      try columns[0].append("key \(row)")
      try columns[1].append("place \(row % places)")
    }
    let note = try DictionaryStrings(indices: rows.map { UInt32($0 % 2) }, entries: .init(notes))
    return try RecordBatch(
      schema: schema,
      columns: columns.map { $0.finish() } + [try Column(type: .string, values: .dictionary(note))])
  }

  private static func table(in storage: any Storage = InMemoryStorage()) async throws -> SmallTable {
    try await SmallTable(schema, partitionedBy: ["place"], storage: storage)
  }

  @Test("What is the same in each batch is warned of once")
  func warnsOnce() async throws {
    let schema = Schema([Field("id", .string), Field("at", .timestamp(.milliseconds, .local))])
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("at", .timestamp(.microseconds, .instant))]), partitionedBy: [])
    let batches = Batches(
      try (0..<4).map { number in
        var (ids, times) = (ColumnBuilder(.string), ColumnBuilder(.timestamp(.milliseconds, .local)))
        try ids.append("key \(number)")
        times.append(Int64(number))
        return try RecordBatch(schema: schema, columns: [ids.finish(), times.finish()])
      })
    let report = try await small.table.insert(schema) { await batches.next() }
    #expect(report.inserted == 4)
    #expect(small.warnings.all.count == 1, "\(small.warnings.all)")
    #expect(small.warnings.all.first?.contains("UTC") == true)
  }

  @Test("All rows of all batches are stored once, in more partitions than are held open")
  func storesAllRows() async throws {
    let small = try await Self.table()
    let batches = Batches(
      try stride(from: 0, to: 9_000, by: 1_000).map { try Self.batch($0..<$0 + 1_000, places: 150) })
    let report = try await small.table.insert(Self.schema) { await batches.next() }
    #expect(report.inserted == 9_000)
    #expect(report.files == 150)
    let rows = try await small.rows()
    #expect(rows.count == 9_000)
    let keys = try await small.texts("id")
    #expect(keys == (0..<9_000).map { "key \($0)" }.sorted())
    #expect(
      try await small.texts("note")
        == keys.map { $0.last.flatMap { Int(String($0)) }.map { $0 % 2 == 0 ? "one" : "two" } })
    #expect(Set(try await small.texts("_hoodie_commit_seqno")).count == 9_000)
    // The keys are found again.
    let again = try await small.table.upsert(try Self.batch(100..<300, places: 150))
    #expect(again.inserted == 0)
    #expect(again.updated + again.duplicates == 200)
  }

  @Test("Under a budget that holds nothing, row groups and files end early, and no row is lost")
  func keepsToItsBudget() async throws {
    for places in [3, 150] {
      let first = places * 1_000_000
      let batches = Batches(
        try stride(from: first, to: first + 4_000, by: 1_000).map {
          try Self.batch($0..<$0 + 1_000, places: places)
        })
      let empty = try await Self.table()
      var settings = empty.table.settings
      settings.memory = 1
      let target = try await Table.open(at: empty.table.location, settings: settings)
      let report = try await target.insert(Self.schema) { await batches.next() }
      #expect(report.inserted == 4_000)
      #expect(try await empty.texts("id") == (first..<first + 4_000).map { "key \($0)" }.sorted())
      // Each batch has ended the row groups that it began, and with many partitions their files.
      let slices = try await target.snapshot().slices
      if places == 3 {
        for slice in slices {
          #expect(try await ParquetFile.open(empty.storage, path: slice.path).rowGroupCount == 4)
        }
      } else {
        #expect(slices.count > places)
      }
      let again = try await target.upsert(try Self.batch(first + 100..<first + 300, places: places))
      #expect(again.inserted == 0 && again.updated + again.duplicates == 200)
    }
  }

  @Test("Of a load that died, the next writer leaves all or nothing", arguments: [true, false])
  func deadLoadsAreRemoved(staysDown: Bool) async throws {
    func load(_ storage: any Storage, _ crash: Int?) async throws -> (inner: SmallTable, calls: Int) {
      let small = try await Self.table(in: storage)
      let faulty = FaultStorage(wrapping: storage, crashAtCall: crash, staysDown: staysDown)
      let batches = Batches(
        try stride(from: 0, to: 600, by: 200).map { try Self.batch($0..<$0 + 200, places: 5) })
      do {
        let table = try await Table.open(
          at: .storage(faulty, name: "memory/small"), settings: small.table.settings)
        try await table.insert(Self.schema) { await batches.next() }
      } catch { #expect(faulty.hasFailed) }
      return (small, faulty.callCount)
    }
    let calls = try await load(InMemoryStorage(), nil).calls
    for crash in stride(from: 1, through: calls, by: 3) {
      let storage = InMemoryStorage()
      let small = try await load(storage, crash).inner
      let before = try await small.rows().count
      #expect(before == 0 || before == 600)
      try await small.table.upsert(try Self.batch(1_000..<1_001, places: 5))
      #expect(try await small.rows().count == before + 1)
      let shown = Set(try await small.table.snapshot().slices.map(\.path))
      let stored = try await storage.listAll(prefix: "").objects.map(\.path).filter {
        $0.hasSuffix(".parquet")
      }
      #expect(before == 600 || Set(stored) == shown)
    }
  }

  @Test("A row that cannot be taken ends the load, and nothing is stored")
  func badRowStoresNothing() async throws {
    let small = try await Self.table()
    var bad = try Self.batch(1_000..<1_100, places: 3)
    bad.columns[0] = Column(nulls: 100, of: .string)
    let batches = Batches([try Self.batch(0..<1_000, places: 3), bad])
    let error = await #expect(throws: TableError.self) {
      try await small.table.insert(Self.schema) { await batches.next() }
    }
    #expect(error?.code == .badRow)
    #expect(error?.message.contains("row 1000 of the input") == true)
    #expect(try await small.contents().allSatisfy { !$0.contains(".parquet") && !$0.contains(".inflight") })
    #expect(try await small.rows().count == 0)
  }

  @Test("A load without rows makes no commit, and one into a table with rows adds to it")
  func emptyAndSecondLoad() async throws {
    let small = try await Self.table()
    let none = Batches([])
    #expect(try await small.table.insert(Self.schema) { await none.next() }.instant == nil)
    for first in [0, 500] {
      let batches = Batches([
        try Self.batch(first..<first + 200, places: 2), try Self.batch(first + 200..<first + 500, places: 2),
      ])
      #expect(try await small.table.insert(Self.schema) { await batches.next() }.inserted == 500)
    }
    #expect(try await small.texts("id") == (0..<1_000).map { "key \($0)" }.sorted())
  }

  // MARK: - Beside another writer

  /// Loads 600 rows in three batches, while another writer does something before the load's files are there.
  private static func load(
    beside happens: @escaping @Sendable (Table) async throws -> Void
  ) async throws -> (small: SmallTable, report: Result<CommitReport, any Error>, readings: Int) {
    let small = try await table()
    let hasHappened = Mutex(false)
    let hooked = HookStorage(inner: small.storage) { call in
      guard call.hasPrefix("finish "), call.hasSuffix(".parquet"),
        hasHappened.withLock({ happened in
          defer { happened = true }
          return !happened
        })
      else { return }
      do { try await happens(small.table) } catch { Issue.record(error) }
    }
    let readings = Mutex(0)
    let batches = Batches(
      try stride(from: 0, to: 600, by: 200).map { try batch($0..<$0 + 200, places: 3) })
    let target = try await Table.open(
      at: .storage(hooked, name: "memory/small"), settings: small.table.settings)
    let report: Result<CommitReport, any Error>
    do {
      report = .success(
        try await target.insert(schema) {
          readings.withLock { $0 += 1 }
          return await batches.next()
        })
    } catch { report = .failure(error) }
    #expect(hasHappened.withLock { $0 })
    return (small, report, readings.withLock { $0 })
  }

  @Test("A load whose partitions others write meanwhile keeps its files, and reads its source once")
  func upsertsBesideALoadCostItNothing() async throws {
    let (small, report, readings) = try await Self.load { table in
      for first in [1_000, 2_000] { try await table.upsert(try Self.batch(first..<first + 10, places: 3)) }
    }
    let own = try report.get()
    #expect(own.inserted == 600 && readings == 4)
    #expect(own.position?.sequence == 3)
    // It took its instant before the others theirs, and keeps it.
    let instants = try await small.table.timeline().completedCommits.map(\.instant)
    #expect(own.instant == instants[0] && instants.count == 3)
    #expect(try await small.rows().count == 620)
    #expect(try await small.table.check() == [])
    // What it loaded is found by its keys.
    #expect(try await small.table.upsert(try Self.batch(0..<600, places: 3)).inserted == 0)
  }

  @Test("A key that another writer inserts beside a load stands twice, since a load looks for none")
  func aLoadLooksForNoKeys() async throws {
    let (small, report, readings) = try await Self.load { table in
      try await table.upsert(try Self.batch(0..<10, places: 3))
    }
    #expect(try report.get().inserted == 600 && readings == 4)
    #expect(try await small.rows().count == 610)
    let findings = try await small.table.check()
    #expect(findings.count == 10 && findings.allSatisfy { $0.code == .duplicateKey }, "\(findings)")
    // An upsert that comes behind it finds its keys.
    #expect(try await small.table.upsert(try Self.batch(20..<30, places: 3)).inserted == 0)
  }

  @Test("A load beside which the columns change ends with a conflict, and leaves nothing")
  func aChangeOfColumnsEndsALoad() async throws {
    let (small, report, readings) = try await Self.load { table in
      var wider = try Self.batch(7_000..<7_001, places: 1)
      wider.schema.fields.append(Field("more", .string))
      wider.columns.append(Column(nulls: 1, of: .string))
      try await table.upsert(wider)
    }
    let error = #expect(throws: TableError.self) { try report.get() }
    #expect(error?.code == .conflict, "\(error?.message ?? "")")
    #expect(readings == 4)
    #expect(try await small.rows().count == 1)
    #expect(try await small.table.timeline().pending.isEmpty)
    #expect(try await small.table.check() == [])
  }
}
