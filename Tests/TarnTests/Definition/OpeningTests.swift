import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// The first write of a table that was opened stands on what was read then, over a network.
@Suite struct OpeningTests {
  /// A table with one row, and as another process opens it.
  private static func opened() async throws -> (memory: InMemoryStorage, FaultStorage, Table) {
    let memory = InMemoryStorage()
    let fixture = try await TableFixture(storage: memory)
    try await fixture.upsert(Trade("a", 1, "OKX"))
    let recording = FaultStorage(wrapping: memory)
    let table = try await Table.open(
      at: .storage(OverlappingStorage(recording), name: "memory/trades"),
      settings: TableFixture.settings(Collected()))
    return (memory, recording, table)
  }

  private static func edit(_ storage: InMemoryStorage, _ edit: (String) -> String) async throws {
    let bytes = try await storage.readAll(".hoodie/hoodie.properties")
    let text = edit(String(decoding: bytes, as: UTF8.self))
    try await storage.put(Array(text.utf8), at: ".hoodie/hoodie.properties", if: .always)
  }

  @Test func anUpgradeBetweenOpeningAndTheFirstWriteIsFound() async throws {
    let (memory, _, table) = try await Self.opened()
    try await Self.edit(memory) {
      $0.replacingOnce("hoodie.table.version=6", with: "hoodie.table.version=8")
    }
    let before = try await memory.listAll(prefix: "").objects.map { "\($0.path) \($0.tag)" }
    let batch = try Trade.batch([Trade("b", 1, "OKX")])
    let error = await #expect(throws: TableError.self) { try await table.upsert(batch) }
    #expect(error?.code == .unsupported)
    // Its request is taken back, and its sign of life.
    let after = try await memory.listAll(prefix: "").objects.map { "\($0.path) \($0.tag)" }
    #expect(after == before)
  }

  @Test func otherPropertiesThatChangedMeanwhileAreThoseOfTheWrite() async throws {
    let (memory, recording, table) = try await Self.opened()
    try await Self.edit(memory) { $0 + "an.entry=of another\n" }
    let report = try await table.upsert(try Trade.batch([Trade("b", 1, "OKX")]))
    #expect(report.inserted == 1 && report.instant != nil)
    // When it was opened, behind the request, and again.
    #expect(recording.calls.count { $0 == "get .hoodie/hoodie.properties" } == 3)
    #expect(try await TableFixture.count(try await table.snapshot()) == 2)
    let text = String(decoding: try await memory.readAll(".hoodie/hoodie.properties"), as: UTF8.self)
    #expect(text.contains("an.entry=of another"))
    let left = try await memory.listAll(prefix: ".hoodie/").objects.map(\.path)
    #expect(left.count { $0.hasSuffix(".commit.requested") } == left.count { $0.hasSuffix(".commit") })
  }

  @Test func whereNothingChangedTheyAreReadOnceMoreAndNoMore() async throws {
    let (_, recording, table) = try await Self.opened()
    for time in Int64(1)...2 { try await table.upsert(try Trade.batch([Trade("b", time, "OKX")])) }
    // The second write reads them as it begins.
    #expect(recording.calls.count { $0 == "get .hoodie/hoodie.properties" } == 3)
  }
}

extension String {
  /// The text with the first occurrence of a part replaced.
  fileprivate func replacingOnce(_ part: String, with other: String) -> String {
    guard let range = firstRange(of: part) else { return self }
    return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
  }
}
