import TarnColumns
import TarnParquet
import TarnStorage
import Testing

@Suite struct RoundTripTests {
  private func batch(_ count: Int, _ nulls: Samples.Nulls, distinct: Int) throws -> RecordBatch {
    let fields = Samples.types.map { Field($0.name, $0) }
    let columns = try Samples.types.map { try Samples.column($0, count, nulls, distinct: distinct) }
    return try RecordBatch(schema: Schema(fields), columns: columns)
  }

  private func expectSame(_ back: RecordBatch, _ batch: RecordBatch) {
    #expect(back.count == batch.count)
    for (index, field) in batch.schema.fields.enumerated() {
      #expect(isSame(back.columns[index], batch.columns[index]), "column \(field.name)")
    }
  }

  @Test(arguments: Samples.Nulls.allCases, [5, 1 << 40])
  func everyTypeComesBackWhateverIsNull(nulls: Samples.Nulls, distinct: Int) async throws {
    let batch = try batch(1_000, nulls, distinct: distinct)
    let shelf = Shelf()
    let options = ParquetWriteOptions(rowGroupRows: 300, pageRows: 64)
    let written = try await shelf.write([batch], batch.schema, options)
    let file = try await shelf.open()
    #expect(written.rowGroupCount == 4)
    #expect(file.rowGroupCount == 4)
    #expect(file.rowCount == 1_000)
    #expect(file.schema == batch.schema)
    #expect(file.unreadable.isEmpty)
    expectSame(try await shelf.readAll(file), batch)
  }

  @Test(arguments: [
    ParquetWriteOptions.Compression.uncompressed, .snappy, .gzip(level: 1), .gzip(level: 9), .zstd(level: 1),
    .zstd(level: 9),
  ])
  func everyCodecComesBack(compression: ParquetWriteOptions.Compression) async throws {
    let batch = try batch(500, .some, distinct: 100)
    let shelf = Shelf()
    _ = try await shelf.write(
      [batch], batch.schema, ParquetWriteOptions(compression: compression, pageRows: 100))
    expectSame(try await shelf.readAll(try await shelf.open()), batch)
  }

  @Test func batchesOfAnySizeMakeTheSameFileAsOne() async throws {
    let batch = try batch(700, .some, distinct: 90)
    let options = ParquetWriteOptions(pageRows: 100)
    let whole = Shelf()
    let parts = Shelf()
    _ = try await whole.write([batch], batch.schema, options)
    let cuts = [0, 1, 1, 3, 99, 100, 340, 341, 660, 700]
    _ = try await parts.write(zip(cuts, cuts.dropFirst()).map { batch.slice($0..<$1) }, batch.schema, options)
    let left = try await whole.storage.readAll(whole.path)
    let right = try await parts.storage.readAll(parts.path)
    #expect(left == right)
  }

  @Test func aFileWithoutRowsHasNoRowGroupsAndKeepsItsKeyValues() async throws {
    let batch = try batch(0, .none, distinct: 1)
    let shelf = Shelf()
    let written = try await shelf.write(
      [], batch.schema,
      keyValues: [ParquetKeyValue("a", "1"), ParquetKeyValue("ä", String(repeating: "x", count: 200_000))])
    let file = try await shelf.open()
    #expect(written.rowCount == 0)
    #expect(file.rowGroupCount == 0)
    #expect(file.schema == batch.schema)
    // A footer longer than what is read at first.
    #expect(file.keyValue("ä")?.utf8.count == 200_000)
    #expect(file.keyValue("a") == "1")
    #expect(file.keyValue("b") == nil)
    #expect(try await shelf.storage.info(of: shelf.path).size == written.size)
  }

  @Test func aDictionaryThatOutgrowsItsLimitIsFollowedByPlainPages() async throws {
    var strings = ColumnBuilder(.string)
    var numbers = ColumnBuilder(.int64)
    for row in 0..<200_000 {
      // The first page promises few values, and later ones break the promise.
      try strings.append(row < 5_000 ? "few \(row % 3)" : "many \(row / 2)")
      numbers.append(Int64(row < 5_000 ? row % 3 : row))
    }
    let schema = Schema([Field("s", .string), Field("n", .int64)])
    let batch = try RecordBatch(schema: schema, columns: [strings.finish(), numbers.finish()])
    let shelf = Shelf()
    _ = try await shelf.write([batch], schema)
    expectSame(try await shelf.readAll(try await shelf.open()), batch)
  }

  @Test func aRowGroupEndsAtItsBytes() async throws {
    let batch = try batch(20_000, .none, distinct: 1 << 40)
    let shelf = Shelf()
    let written = try await shelf.write([batch], batch.schema, ParquetWriteOptions(rowGroupBytes: 1 << 17))
    #expect(written.rowGroupCount > 1)
    let file = try await shelf.open()
    #expect((0..<file.rowGroupCount).map { file.rowCount(inGroup: $0) }.reduce(0, +) == 20_000)
    expectSame(try await shelf.readAll(file), batch)
  }

  @Test func longStringsSplitPages() async throws {
    var builder = ColumnBuilder(.string)
    for row in 0..<40 { try builder.append(String(repeating: "\(row % 10)", count: row * 10_000)) }
    let schema = Schema([Field("s", .string)])
    let batch = try RecordBatch(schema: schema, columns: [builder.finish()])
    let shelf = Shelf()
    _ = try await shelf.write([batch], schema)
    expectSame(try await shelf.readAll(try await shelf.open()), batch)
  }

  @Test func chosenColumnsComeInTheOrderAskedFor() async throws {
    let batch = try batch(100, .some, distinct: 10)
    let shelf = Shelf()
    _ = try await shelf.write([batch], batch.schema)
    let part = try await shelf.open().readRowGroup(0, columns: [7, 0, 7])
    #expect(part.schema.names == ["string", "boolean", "string"])
    #expect(isSame(part.columns[0], batch.columns[7]))
    #expect(isSame(part.columns[1], batch.columns[0]))
  }

  @Test func aRequiredColumnComesBackAndRefusesNulls() async throws {
    let schema = Schema([Field("n", .int64, isNullable: false)])
    let good = try RecordBatch(schema: schema, columns: [try Samples.column(.int64, 50, .none, distinct: 9)])
    let bad = try RecordBatch(schema: schema, columns: [try Samples.column(.int64, 50, .some, distinct: 9)])
    let shelf = Shelf()
    _ = try await shelf.write([good], schema)
    let file = try await shelf.open()
    #expect(file.schema == schema)
    expectSame(try await shelf.readAll(file), good)
    let error = await #expect(throws: ParquetError.self) { _ = try await shelf.write([bad], schema) }
    #expect(error?.column == "n")
  }

  @Test func whatCannotBeWrittenIsRefusedByName() async throws {
    let shelf = Shelf()
    let empty = Schema([Field("l", .list(Field("element", .structure([]))))])
    var error = await #expect(throws: ParquetError.self) { _ = try await shelf.write([], empty) }
    #expect(error?.column == "l")
    let twice = Schema([Field("a", .int32), Field("a", .int64)])
    error = await #expect(throws: ParquetError.self) { _ = try await shelf.write([], twice) }
    #expect(error?.code == .schemaMismatch)
    let decimal = Schema([Field("d", .decimal(precision: 4, scale: 2))])
    var builder = ColumnBuilder(.decimal(precision: 4, scale: 2))
    builder.append(Int128(10_000))
    let large = try RecordBatch(schema: decimal, columns: [builder.finish()])
    error = await #expect(throws: ParquetError.self) { _ = try await shelf.write([large], decimal) }
    #expect(error?.code == .valueOutOfRange)
    #expect(error?.column == "d")
    let other = Schema([Field("d", .int32)])
    error = await #expect(throws: ParquetError.self) { _ = try await shelf.write([large], other) }
    #expect(error?.code == .schemaMismatch)
    #expect(try await shelf.storage.exists(shelf.path) == false)
  }
}
