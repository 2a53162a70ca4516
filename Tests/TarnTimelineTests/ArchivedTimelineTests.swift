import Foundation
import TarnAvro
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct ArchivedTimelineTests {
  private static let first = "20250101000000001"
  private static let second = "20250101000000002"
  private static let third = "20250101000000003"

  /// An archive of eleven files, whose numbers are not in the order of their names.
  private func storage() async throws -> InMemoryStorage {
    let storage = InMemoryStorage()
    let commit = ArchiveFixture.commit(
      "p/f-0_0_1.parquet", writes: 7, extra: [("schema", "{}"), ("own", "1")])
    let files: [(String, [UInt8])] = [
      (
        ".commits_.archive.2_1-0-1",
        ArchiveFixture.file([
          [
            try ArchiveFixture.entry(Self.first, "commit", "REQUESTED"),
            try ArchiveFixture.entry(Self.first, "commit", "INFLIGHT", commit),
          ], [try ArchiveFixture.entry(Self.first, "commit", "COMPLETED", commit)],
        ])
      ),
      (
        ".commits_.archive.10_1-0-1",
        ArchiveFixture.file([
          [
            try ArchiveFixture.entry(
              Self.third, "clean", "COMPLETED", .record(["startCleanTime": .string(Self.third)]),
              under: "hoodieCleanMetadata"),
            try ArchiveFixture.entry("00x"), try ArchiveFixture.entry(Self.third, "future"),
            try ArchiveFixture.entry(
              Self.second, "replacecommit", nil,
              .record(["partitionToReplaceFileIds": .map([.init("p", .array([.string("f-0")]))])]),
              under: "hoodieReplaceCommitMetadata"),
          ]
        ])
      ),
      ("..commits_.archive.10_1-0-1.crc", [1]), (".commits_.archive.3.tmp", [1]), ("mergeArchivePlan", [1]),
    ]
    for (name, bytes) in files { try await storage.put(bytes, at: ".hoodie/archived/" + name, if: .always) }
    return storage
  }

  @Test func entriesComeFromTheNewestFileOn() async throws {
    let archive = try await ArchivedTimeline.load(from: try await storage())
    #expect(archive.files.map(\.number) == [10, 2])
    var entries = archive.entries()
    var found: [String] = []
    while let entry = try await entries.next() {
      found.append("\(entry.entry.fileName) \(entry.path.dropFirst(35))")
    }
    #expect(
      found == [
        "\(Self.third).clean 10_1-0-1", "\(Self.second).replacecommit 10_1-0-1",
        "\(Self.first).commit.requested 2_1-0-1", "\(Self.first).inflight 2_1-0-1",
        "\(Self.first).commit 2_1-0-1",
      ])
  }

  @Test func whatACommitDidIsRead() async throws {
    let archive = try await ArchivedTimeline.load(from: try await storage())
    let instant = try #require(Instant(Self.first))
    let entry = try #require(try await archive.commit(instant))
    var expected = CommitMetadata(
      partitions: ["p": []], operation: .upsert, extra: ["schema": "{}", "own": "1"])
    var file = WriteStatistics(
      fileID: "f-0", path: "p/f-0_0_1.parquet", partitionPath: "", previousCommit: nil, writes: 7, size: 99)
    // An archive does not keep it.
    (file.partitionPath, file.bytesWritten, file.runtime) = (nil, 0, nil)
    expected.append(file, partition: "p")
    #expect(try entry.metadata() == expected)
    let states = try await archive.entries(of: instant)
    #expect(states.map(\.entry.state) == [.requested, .inflight, .completed])
    #expect(try states[0].metadata() == nil)
    #expect(try states[1].metadata()?.files.count == 1)
    let second = try #require(Instant(Self.second))
    let replacing = try #require(try await archive.commit(second))
    #expect(try replacing.metadata()?.replaced == ["p": ["f-0"]])
    let third = try #require(Instant(Self.third))
    #expect(try await archive.commit(third) == nil)
    let clean = try #require(try await archive.entries(of: third).first)
    #expect(try clean.metadata() == nil)
  }

  /// Files of an archive are small, and each costs one request; those behind the one that is looked for cost none.
  @Test func aFileCostsOneRead() async throws {
    let storage = CountingStorage()
    for number in 1...9 {
      let entry = try ArchiveFixture.entry("2025010100000000\(number)")
      let name = ".hoodie/archived/.commits_.archive.\(number)_1-0-1"
      try await storage.put(ArchiveFixture.file([[entry], [entry]]), at: name, if: .always)
    }
    let archive = try await ArchivedTimeline.load(from: storage)
    storage.reset()
    let instant = try #require(Instant("20250101000000007"))
    #expect(try await archive.commit(instant) != nil)
    #expect(storage.readCount == 3)
    #expect(try await archive.entries(of: instant).count == 2)
    #expect(storage.readCount == 12)
  }

  @Test func aTableWithoutAnArchiveHasNone() async throws {
    let archive = try await ArchivedTimeline.load(from: InMemoryStorage())
    #expect(archive.files.isEmpty)
    var entries = archive.entries()
    let first = try await entries.next()
    #expect(first == nil)
    let elsewhere = InMemoryStorage()
    try await elsewhere.put(ArchiveFixture.file([]), at: ".hoodie/.commits_.archive.1_1-0-1", if: .always)
    #expect(try await ArchivedTimeline.load(from: elsewhere, folder: "").files.count == 1)
  }

  /// A state that is not known, an entry of other bytes, no schema, a later kind of block, a file that went.
  @Test func whatIsWrongIsToldAndStaysWrong() async throws {
    var foreign = LogBytes()
    foreign.append(kind: 5, header: [(2, ArchiveFixture.schema)], content: [])
    var bare = LogBytes()
    bare.append(kind: 3, header: [], content: LogBytes.content(of: []))
    var broken = LogBytes()
    broken.append(kind: 3, header: [(2, "{")], content: LogBytes.content(of: []))
    let good = try ArchiveFixture.entry(Self.first)
    for (code, bytes): (TimelineError.Code, [UInt8]) in [
      (.unsupported, ArchiveFixture.file([[try ArchiveFixture.entry(Self.first, "commit", "MAYBE")]])),
      (.damaged, ArchiveFixture.file([[good + [0]]])),
      (.damaged, ArchiveFixture.file([[Array(good.dropLast())]])),
      (.unsupported, foreign.bytes), (.damaged, bare.bytes), (.damaged, broken.bytes),
      (.damaged, Array("PAR1PAR1".utf8)),
    ] {
      let storage = InMemoryStorage()
      try await storage.put(bytes, at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .always)
      var entries = try await ArchivedTimeline.load(from: storage).entries()
      for _ in 0..<2 {
        do throws(TimelineError) {
          _ = try await entries.next()
          Issue.record("nothing was wrong")
        } catch {
          #expect(error.code == code && error.path.hasSuffix(".1_1-0-1"), "\(error)")
        }
      }
    }
    let storage = try await storage()
    let archive = try await ArchivedTimeline.load(from: storage)
    try await storage.delete(archive.files[1].path)
    let gone = try #require(Instant(Self.first))
    await #expect(throws: TimelineError.self) { try await archive.commit(gone) }
  }

  @Test func damagedArchivesAreReadOrRefused() async throws {
    let commit = ArchiveFixture.commit("p/f", extra: [("k", "v")])
    let bytes = ArchiveFixture.file([[try ArchiveFixture.entry(Self.first, "commit", "COMPLETED", commit)]])
    let path = ".hoodie/archived/.commits_.archive.1_1-0-1"
    // Behind the schema's text, of which there are other tests.
    let schemaEnd = ArchiveFixture.schema.utf8.count + 34
    for place in Array(0..<34) + Array(schemaEnd..<bytes.count) {
      for change in 0..<3 {
        let damaged: [UInt8]
        switch change {
        case 0: damaged = Array(bytes[..<place])
        default:
          var copy = bytes
          copy[place] ^= change == 1 ? 1 : 0xff
          damaged = copy
        }
        let storage = InMemoryStorage()
        try await storage.put(damaged, at: path, if: .always)
        var entries = try await ArchivedTimeline.load(from: storage).entries()
        do { while let entry = try await entries.next() { _ = try entry.metadata() } } catch {}
      }
    }
  }

  /// The archives that Spark wrote hold the commits that are older than the timeline, each in all its states.
  @Test(arguments: [("cow-clean-archive", 6, 8), ("mor-clean-archive", 7, 12)])
  func archivesOfSparkAreRead(name: String, files: Int, commits: Int) async throws {
    let table = try TestWorld.requireShared("spark-tables/v6") + "/" + name
    let storage = LocalStorage(root: table + "/table")
    let archive = try await ArchivedTimeline.load(from: storage)
    #expect(archive.files.map(\.number) == (1...files).reversed())
    let timeline = try await Timeline.load(from: storage)
    var states: [Instant: [ActionState]] = [:]
    var entries = archive.entries()
    while let entry = try await entries.next() {
      states[entry.entry.instant, default: []].append(entry.entry.state)
      #expect(!timeline.entries.contains { $0.instant == entry.entry.instant })
      guard entry.entry.state == .completed, entry.entry.action.writesData else {
        if !entry.entry.action.writesData { #expect(try entry.metadata() == nil) }
        continue
      }
      let metadata = try #require(try entry.metadata())
      let schema = try #require(metadata.schema)
      #expect(try AvroSchema.parse(schema).names.contains("ts"))
      #expect(metadata.extra["ROLLING_STAT"] == nil && metadata.operation != nil && !metadata.files.isEmpty)
      for file in metadata.files {
        let path = try #require(file.path)
        let partition = try #require(file.partitionPath)
        // The name of a log has the instant of its base file.
        if path.hasSuffix(".parquet") { #expect(path.contains(entry.entry.instant.text)) }
        #expect(path.hasPrefix(partition + "/") && file.writes > 0 && file.fileSize > 0)
      }
      let found = try #require(try await archive.commit(entry.entry.instant))
      #expect(found.path == entry.path && found.offset == entry.offset)
    }
    #expect(states.values.allSatisfy { $0 == [.requested, .inflight, .completed] })
    #expect(try await completed(archive) == commits)
    let latest = try #require(timeline.latest?.instant)
    #expect(try await archive.commit(latest) == nil)
  }

  /// The number of completed commits of an archive.
  private func completed(_ archive: ArchivedTimeline) async throws -> Int {
    var entries = archive.entries()
    var count = 0
    while try await entries.next(where: { $0.state == .completed && $0.action.writesData }) != nil {
      count += 1
    }
    return count
  }
}
