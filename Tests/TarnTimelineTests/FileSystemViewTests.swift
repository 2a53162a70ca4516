import TarnStorage
import TarnTimeline
import Testing

@Suite struct FileSystemViewTests {
  struct Numbers: RandomNumberGenerator {
    var value: UInt64 = 0
    mutating func next() -> UInt64 {
      value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return value
    }
  }

  static func name(_ id: String, _ number: Int) -> String {
    BaseFileName(fileID: id, writeToken: "0-1-2", instant: TimelineTests.instant(number)).name
  }

  /// A storage with empty files, and commits at 10, 20 and 30.
  static func storage(_ paths: [String]) async throws -> InMemoryStorage {
    let storage = InMemoryStorage()
    for path in paths { try await storage.put([], at: path, if: .always) }
    for number in [10, 20, 30] {
      try await CommitLog(storage).complete(
        TimelineTests.instant(number), CommitMetadata(operation: .upsert))
    }
    return storage
  }

  static func view(
    _ storage: any Storage, partitioned: Bool = true, type: TableType = .copyOnWrite, only: [String]? = nil
  ) async throws(TimelineError) -> FileSystemView {
    let properties = TableProperties(
      name: "t", type: type, recordKeyFields: ["id"], partitionFields: partitioned ? ["p"] : [])
    let timeline = try await Timeline.load(from: storage)
    return try await .load(from: storage, properties: properties, timeline: timeline, only: only)
  }

  @Test func fileNamesComeBack() throws {
    let text = "a079bdb3-731c-4894-b855-abfcd6921007-0_0-182-253_20240418173550988.parquet"
    let name = try #require(BaseFileName(text))
    #expect(name.fileID == "a079bdb3-731c-4894-b855-abfcd6921007-0")
    #expect(name.writeToken == "0-182-253")
    #expect(name.instant.text == "20240418173550988")
    #expect(name.name == text)
  }

  @Test(
    arguments: [
      "a_b_20240418173550988.orc", "a_20240418173550988.parquet", "a_b_c_20240418173550988.parquet",
      "_b_20240418173550988.parquet", "a_b_2024.parquet", ".a_b_20240418173550988.parquet",
      "a_b_20240418173550988.parquet.crc", ".hoodie_partition_metadata", "é_b_20240418173550988.parquet", "",
    ]) func otherFilesAreNoBaseFiles(_ name: String)
  {
    #expect(BaseFileName(name) == nil)
  }

  @Test func fileIDsAreRandomUUIDs() {
    var numbers = Numbers()
    let ids = (0..<100).map { _ in FileID.random(using: &numbers) }
    #expect(Set(ids).count == 100)
    for id in ids {
      let parts = id.split(separator: "-")
      #expect(parts.map(\.count) == [8, 4, 4, 4, 12, 1])
      #expect(parts[2].first == "4" && "89ab".contains(parts[3].first ?? "x") && parts[5] == "0")
    }
  }

  @Test func partitionMetadataIsWrittenOnce() async throws {
    let storage = InMemoryStorage()
    let instant = TimelineTests.instant(0)
    try await PartitionMetadata.ensure(in: storage, partition: "a/b", instant: instant, now: now)
    try await PartitionMetadata.ensure(
      in: storage, partition: "a/b", instant: TimelineTests.instant(1), now: now)
    #expect(
      String(decoding: try await storage.readAll("a/b/.hoodie_partition_metadata"), as: UTF8.self) == """
        #partition metadata
        #Fri Jan 02 03:04:05 UTC 2026
        commitTime=20260102030405678
        partitionDepth=2

        """)
    try await PartitionMetadata.ensure(in: storage, partition: "", instant: instant, now: now)
    let root = String(decoding: try await storage.readAll(".hoodie_partition_metadata"), as: UTF8.self)
    #expect(root.hasSuffix("partitionDepth=0\n"))
  }

  @Test func partitionsAreFoundByTheirMarkAndOnlyThere() async throws {
    let storage = try await Self.storage([
      "a/x/.hoodie_partition_metadata", "a/x/\(Self.name("f", 10))", "a/x/deeper/.hoodie_partition_metadata",
      "a/y/.hoodie_partition_metadata.parquet", "b/\(Self.name("g", 10))",
      ".hoodie/metadata/files/.hoodie_partition_metadata", "a/x/.\(Self.name("f", 10)).crc",
      "a/x/other.parquet",
    ])
    let view = try await Self.view(storage)
    #expect(view.partitions.map(\.path) == ["a/x", "a/y"])
    #expect(view.partition("a/x")?.baseFiles.map(\.path) == ["a/x/\(Self.name("f", 10))"])
    let only = try await Self.view(storage, only: ["b", "c"])
    #expect(only.partitions.map(\.path) == ["b", "c"])
    #expect(only.partition("b")?.hasMetadata == false)
    #expect(only.slices().map(\.partitionPath) == ["b"])
  }

  @Test func tableWithoutPartitionsHasItsFilesAtItsRoot() async throws {
    let storage = try await Self.storage([Self.name("f", 10), "x/\(Self.name("f", 20))"])
    #expect(try await Self.view(storage, partitioned: false).slices().map(\.path) == [Self.name("f", 10)])
  }

  @Test func latestVisibleVersionIsSeenAndReplacedGroupsAreNot() async throws {
    let files = [("f", 10), ("f", 20), ("f", 25), ("g", 10), ("g", 30), ("h", 20), ("old", 5)]
    let storage = try await Self.storage(
      ["p/.hoodie_partition_metadata"] + files.map { "p/" + Self.name($0.0, $0.1) })
    let replace = CommitMetadata(operation: .insertOverwrite, replaced: ["p": ["f"], "q": ["g"]])
    let entry = TimelineEntry(TimelineTests.instant(40), .replacecommit, .completed)
    try await storage.put(replace.bytes(), at: entry.path, if: .always)
    let view = try await Self.view(storage)
    func seen(_ number: Int?) -> [String] {
      view.slices(asOf: number.map(TimelineTests.instant)).map(\.file.name.name)
    }
    #expect(seen(nil) == [Self.name("g", 30), Self.name("h", 20), Self.name("old", 5)])
    #expect(seen(40) == seen(nil))
    #expect(seen(39) == [Self.name("f", 20), Self.name("g", 30), Self.name("h", 20), Self.name("old", 5)])
    #expect(seen(19) == [Self.name("f", 10), Self.name("g", 10), Self.name("old", 5)])
    #expect(seen(9) == [Self.name("old", 5)])
  }

  @Test func logRecordsAreRefusedAndChangeLogsAreNot() async throws {
    let change = "p/.f_\(TimelineTests.instant(10)).log.1_0-1-2.cdc"
    let storage = try await Self.storage(["p/.hoodie_partition_metadata", change])
    #expect(try await Self.view(storage, type: .mergeOnRead).slices().isEmpty)
    let log = "p/.f_\(TimelineTests.instant(10)).log.1_0-1-2"
    try await storage.put([], at: log, if: .always)
    let error = await timelineError { () throws(TimelineError) in
      _ = try await Self.view(storage, type: .mergeOnRead)
    }
    #expect(error?.name == "unsupported" && error?.path == log)
    #expect(error?.message.contains("merge-on-read") == true)
  }
}
