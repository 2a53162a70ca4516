import Foundation
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Archives that Spark makes, and plans and metadata of Tarn's that Spark carries out and reads.
@Suite(.serialized) struct ServiceForeignTests {
  private static let archiving = [
    "hoodie.clean.automatic": "true", "hoodie.clean.async": "false", "hoodie.clean.commits.retained": "1",
    "hoodie.cleaner.commits.retained": "1", "hoodie.keep.min.commits": "2", "hoodie.keep.max.commits": "3",
    "hoodie.archive.automatic": "true",
  ]

  private func upsert(
    _ spark: Spark, _ path: String, _ folder: String, _ batch: RecordBatch? = nil, round: Int,
    _ more: [String: String]
  ) async throws {
    try await TableForeignTests.write(
      spark, path, folder, try batch ?? TableForeignTests.batch(round), "upsert", more)
  }

  /// What an archive keeps of a commit.
  private func archived(_ metadata: CommitMetadata) -> CommitMetadata {
    var kept = metadata
    kept.isCompacted = false
    for (partition, files) in metadata.partitions.pairs {
      kept.partitions[partition] = files.map { file in
        var file = file
        (file.runtime, file.changeLogs, file.temporaryPath) = (nil, nil, nil)
        (file.logs.filesCompacted, file.logs.sizeCompacted) = (0, 0)
        return file
      }
    }
    return kept
  }

  @Test(arguments: Spark.versions(else: .hudi120))
  func archivedCommitsSayWhatTheySaidOnTheTimeline(spark: Spark) async throws {
    try spark.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      try await table.upsert(try WideRows.batch(10))
      let storage = LocalStorage(root: path, synchronizes: false)
      var known: [Instant: CommitMetadata] = [:]
      for round in 0..<8 {
        for entry in try await table.timeline().completedCommits where known[entry.instant] == nil {
          known[entry.instant] = try await CommitLog(storage).metadata(of: entry)
        }
        try await upsert(spark, path, folder, round: round, Self.archiving)
      }
      let timeline = try await table.timeline()
      let archive = try await ArchivedTimeline.load(from: storage)
      var found = 0
      for (instant, metadata) in known where !timeline.contains(instant) {
        let entry = try #require(try await archive.commit(instant), "\(instant)")
        let read = try #require(try entry.metadata())
        let (left, right) = (archived(read), archived(metadata))
        #expect(left.extra.pairs.map(\.key).sorted() == right.extra.pairs.map(\.key).sorted())
        for key in right.extra.keys { #expect(left.extra[key] == right.extra[key], "\(key)") }
        #expect(left.operation == right.operation && left.replaced == right.replaced)
        #expect(left.partitions.keys.sorted() == right.partitions.keys.sorted())
        for partition in right.partitions.keys {
          #expect(left.partitions[partition] == right.partitions[partition], "\(instant) \(partition)")
        }
        #expect(try await archive.entries(of: instant).count == 3)
        found += 1
      }
      #expect(found > 3)
      // Tarn's first commit is one of them.
      let first = try #require(known.keys.min())
      #expect(try await archive.commit(first) != nil)
    }
  }

  /// A rollback that Tarn planned and did not live to carry out; rollbacks that it completed, a savepoint, and a clean
  /// that it planned: Spark reads each of them, and acts by them.
  @Test(arguments: Spark.versions(else: .hudi015))
  func sparkCarriesOutPlansOfTarn(spark: Spark) async throws {
    try spark.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      let first = try #require(try await table.upsert(try WideRows.batch(10)).instant)
      let storage = LocalStorage(root: path, synchronizes: false)
      let timeline = TablePaths.folder
      func put(_ bytes: [UInt8], _ name: String) async throws {
        try await storage.put(bytes, at: name, if: .ifAbsent)
      }
      let committed = try await CommitLog(storage).metadata(
        of: TimelineEntry(first, .commit, .completed))
      let saved = OrderedMap(
        committed.partitions.pairs.map { partition, files in
          (partition, files.compactMap { $0.path?.split(separator: "/").last.map(String.init) })
        })
      try await put([], timeline + "\(first).savepoint.inflight")
      try await put(
        try SavepointMetadata(user: "tarn", time: 1, comments: "kept", files: saved).bytes(),
        timeline + "\(first).savepoint")

      // An attempt that died, with a file of which no marker tells.
      let dead = first.next
      let file = "part=alpha/11111111-2222-3333-4444-555555555555-0_0-0-0_\(dead).parquet"
      try await put([1, 2, 3], file)
      try await put([], timeline + "\(dead).commit.requested")
      try await put(Array("{}".utf8), timeline + "\(dead).inflight")
      let info = InstantInfo(instant: dead.text, action: "commit")
      let planned = dead.next
      try await put(
        try RollbackPlan(
          instant: info, requests: [.init(partitionPath: "part=alpha", deleting: [path + "/" + file])]
        ).bytes(), timeline + "\(planned).rollback.requested")

      // Enough completed rollbacks for the archive to take some.
      var instant = planned
      var rollbacks: [Instant] = []
      for _ in 0..<5 {
        let gone = InstantInfo(instant: instant.next.text, action: "commit")
        instant = instant.next.next
        rollbacks.append(instant)
        try await put(
          try RollbackPlan(instant: gone, requests: []).bytes(), timeline + "\(instant).rollback.requested")
        try await put([], timeline + "\(instant).rollback.inflight")
        try await put(
          try RollbackMetadata(
            start: instant.text, duration: 1, deletedCount: 1, rolledBack: gone,
            partitions: ["part=alpha": .init(path: "part=alpha", deleted: ["a.parquet"])]
          ).bytes(), timeline + "\(instant).rollback")
      }

      // A clean that was planned, of a file that is none of the table's.
      let left = "part=alpha/left.txt"
      try await put([1], left)
      let cleaning = instant.next
      try await put(
        try CleanPlan(
          earliest: .init(instant: first.text, action: "commit", state: "COMPLETED"),
          lastCompleted: first.text,
          policy: "KEEP_LATEST_COMMITS", files: ["part=alpha": [.init(path: "file:\(path)/\(left)")]]
        ).bytes(), timeline + "\(cleaning).clean.requested")

      for round in 0..<5 { try await upsert(spark, path, folder, round: round, Self.archiving) }

      #expect(try await !storage.exists(file))
      #expect(try await !storage.exists(timeline + "\(dead).inflight"))
      let archive = try await ArchivedTimeline.load(from: storage)
      // The rollback, if it is still there, says what was removed.
      if try await storage.exists(timeline + "\(planned).rollback") {
        let done = try RollbackMetadata(avro: try await storage.readAll(timeline + "\(planned).rollback"))
        #expect(done.instants == [info] && done.deletedCount == 1)
        #expect(done.partitions["part=alpha"]?.deleted.first?.hasSuffix(file) == true)
      } else {
        #expect(try await archive.entries(of: planned).contains { $0.entry.state == .completed })
      }
      var archivedRollbacks = 0
      for instant in rollbacks {
        archivedRollbacks += try await archive.entries(of: instant).isEmpty ? 0 : 1
      }
      #expect(archivedRollbacks > 0)
      #expect(try await !storage.exists(left))
      for file in committed.files {
        let path = try #require(file.path)
        #expect(try await storage.exists(path), "a savepoint keeps \(path)")
      }
      let rows = try await TableForeignTests.rows(try await table.snapshot())
      #expect(try await spark.read(path, select: TableForeignTests.columns) == rows)
    }
  }

  /// Spark cleans and archives behind each of its own commits, and Tarn goes on: its rows are those of a table to which
  /// nobody did that, its checks find nothing, and a transaction of an archived commit is not done twice.
  @Test(arguments: Spark.versions(else: .hudi120))
  func tarnGoesOnWhileSparkCleansAndArchivesBetweenItsCommits(spark: Spark) async throws {
    try spark.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      let alone = try await TableForeignTests.create(folder + "/alone")
      func asked(_ round: Int) -> WriteOptions {
        WriteOptions(
          transaction: WriteTransaction(application: "trades", version: Int64(round)),
          metadata: ["round": "\(round)"])
      }
      var reports: [CommitReport] = []
      for round in 0..<6 {
        let ordering = Int64(2 * round + 1)
        let rows = try WideRows.batch(30, first: 7 * round, ordering: ordering, seed: UInt64(100 + round))
        reports.append(try await table.writing(asked(round)).upsert(rows))
        try await alone.upsert(rows)
        var gone = ColumnBuilder(.string)
        try gone.append("key-\(7 * round + 3)")
        let keys = try RecordBatch(schema: Schema([Field("id", .string)]), columns: [gone.finish()])
        for both in [table, alone] { try await both.delete(keys) }
        // By turns Tarn cleans as well, and Spark plans its own cleans by what that says.
        if round % 2 == 1 {
          #expect(try await !table.clean(keeping: .commits(1)).files.isEmpty, "round \(round)")
          let present = try await TableForeignTests.rows(try await table.snapshot())
          #expect(try await spark.read(path, select: TableForeignTests.columns) == present, "round \(round)")
          #expect(try await ForeignReader.hudi(table: path, select: TableForeignTests.columns) == present)
        }
        // Rows that Spark takes to be newer.
        let theirs = try WideRows.batch(
          20, first: 5 * round, ordering: ordering + 1, seed: UInt64(200 + round))
        try await upsert(spark, path, folder, theirs, round: round, Self.archiving)
        try await alone.upsert(theirs)

        let expected = try await TableForeignTests.rows(try await alone.snapshot())
        #expect(try await TableForeignTests.rows(try await table.snapshot()) == expected, "round \(round)")
        #expect(try await table.check() == [], "round \(round)")
      }
      let timeline = try await table.timeline()
      let first = try #require(reports[0].instant)
      #expect(!timeline.contains(first), "Spark archived nothing of Tarn's")
      let fresh = try await Table.open(at: .local(path))
      let again = try await fresh.writing(asked(5)).upsert(try WideRows.batch(30, ordering: 99))
      #expect(again.instant == reports[5].instant)
      let rows = try await TableForeignTests.rows(try await fresh.snapshot())
      #expect(try await spark.read(path, select: TableForeignTests.columns) == rows)
    }
  }
}

/// Savepoints, restores and rollbacks of commits that Tarn makes and Spark reads, and the other way round.
@Suite(.serialized) struct RestoreForeignTests {
  private func upsert(
    _ spark: Spark, _ path: String, _ folder: String, _ round: Int, _ more: [String: String] = [:]
  ) async throws {
    try await TableForeignTests.write(
      spark, path, folder, try TableForeignTests.batch(round), "upsert", more)
  }

  /// Runs a procedure of Spark's, which without this would build a metadata table, and upgrade the table.
  private func call(_ spark: Spark, _ procedure: String) async throws -> [[String?]] {
    let settings = [
      "hoodie.metadata.enable": "false", "hoodie.write.table.version": "6",
      "hoodie.write.auto.upgrade": "false",
    ]
    for (key, value) in settings { _ = try await spark.sql("set \(key)=\(value)") }
    let answer: Result<[[String?]], any Error>
    do { answer = .success(try await spark.sql("call \(procedure)")) } catch { answer = .failure(error) }
    for key in settings.keys { _ = try await spark.sql("reset \(key)") }
    return try answer.get()
  }

  private func upsert(_ table: Table, _ round: Int) async throws -> Instant {
    return try #require(try await table.upsert(try TableForeignTests.batch(round)).instant)
  }

  /// All read the table alike, and nothing is wrong with it.
  ///
  /// - Parameter hasUndone: Whether Spark has just taken commits back.
  private func agree(
    _ table: Table, _ path: String, _ spark: Spark, _ rows: [String]? = nil, hasUndone: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let present = try await TableForeignTests.rows(try await table.snapshot())
    if let rows { #expect(present == rows, sourceLocation: sourceLocation) }
    #expect(
      try await spark.read(path, select: TableForeignTests.columns) == present,
      sourceLocation: sourceLocation)
    #expect(
      try await ForeignReader.hudi(table: path, select: TableForeignTests.columns) == present,
      sourceLocation: sourceLocation)
    // What another engine took back the head tells of until the next write.
    let findings = try await table.check()
    #expect(
      hasUndone ? findings.allSatisfy { $0.code == .head } : findings == [], "\(findings)",
      sourceLocation: sourceLocation)
  }

  @Test(arguments: Spark.versions(else: .hudi015))
  func sparkGoesOnBehindSavepointRestoreAndRollbackOfTarn(spark: Spark) async throws {
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      _ = try await upsert(table, 0)
      let held = try await upsert(table, 1)
      let rows = try await TableForeignTests.rows(try await table.snapshot())
      try await table.savepoint(held, by: "tarn", comments: "kept")
      let shown = try await call(spark, "show_savepoints(path => '\(path)')")
      #expect(shown.map { $0[0] } == [held.text])
      // Spark's cleaner keeps what it holds.
      let cleaning = [
        "hoodie.clean.automatic": "true", "hoodie.clean.async": "false", "hoodie.clean.commits.retained": "1",
        "hoodie.cleaner.commits.retained": "1",
      ]
      for round in 2..<6 { try await upsert(spark, path, folder, round, cleaning) }
      #expect(try await table.timeline().entries.contains { $0.action == .clean })
      let report = try await table.restore(to: held)
      #expect(report.commits.count == 4)
      try await agree(table, path, spark, rows)
      try await upsert(spark, path, folder, 2)
      let after = try await TableForeignTests.rows(try await table.snapshot())
      try await agree(table, path, spark)
      try await upsert(spark, path, folder, 3)
      _ = try await table.rollBackCompleted()
      try await agree(table, path, spark, after)
      _ = try await upsert(table, 4)
      try await upsert(spark, path, folder, 5, cleaning)
      try await agree(table, path, spark)
      // Spark goes back to Tarn's savepoint, though a restore and a rollback of Tarn's stand on the timeline.
      _ = try await call(spark, "rollback_to_savepoint(path => '\(path)', instant_time => '\(held.text)')")
      try await agree(table, path, spark, rows, hasUndone: true)
      _ = try await upsert(table, 6)
      try await agree(table, path, spark)
      try await table.deleteSavepoint(held)
      #expect(try await call(spark, "show_savepoints(path => '\(path)')").isEmpty)
      try await upsert(spark, path, folder, 7, cleaning)
      try await agree(table, path, spark)
    }
  }

  @Test(arguments: Spark.versions(else: .hudi120))
  func tarnGoesOnBehindSavepointAndRestoreOfSpark(spark: Spark) async throws {
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let table = try await TableForeignTests.create(path)
      _ = try await upsert(table, 0)
      try await upsert(spark, path, folder, 1)
      let held = try #require(try await table.timeline().latest?.instant)
      let rows = try await TableForeignTests.rows(try await table.snapshot())
      _ = try await call(
        spark,
        "create_savepoint(path => '\(path)', commit_time => '\(held.text)', user => 'spark', comments => 'c')"
      )
      for round in 2..<8 { _ = try await upsert(table, round) }
      #expect(try await !table.clean(keeping: .commits(1)).files.isEmpty)
      let error = await #expect(throws: TableError.self) { try await table.savepoint(held) }
      #expect(error?.code == .mismatch)
      let first = try await table.restore(to: held)
      #expect(first.commits.count == 6)
      try await agree(table, path, spark, rows)
      for round in 2..<4 { _ = try await upsert(table, round) }
      _ = try await call(spark, "rollback_to_savepoint(path => '\(path)', instant_time => '\(held.text)')")
      try await agree(table, path, spark, rows, hasUndone: true)
      _ = try await upsert(table, 2)
      try await upsert(spark, path, folder, 3)
      try await agree(table, path, spark)
      // What Spark leaves of a savepoint that it deletes keeps nobody from anything.
      _ = try await call(spark, "delete_savepoint(path => '\(path)', instant_time => '\(held.text)')")
      for round in 4..<8 { _ = try await upsert(table, round) }
      #expect(try await !table.clean(keeping: .commits(1)).files.isEmpty)
      try await agree(table, path, spark)
      _ = try await table.rollBackCompleted(try #require(try await table.timeline().latest?.instant))
      try await agree(table, path, spark)
    }
  }
}
