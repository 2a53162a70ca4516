import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
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
    let other = HookStorage(inner: storage) { call in
      guard call.hasPrefix("writer exchange=OKX") else { return }
      let fileID = "0000000\(bucket)-b037-4532-a9df-3c5b05dd823d-0"
      await commitFromOutside(storage, call, 1, fileID: fileID)
    }
    let table = try await Table.open(at: .storage(other, name: "trades"))
    let rows = try Trade.batch([Trade("a", 1, "OKX"), Trade("b", 1, "OKX")])
    guard isConflict else {
      #expect(try await table.upsert(rows).inserted == 2)
      return
    }
    let error = await #expect(throws: TableError.self) { try await table.upsert(rows) }
    #expect(error?.code == .conflict)
    #expect(error?.message.contains("00000000-b037-4532-a9df-3c5b05dd823d-0") == true)
    #expect(try await table.snapshot().count() == 0)
  }
}
