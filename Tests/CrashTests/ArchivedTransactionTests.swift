import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Transactions whose commits were archived since.
@Suite struct ArchivedTransactionTests {
  private static let archive = ".hoodie/archived/.commits_.archive.1_1-0-1"

  private func write(_ workload: Workload, _ version: Int64, _ ids: String...) async throws -> CommitReport {
    let transaction = WriteTransaction(application: "orders", version: version)
    return try await workload.open().writing(WriteOptions(transaction: transaction))
      .upsert(try Trade.batch(ids.map { Trade($0, 1, "OKX", 1) }))
  }

  /// Moves a commit into an archive, as another engine's writer does.
  private func archive(_ instant: Instant, _ storage: any Storage, _ table: Table) async throws {
    let files = InstantFiles(instant)
    let metadata = try await table.metadata(of: files.completed)
    let commit = ArchiveFixture.commit(
      metadata.files.first?.path ?? "", extra: metadata.extra.pairs.map { ($0.key, $0.value) })
    let entry = try ArchiveFixture.entry(instant.text, "commit", "COMPLETED", commit)
    try await storage.put(ArchiveFixture.file([[entry]]), at: Self.archive, if: .always)
    for file in [files.requested, files.inflight, files.completed] { try await storage.delete(file.path) }
  }

  /// A table with version 1 in the archive and another commit behind it, and the report of version 1.
  private func archived() async throws -> (InMemoryStorage, Workload, CommitReport) {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    let report = try await write(workload, 1, "a", "b")
    try await workload.take(1)
    try await archive(try #require(report.instant), storage, try await workload.open())
    return (storage, workload, report)
  }

  @Test(arguments: [false, true])
  func anArchivedCommitsReportIsGivenAlsoByAHeadThatWasMadeAnew(isRebuilt: Bool) async throws {
    let (storage, workload, report) = try await archived()
    if isRebuilt { try await storage.delete(HeadStore.path) }
    let rows = try await workload.rows()
    let again = try await write(workload, 1, "a", "b")
    #expect(again.instant == report.instant && again.position == report.position)
    #expect(again.inserted == 2 && again.files == 1)
    #expect(try await workload.rows() == rows)
    await #expect(throws: TableError.self) { try await write(workload, 0, "c") }
    #expect(try await write(workload, 2, "c").inserted == 1)
  }

  @Test func anArchiveThatCannotBeReadIsToldAndStopsNoWrite() async throws {
    let (storage, workload, report) = try await archived()
    try await storage.put(Array("PAR1PAR1".utf8), at: Self.archive, if: .always)
    let again = try await write(workload, 1, "a", "b")
    #expect(again.instant == report.instant && again.inserted == 0)
    #expect(workload.warnings.all.contains { $0.contains("its report cannot be read") })
    try await storage.delete(HeadStore.path)
    try await workload.take(2)
    #expect(workload.warnings.all.contains { $0.contains("transactions in archived commits are not known") })
  }
}
