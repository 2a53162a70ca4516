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

  /// The bytes that a second deletion of unknown keys reads, by the same table value or by another.
  private func bytesOfSecondDeletion(memory: Int, reopening: Bool) async throws -> Int {
    let storage = CountingStorage()
    var settings = TableFixture.settings(Collected())
    settings.memory = memory
    var options = TableOptions()
    options.tarn.tombstoneRetentionHours = 0
    let small = try await SmallTable(Schema([Field("id", .string)]), options: options, storage: storage)
    var table = try await Table.open(at: small.table.location, settings: settings)
    try await table.upsert(
      batch(["id": column(.string) { for row in 0..<500 { try $0.append("key-\(row)") } }]))
    let unknown = try batch(["id": texts("key-1x", "key-2x")])
    #expect(try await table.delete(unknown).notFound == 2)
    if reopening { table = try await Table.open(at: small.table.location, settings: settings) }
    storage.reset()
    #expect(try await table.delete(unknown).notFound == 2)
    return storage.bytesRead
  }

  @Test func aTableValueReadsAFooterOnceAsLongAsItsMemoryHoldsIt() async throws {
    let fresh = try await bytesOfSecondDeletion(memory: 256 << 20, reopening: true)
    let again = try await bytesOfSecondDeletion(memory: 256 << 20, reopening: false)
    let forgotten = try await bytesOfSecondDeletion(memory: 1 << 10, reopening: false)
    // A filter for 10,000 keys is in the footer.
    #expect(again < fresh - 24_000)
    #expect(forgotten > again + 24_000)
  }
}
