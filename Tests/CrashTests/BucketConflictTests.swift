import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Another engine that makes a bucket's file group while Tarn makes it too.
@Suite struct BucketConflictTests {
  @Test(arguments: [(0, true), (1, false)])
  func aBucketThatAnotherEngineMadeMeanwhileIsAConflict(bucket: Int, isConflict: Bool) async throws {
    let storage = InMemoryStorage()
    var options = TableOptions()
    // All keys fall into bucket 0 of 1; a file group of bucket 1 would be another's.
    options.tarn.buckets = Buckets(count: 1)
    _ = try await Table.create(
      at: .storage(storage, name: "trades"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], options: options)
    let fileID = "0000000\(bucket)-b037-4532-a9df-3c5b05dd823d-0"
    let bytes = try await file(options)
    func meet(retries: Int) async throws -> CommitReport {
      let other = HookStorage(inner: storage) { call in
        guard call.hasPrefix("writer exchange=OKX/"), !call.contains(fileID) else { return }
        await commitFromOutside(storage, call, 1, fileID: fileID, isConflict ? bytes : nil)
      }
      var settings = TableSettings()
      settings.retries = retries
      let table = try await Table.open(at: .storage(other, name: "trades"), settings: settings)
      return try await table.upsert(try Trade.batch([Trade("a", 1, "OKX"), Trade("b", 1, "OKX")]))
    }
    guard isConflict else {
      #expect(try await meet(retries: 0).inserted == 2)
      return
    }
    let error = await #expect(throws: TableError.self) { try await meet(retries: 0) }
    #expect(error?.code == .conflict)
    #expect(error?.message.contains(fileID) == true)
    let table = try await Table.open(at: .storage(storage, name: "trades"))
    #expect(try await table.snapshot().count() == 1)
    // Begun again, the rows go into that file group.
    #expect(try await meet(retries: 1).inserted == 2)
    #expect(try await table.snapshot().slices.map(\.fileID) == [fileID])
    #expect(try await table.snapshot().count() == 3)
  }

  /// A base file of the bucket with one row.
  private func file(_ options: TableOptions) async throws -> [UInt8] {
    let storage = InMemoryStorage()
    let table = try await Table.create(
      at: .storage(storage, name: "trades"), schema: Trade.schema, recordKey: ["id"],
      partitionedBy: ["exchange"], options: options)
    try await table.upsert(try Trade.batch([Trade("theirs", 1, "OKX")]))
    return try await storage.readAll(try #require(try await table.snapshot().slices.first).path)
  }
}
