import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Restores, and rollbacks of completed commits: what they leave, what they say, and what they refuse.
@Suite struct RestoreTests {
  private func table(_ steps: Int = 6) async throws -> RecordedTable {
    var recorded = try await RecordedTable()
    try await recorded.write(0..<steps)
    return recorded
  }

  @Test(arguments: [0, 2, 5, 6])
  func theTableIsWhatItWasAndGoesOn(place: Int) async throws {
    var recorded = try await table()
    let all = recorded.commits.map(\.instant)
    let target = all[place]
    let before = try await recorded.contents()
    let plan = try await recorded.table.restore(to: target, isPlan: true)
    #expect(plan.instant == nil && plan.target == target)
    #expect(plan.commits.map(\.instant) == all[(place + 1)...].reversed())
    #expect(try await recorded.contents() == before)

    let report = try await recorded.table.restore(to: target)
    let instant = try #require(report.instant)
    #expect(report.takesBackTheSame(as: plan))
    let left = Set(try await recorded.storage.listAll(prefix: "exchange").objects.map(\.path))
    #expect(!report.files.isEmpty && left.isDisjoint(with: report.files))
    recorded.goBack(to: target)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
    let entry = try #require(try await recorded.table.timeline().entries.last)
    #expect(entry == TimelineEntry(instant, .restore, .completed))
    // What other engines read of it.
    let planned = try RestorePlan(avro: try await recorded.storage.readAll(entry.with(.requested).path))
    #expect(planned.instants.map(\.instant) == report.commits.map(\.instant.text))
    #expect(planned.savepoint == target.text)
    let done = try RestoreMetadata(avro: try await recorded.storage.readAll(entry.path))
    #expect(done.instants == planned.instants)
    #expect(done.rollbacks.pairs.map { Int($0.value[0].deletedCount) }.reduce(0, +) == report.files.count)

    try await recorded.write(10..<13)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
    // And back once more, to one that stood before, and to the one that is the latest then.
    _ = try await recorded.table.restore(to: all[0])
    recorded.goBack(to: all[0])
    #expect(try await recorded.objection(leavingNotes: false) == nil)
    let nothing = try await recorded.table.restore(to: all[0])
    #expect(nothing.instant == nil && nothing.commits == [] && nothing.files == [])
    try await recorded.write(20..<21)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
  }

  @Test func theLatestCommitsAreRolledBackOneByOne() async throws {
    var recorded = try await table(3)
    while let latest = recorded.latest {
      let count = recorded.commits.count
      let plan = try await recorded.table.rollBackCompleted(isPlan: true)
      let given = count % 2 == 0 ? latest : nil
      let report = try await recorded.table.rollBackCompleted(given)
      let entry = TimelineEntry(try #require(report.instant), .rollback, .completed)
      #expect(report.takesBackTheSame(as: plan) && report.commits.map(\.instant) == [latest])
      recorded.goBack(to: count > 1 ? recorded.commits[count - 2].instant : nil)
      #expect(report.target == recorded.latest)
      #expect(try await recorded.objection(leavingNotes: false) == nil)
      let done = try RollbackMetadata(avro: try await recorded.storage.readAll(entry.path))
      #expect(done.commits == [latest.text] && Int(done.deletedCount) == report.files.count)
      let planned = try RollbackPlan(avro: try await recorded.storage.readAll(entry.with(.requested).path))
      #expect(planned.instant == done.instants[0])
    }
    let error = await #expect(throws: TableError.self) { try await recorded.table.rollBackCompleted() }
    #expect(error?.code == .mismatch)
    try await recorded.write(5..<7)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
  }

  @Test func transactionsAreThoseOfWhatStandsAndFollowersBeginAgain() async throws {
    let recorded = try await table(1)
    let table = recorded.table
    func write(_ application: String, _ version: Int64) async throws -> CommitReport {
      let transaction = WriteTransaction(application: application, version: version)
      return try await table.writing(WriteOptions(transaction: transaction)).upsert(
        try Trade.batch([Trade("\(application)\(version)", 99, "OKX")]))
    }
    let first = try await write("one", 1)
    let other = try await write("other", 7)
    let second = try await write("one", 2)
    let third = try await write("late", 1)
    _ = try await table.restore(to: try #require(other.instant))
    for report in [first, other, second, third] {
      let error = await #expect(throws: TableError.self) {
        try await table.changes(since: report.position)
      }
      #expect(error?.code == .positionLost)
    }
    #expect(try await write("one", 1).instant == first.instant)
    #expect(try await write("other", 7).instant == other.instant)
    let again = try await write("one", 2)
    #expect(again.instant != second.instant && again.inserted == 1)
    #expect(again.position?.epoch != second.position?.epoch)
    #expect(try await write("late", 1).inserted == 1)
    let all = try await table.changes(since: nil)
    #expect(all.position?.epoch == again.position?.epoch)
    #expect(try await table.check() == [])
  }

  /// What a commit replaced is seen again.
  @Test func replacedFileGroupsComeBack() async throws {
    var recorded = try await table(2)
    let slices = try await recorded.table.snapshot().slices
    let first = try #require(recorded.latest)
    let instant = first.next
    var metadata = CommitMetadata(operation: .deletePartition)
    metadata.replaced = ["exchange=OKX": slices.filter { $0.partitionPath == "exchange=OKX" }.map(\.fileID)]
    for state in [ActionState.requested, .inflight, .completed] {
      try await recorded.storage.put(
        state == .completed ? metadata.bytes() : [],
        at: TimelineEntry(instant, .replacecommit, state).path, if: .ifAbsent)
    }
    let rows = try await RecordedTable.rows(of: recorded.table.snapshot())
    #expect(!rows.isEmpty && rows.allSatisfy { $0.exchange == "Kraken" })
    let report = try await recorded.table.rollBackCompleted(instant)
    #expect(report.commits == [TimelineEntry(instant, .replacecommit, .completed)] && report.files == [])
    #expect(try await recorded.objection(leavingNotes: false) == nil)
    try await recorded.write(3..<5)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
  }

  /// A file group that came later, was replaced and cleaned was none of the table's then.
  @Test func replacedFileGroupsThatBeganLaterAreNotMissed() async throws {
    var recorded = try await table(2)
    let held = try #require(recorded.latest)
    let rows = try await RecordedTable.rows(of: recorded.table.snapshot())
    try await recorded.table.savepoint(held)
    for number in 0..<2 {
      let trades = [Trade("new\(number)", 100, "Bitstamp", 1, "")]
      #expect(try await recorded.table.overwrite(try Trade.batch(trades)).instant != nil)
    }
    try await recorded.write(3..<6)
    #expect(try await !recorded.table.clean(keeping: .commits(1)).files.isEmpty)
    let table = recorded.table
    #expect(try await RecordedTable.rows(of: table.snapshot(asOf: held)) == rows)
    #expect(try await table.restore(to: held).instant != nil)
    #expect(try await RecordedTable.rows(of: table.snapshot()) == rows)
    #expect(try await table.check() == [])
  }

  /// Deletions that stay are remembered, also where a file of one that goes had taken theirs in, and others are not.
  @Test(arguments: [3, 12])
  func deletionsAreThoseOfWhatStands(more: Int) async throws {
    let recorded = try await table(1)
    let table = recorded.table
    func forget(_ id: String) async throws -> Instant {
      var (ids, times) = (ColumnBuilder(.string), ColumnBuilder(.int64))
      try ids.append(id)
      times.append(50 as Int64)
      let keys = try RecordBatch(
        schema: Schema([Field("id", .string), Field("time", .int64)]),
        columns: [ids.finish(), times.finish()])
      return try #require(try await table.delete(keys).instant)
    }
    _ = try await forget("before-0")
    let target = try await forget("before-1")
    for number in 0..<more { _ = try await forget("after-\(number)") }
    _ = try await table.restore(to: target)
    let names = try await recorded.storage.listAll(prefix: TablePaths.tombstones).objects.map(\.path)
    #expect(names.allSatisfy { path in path.contains(target.text) || !path.contains("_") }, "\(names)")
    #expect(try await table.check() == [])
    for (id, isKnown) in [("before-0", true), ("before-1", true), ("after-0", false), ("after-2", false)] {
      let report = try await table.upsert(try Trade.batch([Trade(id, 40, "OKX")]))
      #expect(report.stale == (isKnown ? 1 : 0) && report.inserted == (isKnown ? 0 : 1), "\(id)")
    }
  }

  /// A reader whose commit is taken back under it is told so.
  @Test(arguments: [false, true])
  func aReaderIsToldThatItsCommitWasTakenBack(isRollback: Bool) async throws {
    let recorded = try await table(3)
    let all = recorded.commits.map(\.instant)
    let snapshot = try await recorded.table.snapshot()
    let slices = try await snapshot.slices
    let path = try #require(slices.first { $0.instant == all.last }?.path)
    let isDone = Mutex(false)
    let hooked = HookStorage(inner: recorded.storage) { call in
      guard call.contains(path), !call.hasPrefix("list"), !isDone.withLock({ $0 }) else { return }
      isDone.withLock { $0 = true }
      _ =
        isRollback
        ? try? await recorded.table.rollBackCompleted() : try? await recorded.table.restore(to: all[0])
    }
    let reader = try await RecordedTable.open(hooked, 3)
    let error = await #expect(throws: TableError.self) {
      for try await _ in try await reader.snapshot() {}
    }
    #expect(error?.code == .conflict)
    #expect(error?.message.contains(isRollback ? "rollback" : "restore") == true, "\(error?.message ?? "")")
    #expect(error?.message.contains(try #require(all.last).text) == true)
  }

  // MARK: - What is refused

  /// Expects that nothing is done, and that it is said why.
  private func refused(
    _ code: TableError.Code, _ words: String..., in recorded: RecordedTable,
    sourceLocation: SourceLocation = #_sourceLocation, _ deed: (Table) async throws -> Void
  ) async throws {
    let before = try await recorded.contents()
    let error = await #expect(throws: TableError.self, sourceLocation: sourceLocation) {
      try await deed(recorded.table)
    }
    #expect(error?.code == code, "\(error?.message ?? "")", sourceLocation: sourceLocation)
    for word in words {
      #expect(
        error?.message.contains(word) == true, "\(error?.message ?? "") lacks \(word)",
        sourceLocation: sourceLocation)
    }
    #expect(try await recorded.contents() == before, sourceLocation: sourceLocation)
  }

  @Test func aCommitThatDoesNotStandIsNone() async throws {
    let recorded = try await table(2)
    let last = try #require(recorded.latest)
    for isPlan in [false, true] {
      try await refused(.mismatch, last.next.text, in: recorded) {
        try await $0.restore(to: last.next, isPlan: isPlan)
      }
      try await refused(.mismatch, "before the timeline", in: recorded) {
        try await $0.restore(to: Instant(microseconds: 0), isPlan: isPlan)
      }
      try await refused(.mismatch, in: recorded) {
        try await $0.rollBackCompleted(last.next, isPlan: isPlan)
      }
      try await refused(.conflict, "is not the latest", last.text, in: recorded) {
        try await $0.rollBackCompleted(recorded.commits[0].instant, isPlan: isPlan)
      }
    }
  }

  @Test func whatACleanRemovedIsNotComeBackTo() async throws {
    var recorded = try await table(6)
    let all = recorded.commits.map(\.instant)
    let clean = try #require(try await recorded.table.clean(keeping: .commits(2)).instant)
    try await refused(.cleaned, clean.text, "file group", "exchange=", in: recorded) {
      try await $0.restore(to: all[0])
    }
    try await refused(.cleaned, in: recorded) { try await $0.savepoint(all[0]) }
    // As far back as what the clean kept.
    _ = try await recorded.table.restore(to: all[all.count - 2])
    recorded.goBack(to: all[all.count - 2])
    #expect(try await RecordedTable.rows(of: recorded.table.snapshot()) == recorded.commits.last?.rows)
    #expect(try await recorded.table.check() == [])
  }

  @Test func aCommitWhoseForerunnersWereCleanedIsNotRolledBack() async throws {
    let recorded = try await table(6)
    let clean = try #require(try await recorded.table.clean(keeping: .versions(1)).instant)
    try await refused(.cleaned, clean.text, "version", in: recorded) { try await $0.rollBackCompleted() }
  }

  @Test func whatASavepointHoldsIsNotTakenBack() async throws {
    let recorded = try await table(3)
    let all = recorded.commits.map(\.instant)
    let held = try await recorded.table.savepoint(all[2], comments: "kept")
    #expect(!held.files.isEmpty)
    try await refused(.conflict, "savepoint \(all[2].text)", in: recorded) {
      try await $0.restore(to: all[1])
    }
    _ = try await recorded.table.restore(to: all[2])
    try await refused(.conflict, "savepoint \(all[2].text)", in: recorded) {
      try await $0.rollBackCompleted()
    }
    try await recorded.table.deleteSavepoint(all[2])
    _ = try await recorded.table.rollBackCompleted(all[2])
    #expect(try await RecordedTable.rows(of: recorded.table.snapshot()) == recorded.commits[1].rows)
    #expect(try await recorded.table.check() == [])
  }

  @Test func aSavepointWhoseFilesAreGoneOrThatCannotBeReadIsNotComeBackTo() async throws {
    let recorded = try await table(3)
    let all = recorded.commits.map(\.instant)
    let held = try await recorded.table.savepoint(all[1])
    let path = try #require(held.files.first)
    let bytes = try await recorded.storage.readAll(path)
    try await recorded.storage.delete(path)
    try await refused(.cleaned, in: recorded) { try await $0.restore(to: all[1]) }
    try await recorded.storage.put(bytes, at: path, if: .ifAbsent)
    let savepoint = TimelineEntry(all[1], .savepoint, .completed).path
    let whole = try await recorded.storage.readAll(savepoint)
    try await recorded.storage.put(Array(whole.dropLast(20)), at: savepoint, if: .always)
    try await refused(.damaged, savepoint, in: recorded) { try await $0.restore(to: all[1]) }
    try await recorded.storage.put(whole, at: savepoint, if: .always)
    #expect(try await recorded.table.restore(to: all[1]).instant != nil)
  }

  @Test(arguments: [
    "commit.requested", "replacecommit.requested", "restore.inflight", "rollback.requested",
  ])
  func whatAnotherEngineHasUnderWayIsLeftToIt(name: String) async throws {
    let recorded = try await table(2)
    let instant = try #require(recorded.latest).next
    try await recorded.storage.put([], at: ".hoodie/\(instant).\(name)", if: .ifAbsent)
    try await refused(.conflict, "\(instant).\(name)", in: recorded) {
      try await $0.restore(to: recorded.commits[0].instant)
    }
    try await refused(.conflict, "\(instant).\(name)", in: recorded) { try await $0.rollBackCompleted() }
    guard name.hasPrefix("restore") else { return }
    try await refused(.conflict, "\(instant).\(name)", in: recorded) { try await $0.savepoint() }
    try await refused(.conflict, "\(instant).\(name)", in: recorded) {
      try await $0.upsert(try Trade.batch([Trade("n", 99, "OKX")]))
    }
  }

  @Test func whatLiesBeforeTheTimelineIsNotComeBackTo() async throws {
    let recorded = try await table(4)
    let all = recorded.commits.map(\.instant)
    try await recorded.table.savepoint(all[0])
    // What follows the savepoint's commit was archived.
    let entries = all[1...3].map { try? ArchiveFixture.entry($0.text, "commit") }.compactMap(\.self)
    try await recorded.storage.put(
      ArchiveFixture.file([entries]), at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .ifAbsent)
    for instant in all[1...3] {
      let files = InstantFiles(instant)
      for entry in [files.requested, files.inflight, files.completed] {
        try await recorded.storage.delete(entry.path)
      }
    }
    try await refused(.unsupported, "archived", in: recorded) { try await $0.restore(to: all[0]) }
    try await refused(.mismatch, "archived", in: recorded) { try await $0.restore(to: all[1]) }
    // Nor is a table left without a commit before which the older files lie.
    try await refused(.unsupported, "archived", in: recorded) { try await $0.rollBackCompleted() }
    try await refused(.unsupported, "archived", in: recorded) { try await $0.savepoint(all[4]) }
  }

  /// The first commit of all, which a savepoint holds.
  @Test func theTableGoesBackToItsBeginning() async throws {
    var recorded = try await table(3)
    let first = recorded.commits[0].instant
    try await recorded.table.savepoint(first)
    #expect(try await recorded.table.restore(to: first).instant != nil)
    recorded.goBack(to: first)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
    try await recorded.write(5..<6)
    #expect(try await recorded.objection(leavingNotes: false) == nil)
  }
}

extension RestoreReport {
  /// Whether another says the same, but for the instant at which it is done.
  fileprivate func takesBackTheSame(as other: RestoreReport) -> Bool {
    target == other.target && commits == other.commits && files == other.files && bytes == other.bytes
  }
}
