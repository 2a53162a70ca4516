import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Savepoints, restores and rollbacks of commits that die at any of their calls, meet a writer, or meet one another.
@Suite struct RetractionCrashTests {
  @Test(arguments: RetractionTrial.Deed.allCases, [false, true])
  func theNextWriterBringsItToItsEnd(deed: RetractionTrial.Deed, completesFaultedCall: Bool) async throws {
    try await RetractionTrial(deed, everyCall: 6).dies(completesFaultedCall: completesFaultedCall)
  }

  @Test(arguments: [RetractionTrial.Deed.restore, .rollback])
  func aWriterBesideItBeginsAgain(deed: RetractionTrial.Deed) async throws {
    try await RetractionTrial(deed, everyCall: 6).meetsAWriter()
  }

  @Test(arguments: [false, true])
  func ofTwoRestoresBothAreDoneOrOneIsRefused(goesFurther: Bool) async throws {
    try await RetractionTrial(.restore, everyCall: 6).meetsAnother(goesFurther: goesFurther)
  }
}

/// The same at every call.
@Suite struct RetractionCrashHeavyTests {
  @Test(arguments: RetractionTrial.Deed.allCases, [false, true])
  func theNextWriterBringsItToItsEnd(deed: RetractionTrial.Deed, completesFaultedCall: Bool) async throws {
    try await RetractionTrial(deed, everyCall: 1).dies(completesFaultedCall: completesFaultedCall)
  }

  @Test(arguments: [RetractionTrial.Deed.restore, .rollback])
  func aWriterBesideItBeginsAgain(deed: RetractionTrial.Deed) async throws {
    try await RetractionTrial(deed, everyCall: 1).meetsAWriter()
  }

  @Test(arguments: [false, true])
  func ofTwoRestoresBothAreDoneOrOneIsRefused(goesFurther: Bool) async throws {
    try await RetractionTrial(.restore, everyCall: 1).meetsAnother(goesFurther: goesFurther)
  }
}

/// One deed, tried on copies of a table.
struct RetractionTrial: Sendable {
  /// What is done.
  enum Deed: String, CaseIterable, Sendable {
    case savepoint, deletion, restore, rollback
  }

  private let deed: Deed
  /// Which calls are tried: one of so many.
  private let everyCall: Int

  init(_ deed: Deed, everyCall: Int) {
    self.deed = deed
    self.everyCall = everyCall
  }

  /// The calls that are tried, by their numbers: others for each deed, and the first.
  private var moments: [Int] {
    let first = 1 + (Deed.allCases.firstIndex(of: deed) ?? 0) % everyCall
    return Array(stride(from: first, to: 400, by: everyCall))
  }

  private static func run(_ deed: Deed, on table: Table, _ target: Instant) async throws {
    switch deed {
    case .savepoint: try await table.savepoint(target)
    case .deletion: try await table.deleteSavepoint(target)
    case .restore: try await table.restore(to: target)
    case .rollback: try await table.rollBackCompleted()
    }
  }

  /// A table of some commits, and the commit that the deed is about.
  static func table(
    _ deed: Deed, _ storage: any Storage
  ) async throws -> (RecordedTable, target: Instant) {
    var recorded = try await RecordedTable(storage)
    try await recorded.upsert("a1", "b1")
    try await recorded.upsert("a1", "a2")
    try await recorded.upsert("b1", "a3")
    try await recorded.delete("a2")
    let target = recorded.commits[1].instant
    if deed == .deletion { try await recorded.table.savepoint(target) }
    return (recorded, target)
  }

  /// It is stopped at each of its calls in turn; what is read then is the table before or after it, and the next writer brings
  /// it to its end, or nothing was decided.
  func dies(completesFaultedCall: Bool) async throws {
    var (done, undone) = (0, 0)
    for moment in moments {
      let storage = InMemoryStorage()
      var (recorded, target) = try await Self.table(deed, storage)
      let dying = FaultStorage(
        wrapping: storage, crashAtCall: moment, completesFaultedCall: completesFaultedCall)
      do { try await Self.run(deed, on: try await RecordedTable.open(dying, 1), target) } catch {}
      let isDead = dying.hasFailed
      let call = "call \(moment), \(dying.calls.dropFirst(moment - 1).first ?? "none")"
      let other = try await RecordedTable.open(storage, 2)
      let seen = try await RecordedTable.rows(of: other.snapshot())
      var after = recorded
      switch deed {
      case .restore: after.goBack(to: target)
      case .rollback: after.goBack(to: recorded.commits[2].instant)
      case .savepoint, .deletion: break
      }
      let isDecided = try await Self.isDecided(deed, target, storage)
      #expect(seen == (isDecided ? after : recorded).commits.last?.rows, "\(call)")
      if isDecided { recorded = after }
      try await recorded.upsert("b9", through: other)
      try await recorded.upsert("a1", through: other)
      if let why = try await recorded.objection() { Issue.record("\(call): \(why)") }
      let savepoints = try await other.timeline().entries.filter { $0.action == .savepoint }
      let holds = deed == .savepoint ? isDecided : deed == .deletion ? !isDecided : false
      #expect(savepoints.map(\.state) == (holds ? [.completed] : []), "\(call)")
      let contents = try await storage.listAll(prefix: ".hoodie/").objects.filter {
        $0.path.contains(".content.")
      }
      #expect(contents.isEmpty, "\(call): \(contents.map(\.path))")
      if isDecided { done += 1 } else { undone += 1 }
      if !isDead { break }
    }
    #expect(done > 0 && undone > 0, "\(done) done, \(undone) not")
  }

  /// Whether the head has decided it, or it is done.
  private static func isDecided(_ deed: Deed, _ target: Instant, _ storage: any Storage) async throws -> Bool
  {
    let head = try Head(parsing: try await storage.readAll(HeadStore.path))
    let isNamed = head.named.contains { decision in
      switch (deed, decision.kind) {
      case (.savepoint, .savepoint), (.deletion, .savepointDeletion), (.restore, .restore),
        (.rollback, .commitRollback):
        true
      default: false
      }
    }
    return isNamed
  }

  /// A writer's commit beside it stands on what is left, or is taken back with the others: nothing is hidden, and nothing that
  /// was taken back comes again.
  func meetsAWriter() async throws {
    var (again, before) = (0, 0)
    for moment in moments {
      let storage = InMemoryStorage()
      let (original, target) = try await Self.table(deed, storage)
      var recorded = original
      let due = CallMoment(moment)
      let failure = Mutex<String?>(nil)
      let hooked = HookStorage(inner: storage) { _ in
        guard due.comes() else { return }
        do {
          let other = try await RecordedTable.open(storage, 3)
          if deed == .restore {
            try await other.restore(to: target)
          } else {
            try await other.rollBackCompleted()
          }
        } catch { failure.withLock { $0 = "\(error)" } }
      }
      let writer = try await RecordedTable.open(hooked, 2)
      var attempt = recorded
      var error: (any Error)?
      do { try await attempt.upsert("a1", "b1", "n1", through: writer) } catch let caught { error = caught }
      #expect(failure.withLock { $0 } == nil, "call \(moment)")
      let table = try await RecordedTable.open(storage, 4)
      let stands = try await table.timeline().contains(attempt.latest ?? target)
      let ended = !due.hasCome
      if ended {
        #expect(error == nil && stands)
        break
      }
      if let error = error as? TableError {
        // It stood already, and was taken back before its writer had looked.
        #expect(error.code == .conflict, "call \(moment): \(error)")
        before += 1
      }
      let wasLast = recorded.commits.last?.instant
      let isBack = try await !table.timeline().contains(try #require(wasLast))
      if deed == .restore || isBack {
        recorded.goBack(to: deed == .restore ? target : recorded.commits[2].instant)
      }
      if stands, error == nil {
        again += 1
        var expected = recorded
        let latest = try #require(attempt.latest)
        expected.note(latest, attempt.commits.last?.rows.filter { ["a1", "b1", "n1"].contains($0.id) } ?? [])
        recorded = expected
      }
      try await recorded.upsert("z", through: table)
      if let why = try await recorded.objection() { Issue.record("call \(moment): \(why)") }
    }
    #expect(again > 3, "\(again) began again, \(before) were taken back")
  }

  /// Two restores at once: the table ends as of one of the two, or, where one goes on to less, of that.
  func meetsAnother(goesFurther: Bool) async throws {
    for moment in moments {
      let storage = InMemoryStorage()
      var recorded = try await Self.table(.restore, storage).0
      let targets = goesFurther ? [1, 0] : [0, 1]
      let (first, second) = (
        recorded.commits[targets[0]].instant, recorded.commits[targets[1]].instant
      )
      let due = CallMoment(moment)
      let failure = Mutex<TableError?>(nil)
      let hooked = HookStorage(inner: storage) { _ in
        guard due.comes() else { return }
        do { try await RecordedTable.open(storage, 3).restore(to: second) } catch {
          failure.withLock { $0 = error as? TableError }
        }
      }
      var error: TableError?
      do { try await RecordedTable.open(hooked, 2).restore(to: first) } catch let caught as TableError {
        error = caught
      }
      // A commit that is gone already is not gone back to.
      for failed in [error, failure.withLock { $0 }].compactMap(\.self) {
        #expect(failed.code == .mismatch, "call \(moment): \(failed)")
      }
      if !due.hasCome { break }
      recorded.goBack(to: recorded.commits[0].instant)
      try await recorded.upsert("z", through: try await RecordedTable.open(storage, 4))
      if let why = try await recorded.objection() { Issue.record("call \(moment): \(why)") }
    }
  }

}

extension RetractionCrashTests {
  /// What another process decided is not carried out: its end is gone, or cut short.
  @Test func aRestoreWhoseContentIsGoneIsNamed() async throws {
    let storage = InMemoryStorage()
    let (recorded, target) = try await RetractionTrial.table(.restore, storage)
    let dying = FaultStorage(wrapping: storage)
    _ = try await RecordedTable.open(dying, 1).restore(to: target)
    let deletion = try #require(dying.calls.firstIndex { $0.hasPrefix("delete ") && $0.hasSuffix(".commit") })
    let other = InMemoryStorage()
    let (again, same) = try await RetractionTrial.table(.restore, other)
    #expect(same == target && again.latest == recorded.latest)
    _ = try? await RecordedTable.open(FaultStorage(wrapping: other, crashAtCall: deletion + 1), 1).restore(
      to: same)
    let head = try Head(parsing: try await other.readAll(HeadStore.path))
    let content = try #require(head.named.first?.contents.last)
    let bytes = try await other.readAll(content)
    for damaged in [nil, Array(bytes.dropLast(bytes.count / 2))] {
      if let damaged {
        try await other.put(damaged, at: content, if: .always)
      } else {
        try await other.delete(content)
      }
      let before = try await RecordedTable.contents(other)
      let error = await #expect(throws: TableError.self) {
        try await again.table.upsert(try Trade.batch([Trade("n", 99, "OKX")]))
      }
      #expect(error?.code == .damaged, "\(error?.message ?? "")")
      #expect(try await RecordedTable.contents(other) == before)
      #expect(try await again.table.check().contains { $0.path == content } == (damaged == nil))
    }
    try await other.put(bytes, at: content, if: .always)
    var back = again
    back.goBack(to: target)
    try await back.upsert("n")
    #expect(try await back.objection() == nil)
  }
}
