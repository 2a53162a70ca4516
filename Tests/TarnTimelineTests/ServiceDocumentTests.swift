import Foundation
import TarnAvro
import TarnTestSupport
import TarnTimeline
import Testing

/// Plans and metadata of services, and the files of them that Spark wrote.
@Suite struct ServiceDocumentTests {
  private static func plan() -> RollbackPlan {
    RollbackPlan(
      instant: InstantInfo(instant: "20250101000000000", action: "commit"),
      requests: [
        .init(partitionPath: "a/b", deleting: ["/t/a/b/x.parquet", "/t/a/b/y.parquet"]),
        .init(partitionPath: "", fileID: "f-0", baseInstant: nil, deletedFiles: [], logs: ["file:/l": .max]),
      ])
  }

  private static func rollback() -> RollbackMetadata {
    var odd = RollbackMetadata.Partition(path: "ünï=1", deleted: [])
    odd.failed = ["z"]
    odd.rollbackLogs = nil
    odd.failedLogs = ["l": 1, "k": 0]
    return RollbackMetadata(
      start: "20250101000000001", duration: 12, deletedCount: 2,
      rolledBack: InstantInfo(instant: "20250101000000000", action: "commit"),
      partitions: ["a": .init(path: "a", deleted: ["x", "y"]), "ünï=1": odd])
  }

  private static func cleanPlan() -> CleanPlan {
    var plan = CleanPlan(
      earliest: .init(instant: "1", action: "commit", state: "COMPLETED"), lastCompleted: "2",
      policy: "KEEP_LATEST_COMMITS",
      files: ["p": [.init(path: "/t/p/f"), .init(path: nil, isBootstrap: nil)]])
    plan.oldFiles = ["p": ["f"]]
    plan.partitions = nil
    plan.extra = ["savepointed_timestamps": "1,2"]
    return plan
  }

  private static func cleanMetadata() -> CleanMetadata {
    CleanMetadata(
      start: "3", duration: 4, deletedCount: 5, earliest: "", lastCompleted: "2",
      partitions: ["p": .init(path: "p", policy: "KEEP_LATEST_COMMITS", deleted: ["f"])])
  }

  @Test func documentsComeBack() throws {
    let plan = Self.plan()
    #expect(try RollbackPlan(avro: plan.bytes()) == plan)
    let rollback = Self.rollback()
    #expect(try RollbackMetadata(avro: rollback.bytes()) == rollback)
    let savepoint = SavepointMetadata(user: "me", time: 7, comments: "why", files: ["": ["f"], "p": []])
    #expect(try SavepointMetadata(avro: savepoint.bytes()) == savepoint)
    let restore = RestorePlan(instants: [.init(instant: "1", action: "commit")], savepoint: "0")
    #expect(try RestorePlan(avro: restore.bytes()) == restore)
    let restored = RestoreMetadata(
      start: "9", duration: 1, rollbacks: ["1": [rollback, rollback], "2": []],
      instants: [.init(instant: "1", action: "commit")])
    #expect(try RestoreMetadata(avro: restored.bytes()) == restored)
    #expect(try CleanPlan(avro: Self.cleanPlan().bytes()) == Self.cleanPlan())
    #expect(try CleanMetadata(avro: Self.cleanMetadata().bytes()) == Self.cleanMetadata())
  }

  /// Newer writers add fields at the end, and older ones lack some.
  @Test func fieldsOfOtherVersionsAreReadOver() throws {
    let newer = #"""
      {"type":"record","name":"HoodieRollbackMetadata","fields":[
        {"name":"future","type":{"type":"map","values":["null",{"type":"fixed","name":"F","size":2}]}},
        {"name":"startRollbackTime","type":"string"},{"name":"commitsRollback","type":{"type":"array","items":"string"}}]}
      """#
    let bytes = try AvroContainer.bytes(
      of: [
        .record([
          "future": .map([.init("x", .fixed([1, 2])), .init("y", .null)]), "startRollbackTime": .string("1"),
          "commitsRollback": .array([.string("0")]),
        ])
      ], schema: newer, codec: .deflate)
    let read = try RollbackMetadata(avro: bytes)
    #expect(read.start == "1" && read.commits == ["0"] && read.partitions.isEmpty && read.version == nil)
  }

  @Test func whatIsNoDocumentIsRefused() throws {
    let schema =
      #"{"type":"record","name":"r","fields":[{"name":"startRollbackTime","type":["null","long"]}]}"#
    for value in [AvroValue.null, .long(1)] {
      let bytes = try AvroContainer.bytes(of: [.record(["startRollbackTime": value])], schema: schema)
      #expect(throws: AvroError.self) { try RollbackMetadata(avro: bytes) }
    }
    for bytes in [[], try AvroContainer.bytes(of: [], schema: schema)] {
      #expect(throws: AvroError.self) { try RollbackPlan(avro: bytes) }
    }
    let whole = try Self.plan().bytes()
    for end in whole.indices {
      #expect(throws: AvroError.self) { try RollbackPlan(avro: Array(whole[..<end])) }
    }
    for offset in whole.indices {
      for bit: UInt8 in [0x01, 0x80, 0xff] {
        var damaged = whole
        damaged[offset] ^= bit
        _ = try? RollbackPlan(avro: damaged)
        _ = try? RollbackMetadata(avro: damaged)
        _ = try? CleanPlan(avro: damaged)
      }
    }
  }

  /// The file of a table that Spark wrote.
  private func file(_ table: String, _ name: String) throws -> [UInt8] {
    let parts = table.split(separator: "/", maxSplits: 1)
    let shared = try TestWorld.requireShared(String(parts[0]))
    return Array(try Data(contentsOf: URL(fileURLWithPath: "\(shared)/\(parts[1])/table/.hoodie/\(name)")))
  }

  /// Checks that a document is written with the same schema and the same values as it was read.
  private func expectSame(_ written: [UInt8], _ read: [UInt8], _ name: String) throws {
    let (written, read) = (try AvroContainer(written), try AvroContainer(read))
    #expect(written.schema == read.schema, "\(name)")
    #expect(written.values == read.values, "\(name)")
  }

  @Test func rollbacksOfSparkAreReadAndWrittenAlike() throws {
    let table = "golden/mor-parquet-v6_nonpartitioned_rollback"
    let requested = try file(table, "20250126040936578.rollback.requested")
    let plan = try RollbackPlan(avro: requested)
    let folder = "/opt/data/external_tables/v6_nonpartitioned_rollback/"
    let base = "cd329d8f-0ce4-4654-84ab-2f769aae5034-0_1-33-44_20250126040826878.parquet"
    let group = "0712b9f9-d2d5-4cae-bcf4-8fd7146af503-0"
    let log = "file:\(folder).\(group)_20250126040823628.log."
    #expect(
      plan
        == RollbackPlan(
          instant: .init(instant: "20250126040826878", action: "deltacommit"),
          requests: [
            .init(partitionPath: "", deleting: [folder + base]),
            .init(
              partitionPath: "", fileID: group, baseInstant: "20250126040823628", deletedFiles: [],
              logs: [log + "1_0-33-43": 11_828]),
          ]))
    try expectSame(try plan.bytes(), requested, "plan")
    let completed = try file(table, "20250126040936578.rollback")
    let metadata = try RollbackMetadata(avro: completed)
    var partition = RollbackMetadata.Partition(path: "", deleted: [folder + base])
    partition.rollbackLogs = [log + "2_1-0-1": 105]
    partition.failedLogs = [log + "1_0-33-43": 11_828]
    #expect(
      metadata
        == RollbackMetadata(
          start: "20250126040936578", duration: 195, deletedCount: 1,
          rolledBack: .init(instant: "20250126040826878", action: "deltacommit"), partitions: ["": partition])
    )
    try expectSame(try metadata.bytes(), completed, "metadata")
  }

  @Test func savepointsAndRestoresOfSparkAreReadAndWrittenAlike() throws {
    let saved = try file("spark-tables/v6/cow-savepoint", "20261124101837396.savepoint")
    let savepoint = try SavepointMetadata(avro: saved)
    #expect(savepoint.files.keys == ["alpha", "beta", "gamma"])
    #expect(
      savepoint.files["beta"] == [
        "ad1c3727-a22c-4560-9d03-813400547b25-0_1-715-1371_20261124101837396.parquet"
      ])
    try expectSame(try savepoint.bytes(), saved, "savepoint")
    let timeline = "timeline/20261124102505840"
    let restored = try file(
      "spark-tables/v9/cow-savepoint-restore", timeline + "_20261124102514433.restore")
    let restore = try RestoreMetadata(avro: restored)
    #expect(restore.start == "20261124102505840" && !restore.rollbacks.isEmpty)
    try expectSame(try restore.bytes(), restored, "restore")
    let requested = try file("spark-tables/v9/cow-savepoint-restore", timeline + ".restore.requested")
    try expectSame(try RestorePlan(avro: requested).bytes(), requested, "plan")
  }

  /// Every file of these kinds in every table.
  @Test func allFilesOfSparkAreReadAndWrittenAlike() throws {
    var counts: [String: Int] = [:]
    for table in try SparkTableTests.tables() {
      let root = table + "/table/.hoodie"
      for path in try FileManager.default.subpathsOfDirectory(atPath: root) where !path.hasSuffix(".crc") {
        let name = path.split(separator: "/").last ?? ""
        guard !path.contains("metadata/"), let dot = name.firstIndex(of: ".") else { continue }
        let kind = String(name[name.index(after: dot)...])
        guard ["rollback", "savepoint", "restore", "clean"].contains(where: kind.hasPrefix) else { continue }
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: root + "/" + path)))
        let written: [UInt8]
        switch kind {
        case _ where bytes.isEmpty: continue
        case "rollback.requested": written = try RollbackPlan(avro: bytes).bytes()
        case "rollback": written = try RollbackMetadata(avro: bytes).bytes()
        case "savepoint": written = try SavepointMetadata(avro: bytes).bytes()
        case "restore.requested": written = try RestorePlan(avro: bytes).bytes()
        case "restore": written = try RestoreMetadata(avro: bytes).bytes()
        case "clean.requested", "clean.inflight": written = try CleanPlan(avro: bytes).bytes()
        case "clean": written = try CleanMetadata(avro: bytes).bytes()
        default: continue
        }
        try expectSame(written, bytes, "\(table) \(path)")
        counts[kind, default: 0] += 1
      }
    }
    #expect(counts.count == 8 && counts.values.reduce(0, +) > 20, "\(counts)")
  }
}
