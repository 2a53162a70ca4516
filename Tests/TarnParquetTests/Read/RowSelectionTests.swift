import TarnColumns
import TarnExpressions
import TarnParquet
import TarnTestSupport
import Testing

@Suite struct RowSelectionTests {
  private static let path = "file.parquet"
  private static let rowCount = 20_000

  private static func batch() throws -> RecordBatch {
    var random = SeededGenerator(seed: 11)
    let numbers = (0..<rowCount).map { _ in Int64.random(in: .min ... .max, using: &random) }
    var texts = ColumnBuilder(.string)
    for row in 0..<rowCount {
      if row % 9 == 2 { texts.appendNulls() } else { try texts.append("kind \(row * 31 % 17)") }
    }
    let elements = try Column(type: .int64, values: .int64(numbers))
    let list = try Column(
      type: .list(Field("element", .int64)),
      values: .list(offsets: (0...rowCount).map { Int32($0 / 3 * 3) }, elements: elements))
    return try RecordBatch(
      schema: Schema([
        Field("number", .int64), Field("text", .string, isNullable: true), Field("list", list.type),
      ]), columns: [elements, texts.finish(), list])
  }

  @Test(arguments: [0, 1 << 20])
  func selectedRowsAreThoseOfAWholeRead(readAhead: Int) async throws {
    let storage = CountingStorage()
    let batch = try Self.batch()
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: Self.path), path: Self.path,
      options: ParquetWriteOptions(rowGroupRows: 9_000, pageRows: 500))
    try await writer.append(batch)
    _ = try await writer.finish()
    let plain = try await ParquetFile.open(storage, path: Self.path)
    let groups = try await plain.readRowGroups([0, 1, 2], columns: [0, 1, 2])
    var random = SeededGenerator(seed: 3)
    for turn in 0..<12 {
      let file = turn % 2 == 0 ? plain : plain.keepingDictionaries()
      var selections: [RowSelection] = []
      var parts: [RecordBatch] = []
      for group in [2, 0, 1] {
        guard Int.random(in: 0..<4, using: &random) > 0 else {
          selections.append(RowSelection(group: group))
          parts.append(groups[group])
          continue
        }
        let ranges = (0..<Int.random(in: 0..<6, using: &random)).map { _ in
          let start = Int.random(in: 0..<groups[group].count, using: &random)
          return start..<Int.random(in: start...groups[group].count, using: &random)
        }
        let selection = RowSelection(group: group, ranges: ranges)
        selections.append(selection)
        for range in selection.ranges ?? [] { parts.append(groups[group].slice(range)) }
      }
      var found: [RecordBatch] = []
      let rowsPerBatch = [1, 333, 500, 16_384][turn % 4]
      for try await part in file.batches(
        columns: [0, 1, 2], rowsPerBatch: rowsPerBatch == 1 ? 77 : rowsPerBatch, selecting: selections,
        readAhead: readAhead)
      {
        #expect(part.count > 0)
        found.append(part)
      }
      let all = try RecordBatch.concatenate(found, schema: batch.schema)
      let expected = try RecordBatch.concatenate(parts, schema: batch.schema)
      guard all.count == expected.count else {
        #expect(all.count == expected.count)
        continue
      }
      for (column, other) in zip(all.columns, expected.columns) {
        #expect((0..<all.count).first { !column.isEqual($0, to: other, $0) } == nil)
      }
    }
    await #expect(throws: ParquetError.self) {
      let beyond = RowSelection(group: 2, ranges: [1_990..<2_600])
      for try await _ in plain.batches(columns: [0], selecting: [beyond]) {}
    }
  }

  @Test func pagesWithoutSelectedRowsAreNotRead() async throws {
    let storage = CountingStorage()
    let batch = try Self.batch().select(["number"])
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: Self.path), path: Self.path,
      options: ParquetWriteOptions(pageRows: 500))
    try await writer.append(batch)
    _ = try await writer.finish()
    let file = try await ParquetFile.open(storage, path: Self.path)
    storage.reset()
    var rows = 0
    for try await part in file.batches(
      columns: [0], selecting: [RowSelection(group: 0, ranges: [19_700..<19_710, 30..<40])])
    {
      rows += part.count
    }
    #expect(rows == 20)
    // Two pages of 4,000 bytes each, and the index.
    #expect(storage.bytesRead < 12_000)
  }

  @Test func setsOfRowsAreJoinedAndCut() {
    #expect(RowRanges.union([5..<9, 1..<2, 2..<3, 4..<4, 8..<12]) == [1..<3, 5..<12])
    #expect(RowRanges.intersection([1..<3, 5..<12], [0..<2, 6..<7, 11..<20]) == [1..<2, 6..<7, 11..<12])
    #expect(RowRanges.intersection([], [0..<2]) == [])
  }
}
