import Foundation
import Tarn
import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Hudi's storage-based lock in a bucket: a client that takes, renews and releases it as Hudi 1.2 does, beside Tarn.
@Suite("Hudi's lock on a real S3 server") struct LockTests {
  /// Hudi's own writer, as far as its lock goes, with a client of its own.
  private actor HudiClient {
    private let storage: S3Storage
    private var tag: ObjectTag?

    init(_ storage: S3Storage) { self.storage = storage }

    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    private func put(isReleased: Bool, _ condition: PutCondition) async -> Bool {
      let end = Self.now() + 300_000
      let text = #"{"expired":\#(isReleased),"validUntil":\#(end),"owner":"java"}"#
      tag = try? await storage.put(Array(text.utf8), at: HudiLockFile.path, if: condition)
      return tag != nil
    }

    /// Tries to take it.
    func take() async -> Bool {
      guard let found = try? await storage.get(HudiLockFile.path, limit: 1_000) else {
        return await put(isReleased: false, .ifAbsent)
      }
      guard let file = HudiLockFile(parsing: found.bytes), file.isReleased || Self.now() > file.end + 500
      else {
        return false
      }
      return await put(isReleased: false, .ifMatches(found.tag))
    }

    func renew() async -> Bool {
      guard let tag else { return false }
      return await put(isReleased: false, .ifMatches(tag))
    }

    func release() async -> Bool {
      guard let tag else { return false }
      return await put(isReleased: true, .ifMatches(tag))
    }
  }

  private static func settings(_ patience: Duration) -> TableSettings {
    var settings = TableSettings()
    settings.lockPatience = patience
    settings.retries = 100
    return settings
  }

  private static func open(
    _ location: S3Location, _ server: RealServer, _ patience: Duration
  ) async throws -> Table {
    try await Table.open(at: .s3(location.description, server.options()), settings: settings(patience))
  }

  /// A table beside which a writer of Hudi's has held its lock and let it go.
  private static func create(_ server: RealServer) async throws -> (S3Location, S3Storage, HudiClient) {
    let location = try server.location()
    _ = try await Table.create(
      at: .s3(location.description, server.options()), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time")
    let storage = try S3Storage(location, client: S3Client(server.options()))
    let client = HudiClient(storage)
    #expect(await client.take())
    #expect(await client.release())
    return (location, storage, client)
  }

  @Test("While Hudi holds it, Tarn writes nothing and says who has it; then it goes on")
  func hudiExcludesTarn() async throws {
    let server = try await RealServer()
    let (location, storage, hudi) = try await Self.create(server)
    #expect(await hudi.take())
    let batch = try Trade.batch([Trade("a", 1, "OKX")])
    let hasty = try await Self.open(location, server, .milliseconds(300))
    let error = await #expect(throws: TableError.self) { try await hasty.upsert(batch) }
    #expect(error?.code == .locked && error?.message.contains("java") == true, "\(error?.message ?? "")")
    #expect(await hudi.renew())
    #expect(try await Timeline.load(from: storage).completedCommits.isEmpty)
    let patient = try await Self.open(location, server, .seconds(60))
    async let report = patient.upsert(batch)
    try await Task.sleep(for: .milliseconds(500))
    #expect(try await Timeline.load(from: storage).completedCommits.isEmpty)
    #expect(await hudi.release())
    #expect(try await report.inserted == 1)
    #expect(await hudi.take())
  }

  @Test("Who holds it sees no commit of the others, and both come to their turn")
  func bothWays() async throws {
    let server = try await RealServer()
    let (location, storage, hudi) = try await Self.create(server)
    let done = Collected()
    let held = Collected()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while done.all.isEmpty {
          guard await hudi.take() else {
            try await Task.sleep(for: .milliseconds(5))
            continue
          }
          let before = try await Timeline.load(from: storage).completedCommits
          let head = try await storage.get(HeadStore.path, limit: 1 << 20).tag
          try await Task.sleep(for: .milliseconds(60))
          #expect(try await storage.get(HeadStore.path, limit: 1 << 20).tag == head)
          #expect(try await Timeline.load(from: storage).completedCommits == before)
          #expect(await hudi.release())
          held.add("once")
          try await Task.sleep(for: .milliseconds(40))
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { writers in
        for writer in 0..<2 {
          writers.addTask {
            let table = try await Self.open(location, server, .seconds(60))
            for round in 0..<4 {
              _ = try await table.upsert(try Trade.batch([Trade("\(writer) \(round)", 1, "OKX")]))
            }
          }
        }
        try await writers.waitForAll()
      }
      done.add("all")
      try await group.waitForAll()
    }
    #expect(!held.all.isEmpty)
    let table = try await Self.open(location, server, .seconds(60))
    var count = 0
    for try await batch in try await table.snapshot() { count += batch.count }
    #expect(count == 8)
    #expect(try await table.check().isEmpty)
  }
}
