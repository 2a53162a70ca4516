import TarnColumns
import TarnParquet
import TarnTestSupport
import Testing

@Suite struct ReadAheadTests {
  private static let path = "file.parquet"
  private static let rowCount = 40_000

  /// Random numbers and texts, which no codec makes small, and a list.
  private static func batch() throws -> RecordBatch {
    var random = SeededGenerator(seed: 7)
    let numbers = (0..<rowCount).map { _ in Int64.random(in: .min ... .max, using: &random) }
    var texts = ColumnBuilder(.string)
    for row in 0..<rowCount {
      if row % 9 == 2 {
        texts.appendNulls()
      } else {
        try texts.append("\(UInt64.random(in: 0 ... .max, using: &random))")
      }
    }
    let list = try Column(
      type: .list(Field("element", .int64)),
      values: .list(
        offsets: (0...rowCount).map { Int32($0 / 3 * 3) },
        elements: Column(type: .int64, values: .int64(numbers))))
    return try RecordBatch(
      schema: Schema([
        Field("number", .int64), Field("text", .string, isNullable: true), Field("list", list.type),
      ]), columns: [Column(type: .int64, values: .int64(numbers)), texts.finish(), list])
  }

  private func file(
    _ storage: CountingStorage, _ batch: RecordBatch, groupRows: Int
  ) async throws -> ParquetFile {
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: Self.path), path: Self.path,
      options: ParquetWriteOptions(rowGroupRows: groupRows, pageRows: 512))
    try await writer.append(batch)
    _ = try await writer.finish()
    return try await ParquetFile.open(storage, path: Self.path)
  }

  private func expectSame(_ parts: [RecordBatch], _ batch: RecordBatch) throws {
    let all = try RecordBatch.concatenate(parts, schema: batch.schema)
    guard all.count == batch.count else { return #expect(all.count == batch.count) }
    for (found, expected) in zip(all.columns, batch.columns) {
      let differs = (0..<batch.count).first { !found.isEqual($0, to: expected, $0) }
      #expect(differs == nil)
    }
  }

  @Test(arguments: [0, 1 << 20, 1 << 30], [40_000, 3_000])
  func theNextBytesAreUnderWayWhileABatchIsUsed(readAhead: Int, groupRows: Int) async throws {
    let storage = CountingStorage(yields: 40)
    let batch = try Self.batch()
    let file = try await file(storage, batch, groupRows: groupRows)
    storage.reset()
    var parts: [RecordBatch] = []
    var batches = file.batches(columns: [0, 1, 2], rowsPerBatch: 1_000, readAhead: readAhead)
      .makeAsyncIterator()
    while let part = try await batches.next(isolation: nil) { parts.append(part) }
    try expectSame(parts, batch)
    // Columns apart; a small row group is one request.
    if readAhead == 0 { #expect(storage.mostUnderWay > 1) }
    // Nothing is read twice.
    #expect(storage.bytesRead <= file.size)
  }

  @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3, 8, 64])
  func fewerBytesThanColumnsMakeSmallBatches(bytes: Int) async throws {
    let bits = try Column(type: .boolean, values: .boolean(Bitmap(repeating: true, count: 50)))
    let batch = try RecordBatch(
      schema: Schema(["a", "b", "c"].map { Field($0, .boolean) }), columns: [bits, bits, bits])
    let storage = CountingStorage(yields: 0)
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: Self.path), path: Self.path,
      options: ParquetWriteOptions(pageRows: 4))
    try await writer.append(batch)
    _ = try await writer.finish()
    let file = try await ParquetFile.open(storage, path: Self.path)
    var parts: [RecordBatch] = []
    for try await part in file.batches(columns: [0, 1, 2], bytesPerBatch: bytes, readAhead: 0) {
      parts.append(part)
    }
    try expectSame(parts, batch)
  }

  @Test func theNextSmallRowGroupIsReadWhileTheFirstIsUsed() async throws {
    let storage = CountingStorage()
    let file = try await file(storage, try Self.batch(), groupRows: 4_096)
    storage.reset()
    var batches = file.batches(columns: [0, 1, 2], rowsPerBatch: 100).makeAsyncIterator()
    _ = try await batches.next(isolation: nil)
    let deadline = ContinuousClock.now + .seconds(20)
    while storage.readCount < 2, ContinuousClock.now < deadline { await Task.yield() }
    #expect(storage.readCount == 2)
  }

  @Test func aReadThatFailsAheadIsToldWhenItsRowsAreAskedFor() async throws {
    let storage = CountingStorage()
    let batch = try Self.batch()
    let file = try await file(storage, batch, groupRows: 5_000)
    for failing in 1...20 {
      storage.reset(failingRead: failing)
      await #expect(throws: ParquetError.self) {
        for try await _ in file.batches(columns: [0, 1, 2], rowsPerBatch: 700, readAhead: 0) {}
      }
    }
  }

  @Test func aBrokenOffReadStopsItsRequests() async throws {
    let storage = CountingStorage(yields: 5)
    let batch = try Self.batch()
    let file = try await file(storage, batch, groupRows: 5_000)
    storage.reset()
    for try await _ in file.batches(columns: [0, 1, 2], rowsPerBatch: 700, readAhead: 0) { break }
    let few = storage.bytesRead
    #expect(few < file.size / 4)
  }

  @Test func chosenRowsAreAskedForAtOnce() async throws {
    let storage = CountingStorage(yields: 40)
    let batch = try Self.batch()
    let file = try await file(storage, batch, groupRows: Self.rowCount)
    storage.reset()
    let rows = stride(from: 0, to: Self.rowCount, by: 13_000).map { $0 }
    try expectSame(
      [try await file.readRows(rows, inGroup: 0, columns: [0, 1, 2])],
      try batch.gather(rows.map { Int32($0) }))
    #expect(storage.mostUnderWay > 1)
    #expect(storage.mostUnderWay <= 4)
    #expect(storage.bytesRead < file.size / 3)
  }
}
