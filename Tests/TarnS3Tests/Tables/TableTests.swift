import Tarn
import TarnExpressions
import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
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
