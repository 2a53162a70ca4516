import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What follows a commit by itself: cleans and archives, where they are due.
@Suite struct AutomaticServiceTests {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("number", .int64),
  ])

  private static func rows(_ ids: [String], part: String = "a", _ number: Int64) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append(id) } },
      "part": Column(repeating: part, count: ids.count),
      "number": column(.int64) { for _ in ids { $0.append(number) } },
    ])
  }

  private static func create(
    _ storage: any Storage, _ change: (inout TarnOptions) -> Void = { _ in }
  ) async throws -> Table {
    var options = TableOptions()
    change(&options.tarn)
    let small = try await SmallTable(
      schema, partitionedBy: ["part"], options: options, storage: storage)
    return try await open(storage, small.table.settings)
  }

  private static func open(_ storage: any Storage, _ settings: TableSettings) async throws -> Table {
    var settings = settings
    settings.runsServices = true
    return try await Table.open(at: .storage(storage, name: "memory/small"), settings: settings)
  }

  private static func fill(_ table: Table, _ numbers: Range<Int64>) async throws -> [CommitReport] {
    var reports: [CommitReport] = []
    for number in numbers {
      reports.append(try await table.upsert(try rows(["k", "other-\(number)"], number)))
      #expect(reports.last?.warnings == [])
    }
    return reports
  }

  private static func versions(_ storage: any Storage) async throws -> Int {
    try await storage.listAll(prefix: "").objects.count { $0.path.hasSuffix(".parquet") }
  }

  private static func copy(of storage: any Storage) async throws -> InMemoryStorage {
    let copy = InMemoryStorage()
    for object in try await storage.listAll(prefix: "").objects {
      try await copy.put(try await storage.readAll(object.path), at: object.path, if: .ifAbsent)
    }
    return copy
  }

  @Test func aTableKeepsItselfInOrder() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage)
    var reports: [CommitReport] = []
    for number in 0..<36 {
      reports += try await Self.fill(table, Int64(number)..<Int64(number) + 1)
      #expect(try await table.timeline().entries.count <= 31)
      // Ten that are kept, one before them; and the one that came last was cleaned for.
      #expect(try await Self.versions(storage) <= 11)
    }
    #expect(reports.reduce(0) { $0 + $1.cleanedFiles } == 36 - 11)
    let archived = reports.reduce(0) { $0 + $1.archivedActions }
    #expect(archived > 20)
    let timeline = try await table.timeline()
    #expect(timeline.completedCommits.count >= 12 && timeline.pending.isEmpty)
    // A clean behind each commit from the eleventh on, the first of which only looked; and what is archived is neither lost nor
    // there twice.
    #expect(timeline.entries.count + archived == 36 + 26)
    #expect(try await table.snapshot().count() == 37)
    let kept = try #require(reports[26].instant)
    #expect(try await table.snapshot(asOf: kept).count() == 28)
    #expect(try await table.check() == [])
  }

  @Test(arguments: [false, true]) func whoWantsNoneHasNone(byTable: Bool) async throws {
    let storage = InMemoryStorage()
    var table = try await Self.create(storage) { options in
      guard byTable else { return }
      options.cleansAutomatically = false
      options.mostActions = nil
    }
    if !byTable {
      var settings = table.settings
      settings.runsServices = false
      table = try await Table.open(at: .storage(storage, name: "memory/small"), settings: settings)
    }
    _ = try await Self.fill(table, 0..<32)
    #expect(try await table.timeline().entries.count == 32)
    #expect(try await Self.versions(storage) == 32)
  }

  /// Behind a commit that leaves nothing to do nothing is asked of the storage.
  @Test func anOrdinaryCommitCostsNoCallMore() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage) { $0.mostActions = nil }
    for number in 0..<14 { try await table.upsert(try Self.rows(["k"], part: "p\(number)", 0)) }
    // Nothing was removed; it is written down that there was nothing, since all had to be looked at.
    #expect(try await table.timeline().entries.filter { $0.action == .clean }.count == 1)
    func calls(_ part: String, runsServices: Bool) async throws -> [String] {
      let recording = FaultStorage(wrapping: storage)
      var settings = table.settings
      settings.runsServices = runsServices
      let writer = try await Table.open(
        at: .storage(recording, name: "memory/small"), settings: settings)
      // What others committed before it reads once.
      for number in 0..<11 { try await writer.upsert(try Self.rows(["k"], part: "\(part)-\(number)", 0)) }
      let before = recording.callCount
      try await writer.upsert(try Self.rows(["k"], part: part, 0))
      // Partitions are as many as there are.
      return recording.calls.dropFirst(before).filter { !$0.hasPrefix("list part") }
    }
    let without = try await calls("without", runsServices: false)
    let with = try await calls("with", runsServices: true)
    #expect(with.count == without.count, "\(with) \(without)")
    #expect(try await Self.versions(storage) == 14 + 24)
  }

  @Test func aServiceThatFailsIsAWarningOfTheCommit() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage)
    let first = try await Self.fill(table, 0..<11)
    let instant = try #require(first[5].instant)
    try await storage.put([1, 2], at: ".hoodie/\(instant).savepoint", if: .ifAbsent)
    let told = Collected()
    var settings = table.settings
    settings.observer = EventHandler { event, _ in
      if case .serviceFailed(let service, let reason) = event.kind { told.add("\(service) \(reason)") }
    }
    let watched = try await Self.open(storage, settings)
    let report = try await watched.upsert(try Self.rows(["k"], 100))
    #expect(told.all.count == 1 && told.all.first?.hasPrefix("clean ") == true)
    #expect(report.updated == 1 && report.warnings.map(\.code) == [.serviceFailed])
    #expect(report.warnings.first?.message.contains("savepoint") == true)
    #expect(try await table.snapshot().count() == 12)
  }

  /// A commit behind which a clean and an archive are due is stopped at each of its calls in turn.
  @Test(arguments: [false, true])
  func servicesThatDieAtAnyCallAreBroughtToTheirEnd(completesFaultedCall: Bool) async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage)
    var settings = table.settings
    settings.runsServices = false
    let filler = try await Table.open(at: .storage(storage, name: "memory/small"), settings: settings)
    _ = try await Self.fill(filler, 0..<30)
    var isWhole = false
    for moment in stride(from: completesFaultedCall ? 1 : 3, to: 400, by: 4) {
      let copy = try await Self.copy(of: storage)
      let dying = FaultStorage(
        wrapping: copy, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      let writer = try? await Self.open(dying, table.settings)
      let report = try? await writer?.upsert(try Self.rows(["k", "other-30"], 30))
      let next = try await Self.open(copy, table.settings)
      _ = try await next.upsert(try Self.rows(["k", "other-30", "other-31"], 31))
      #expect(try await next.snapshot().count() == 33, "call \(moment)")
      let timeline = try await next.timeline()
      #expect(timeline.pending.isEmpty && timeline.completedCommits.count >= 12, "call \(moment)")
      #expect(try await next.check().filter { !$0.isNote } == [], "call \(moment)")
      if !dying.hasFailed {
        #expect(report?.archivedActions ?? 0 > 0 && report?.cleanedFiles ?? 0 > 0)
        isWhole = true
        break
      }
    }
    #expect(isWhole)
  }

  @Test func writersWhoAllFindServicesDueLoseNothing() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage)
    try await table.upsert(try Self.rows(["k"], 0))
    let warnings = try await withThrowingTaskGroup(of: [CommitWarning].self) { group in
      for writer in 0..<3 {
        let own = try await Self.open(storage, table.settings)
        group.addTask {
          var warnings: [CommitWarning] = []
          for number in 0..<12 {
            let ids = ["writer-\(writer)-\(number)"]
            warnings += try await own.upsert(try Self.rows(ids, part: "p\(writer)", 1)).warnings
          }
          return warnings
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(warnings == [])
    #expect(try await table.snapshot().count() == 37)
    #expect(try await table.timeline().entries.count <= 34)
    #expect(try await table.check() == [])
  }

  @Test func versionsAreCountedAgainOnlyWhereOneCame() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage) { $0.retention = .versions(2) }
    for part in ["a", "b", "c"] { try await table.upsert(try Self.rows(["k"], part: part, 0)) }
    for number in 1..<6 { try await table.upsert(try Self.rows(["k"], part: "b", Int64(number))) }
    #expect(try await Self.versions(storage) == 1 + 2 + 1)
    #expect(try await table.clean(isPlan: true).partitions <= 1)
  }

  /// A clean of another engine that died behind its plan.
  @Test func aCleanThatAnotherEngineLeftIsBroughtToItsEnd() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage) { $0.cleansAutomatically = false }
    let reports = try await Self.fill(table, 0..<6)
    let old = try #require(
      try await storage.listAll(prefix: "part=a/").objects.map(\.path).first {
        BaseFileName(path: $0)?.instant == reports[0].instant
      })
    let instant = try #require(reports[5].instant).next
    let plan = CleanPlan(
      earliest: nil, lastCompleted: "", policy: "KEEP_LATEST_COMMITS",
      files: ["part=a": [CleanPlan.File(path: "file:/elsewhere/" + old)]])
    try await storage.put(
      try plan.bytes(), at: ".hoodie/\(instant).clean.requested", if: .ifAbsent)
    let report = try await table.clean()
    #expect(report.finished == [instant])
    #expect(try await !storage.exists(old))
    let entry = try await table.timeline().entries.first { $0.instant == instant }
    #expect(entry?.state == .completed)
    #expect(try await table.check() == [])
    // One whose plan is damaged is told by its name, and nothing is removed.
    let broken = ".hoodie/\(instant.next).clean.requested"
    try await storage.put([1, 2, 3], at: broken, if: .ifAbsent)
    let error = await #expect(throws: TableError.self) { try await table.clean() }
    #expect(error?.code == .damaged && error?.path == broken)
  }

  @Test func optionsAreKeptWithTheTable() async throws {
    let storage = InMemoryStorage()
    let table = try await Self.create(storage) { options in
      options.cleansAutomatically = false
      options.keptCommits = 20
      options.mostActions = 90
    }
    let read = try TarnOptions(table.properties)
    #expect(!read.cleansAutomatically && read.keptCommits == 20 && read.mostActions == 90)
    let other = try await Self.create(InMemoryStorage()) { $0.mostActions = nil }
    #expect(try TarnOptions(other.properties).mostActions == nil)
    #expect(try TarnOptions(other.properties).cleansAutomatically)
  }
}
