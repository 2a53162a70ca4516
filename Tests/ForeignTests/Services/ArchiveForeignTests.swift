import Foundation
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Archives of Tarn's that Spark reads and goes on with, and Spark's that Tarn goes on with.
@Suite(.serialized) struct ArchiveForeignTests {
  private static let archiving = [
    "hoodie.clean.automatic": "true", "hoodie.clean.async": "false", "hoodie.clean.commits.retained": "1",
    "hoodie.cleaner.commits.retained": "1", "hoodie.keep.min.commits": "2", "hoodie.keep.max.commits": "3",
    "hoodie.archive.automatic": "true",
  ]

  /// What the archive has completed that wrote data, and how often.
  private static func archived(_ storage: any Storage) async throws -> [Instant: Int] {
    var found: [Instant: Int] = [:]
    var entries = try await ArchivedTimeline.load(from: storage).entries()
    while let entry = try await entries.next(where: { $0.state == .completed && $0.action.writesData }) {
      #expect(try entry.metadata()?.files.isEmpty == false)
      found[entry.entry.instant, default: 0] += 1
    }
    return found
  }

  /// Tarn archives, Spark archives behind it, and so on: what left the timeline is in the archive once, each engine reads
  /// the other's files, and the rows are the same for all.
  @Test(arguments: Spark.versions(else: .hudi120))
  func tarnAndSparkArchiveByTurns(spark: Spark) async throws {
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let path = folder + "/trades"
      let storage = LocalStorage(root: path, synchronizes: false)
      _ = try await TableForeignTests.create(path)
      var settings = TableSettings()
      settings.runsServices = false
      let table = try await Table.open(at: .local(path, synchronizes: false), settings: settings)
      let tidy = try await Table.open(at: .local(path, synchronizes: false))
      var all: Set<Instant> = []
      var ordering: Int64 = 0
      func compare(_ place: String) async throws {
        let rows = try await TableForeignTests.rows(try await table.snapshot())
        #expect(try await spark.read(path, select: TableForeignTests.columns) == rows, "\(place)")
        #expect(
          try await ForeignReader.hudi(table: path, select: TableForeignTests.columns) == rows, "\(place)")
        #expect(try await table.check() == [], "\(place)")
        let timeline = try await table.timeline()
        all.formUnion(timeline.completedCommits.map(\.instant))
        let archived = try await Self.archived(storage)
        #expect(Set(archived.keys).union(timeline.completedCommits.map(\.instant)) == all, "\(place)")
        #expect(archived.values.allSatisfy { $0 == 1 }, "\(place)")
      }
      for round in 0..<2 {
        for number in 0..<16 {
          ordering += 1
          // The second time with what comes behind commits.
          let report = try await (round == 0 ? table : tidy).upsert(
            try WideRows.batch(6, first: number, ordering: ordering, seed: UInt64(ordering)))
          all.insert(try #require(report.instant))
        }
        try await table.clean(keeping: .commits(2))
        let report = try await table.archive()
        #expect(report.actions.count >= 4 && report.holder == nil)
        try await compare("after Tarn's, round \(round)")

        for _ in 0..<2 {
          ordering += 1
          let batch = try WideRows.batch(20, ordering: ordering, seed: UInt64(ordering))
          try await TableForeignTests.write(spark, path, folder, batch, "upsert", Self.archiving)
          let timeline = try await table.timeline()
          all.formUnion(timeline.completedCommits.map(\.instant))
        }
        #expect(try await table.timeline().completedCommits.count <= 4)
        try await compare("after Spark's, round \(round)")
      }
      // Spark lists what both archived.
      let name = "archived_\(UInt32.random(in: 0...UInt32.max))"
      try await spark.sql("create table \(name) using hudi location '\(path)'")
      // Without them the last day is left out.
      let range = "start_ts => '20000101000000000', end_ts => '20991231000000000'"
      let shown = try await spark.sql(
        "call show_archived_commits(table => '\(name)', limit => 1000, \(range))")
      let instants = Set(shown.compactMap { $0.first.flatMap { $0 }.flatMap { Instant($0) } })
      #expect(instants.isSuperset(of: try await Self.archived(storage).keys))
      try await spark.sql("drop table \(name)")
    }
  }
}
