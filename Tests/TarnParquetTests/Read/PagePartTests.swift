import Foundation
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

/// Pages whose rows take more than a batch may, so that they are decoded in parts.
@Suite struct PagePartTests {
  private func expect(
    _ file: ParquetFile, in parts: Int, holds batch: RecordBatch, _ about: Comment
  ) async throws -> Int {
    let all = Array(batch.columns.indices)
    var parted: [RecordBatch] = []
    for try await part in file.batches(columns: all, bytesPerBatch: parts, readAhead: 0) {
      parted.append(part)
    }
    let read = try RecordBatch.concatenate(parted, schema: batch.schema)
    try #require(read.count == batch.count, about)
    for (field, (found, expected)) in zip(batch.schema.fields, zip(read.columns, batch.columns)) {
      let differs = (0..<batch.count).first { !found.isEqual($0, to: expected, $0) }
      #expect(differs == nil, "\(about), \(field.name)")
    }
    return parted.count
  }

  @Test(arguments: 0..<12)
  func pagesInPartsHoldWhatTheyHoldWhole(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    var rows = RandomRows(seed: seed, depth: seed % 3 == 0 ? 2 : 0)
    let batch = try rows.batch(600 + generator.below(3_000))
    let choices: [ParquetWriteOptions.EncodingChoice] = [.automatic, .plain, .dictionary, .delta]
    var options = ParquetWriteOptions(
      compression: [.uncompressed, .snappy, .zstd(level: 1)][generator.below(3)], pageRows: 1_500)
    for field in batch.schema.fields where !field.type.isNested {
      options.encodings[field.name] = choices[generator.below(4)]
    }
    let shelf = Shelf()
    _ = try await shelf.write([batch], batch.schema, options)
    for bytes in [1, 20_000, 200_000] {
      _ = try await expect(try await shelf.open(), in: bytes, holds: batch, "seed \(seed), \(bytes) bytes")
    }
  }

  @Test func aPageIsDecodedInAsManyPartsAsItsRowsNeed() async throws {
    let numbers = try Column(type: .int64, values: .int64((0..<4_000).map { Int64($0 % 5) }))
    let schema = Schema((0..<20).map { Field("c\($0)", .int64) })
    let batch = try RecordBatch(schema: schema, columns: schema.fields.map { _ in numbers })
    let shelf = Shelf()
    _ = try await shelf.write([batch], schema, ParquetWriteOptions(pageRows: 4_000))
    let file = try await shelf.open()
    // Of 32,000 bytes a column a twentieth of 16,000 is decoded at once.
    let parts = try await expect(file, in: 16_000, holds: batch, "16,000 bytes")
    #expect((40...42).contains(parts))
    // A page that takes no more than four times its share is decoded at once.
    #expect(try await expect(file, in: 160_000, holds: batch, "160,000 bytes") <= 8)
  }

  @Test(arguments: SharedSampleTests.names)
  func filesOfOtherWritersAreTheSameInParts(name: String) async throws {
    let path = try TestWorld.requireShared("parquet-samples/\(name).parquet")
    let url = URL(fileURLWithPath: path)
    let storage = LocalStorage(root: url.deletingLastPathComponent().path)
    let file = try await ParquetFile.open(storage, path: url.lastPathComponent)
    var groups: [RecordBatch] = []
    for group in 0..<file.rowGroupCount {
      groups.append(try await file.readRowGroup(group, columns: Array(file.schema.fields.indices)))
    }
    let whole = try RecordBatch.concatenate(groups, schema: file.schema)
    _ = try await expect(file, in: 1, holds: whole, "\(name)")
  }
}
