import TarnColumns
import TarnParquet
import TarnStorage
import Testing

@Suite struct SplicingTests {
  private let schema = Schema([Field("n", .int64), Field("s", .string)])

  private func batch(_ rows: Range<Int>, distinct: Int, prefix: String = "v") throws -> RecordBatch {
    var numbers = ColumnBuilder(.int64)
    var texts = ColumnBuilder(.string)
    for row in rows {
      if row % 11 == 5 { numbers.appendNulls() } else { numbers.append(Int64(row % distinct) * 37) }
      try texts.append("\(prefix)\(row % distinct)")
    }
    return try RecordBatch(schema: schema, columns: [numbers.finish(), texts.finish()])
  }

  private func source(
    _ batch: RecordBatch, _ choice: ParquetWriteOptions.EncodingChoice
  ) async throws -> [EncodedChunk] {
    let shelf = Shelf()
    let options = ParquetWriteOptions(pageRows: 100, encodings: ["n": choice, "s": choice])
    _ = try await shelf.write([batch], batch.schema, options)
    let file = try await shelf.open()
    return [
      try await file.encodedChunk(group: 0, chunk: 0), try await file.encodedChunk(group: 0, chunk: 1),
    ]
  }

  private func write(
    _ chunks: [EncodedChunk], _ options: ParquetWriteOptions = ParquetWriteOptions(pageRows: 100)
  )
    async throws -> RecordBatch
  {
    let shelf = Shelf()
    var writer = try ParquetWriter(
      schema: schema, to: try await shelf.storage.writer(at: shelf.path), path: shelf.path, options: options)
    try await writer.append(try batch(0..<10, distinct: 3))
    do {
      try await writer.append(encoded: chunks)
    } catch {
      await writer.abandon()
      throw error
    }
    let written = try await writer.finish()
    #expect(written.rowGroupCount == 2)
    let file = try await shelf.open()
    let statistics = try #require(try await file.pageStatistics(group: 1, column: 0))
    #expect(statistics.last?.rows.upperBound == file.rowCount(inGroup: 1))
    return try await file.readRowGroup(1, columns: [0, 1])
  }

  /// Replaces the third of the pages by rows.
  private func touched(_ chunks: [EncodedChunk], _ rows: RecordBatch) -> [EncodedChunk] {
    zip(chunks, rows.columns).map { chunk, column in
      var chunk = chunk
      chunk.parts[2] = .rows(column)
      return chunk
    }
  }

  @Test(arguments: [ParquetWriteOptions.EncodingChoice.dictionary, .plain, .delta])
  func keptPagesStandBesideFreshOnes(choice: ParquetWriteOptions.EncodingChoice) async throws {
    let old = try batch(0..<1_000, distinct: 20)
    let fresh = try batch(0..<120, distinct: 50, prefix: "new")
    let expected = try RecordBatch.concatenate(
      [old.slice(0..<200), fresh, old.slice(300..<1_000)], schema: schema)
    let back = try await write(touched(try await source(old, choice), fresh))
    #expect(jsonLines(back) == jsonLines(expected))
  }

  @Test func aDictionaryPageBehindAnotherKindIsRefused() async throws {
    let old = try await source(try batch(0..<1_000, distinct: 20), .dictionary)
    let plain = try await source(try batch(0..<1_000, distinct: 20), .plain)
    let mixed = zip(old, plain).map { one, other in
      EncodedChunk(dictionary: one.dictionary, parts: Array(one.parts[..<5] + other.parts[5...]))
    }
    #expect(try await write(mixed).count == 1_000)
    let wrong = zip(old, plain).map { one, other in
      EncodedChunk(dictionary: one.dictionary, parts: Array(other.parts[..<5] + one.parts[5...]))
    }
    let error = await #expect(throws: ParquetError.self) { _ = try await write(wrong) }
    #expect(error?.code == .unsupported)
    #expect(error?.column == "n")
  }

  @Test func pagesThatDoNotFitAreRefused() async throws {
    let chunks = try await source(try batch(0..<1_000, distinct: 20), .dictionary)
    var error = await #expect(throws: ParquetError.self) {
      _ = try await write(chunks, ParquetWriteOptions(compression: .gzip(level: 1), pageRows: 100))
    }
    #expect(error?.code == .unsupported)
    error = await #expect(throws: ParquetError.self) { _ = try await write([chunks[1], chunks[0]]) }
    #expect(error?.code == .unsupported)
    var short = chunks
    short[1].parts.removeLast()
    error = await #expect(throws: ParquetError.self) { _ = try await write(short) }
    #expect(error?.column == "s")
    var cut = chunks
    if case .page(var page) = cut[0].parts[0] {
      page.bytes.removeLast()
      cut[0].parts[0] = .page(page)
    }
    error = await #expect(throws: ParquetError.self) { _ = try await write(cut) }
    #expect(error?.code == .malformed)
    var orphan = chunks
    orphan[0].dictionary = nil
    error = await #expect(throws: ParquetError.self) { _ = try await write(orphan) }
    #expect(error?.code == .malformed)
  }
}
