import Tarn
import TarnTestSupport
import TarnTimeline
import Testing

/// Services on tables that Spark wrote and kept in order: their rows stay those that Spark read.
///
/// All of them have nested columns, so that no row of theirs is written yet.
@Suite struct SparkTableServiceTests {
  /// A copy of a table, and what Spark read of it.
  private struct Golden {
    let table: Table
    let folder: String

    /// Compares the rows with those that Spark read last, or as of a commit.
    func check(asOf instant: Instant? = nil, _ source: SourceLocation = #_sourceLocation) async throws {
      let snapshot = try await table.snapshot(asOf: instant)
      let columns = snapshot.schema.names
      let name = instant.map { "asof-\($0.text).jsonl" } ?? "snapshot.jsonl"
      let expected = try GoldenTableTests.expected(folder + "/" + name, snapshot, columns)
      #expect(try await GoldenTableTests.rows(snapshot, columns) == expected, sourceLocation: source)
    }
  }

  private static func inCopy(_ name: String, _ body: (Golden) async throws -> Void) async throws {
    let folder = try TestWorld.requireShared("spark-tables/v6/" + name)
    try await TestWorld.withTemporaryFolder { temporary in
      try TestWorld.copyTree(from: folder + "/table", to: temporary + "/table")
      let table = try await Table.open(at: .local(temporary + "/table", synchronizes: false))
      try await body(Golden(table: table, folder: folder))
    }
  }

  @Test(arguments: GoldenTableTests.tables) func servicesLeaveTheRowsAsTheyAre(name: String) async throws {
    try await Self.inCopy(name) { golden in
      let table = golden.table
      let latest = try #require(try await table.timeline().latest?.instant)
      try await table.savepoint(latest)
      try await golden.check()
      let plan = try await table.clean(keeping: .versions(1), isPlan: true)
      let cleaned = try await table.clean(keeping: .versions(1))
      #expect(cleaned.files == plan.files)
      try await golden.check()
      try await table.deleteSavepoint(latest)
      _ = try await table.archive()
      try await golden.check()
      for deed in [{ try await table.cluster(.columns(["id"])) }, { try await table.truncate() }]
        as [() async throws -> CommitReport]
      {
        let error = await #expect(throws: TableError.self) { try await deed() }
        #expect(error?.code == .unsupported && error?.message.contains("nested column") == true)
      }
      try await golden.check()
      #expect(try await table.check().filter { !$0.isNote } == [])
    }
  }

  /// The latest commit, which may be a replacement, is taken back: the rows are those that Spark read before it.
  @Test(arguments: ["cow-overwrite", "cow-delete-partition", "cow-clustering", "cow-plain", "cow-evolved"])
  func theLatestCommitIsTakenBack(name: String) async throws {
    try await Self.inCopy(name) { golden in
      let commits = try await golden.table.timeline().completedCommits
      let (target, latest) = try (#require(commits.dropLast().last), #require(commits.last))
      let report = try await golden.table.rollBackCompleted()
      #expect(report.target == target.instant && report.commits == [latest])
      let snapshot = try await golden.table.snapshot()
      let columns = snapshot.schema.names
      let path = golden.folder + "/asof-\(target.instant.text).jsonl"
      if let expected = try? GoldenTableTests.expected(path, snapshot, columns) {
        #expect(try await GoldenTableTests.rows(snapshot, columns) == expected)
      }
      #expect(try await golden.table.check().filter { !$0.isNote } == [])
    }
  }

  @Test func aTableGoesBackToSparksSavepoint() async throws {
    try await Self.inCopy("cow-savepoint") { golden in
      let timeline = try await golden.table.timeline()
      let held = try #require(timeline.entries.first { $0.action == .savepoint }?.instant)
      #expect(try await golden.table.restore(to: held).target == held)
      try await golden.check(asOf: held)
      #expect(try await golden.table.check().filter { !$0.isNote } == [])
    }
  }
}
