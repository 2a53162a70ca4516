import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Cleans that another engine planned and did not bring to their end: who holds or takes back commits does it first.
@Suite struct PendingCleanTests {
  /// A table with a clean that another engine left behind its plan, which names an old version of a file.
  private static func table() async throws -> (recorded: RecordedTable, clean: Instant, old: String) {
    var recorded = try await RecordedTable()
    try await recorded.write(0..<4)
    let first = try #require(recorded.commits.first?.instant)
    let old = try #require(
      try await recorded.storage.listAll(prefix: "exchange=OKX/").objects.map(\.path).first {
        BaseFileName(path: $0)?.instant == first
      })
    let clean = try #require(recorded.latest).next
    let plan = CleanPlan(
      earliest: nil, lastCompleted: "", policy: "KEEP_LATEST_COMMITS",
      files: ["exchange=OKX": [CleanPlan.File(path: "file:/elsewhere/" + old)]])
    try await recorded.storage.put(
      try plan.bytes(), at: ".hoodie/\(clean).clean.requested", if: .ifAbsent)
    return (recorded, clean, old)
  }

  private static func state(of clean: Instant, _ table: Table) async throws -> ActionState? {
    try await table.timeline().entries.first { $0.instant == clean }?.state
  }

  @Test func aSavepointBringsItToItsEndFirst() async throws {
    let (recorded, clean, old) = try await Self.table()
    let plan = try await recorded.table.savepoint(isPlan: true)
    #expect(plan.finished == [clean])
    #expect(try await recorded.storage.exists(old))
    let report = try await recorded.table.savepoint()
    #expect(report.finished == [clean] && report.instant == recorded.latest)
    #expect(try await !recorded.storage.exists(old))
    #expect(try await Self.state(of: clean, recorded.table) == .completed)
    #expect(try await recorded.table.check() == [])
  }

  @Test(arguments: [false, true]) func aRestoreBringsItToItsEndFirst(isRollback: Bool) async throws {
    let (recorded, clean, old) = try await Self.table()
    let target = try #require(recorded.commits.dropLast().last)
    let before = try await recorded.contents()
    let plan =
      isRollback
      ? try await recorded.table.rollBackCompleted(isPlan: true)
      : try await recorded.table.restore(to: target.instant, isPlan: true)
    #expect(plan.finished == [clean] && plan.commits.count == 1)
    #expect(try await recorded.contents() == before)
    let report =
      isRollback
      ? try await recorded.table.rollBackCompleted()
      : try await recorded.table.restore(to: target.instant)
    #expect(report.finished == [clean] && report.instant != nil)
    #expect(try await !recorded.storage.exists(old))
    #expect(try await Self.state(of: clean, recorded.table) == .completed)
    #expect(try await RecordedTable.rows(of: recorded.table.snapshot()) == target.rows)
    #expect(try await recorded.table.check() == [])
  }

  /// What the clean removes was the table's as of the target.
  @Test func aRestoreBehindTheCleanIsRefused() async throws {
    let (recorded, clean, _) = try await Self.table()
    let first = try #require(recorded.commits.first?.instant)
    let before = try await recorded.contents()
    for isPlan in [true, false] {
      let error = await #expect(throws: TableError.self) {
        try await recorded.table.restore(to: first, isPlan: isPlan)
      }
      #expect(error?.code == .cleaned && error?.message.contains(clean.text) == true)
    }
    // The clean is not done for what cannot be done.
    #expect(try await recorded.contents() == before)
    #expect(try await RecordedTable.rows(of: recorded.table.snapshot()) == recorded.commits.last?.rows)
  }

  @Test func whatItRemovesIsNeitherHeldNorKept() async throws {
    let (recorded, clean, _) = try await Self.table()
    let first = try #require(recorded.commits.first?.instant)
    let before = try await recorded.contents()
    let ofSavepoint = await #expect(throws: TableError.self) { try await recorded.table.savepoint(first) }
    let ofReader = await #expect(throws: TableError.self) {
      try await recorded.table.retain(from: first, for: "report")
    }
    for error in [ofSavepoint, ofReader] {
      #expect(error?.code == .cleaned && error?.message.contains(clean.text) == true)
    }
    #expect(try await recorded.contents() == before)
  }

  @Test func whatCannotBeDoneLeavesItUndone() async throws {
    let (recorded, _, _) = try await Self.table()
    let nobodys = try #require(Instant("19990101000000000"))
    let before = try await recorded.contents()
    let ofSavepoint = await #expect(throws: TableError.self) { try await recorded.table.savepoint(nobodys) }
    let ofRestore = await #expect(throws: TableError.self) { try await recorded.table.restore(to: nobodys) }
    #expect(ofSavepoint?.code == .mismatch && ofRestore?.code == .mismatch)
    #expect(try await recorded.contents() == before)
  }

  @Test func onesPlanThatIsDamagedIsNamedAndNothingIsDone() async throws {
    let (recorded, clean, _) = try await Self.table()
    let path = ".hoodie/\(clean).clean.requested"
    try await recorded.storage.put([1, 2, 3], at: path, if: .always)
    let target = try #require(recorded.commits.dropLast().last?.instant)
    let before = try await recorded.contents()
    let ofSavepoint = await #expect(throws: TableError.self) { try await recorded.table.savepoint() }
    #expect(ofSavepoint?.code == .damaged && ofSavepoint?.path == path)
    let ofRestore = await #expect(throws: TableError.self) { try await recorded.table.restore(to: target) }
    #expect(ofRestore?.code == .damaged && ofRestore?.path == path)
    #expect(try await recorded.contents() == before)
  }

  /// A rollback that died has removed the request; the file of the clean under way holds the plan too, or nothing.
  @Test(arguments: [true, false]) func oneWithoutItsRequestGoesByTheFileUnderWay(holdsPlan: Bool) async throws
  {
    let (recorded, clean, old) = try await Self.table()
    let (requested, inflight) = (".hoodie/\(clean).clean.requested", ".hoodie/\(clean).clean.inflight")
    let plan = try await recorded.storage.readAll(requested)
    try await recorded.storage.put(holdsPlan ? plan : [], at: inflight, if: .ifAbsent)
    try await recorded.storage.delete(requested)
    guard holdsPlan else {
      let before = try await recorded.contents()
      let error = await #expect(throws: TableError.self) { try await recorded.table.savepoint() }
      #expect(error?.code == .damaged && error?.path == inflight)
      #expect(try await recorded.contents() == before)
      return
    }
    let report = try await recorded.table.clean(keeping: .commits(10))
    #expect(report.finished == [clean])
    #expect(try await !recorded.storage.exists(old))
    #expect(try await Self.state(of: clean, recorded.table) == .completed)
    #expect(try await recorded.table.check() == [])
  }

  @Test func theDryRunOfACleanShowsWhatItRemovesFirst() async throws {
    let (recorded, clean, old) = try await Self.table()
    let before = try await recorded.contents()
    let plan = try await recorded.table.clean(keeping: .commits(1), isPlan: true)
    #expect(plan.finished == [clean] && plan.files.first == old)
    #expect(Set(plan.files).count == plan.files.count)
    #expect(try await recorded.contents() == before)
    let report = try await recorded.table.clean(keeping: .commits(1))
    #expect(report.finished == [clean] && Set(report.files + [old]) == Set(plan.files))
    #expect(report.bytes == plan.bytes)
  }
}
