import TarnColumns
import TarnParquet
import Testing

@Suite struct KeptDictionaryTests {
  private static let kinds = ["", "buy", "sell", "hold until the end of the year"]
  private static let schema = Schema([
    Field("few", .string, isNullable: true), Field("all", .string), Field("late", .string, isNullable: true),
    Field("list", .list(Field("element", .string, isNullable: true)), isNullable: true),
  ])

  /// Few strings, only different ones, and few at first and then different ones.
  private func batch(_ count: Int) throws -> RecordBatch {
    var few = ColumnBuilder(.string)
    var all = ColumnBuilder(.string)
    var late = ColumnBuilder(.string)
    for row in 0..<count {
      if row % 7 == 3 { few.appendNulls() } else { try few.append(Self.kinds[row * 31 % 11 % 4]) }
      try all.append("value \(row &* 7919)")
      if row % 5 == 1 {
        late.appendNulls()
      } else {
        try late.append(row < count / 2 ? Self.kinds[row % 4] : "late \(row &* 104_729) of many")
      }
    }
    let few1 = few.finish()
    let list = try Column(
      type: Self.schema.fields[3].type,
      values: .list(offsets: (0...count).map { Int32($0) }, elements: few1))
    return try RecordBatch(schema: Self.schema, columns: [few1, all.finish(), late.finish(), list])
  }

  private func isDictionary(_ column: Column) -> Bool {
    switch column.values {
    case .dictionary: true
    case .list(_, let elements): isDictionary(elements)
    default: false
    }
  }

  private func expectSame(_ found: RecordBatch, _ batch: RecordBatch) {
    guard found.count == batch.count else { return #expect(found.count == batch.count) }
    for (column, expected) in zip(found.columns, batch.columns) {
      for row in 0..<batch.count {
        guard column.isEqual(row, to: expected, row), expected.isEqual(row, to: column, row) else {
          return #expect(Bool(false), "row \(row) differs")
        }
      }
    }
    var text: [UInt8] = []
    var expectedText: [UInt8] = []
    for row in 0..<batch.count {
      found.appendJSONLine(row, to: &text)
      batch.appendJSONLine(row, to: &expectedText)
    }
    #expect(text == expectedText)
  }

  @Test func stringsStayPositionsWhereAllPagesHaveThem() async throws {
    let batch = try batch(3_000)
    let shelf = Shelf()
    let options = ParquetWriteOptions(rowGroupRows: 2_000, pageRows: 250)
    _ = try await shelf.write([batch], batch.schema, options)
    let plain = try await shelf.open()
    let file = plain.keepingDictionaries()
    let first = try await file.readRowGroup(0, columns: [0, 1, 2, 3])
    #expect(isDictionary(first.columns[0]))
    #expect(!isDictionary(first.columns[1]))
    #expect(isDictionary(first.columns[3]))
    expectSame(first, batch.slice(0..<2_000))
    expectSame(try first.plain(), batch.slice(0..<2_000))
    #expect(!isDictionary(try first.columns[3].plain()))

    for rowsPerBatch in [1, 100, 700, 5_000] {
      var rows = 0
      for try await part in file.batches(columns: [0, 1, 2, 3], rowsPerBatch: rowsPerBatch, readAhead: 0) {
        #expect(isDictionary(part.columns[0]))
        expectSame(part, batch.slice(rows..<rows + part.count))
        rows += part.count
      }
      #expect(rows == 3_000)
    }
    let chosen = [0, 3, 1_999, 255, 256, 1_000]
    expectSame(
      try await file.readRows(chosen, inGroup: 0, columns: [0, 2]),
      try batch.select(["few", "late"]).gather(chosen.map { Int32($0) }))
  }

  @Test func partsOfKeptDictionariesAreColumnsLikeOthers() async throws {
    let batch = try batch(500)
    let shelf = Shelf()
    _ = try await shelf.write([batch], batch.schema)
    let kept = try await shelf.open().keepingDictionaries().readRowGroup(0, columns: [0, 1, 2, 3])
    expectSame(kept.slice(10..<30), batch.slice(10..<30))
    #expect(isDictionary(kept.slice(10..<30).columns[0]))
    let rows: [Int32] = [499, 3, 3, 0, 17]
    expectSame(try kept.gather(rows), try batch.gather(rows))
    let double = try RecordBatch.concatenate([batch, batch], schema: batch.schema)
    expectSame(try RecordBatch.concatenate([kept, kept], schema: batch.schema), double)
    expectSame(try RecordBatch.concatenate([kept, batch], schema: batch.schema), double)
    expectSame(try RecordBatch.concatenate([batch, kept], schema: batch.schema), double)
    for row in 1..<500 {
      #expect(
        kept.columns[0].compare(row, to: kept.columns[0], row - 1)
          == batch.columns[0].compare(row, to: batch.columns[0], row - 1))
    }
    var builder = ColumnBuilder(kept.columns[0])
    builder.appendNulls(2)
    try builder.append("new")
    let column = builder.finish()
    #expect(column.count == 503 && column.isNull(500) && column.strings?.string(502) == "new")
    #expect(column.strings?.length(501) == 0)
    #expect(kept.columns[0].strings?.offsets == batch.columns[0].strings?.offsets)

    let again = Shelf()
    _ = try await again.write([kept], batch.schema)
    expectSame(try await again.readAll(try await again.open()), batch)
  }

  @Test func rowGroupsReadAtOnceAreThoseReadOneByOne() async throws {
    let batch = try batch(9_000)
    let shelf = Shelf()
    _ = try await shelf.write([batch], batch.schema, ParquetWriteOptions(rowGroupRows: 2_000, pageRows: 500))
    let file = try await shelf.open()
    let groups = try await file.readRowGroups([4, 0, 3, 0], columns: [2, 0, 1])
    #expect(groups.map(\.count) == [1_000, 2_000, 2_000, 2_000])
    for (found, group) in zip(groups, [4, 0, 3, 0]) {
      expectSame(found, try await file.readRowGroup(group, columns: [2, 0, 1]))
    }
    #expect(try await file.readRowGroups([], columns: [0]).isEmpty)
    await #expect(throws: ParquetError.self) { try await file.readRowGroups([0, 5], columns: [0]) }
  }

  @Test func aPositionBehindTheEntriesIsRefused() throws {
    var strings = ByteStrings()
    try strings.append("only")
    let entries = DictionaryStrings.Entries(strings)
    #expect(try DictionaryStrings(indices: [0, 0], entries: entries).count == 2)
    #expect(throws: ColumnError.self) { try DictionaryStrings(indices: [0, 1], entries: entries) }
  }
}
