import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct BloomFilterReadingTests {
  @Test func aFilterThatAnotherWriterMadeKnowsItsValues() async throws {
    let storage = LocalStorage(root: try TestWorld.requireShared("parquet-samples"))
    let file = try await ParquetFile.open(storage, path: "data_index_bloom_encoding_stats.parquet")
    let filter = try #require(try await file.bloomFilter(group: 0, column: 0))
    let column = try await file.readRowGroup(0, columns: [0]).columns[0]
    let strings = try #require(column.strings)
    for row in 0..<column.count { #expect(filter.mayContain(hash: SplitBlockBloomFilter.hash(strings[row]))) }
    let unknown = (0..<100).count {
      filter.mayContain(hash: SplitBlockBloomFilter.hash(Array("absent \($0)".utf8).span.bytes))
    }
    #expect(unknown < 20)
  }

  @Test func aFileWithoutFiltersHasNone() async throws {
    let shelf = Shelf()
    try await shelf.put(Fixtures.int96)
    #expect(try await shelf.open().bloomFilter(group: 0, column: 0) == nil)
  }
}
