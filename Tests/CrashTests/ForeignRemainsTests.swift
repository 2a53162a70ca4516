import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What other engines left or have under way: what stops a write is named, and what does not is left alone.
@Suite struct ForeignRemainsTests {
  private func started() async throws -> (InMemoryStorage, Workload) {
    let storage = InMemoryStorage()
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    return (storage, workload)
  }

  @Test(
    arguments: [
      "20260101000000001.replacecommit.requested", "20260101000000001.replacecommit.inflight",
      "20260101000000001.clustering.inflight",
    ])
  func aReplacementUnderWayStopsAWriteAndIsNamed(name: String) async throws {
    let (storage, workload) = try await started()
    try await storage.put([], at: ".hoodie/" + name, if: .ifAbsent)
    let error = await #expect(throws: TableError.self) { try await workload.take(2) }
    #expect(error?.code == .conflict)
    #expect(error?.message.contains(".hoodie/\(name): ") == true)
    #expect(error?.message.contains("roll instant 20260101000000001 back") == true)
    try await storage.delete(".hoodie/" + name)
    try await workload.take(2)
    #expect(try await workload.objection(after: 3, leavesNothing: true) == nil)
  }

  /// Spark writes its files in place, so that one that is killed leaves half of one.
  @Test(arguments: ["", "{\"partitionToWriteStats\":{", "{}", "Obj\u{1}"])
  func anInflightFileOfAnotherEngineStaysAndIsNamedWhereItIsBroken(text: String) async throws {
    let (storage, workload) = try await started()
    let path = ".hoodie/20260101000000001.inflight"
    try await storage.put([], at: ".hoodie/20260101000000001.commit.requested", if: .ifAbsent)
    try await storage.put(Array(text.utf8), at: path, if: .ifAbsent)
    try await workload.take(2)
    #expect(try await workload.rows() == Workload.rows(after: 3))
    #expect(try await storage.exists(path))
    let said = workload.warnings.all.filter { $0.contains(path) && $0.contains("roll instant") }
    #expect(said.count == (["", "{}"].contains(text) ? 0 : 1), "\(workload.warnings.all)")
  }

  @Test func anInstantAfterWhichThereIsNoneIsNamed() async throws {
    let (storage, workload) = try await started()
    let path = ".hoodie/99991231235959999.commit.requested"
    try await storage.put([], at: path, if: .ifAbsent)
    let error = await #expect(throws: TableError.self) { try await workload.take(2) }
    #expect(error?.code == .damaged)
    #expect(error?.message.contains(path) == true)
  }

  @Test func aFileWhereAFolderIsNeededIsNamed() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let storage = LocalStorage(root: folder, synchronizes: false)
      let workload = Workload(storage: storage)
      try await workload.take(0)
      try await storage.put([1], at: "exchange=OKX", if: .ifAbsent)
      let error = await #expect(throws: TableError.self) { try await workload.take(1) }
      #expect(error?.message.contains(folder + "/exchange=OKX") == true, "\(error?.message ?? "")")
      #expect(try await workload.leftovers() == [])
    }
  }
}

/// A metadata table of Spark's that a writer dies on while it switches it off.
@Suite struct MetadataTableTests {
  private static let live = "hoodie.table.metadata.partitions=files\n"
  private static let files = [
    ".hoodie/metadata/.hoodie/hoodie.properties", ".hoodie/metadata/files/a.hfile",
    ".hoodie/metadata/files/b.hfile",
  ]

  private func withMetadataTable(_ storage: any Storage, isLive: Bool = true) async throws {
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    for path in Self.files { try await storage.put([1], at: path, if: .ifAbsent) }
    guard isLive else { return }
    let bytes = try await storage.readAll(TablePaths.properties)
    try await storage.put(bytes + Array(Self.live.utf8), at: TablePaths.properties, if: .always)
  }

  @Test func theNextWriterRemovesTheRestWhereverTheFirstOneDied() async throws {
    let whole = InMemoryStorage()
    try await withMetadataTable(whole)
    let recording = FaultStorage(wrapping: whole)
    try await Workload(storage: recording).take(2)
    let changes = recording.calls.indices.filter { recording.calls[$0].contains("hoodie.properties.backup") }
    let (first, last) = (try #require(changes.first), try #require(changes.last))
    #expect(last - first > 6)
    for number in first + 1...last + 1 {
      let storage = InMemoryStorage()
      try await withMetadataTable(storage)
      let faulty = FaultStorage(wrapping: storage, crashAtCall: number)
      try? await Workload(storage: faulty).take(2)
      let call = faulty.calls[number - 1]
      let next = Workload(storage: storage, seed: 2)
      try await next.take(2)
      #expect(try await storage.listAll(prefix: TablePaths.metadataTable).objects.isEmpty, "\(call)")
      let properties = try await next.open().properties
      #expect(!properties.hasLiveMetadataTable && !properties.hasMetadataLeftover, "\(call)")
      #expect(try await next.rows() == Workload.rows(after: 3), "\(call)")
    }
  }

  /// Such a folder is another engine's, which may be about to say so in the properties.
  @Test func aFolderThatNoWriterOfTarnsBeganToRemoveStays() async throws {
    let storage = InMemoryStorage()
    try await withMetadataTable(storage, isLive: false)
    try await Workload(storage: storage).take(2)
    #expect(try await storage.listAll(prefix: TablePaths.metadataTable).objects.map(\.path) == Self.files)
  }
}
