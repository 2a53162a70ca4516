import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Clusterings that follow a commit by themselves, where it leaves too many small files.
@Suite struct PackingTests {
  private static func options(_ files: Int) -> String {
    "tarn.cluster.automatic=true\ntarn.cluster.beyond.files=\(files)"
  }

  /// The table as a process sees it whose commits are followed by services.
  private static func opened(_ small: SmallTable, _ storage: (any Storage)? = nil) async throws -> Table {
    var settings = small.table.settings
    settings.runsServices = true
    return try await Table.open(
      at: .storage(storage ?? small.storage, name: "memory/small"), settings: settings)
  }

  /// A storage that does something before the content of the attempt with a number is put.
  private static func hooked(
    _ inner: any Storage, at number: Int, _ body: @escaping @Sendable () async -> Void
  ) -> HookStorage {
    let contents = Mutex(0)
    return HookStorage(inner: inner) { call in
      guard call.hasPrefix("put .hoodie/"), call.contains(".content.") else { return }
      let present = contents.withLock { contents in
        contents += 1
        return contents
      }
      if present == number { await body() }
    }
  }

  private static func slices(_ table: Table, _ part: String) async throws -> Int {
    try await table.snapshot().slices.count { $0.partitionPath == "part=" + part }
  }

  @Test func aPartitionWithTooManySmallFilesIsPacked() async throws {
    let small = try await SmallFileTable.filled(4, options: Self.options(3))
    let table = try await Self.opened(small)
    let report = try await table.upsert(try SmallFileTable.rows([1], part: "a", 900))
    #expect(report.updated == 1 && report.packedFiles == 4 && report.warnings == [])
    #expect(try await Self.slices(table, "a") == 1)
    // The commit wrote nothing there.
    #expect(try await Self.slices(table, "b") == 4)
    #expect(try await table.snapshot().count() == 24)
    let latest = try #require(try await table.timeline().latest)
    #expect(try await table.metadata(of: latest).operation == .cluster)
    #expect(try await table.upsert(try SmallFileTable.rows([2], part: "a", 900)).packedFiles == 0)
    #expect(try await table.check() == [])
  }

  @Test(arguments: ["", options(4), "tarn.cluster.beyond.files=2"])
  func nothingIsPackedWhereThereAreNotMoreOrNobodyWantsIt(options: String) async throws {
    let small = try await SmallFileTable.filled(4, options: options)
    let table = try await Self.opened(small)
    #expect(try await table.upsert(try SmallFileTable.rows([1], part: "a", 900)).packedFiles == 0)
    #expect(try await Self.slices(table, "a") == 4)
  }

  @Test func aCommitThatLeavesFewSmallFilesCostsNoCallMore() async throws {
    func calls(_ options: String) async throws -> Int {
      let small = try await SmallFileTable.filled(4, options: options)
      let recording = FaultStorage(wrapping: small.storage)
      let table = try await Self.opened(small, recording)
      let before = recording.callCount
      try await table.upsert(try SmallFileTable.rows([1], part: "a", 900))
      return recording.callCount - before
    }
    let wanted = try await calls(Self.options(4))
    #expect(wanted == (try await calls("")))
  }

  /// Another writer with no try to lose changes a file of those that are packed before it is decided.
  @Test func aWriterDoesNotFailBecauseOfAPacking() async throws {
    let small = try await SmallFileTable.filled(4, options: Self.options(3))
    let packer = try await Self.opened(small)
    let packed = Mutex(0)
    let hooked = Self.hooked(small.storage, at: 1) {
      let report = try? await packer.upsert(try SmallFileTable.rows([1], part: "a", 900))
      packed.withLock { $0 = report?.packedFiles ?? 0 }
    }
    var settings = small.table.settings
    settings.retries = 0
    let writer = try await Table.open(at: .storage(hooked, name: "memory/small"), settings: settings)
    let report = try await writer.upsert(try SmallFileTable.rows([10], part: "a", 901))
    #expect(packed.withLock { $0 } == 4 && report.updated == 1)
    #expect(try await writer.snapshot().count() == 24)
    #expect(try await writer.check() == [])
  }

  /// Without a packing in between, such a writer fails.
  @Test func aWriterWithoutTriesStillFailsBecauseOfAnother() async throws {
    let small = try await SmallFileTable.filled(4)
    let hooked = Self.hooked(small.storage, at: 1) {
      _ = try? await small.table.upsert(try SmallFileTable.rows([11], part: "a", 900))
    }
    var settings = small.table.settings
    settings.retries = 0
    let writer = try await Table.open(at: .storage(hooked, name: "memory/small"), settings: settings)
    await expectRefusal(.conflict) { try await writer.upsert(try SmallFileTable.rows([10], part: "a", 901)) }
  }

  /// A packing gives way to a writer that changes one of its files meanwhile, and waits some commits.
  @Test func aPackingThatLosesIsNoFailure() async throws {
    let small = try await SmallFileTable.filled(4, options: Self.options(3))
    let other = try await SmallFileTable.reopened(small)
    let hooked = Self.hooked(small.storage, at: 2) {
      _ = try? await other.upsert(try SmallFileTable.rows([10], part: "a", 901))
    }
    let table = try await Self.opened(small, hooked)
    let report = try await table.upsert(try SmallFileTable.rows([1], part: "a", 900))
    #expect(report.updated == 1 && report.packedFiles == 0 && report.warnings == [])
    var packed: [Int] = []
    for number in 0..<6 {
      packed.append(
        try await table.upsert(try SmallFileTable.rows([2], part: "a", 910 + Int64(number))).packedFiles)
    }
    #expect(packed == [0, 0, 0, 0, 0, 4])
    #expect(try await table.snapshot().count() == 24)
    #expect(try await table.check() == [])
  }

  @Test func theOptionIsKeptWithTheTable() async throws {
    var options = TableOptions()
    options.tarn.mostSmallFiles = 8
    let small = try await SmallTable(SmallFileTable.schema, options: options)
    #expect(try TarnOptions(small.table.properties).mostSmallFiles == 8)
    #expect(TarnOptions().mostSmallFiles == nil)
    try await small.appendProperties("tarn.cluster.beyond.files=none")
    let table = try await SmallFileTable.reopened(small)
    #expect(throws: TableError.self) { try TarnOptions(table.properties) }
  }
}
