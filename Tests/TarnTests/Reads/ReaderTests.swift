import Tarn
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What a reader of a table does after an error, when its task is cancelled, and where a file is gone.
@Suite struct ReaderTests {
  private static func trades(_ range: Range<Int>, _ note: String = "first", time: Int64 = 1) throws
    -> RecordBatch
  {
    try Trade.batch(
      range.map { Trade("t\(100 + $0)", time, ["OKX", "Kraken", "FTX"][$0 % 3], Int128($0), note) })
  }

  private static func opened(_ storage: any Storage) async throws -> Table {
    try await Table.open(
      at: .storage(storage, name: "memory/trades"), settings: TableFixture.settings(Collected()))
  }

  // MARK: - After an error

  @Test func aReaderThatFailedStaysFailedWhicheverCallFailed() async throws {
    let inner = InMemoryStorage()
    let fixture = try await TableFixture(storage: inner)
    try await fixture.table.upsert(try Self.trades(0..<60))
    let counted = FaultStorage(wrapping: inner)
    let whole = try await Self.drain(try await Self.opened(counted).snapshot())
    #expect(whole.rows == 60 && whole.errors.isEmpty)
    var failures = 0
    for call in 1...counted.callCount {
      let faulty = FaultStorage(wrapping: inner, crashAtCall: call, staysDown: false)
      let snapshot: Snapshot
      do { snapshot = try await Self.opened(faulty).snapshot() } catch { continue }
      let found = try await Self.drain(snapshot)
      guard faulty.hasFailed else { continue }
      failures += 1
      #expect(found.rows < 60)
      #expect(found.errors.count == 3 && Set(found.errors).count == 1, "call \(call): \(found)")
    }
    #expect(failures >= 3)
  }

  /// Reads to the end; after an error asks thrice again.
  private static func drain(_ snapshot: Snapshot) async throws -> (rows: Int, errors: [String]) {
    var iterator = snapshot.makeAsyncIterator()
    var rows = 0
    var errors: [String] = []
    while errors.count < 3 {
      do {
        guard let batch = try await iterator.next(isolation: nil) else { break }
        #expect(errors.isEmpty, "rows behind an error")
        rows += batch.count
      } catch { errors.append("\(error)") }
    }
    return (rows, errors)
  }

  // MARK: - Cancellation

  @Test func aCancelledTaskReadsNoFurther() async throws {
    let fixture = try await TableFixture()
    let since = try #require(try await fixture.table.upsert(try Self.trades(0..<60)).instant)
    try await fixture.table.upsert(try Self.trades(30..<60, "second", time: 2))
    let table = fixture.table
    let snapshot = try await table.snapshot()
    let changes = try await table.changes(since: since)
    for snapshot in [snapshot, changes, try snapshot.where(.column("note") == "absent"), snapshot.limit(40)] {
      let (batches, code) = await Task { () -> (Int, TableError.Code?) in
        var iterator = snapshot.makeAsyncIterator()
        var batches = 0
        do throws(TableError) {
          if try await iterator.next(isolation: nil) != nil { batches += 1 }
          withUnsafeCurrentTask { $0?.cancel() }
          while try await iterator.next(isolation: nil) != nil { batches += 1 }
          return (batches, nil)
        } catch { return (batches, error.code) }
      }.value
      #expect(batches <= 1)
      #expect(code == .cancelled)
    }
    typealias Work = @Sendable () async throws -> Void
    let works: [(String, Work)] = [
      ("count", { _ = try await snapshot.count() }),
      ("count of changes", { _ = try await changes.count() }),
      ("snapshot", { _ = try await table.snapshot() }),
      ("upsert", { try await table.upsert(try Self.trades(0..<9, "never", time: 9)) }),
      ("delete", { try await table.delete(where: .column("note") == "first") }),
    ]
    for (name, work) in works {
      let code = await Task { () -> TableError.Code? in
        withUnsafeCurrentTask { $0?.cancel() }
        do { try await work() } catch let error as TableError { return error.code } catch {
          Issue.record(error)
        }
        return nil
      }.value
      #expect(code == .cancelled, "\(name)")
    }
    #expect(try await fixture.rows().count == 60)
    #expect(try await table.snapshot().where(.column("note") == "never").count() == 0)
  }

  // MARK: - Schemas

  @Test func aBatchHasTheSchemaOfItsSnapshot() async throws {
    let schema = Schema([
      Field("id", .string, isNullable: false), Field("n", .int64, isNullable: false), Field("note", .string),
    ])
    let small = try await SmallTable(schema)
    func batch(_ ids: [String], _ fields: [Field]) throws -> RecordBatch {
      let columns = try fields.map { field in
        var builder = ColumnBuilder(field.type)
        for id in ids {
          if field.type == .string { try builder.append(id) } else { builder.append(Int64(7)) }
        }
        return builder.finish()
      }
      return try RecordBatch(schema: Schema(fields), columns: columns)
    }
    try await small.table.upsert(try batch(["a", "b"], schema.fields))
    try await small.table.upsert(
      try batch(["c"], schema.fields + [Field("later", .int64, isNullable: false)]))
    let whole = try await small.table.snapshot()
    #expect(whole.schema["id"]?.isNullable == false && whole.schema["later"]?.isNullable == true)
    for snapshot in [whole, try whole.select("later", "id"), try whole.select("n").where(.column("n") > 1)] {
      var rows = 0
      for try await batch in snapshot {
        #expect(batch.schema == snapshot.schema)
        rows += batch.count
      }
      #expect(rows == 3)
    }
  }

  @Test func aNullWhereTheSchemaAllowsNoneIsDamage() async throws {
    let schema = Schema([Field("id", .string, isNullable: false), Field("note", .string, isNullable: false)])
    let small = try await SmallTable(schema)
    try await small.table.upsert(
      try RecordBatch(schema: schema, columns: [try texts("a", "b"), try texts("x", "y")]))
    try await FileRewriting.rewrite(small.table, small.storage) { rows in
      rows.columns[rows.columns.count - 1] = try texts(nil, "y")
    }
    await expectRefusal(.damaged, "column note has a null") { _ = try await small.rows() }
    #expect(try await small.table.snapshot().select("id").count() == 2)
  }

  // MARK: - Files that are gone

  @Test func aFileOfTheNewestCommitThatIsGoneIsNoticed() async throws {
    let fixture = try await TableFixture()
    let first = try #require(try await fixture.table.upsert(try Self.trades(0..<30)).instant)
    let old = try await fixture.table.snapshot().slices
    try await fixture.table.upsert(try Trade.batch([Trade("t100", 2, "OKX", 1, "second")]))
    let new = try #require(try await fixture.table.snapshot().slices.first { $0.instant > first })
    let bytes = try await fixture.storage.readAll(new.path)
    let table = fixture.table
    // The older version is there, so that its rows would come back.
    try await fixture.storage.delete(new.path)
    let reads: [@Sendable () async throws -> Void] = [
      { _ = try await table.snapshot().slices }, { _ = try await table.changes(since: first).count() },
      { _ = try await table.snapshot().select("price").count() },
      {
        let latest = try #require(try await table.timeline().latest?.instant)
        for try await _ in try await table.snapshot(asOf: latest) {}
      },
    ]
    for read in reads { await expectRefusal(.damaged, new.path, "it is gone") { try await read() } }
    #expect(try await table.snapshot(asOf: first).slices == old)
    try await fixture.storage.put(bytes, at: new.path, if: .always)
    #expect(try await fixture.rows().count == 30)
    // Of a file group that the newest commit did not write, a fresh reader reads no commit.
    let other = try #require(try await table.snapshot().slices.first { $0.instant == first })
    try await fixture.storage.delete(other.path)
    #expect(try await table.snapshot().count() == 20)
  }

  /// A table of two partitions, written one after the other.
  private static func twoPartitions() async throws -> (table: SmallTable, instants: [Instant]) {
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("part", .string), Field("note", .string)]), partitionedBy: ["part"])
    var instants: [Instant] = []
    for part in ["b", "a"] {
      let report = try await small.table.upsert(
        try batch(["id": texts("1"), "part": texts(part), "note": texts("first")]))
      instants.append(try #require(report.instant))
    }
    return (small, instants)
  }

  @Test func aSnapshotWhoseFilesWereCleanedSinceLosesNoRow() async throws {
    let (small, instants) = try await Self.twoPartitions()
    let now = try await small.table.snapshot()
    let then = try await small.table.snapshot(asOf: instants[1])
    let changes = try await small.table.changes(since: instants[0])
    let old = try #require(try await now.slices.first { $0.partitionPath == "part=b" })
    let update = try await small.table.upsert(
      try batch(["id": texts("1"), "part": texts("b"), "note": texts("second")]))
    // A version that is not the newest commit's, so that only the cleaner's instant tells of it.
    let clean = try #require(update.instant).next
    try await small.storage.put([1], at: ".hoodie/\(clean.text).clean", if: .ifAbsent)
    try await small.storage.delete(old.path)
    #expect(try await now.count() == 2)
    await expectRefusal(.conflict, "take another snapshot") { _ = try await then.count() }
    await expectRefusal(.conflict, "take another snapshot") { _ = try await changes.count() }
    #expect(try await small.table.snapshot().count() == 2)
  }

  @Test func aReplacementOfAnotherEngineThatALaterCommitDoesNotKnowIsNoDamage() async throws {
    let (small, instants) = try await Self.twoPartitions()
    let replaced = try #require(
      try await small.table.snapshot().slices.first { $0.partitionPath == "part=b" })
    // It began after the first commit, and ended behind the second.
    let replacement = """
      {"partitionToWriteStats":{},"compacted":false,"extraMetadata":{},"operationType":"CLUSTER",
      "partitionToReplaceFileIds":{"part=b":["\(replaced.fileID)"]}}
      """
    try await small.storage.put(
      Array(replacement.utf8), at: ".hoodie/\(instants[0].next.text).replacecommit", if: .ifAbsent)
    try await small.storage.delete(replaced.path)
    let report = try await small.table.upsert(
      try batch(["id": texts("2"), "part": texts("b"), "note": texts("third")]))
    #expect(report.inserted == 1)
    #expect(try await small.texts("note").sorted() == ["first", "third"])
  }
}
