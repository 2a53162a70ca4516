import Foundation
import TarnAvro
import TarnBytes
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables that Spark wrote, with the answers Spark gave.
@Suite struct SparkTableTests {
  static let folders = ["golden", "spark-tables/v6", "spark-tables/v8", "spark-tables/v9"]

  static func tables() throws -> [String] {
    try folders.flatMap { folder in
      let path = try TestWorld.requireShared(folder)
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .map { path + "/" + $0 }.filter { FileManager.default.fileExists(atPath: $0 + "/table") }.sorted()
    }
  }

  static func version6() throws -> [String] {
    try tables().filter { $0.contains("-v6_") || $0.contains("/v6/") }
  }

  @Test func propertiesOfEveryTableAreReadOrTheirVersionNamed() async throws {
    for table in try Self.tables() {
      let storage = LocalStorage(root: table + "/table")
      let bytes = try await storage.readAll(TablePaths.properties)
      let properties = TableProperties(entries: try JavaProperties(parsing: bytes))
      #expect(properties.entries["hoodie.table.checksum"] == String(properties.expectedChecksum), "\(table)")
      guard let version = properties.version, version != .six else {
        #expect(try await TableProperties.load(from: storage) == properties, "\(table)")
        continue
      }
      let error = await timelineError { () throws(TimelineError) in
        _ = try await TableProperties.load(from: storage)
      }
      #expect(error?.name == "unsupported")
      #expect(error?.message.contains("table version \(version.rawValue) is not supported yet") == true)
    }
  }

  /// Statistics of log files, which Tarn does not write yet, are not kept.
  @Test func commitsComeBackByteForByte() async throws {
    var count = 0
    for table in try Self.version6() {
      let storage = LocalStorage(root: table + "/table")
      for object in try await storage.listAll(prefix: TablePaths.folder, stoppingAtSlash: true).objects {
        let name = object.path.dropFirst(TablePaths.folder.count)
        guard let entry = TimelineEntry(fileName: name), entry.action.writesData, entry.state != .requested
        else { continue }
        #expect(entry.path == object.path)
        let bytes = try await storage.readAll(object.path)
        let metadata = try await CommitLog(storage).metadata(of: entry)
        if bytes.isEmpty || String(decoding: bytes, as: UTF8.self).contains(#""logFiles""#) { continue }
        #expect(metadata.bytes() == bytes, "\(object.path) of \(table)")
        count += 1
        guard let schema = metadata.schema else { continue }
        let columns = try AvroSchema.parse(schema)
        let record = try #require(JSONValue(parsing: Array(schema.utf8))["name"]?.string)
        // Spark's commit that deletes partitions has the meta columns in its schema.
        let own = MetaColumns.removed(from: columns)
        #expect(
          AvroSchema.text(
            of: own, table: String(record.dropLast("_record".count)), withMetaColumns: own != columns)
            == schema,
          "\(object.path) of \(table)")
      }
    }
    #expect(count > 60)
  }

  /// Names of files and instants, by the text that follows `asof-`; the empty text is the latest snapshot.
  static func answers(_ table: String) throws -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: table) where name.hasSuffix(".jsonl") {
      let key: String
      if name.hasPrefix("asof-") {
        key = String(name.dropFirst("asof-".count).dropLast(".jsonl".count))
      } else if name == "snapshot.jsonl" || name == "expected.jsonl" {
        key = ""
      } else {
        continue
      }
      result[key] = Set(
        try TestWorld.lines(of: table + "/" + name).compactMap {
          try JSONValue(parsing: Array($0.utf8))["_hoodie_file_name"]?.string
        })
    }
    return result
  }

  @Test func slicesAreTheFilesSparkReads() async throws {
    var count = 0
    for table in try Self.version6() where table.contains("/cow-") {
      let storage = LocalStorage(root: table + "/table")
      let properties = try await TableProperties.load(from: storage)
      let timeline = try await Timeline.load(from: storage)
      let view = try await FileSystemView.load(from: storage, properties: properties, timeline: timeline)
      let rows = try await Self.rowCounts(storage, timeline)
      // Without meta columns no row names its file.
      guard properties.populatesMetaFields else { continue }
      for (asOf, expected) in try Self.answers(table) {
        let slices = view.slices(asOf: Instant(asOf))
        let seen = Set(slices.filter { rows[$0.path] != 0 }.map(\.file.name.name))
        #expect(seen == expected, "\(table) as of \(asOf)")
        count += 1
      }
    }
    #expect(count > 30)
  }

  /// Rows of each file, as the commits that are left tell.
  static func rowCounts(
    _ storage: any Storage, _ timeline: Timeline
  ) async throws -> [String: Int64] {
    var rows: [String: Int64] = [:]
    for entry in timeline.completedCommits {
      for file in try await CommitLog(storage).metadata(of: entry).files {
        if let path = file.path { rows[path] = file.writes }
      }
    }
    return rows
  }
}
