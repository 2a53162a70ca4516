import Foundation
import TarnTestSupport
import Testing

/// What would be left of a commit by a power failure at the moment when its completed file appears.
@Suite("Files and folders of a synced write")
struct SyncedWriteTests {
  /// One run's calls, and what they made of the disk.
  private struct Disk {
    /// The folder in which the process ran.
    let folder: String
    /// The calls by which each file or folder was last made, written to, and forced to the disk: where they began.
    private(set) var made: [String: Int] = [:]
    private(set) var written: [String: Int] = [:]
    private(set) var synced: [String: Int] = [:]
    /// Calls under way that force something to the disk.
    private var syncing: [String: [Int]] = [:]
    /// The names that were given, the path, what got it and when.
    private(set) var names: [(path: String, file: String, at: Int)] = []
    /// Folders that were made, by their paths.
    private var folders: [String: String] = [:]

    init(_ folder: String) { self.folder = folder }

    /// Takes note of a call.
    mutating func take(_ call: RecordedCall, at position: Int) {
      switch (call.kind, call.begins) {
      case (.create, _): made[call.file] = position
      case (.write, _): written[call.file] = position
      case (.sync, true): syncing[call.file, default: []].append(position)
      // Of several it may be the one that began first.
      case (.sync, false):
        synced[call.file] = max(synced[call.file] ?? 0, syncing[call.file]?.removeFirst() ?? 0)
      case (.mkdir, _):
        folders[call.path] = call.file
        names.append((call.path, call.file, position))
      case (.name, false): names.append((call.path, call.file, position))
      case (.name, true), (.read, _): break
      }
    }

    /// What was not forced to the disk: files with all that was written to them, folders with all their names.
    ///
    /// - Parameter isWanted: Which names count.
    func missing(where isWanted: (String) -> Bool) throws -> [String] {
      var found: [String] = []
      for (path, file, position) in names where isWanted(path) {
        if folders[path] != file, synced[file] ?? -1 < max(made[file] ?? 0, written[file] ?? 0) {
          found.append("\(path): its bytes")
        }
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        let number = try folders[parent] ?? RecordedCall.file(at: folder + "/" + parent)
        if synced[number] ?? -1 < position { found.append("\(path): its name in its folder") }
      }
      return found
    }
  }

  /// Goes through the calls of a run, and looks at the disk where completed files appear, and at the end.
  ///
  /// - Returns: How many completed files, and how many data files, got their names.
  private func check(_ calls: [RecordedCall], in folder: String) throws -> (commits: Int, data: Int) {
    var disk = Disk(folder)
    var commits = 0
    for (position, call) in calls.enumerated() {
      if call.kind == .name, call.begins, call.path.hasSuffix(".commit") {
        commits += 1
        #expect(try disk.missing { !$0.contains("/.heartbeat") } == [], "when \(call.path) appears")
        let content = try #require(disk.synced[call.file], "\(call.path) itself is not on the disk")
        #expect(content > disk.written[call.file] ?? 0)
      }
      disk.take(call, at: position)
    }
    // Markers go after the commit, and nobody misses what is forgotten of that; nor of a sign of life, since no process
    // lives after a power failure.
    #expect(try disk.missing { !$0.contains("/.temp/") && !$0.contains("/.heartbeat") } == [], "at the end")
    return (commits, disk.names.filter { $0.path.hasSuffix(".parquet") }.count)
  }

  private static func rows(_ numbers: Range<Int>, partitions: Int) -> String {
    numbers.map { #"{"id":\#($0),"part":"p\#($0 % partitions)","value":\#($0)}"# + "\n" }.joined()
  }

  @Test("All of them are on the disk before the completed file has its name, and that follows at once")
  func everythingIsSyncedBeforeTheCommit() async throws {
    try await Tool.inFolder { tool in
      try tool.write("first.jsonl", Self.rows(0..<200, partitions: 9))
      // Old files are spliced, and there are new partitions.
      try tool.write("second.jsonl", Self.rows(150..<260, partitions: 13))
      let created = try await tool.recorded(
        "upsert", "t", "--create", "--key", "id", "--partition-by", "part", "--from", "first.jsonl")
      #expect(try check(created, in: tool.folder) == (1, 9))
      let changed = try await tool.recorded("upsert", "t", "--from", "second.jsonl", "--global")
      let found = try check(changed, in: tool.folder)
      #expect(found.commits == 1 && found.data >= 13)
      let deleted = try await tool.recorded("delete", "t", "--key", "7")
      #expect(try check(deleted, in: tool.folder) == (1, 1))
      try tool.write(
        "changes.jsonl", change("INSERT", "1", exchange: "OKX", at: 1) + change("REMOVE", "1", at: 2))
      let ingested = try await tool.recorded(
        "ingest", "c", "--create", "--partition-by", "exchange", "--changes", "changes.jsonl")
      #expect(try check(ingested, in: tool.folder).commits == 1)
    }
  }

  @Test("A write that is told not to force anything to the disk is noticed")
  func theCheckNotices() async throws {
    try await Tool.inFolder { tool in
      try tool.write("first.jsonl", Self.rows(0..<20, partitions: 3))
      let calls = try await tool.recorded(
        "insert", "t", "--create", "--key", "id", "--partition-by", "part", "--from", "first.jsonl",
        "--no-sync")
      #expect(!calls.contains { $0.kind == .sync })
      var disk = Disk(tool.folder)
      for (position, call) in calls.enumerated() { disk.take(call, at: position) }
      let missing = try disk.missing { $0.hasSuffix(".parquet") || $0 == "t/.hoodie" }
      #expect(missing.count == 3 * 2 + 1, "\(missing)")
    }
  }
}
