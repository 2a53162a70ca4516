import Tarn
import TarnBytes
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables of version 6 that Spark wrote, against the rows Spark read from them.
@Suite struct GoldenTableTests {
  static let tables = [
    "cow-bucket", "cow-cdc-DATA_BEFORE_AFTER", "cow-clean-archive", "cow-clustering", "cow-delete-partition",
    "cow-evolved", "cow-hive-nested-partitions", "cow-metadata-table", "cow-overwrite", "cow-plain",
    "cow-savepoint",
  ]

  /// The rows of a snapshot.
  static func rows(_ snapshot: Snapshot, _ columns: [String]) async throws -> [String] {
    var batches: [RecordBatch] = []
    for try await batch in try snapshot.select(columns) { batches.append(batch) }
    return WideRows.lines(batches)
  }

  /// Expected rows with these columns in the normal form: decimals and times as strings.
  static func expected(_ path: String, _ snapshot: Snapshot, _ columns: [String]) throws -> [String] {
    TestWorld.sortedAsText(
      try TestWorld.lines(of: path).map { line in
        let row = try JSONValue(parsing: Array(line.utf8))
        return JSONValue.object(
          columns.map { name in
            var value = row[name] ?? .null
            if case .number(let text) = value, case .decimal = snapshot.schema[name]?.type {
              value = .string(text)
            }
            return .init(name, value)
          }
        ).text()
      })
  }

  @Test(arguments: tables)
  func snapshotsAndTimeTravelAreWhatSparkRead(name: String) async throws {
    let folder = try TestWorld.requireShared("spark-tables/v6/" + name)
    let table = try await Table.open(at: .local(folder + "/table"))
    let snapshot = try await table.snapshot()
    let columns = snapshot.schema.names
    let rows = try await Self.rows(snapshot, columns)
    #expect(!rows.isEmpty)
    #expect(rows == (try Self.expected(folder + "/snapshot.jsonl", snapshot, columns)))
    for commit in try TestWorld.lines(of: folder + "/commits.txt") {
      let instant = try #require(Instant(commit))
      let path = folder + "/asof-\(commit).jsonl"
      guard let expected = try? Self.expected(path, snapshot, columns) else { continue }
      let before = try await Self.rows(try await table.snapshot(asOf: instant), columns)
      #expect(before == expected, "as of \(commit)")
    }
  }

  @Test func incrementalReadsAreWhatSparkRead() async throws {
    let folder = try TestWorld.requireShared("spark-tables/v6/cow-plain")
    let table = try await Table.open(at: .local(folder + "/table"))
    let snapshot = try await table.snapshot()
    let columns = snapshot.schema.names
    var compared = 0
    for commit in try TestWorld.lines(of: folder + "/commits.txt") {
      let path = folder + "/incremental-after-\(commit).jsonl"
      guard let expected = try? Self.expected(path, snapshot, columns) else { continue }
      let changes = try await table.changes(since: try #require(Instant(commit)))
      #expect(try await Self.rows(changes, columns) == expected, "after \(commit)")
      compared += 1
    }
    #expect(compared > 0)
  }

  @Test func aTableWithNestedColumnsIsNotWritten() async throws {
    let folder = try TestWorld.requireShared("spark-tables/v6/cow-plain")
    try await TestWorld.withTemporaryFolder { temporary in
      try TestWorld.copyTree(from: folder + "/table", to: temporary + "/table")
      let table = try await Table.open(at: .local(temporary + "/table"))
      var id = ColumnBuilder(.string)
      try id.append("key-0004")
      let keys = try RecordBatch(schema: Schema([Field("id", .string)]), columns: [id.finish()])
      await #expect {
        try await table.delete(keys)
      } throws: { error in
        (error as? TableError)?.code == .unsupported && "\(error)".contains("nested column")
      }
    }
  }

  @Test(arguments: ["golden/cow-v8_nonpartitioned", "golden/cow-v9_txns_simple_nometa"])
  func laterTableVersionsAreRefusedClearly(path: String) async throws {
    let folder = try TestWorld.requireShared(path)
    await #expect {
      _ = try await Table.open(at: .local(folder + "/table"))
    } throws: { error in
      (error as? TableError)?.code == .unsupported && "\(error)".contains("table version")
    }
  }

  @Test func mergeOnReadIsRefusedClearly() async throws {
    let folder = try TestWorld.requireShared("spark-tables/v6/mor-avro")
    let table = try await Table.open(at: .local(folder + "/table"))
    await #expect {
      _ = try await table.snapshot()
    } throws: { error in
      (error as? TableError)?.code == .unsupported && "\(error)".contains("merge-on-read")
    }
  }
}
