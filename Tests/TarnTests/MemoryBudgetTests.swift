import Tarn
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct MemoryBudgetTests {
  /// A table with a file in each of eight partitions, one of whose rows each is then updated.
  private func mostFilesWritten(memory: Int) async throws -> Int {
    let storage = CountingStorage(yields: 20)
    var settings = TableFixture.settings(Collected())
    settings.parallelism = 4
    settings.memory = memory
    let schema = Schema([Field("id", .string), Field("part", .string), Field("note", .string)])
    let table = try await Table.create(
      at: .storage(storage, name: "memory/budget"), schema: schema, recordKey: ["id"],
      partitionedBy: ["part"], settings: settings)
    func rows(_ count: Int, _ note: String) throws -> RecordBatch {
      try batch([
        "id": column(.string) { for row in 0..<count { try $0.append("key-\(row)") } },
        "part": column(.string) { for row in 0..<count { try $0.append("part-\(row % 8)") } },
        "note": Column(repeating: note, count: count),
      ])
    }
    try await table.upsert(rows(400, "before"))
    storage.reset()
    let report = try await table.upsert(rows(8, "after"))
    #expect(report.updated == 8 && report.files == 8)
    let snapshot = try await table.snapshot()
    var notes: [String: Int] = [:]
    for try await batch in snapshot { for note in json(batch["note"]) { notes[note, default: 0] += 1 } }
    #expect(notes == ["\"before\"": 392, "\"after\"": 8])
    return storage.mostWriters
  }

  @Test func asManyFilesAreWrittenAtOnceAsTheBudgetHolds() async throws {
    #expect(try await mostFilesWritten(memory: 256 << 20) == 4)
    // Two times what one small file is taken to need, and a budget that is too small for any.
    #expect(try await mostFilesWritten(memory: (24 << 20) + (9 << 20)) == 2)
    #expect(try await mostFilesWritten(memory: 1) == 1)
  }
}
