import Foundation
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables of whose folders and files some are symbolic links.
@Suite struct LinkTests {
  @Test func linkedPartitionsAndBaseFilesAreReadAndNotWritten() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let world = try await LinkedWorld(folder)
      let rows = try await world.rows()
      // One partition lies elsewhere, and of another the files do.
      try world.moveOut("exchange=OKX")
      for file in try world.names("exchange=Kraken").filter({ $0.hasSuffix(".parquet") }) {
        try world.moveOut("exchange=Kraken/" + file)
      }
      for (number, target) in ["/", "..", ".", world.outside].enumerated() {
        try world.link("odd\(number)", to: target)
      }
      let before = try FolderTree(world.outside)
      #expect(try await world.rows() == rows)
      let refused = try Trade.batch([Trade("a", 9, "OKX", 1), Trade("b", 9, "FTX", 1)])
      do throws(TableError) {
        try await world.open().upsert(refused)
        Issue.record("a linked partition was written to")
      } catch {
        #expect(error.message.contains("\(world.root)/exchange=OKX is a symbolic link"), "\(error)")
      }
      #expect(try await world.rows() == rows)
      // The new version of a linked base file lies in the partition itself.
      try await world.open().upsert(try Trade.batch([Trade("k1", 9, "Kraken", 1), Trade("c", 9, "FTX", 1)]))
      let after = try await world.rows()
      #expect(after.count == rows.count + 1 && after.first { $0.id == "k1" }?.time == 9)
      #expect(try FolderTree(world.outside) == before)
    }
  }

  @Test func linkedMetadataTableIsSwitchedOffAndLeftAlone() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let world = try await LinkedWorld(folder)
      try world.addMetadataTable()
      try world.moveOut(".hoodie/metadata")
      let before = try FolderTree(world.outside)
      try await world.open().upsert(try Trade.batch([Trade("n", 9, "OKX", 1)]))
      #expect(try await world.open().properties.hasLiveMetadataTable == false)
      #expect(try FolderTree(world.outside) == before)
    }
  }

  /// Puts links in random places of a table, and lets every verb loose on it.
  @Test(arguments: 0..<24)
  func nothingOutsideTheTableIsEverChanged(seed: Int) async throws {
    try await TestWorld.withTemporaryFolder { folder in
      var generator = SeededGenerator(seed: UInt64(seed))
      let world = try await LinkedWorld(folder)
      if generator.oneIn(2) { try world.addMetadataTable() }
      if generator.oneIn(2) { try await world.leaveDeadAttempt(&generator) }
      for _ in 0..<1 + generator.below(3) { try world.linkSomewhere(&generator) }
      try world.ageTemporaries()
      let before = try FolderTree(world.outside)
      let siblings = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      let failures = await world.runEveryVerb()
      let places = world.links.joined(separator: ", ")
      #expect(try FolderTree(world.outside) == before, "with \(places); failed: \(failures)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == siblings, "\(places)")
      for text in failures { #expect(!text.contains("\n"), "\(text)") }
    }
  }
}

/// A table on disk, a folder outside of it, and links from the one to the other.
private final class LinkedWorld {
  let root: String
  let outside: String
  private let folder: String
  private let manager = FileManager.default
  private(set) var links: [String] = []

  /// Makes a table of three partitions, with deletions that are remembered table-wide, and a folder outside that has
  /// all that writers look for.
  init(_ folder: String) async throws {
    self.folder = folder
    root = folder + "/table"
    outside = folder + "/outside"
    let table = try await Table.create(
      at: .local(root, synchronizes: false), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time", settings: Self.settings)
    let trades = (0..<12).map { Trade("k\($0)", 1, ["OKX", "Kraken", "FTX/1"][$0 % 3], 100) }
    try await table.upsert(try Trade.batch(trades))
    try await table.apply(
      try ChangeBatch(
        rows: try Trade.batch([Trade("gone", 5, nil), Trade("k0", 2, "OKX")]),
        isDelete: Bitmap(repeating: true, count: 2)))
    try manager.createDirectory(atPath: outside, withIntermediateDirectories: true)
    for name in [
      "tarn-1", "x.parquet", ".tarn.lock", "20260101000000000.commit", ".hoodie_partition_metadata",
    ] {
      try Data(name.utf8).write(to: URL(fileURLWithPath: outside + "/" + name))
    }
  }

  private static var settings: TableSettings {
    var settings = TableSettings()
    settings.patience = .milliseconds(200)
    return settings
  }

  func open() async throws(TableError) -> Table {
    try await Table.open(at: .local(root, synchronizes: false), settings: Self.settings)
  }

  func rows() async throws -> [Trade] {
    try await TableFixture.rows(of: try await open().snapshot())
  }

  func names(_ path: String) throws -> [String] { try manager.contentsOfDirectory(atPath: root + "/" + path) }

  func link(_ name: String, to target: String) throws {
    links.append("\(name) -> \(target)")
    try manager.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
  }

  /// Moves a file or folder out of the table, and puts a link in its place.
  func moveOut(_ path: String) throws {
    let target = "\(outside)/moved\(links.count)"
    try manager.moveItem(atPath: root + "/" + path, toPath: target)
    try link(path, to: target)
  }

  /// Makes the table one that Spark keeps a metadata table of.
  func addMetadataTable() throws {
    let properties = URL(fileURLWithPath: root + "/.hoodie/hoodie.properties")
    let text = try String(contentsOf: properties, encoding: .utf8)
    try Data((text + "hoodie.table.metadata.partitions=files\n").utf8).write(to: properties)
    for path in ["metadata/files", "metadata/.hoodie"] {
      try manager.createDirectory(atPath: root + "/.hoodie/" + path, withIntermediateDirectories: true)
      try Data([1]).write(to: URL(fileURLWithPath: root + "/.hoodie/" + path + "/a"))
    }
  }

  /// Lets a write die at a random call, which leaves files and an inflight instant.
  func leaveDeadAttempt(_ generator: inout SeededGenerator) async throws {
    let storage = FaultStorage(
      wrapping: LocalStorage(root: root, synchronizes: false), crashAtCall: 20 + generator.below(30))
    let table = try await Table.open(at: .storage(storage, name: root), settings: Self.settings)
    _ = try? await table.upsert(try Trade.batch([Trade("k1", 8, "Kraken", 1), Trade("d", 8, "New", 1)]))
  }

  /// Makes temporaries old enough to be a dead writer's, those outside too.
  func ageTemporaries() throws {
    let hour = Date(timeIntervalSinceNow: -3_600)
    for folder in [outside, root + "/.hoodie/.temp"] {
      for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] where name.hasPrefix("tarn-") {
        try? manager.setAttributes([.modificationDate: hour], ofItemAtPath: folder + "/" + name)
      }
    }
  }

  /// Puts a link in a random place: a folder, a file, or a name that a writer will want.
  func linkSomewhere(_ generator: inout SeededGenerator) throws {
    let all = try manager.subpathsOfDirectory(atPath: root).sorted()
    let wanted = [
      ".hoodie", ".hoodie/.temp", ".hoodie/metadata", ".hoodie/.tarn.lock", ".hoodie/tarn",
      ".hoodie/hoodie.properties",
      ".hoodie/hoodie.properties.backup", "exchange=OKX", "exchange=New", "exchange=OKX/nested",
      "exchange=Late",
      "exchange=FTX%2F1/.hoodie_partition_metadata", "stray",
    ]
    let place = generator.oneIn(2) ? all[generator.below(all.count)] : wanted[generator.below(wanted.count)]
    let full = root + "/" + place
    var status = stat()
    let isThere = lstat(full, &status) == 0
    if isThere, generator.oneIn(2) { return try moveOut(place) }
    let targets = [
      outside, outside + "/x.parquet", outside + "/nothing", outside + "/nothing/deep", "/", "..", ".", root,
      root + "/exchange=Kraken", (place as NSString).lastPathComponent,
    ]
    if isThere { try manager.removeItem(atPath: full) }
    // The folder above may be a link itself, or gone with one.
    let parent = (full as NSString).deletingLastPathComponent
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: parent, isDirectory: &isFolder), isFolder.boolValue,
      URL(fileURLWithPath: parent).resolvingSymlinksInPath().path.hasPrefix(
        URL(fileURLWithPath: root).resolvingSymlinksInPath().path)
    else { return }
    try link(place, to: targets[generator.below(targets.count)])
  }

  /// Tries all that can be done with a table; gives what failed.
  func runEveryVerb() async -> [String] {
    let local = TableLocation.local(root, synchronizes: false)
    let settings = Self.settings
    let new = [
      Trade("k1", 9, "Kraken", 1), Trade("l", 9, "Late", 1), Trade("n", 9, "New", 2), Trade("o", 9, "OKX", 3),
    ]
    let verbs: [() async throws -> Void] = [
      { _ = try await self.rows() },
      { _ = try await self.open().snapshot().count() },
      { _ = try await self.open().timeline() },
      { _ = try await self.open().schema() },
      { try await self.open().upsert(try Trade.batch(new)) },
      { try await self.open().upsert(try Trade.batch([Trade("m", 9, "Other", 3)])) },
      { try await self.open().insert(try Trade.batch([Trade("i", 9, "New", 3)])) },
      { try await self.open().insert(Trade.schema, batches: { nil }) },
      {
        try await self.open().apply(
          try ChangeBatch(rows: try Trade.batch(new), isDelete: Bitmap(repeating: true, count: new.count)))
      },
      { try await self.open().delete(where: .column("exchange") == "FTX/1") },
      { try await self.open().delete(keys: [["id": "k4"], ["id": "none"]]) },
      { try await self.open().upsert(try Trade.batch([Trade("k5", 10, "FTX/1", 1)])) },
      {
        _ = try await Table.create(
          at: local, schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time",
          settings: settings)
      },
    ]
    var failures: [String] = []
    for verb in verbs { do { try await verb() } catch { failures.append("\(error)") } }
    return failures
  }
}

/// A folder's files and folders with their bytes and times, and what links say.
private struct FolderTree: Equatable {
  private var entries: [String: String] = [:]

  init(_ root: String) throws {
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) + [""] {
      var status = stat()
      try #require(lstat(root + "/" + path, &status) == 0)
      let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: root + "/" + path)) ?? ""
      let bytes = target.isEmpty ? FileManager.default.contents(atPath: root + "/" + path) ?? Data() : Data()
      entries[path] =
        "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_mode) \(target) \(bytes.base64EncodedString())"
    }
  }
}
