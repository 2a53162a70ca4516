import Tarn
import TarnAWS
import TarnExpressions
import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables in a bucket of a real server, by the library.
@Suite("Tables on a real S3 server") struct TableTests {
  private static func rows(_ snapshot: Snapshot) async throws -> [Trade] {
    var rows: [Trade] = []
    for try await batch in snapshot { rows += Trade.rows(of: batch) }
    return rows.sorted { $0.id < $1.id }
  }

  private static func create(_ location: S3Location, _ client: S3Client) async throws -> Table {
    try await Table.create(
      at: .s3(location.description, client: client), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], orderedBy: "time")
  }

  @Test("A table is made, written, read, travelled in, and found sound")
  func oneTable() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let client = try S3Client(server.options())
    let table = try await Self.create(location, client)
    let first = try await table.upsert(
      try Trade.batch([Trade("a", 1, "OKX", 100), Trade("b", 1, "a b/ü+", 200), Trade("c", 1, "OKX", 300)]))
    let second = try await table.upsert(
      try Trade.batch([Trade("a", 2, "OKX", 111), Trade("d", 1, "Kraken", 400), Trade("c", 0, "OKX", 1)]))
    #expect(second.updated == 1 && second.inserted == 1 && second.stale == 1)
    try await table.delete(where: .column("id") == .string("b"))

    let again = try await Table.open(at: .s3(location.description, server.options()))
    let now = try await Self.rows(try await again.snapshot())
    #expect(now.map(\.id) == ["a", "c", "d"] && now.map(\.price) == [111, 300, 400])
    let then = try await Self.rows(try await again.snapshot(asOf: first.instant))
    #expect(then.map(\.id) == ["a", "b", "c"] && then.map(\.price) == [100, 200, 300])
    #expect(try await again.check().isEmpty)
  }

  @Test("What the first process tried of the bucket lies in the head, and the next one tries nothing")
  func triedOnce() async throws {
    let server = try await RealServer()
    let location = try server.location()
    func client(_ seen: Collected) throws -> S3Client {
      try S3Client(server.options { $0.observer = { seen.add("\($0.method) \($0.url)") } })
    }
    let first = Collected()
    let table = try await Self.create(location, client(first))
    _ = try await table.upsert(try Trade.batch([Trade("a", 1, "OKX")]))
    #expect(first.all.contains { $0.contains("tarn-conditions-") })
    let second = Collected()
    let again = try await Table.open(at: .s3(location.description, client: client(second)))
    _ = try await again.upsert(try Trade.batch([Trade("b", 1, "OKX")]))
    #expect(!second.all.contains { $0.contains("tarn-conditions-") })
    // A head that an earlier build wrote says nothing of it.
    let storage = try S3Storage(location, client: client(Collected()))
    let stored = try await storage.get(HeadStore.path, limit: 1 << 20)
    var head = try Head(parsing: stored.bytes)
    #expect(head.findings?.contains(server.bucket) == true)
    head.findings = nil
    try await storage.put(head.bytes, at: HeadStore.path, if: .ifMatches(stored.tag))
    let third = Collected()
    let later = try await Table.open(at: .s3(location.description, client: client(third)))
    _ = try await later.upsert(try Trade.batch([Trade("c", 1, "OKX")]))
    #expect(third.all.contains { $0.contains("tarn-conditions-") })
    #expect(try await Self.rows(try await later.snapshot()).map(\.id) == ["a", "b", "c"])
  }

  @Test("A commit tells its requests and their bytes, and not those of others")
  func traffic() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let client = try S3Client(server.options())
    let table = try await Self.create(location, client)
    let before = client.counts
    let report = try await table.upsert(try Trade.batch([Trade("a", 1, "OKX")]))
    let after = client.counts
    // Signs of life may go beside it.
    #expect(report.requests > 5 && report.requests <= after.requests - before.requests)
    #expect(report.bytesSent > report.bytesWritten && report.bytesSent <= after.sent - before.sent)
    #expect(report.bytesReceived > 0 && report.bytesReceived <= after.received - before.received)
    async let one = table.upsert(try Trade.batch([Trade("b", 1, "OKX")]))
    async let other = table.upsert(try Trade.batch([Trade("c", 1, "Kraken")]))
    let (first, second) = try await (one, other)
    #expect(first.requests + second.requests <= client.counts.requests - after.requests)
  }

  @Test("A large file is laid out so that the server copies what stays, and other readers take it as ever")
  func layout() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let seen = Collected()
    let client = try S3Client(server.options { $0.observer = { seen.add("\($0.method) \($0.url)") } })
    let table = try await Self.create(location, client)
    // Names that do not compress, so that the file has some megabytes.
    var generator = SeededGenerator(seed: 5)
    let rows = (0..<400_000).map { number in
      Trade("\(generator.next())\(generator.next()) \(number)", 1, "OKX", Int128(number))
    }
    _ = try await table.upsert(try Trade.batch(rows))
    let last = rows[399_000...].prefix(500).map { Trade($0.id, 2, "OKX", 7) }
    let count = seen.all.count
    let report = try await table.upsert(try Trade.batch(last + [Trade("new", 1, "OKX")]))
    #expect(report.updated == 500 && report.inserted == 1 && report.splicedFiles == 1)
    #expect(report.bytesReceived < report.bytesWritten / 3, "\(report)")
    #expect(report.bytesSent < report.bytesWritten / 2, "\(report)")
    // Whatever the table holds: those of the commit, of one file group, and of one part that the server copies.
    #expect(report.requests <= 25 + 14 + 1, "\(seen.all[count...])")
    #expect(try await table.check().isEmpty)
    let now = try await Self.rows(try await table.snapshot())
    #expect(now.count == 400_001 && now.count { $0.time == 2 && $0.price == 7 } == 500)
  }

  @Test("Where rows change everywhere in a large file, it is read in few ranges and sent in few parts")
  func spread() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let seen = Collected()
    let client = try S3Client(server.options { $0.observer = { seen.add("\($0.method) \($0.url)") } })
    let table = try await Self.create(location, client)
    var generator = SeededGenerator(seed: 6)
    let rows = (0..<400_000).map { number in
      Trade("\(generator.next())\(generator.next()) \(number)", 1, "OKX", Int128(number))
    }
    _ = try await table.upsert(try Trade.batch(rows))
    let changed = stride(from: 1_000, to: 400_000, by: 16_000).map { Trade(rows[$0].id, 2, "OKX", 7) }
    let count = seen.all.count
    let report = try await table.upsert(try Trade.batch(changed))
    #expect(report.updated == changed.count && report.splicedFiles == 1)
    #expect(report.requests <= 25 + 14 + 12, "\(seen.all[count...])")
    // Looked through once, and read once.
    #expect(report.bytesReceived < 2 * report.bytesWritten + 4 << 20, "\(report)")
    #expect(try await table.check().isEmpty)
    let now = try await Self.rows(try await table.snapshot())
    #expect(now.count == 400_000 && now.count { $0.time == 2 && $0.price == 7 } == changed.count)
  }

  @Test("Writers with clients of their own commit at once, and lose nothing")
  func manyWriters() async throws {
    let server = try await RealServer()
    let location = try server.location()
    _ = try await Self.create(location, try S3Client(server.options()))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          var settings = TableSettings()
          settings.retries = 100
          let table = try await Table.open(
            at: .s3(location.description, server.options()), settings: settings)
          for round in Int64(0)..<3 {
            try await table.upsert(
              try Trade.batch([Trade("shared", round, "OKX"), Trade("own \(writer) \(round)", 1, "OKX")]))
          }
        }
      }
      try await group.waitForAll()
    }
    let table = try await Table.open(at: .s3(location.description, server.options()))
    let rows = try await Self.rows(try await table.snapshot())
    #expect(rows.count == 13 && rows.first { $0.id == "shared" }?.time == 2)
    #expect(try await table.check().isEmpty)
  }
}
