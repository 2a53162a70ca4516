import Foundation
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct WritingTests {
  private func nested(_ seed: UInt64, rows: Int) throws -> RecordBatch {
    var samples = NestedSamples(seed: seed)
    let fields = (0..<3).map { samples.field("c\($0)") } + [Field("id", .int64, isNullable: false)]
    var columns: [Column] = []
    let there = [Bool](repeating: true, count: rows)
    for field in fields { columns.append(try samples.column(field, there: there)) }
    return try RecordBatch(schema: Schema(fields), columns: columns)
  }

  @Test(arguments: 0..<24) func nestedColumnsOfAnyShapeComeBack(seed: Int) async throws {
    let batch = try nested(UInt64(seed), rows: 500)
    let shelf = Shelf()
    _ = try await shelf.write(
      [batch.slice(0..<77), batch.slice(77..<500)], batch.schema,
      ParquetWriteOptions(rowGroupRows: 192, pageRows: 32))
    let file = try await shelf.open()
    #expect(file.schema == batch.schema)
    #expect(jsonLines(try await shelf.readAll(file)) == jsonLines(batch))
    // Chosen rows are found through the page index, so it tells where pages begin.
    let rows = try await file.readRows([0, 31, 32, 150], inGroup: 1, columns: [0, 1, 2, 3])
    #expect(jsonLines(rows) == [192, 223, 224, 342].map { jsonLines(batch)[$0] })
  }

  @Test(arguments: 100..<104) func nestedColumnsAreReadAlikeByOthers(seed: Int) async throws {
    try ForeignReader.require()
    let batch = try nested(UInt64(seed), rows: 300)
    try await withFile([batch], batch.schema, ParquetWriteOptions(pageRows: 50)) { path in
      let expected = jsonLines(batch).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let arrow = try await ForeignReader.pyarrow(file: path)
      #expect(arrow == expected)
      let duck = try await ForeignReader.duckdb(file: path)
      #expect(duck == expected)
    }
  }

  /// Writes a file into a folder of its own.
  private func withFile(
    _ batches: [RecordBatch], _ schema: Schema, _ options: ParquetWriteOptions,
    _ body: (String) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tarn-write-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let storage = LocalStorage(root: folder, scratch: ".scratch")
    var writer = try ParquetWriter(
      schema: schema, to: try await storage.writer(at: "file.parquet"), options: options)
    for batch in batches { try await writer.append(batch) }
    _ = try await writer.finish()
    try await body(folder + "/file.parquet")
  }

  private func everyType(_ count: Int, _ nulls: Samples.Nulls, distinct: Int) throws -> RecordBatch {
    try RecordBatch(
      schema: Schema(Samples.types.map { Field($0.name, $0) }),
      columns: try Samples.types.map { try Samples.column($0, count, nulls, distinct: distinct) })
  }

  @Test(arguments: [ParquetWriteOptions.EncodingChoice.automatic, .plain, .dictionary, .delta])
  func everyEncodingThatIsForcedComesBackHereAndElsewhere(
    choice: ParquetWriteOptions.EncodingChoice
  ) async throws {
    let batch = try everyType(1_000, .some, distinct: 300)
    let encodings = Dictionary(uniqueKeysWithValues: Samples.types.map { ($0.name, choice) })
    let options = ParquetWriteOptions(compression: .snappy, pageRows: 128, encodings: encodings)
    let shelf = Shelf()
    _ = try await shelf.write([batch], batch.schema, options)
    let back = try await shelf.readAll(try await shelf.open())
    #expect(jsonLines(back) == jsonLines(batch))
    try ForeignReader.require()
    // Times out of the range of dates are no matter of encodings.
    let names = ["int8", "int16", "int", "long", "string", "binary", "decimal(28,14)"]
    let part = try batch.select(names)
    try await withFile([part], part.schema, options) { path in
      let expected = jsonLines(part).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let arrow = try await ForeignReader.pyarrow(file: path)
      #expect(arrow == expected)
      let duck = try await ForeignReader.duckdb(file: path)
      #expect(duck == expected)
    }
  }

  @Test func pageBoundsLetReadersSkip() async throws {
    var numbers = ColumnBuilder(.int64)
    var texts = ColumnBuilder(.string)
    var reals = ColumnBuilder(.double)
    for row in 0..<400 {
      if row / 100 == 1 { numbers.appendNulls() } else { numbers.append(Int64(row)) }
      try texts.append(row / 100 == 2 ? String(repeating: "x", count: 100) : "a\(row / 100)")
      reals.append(row / 100 == 0 ? .nan : -Double(row))
    }
    let schema = Schema([Field("n", .int64), Field("s", .string), Field("d", .double)])
    let batch = try RecordBatch(
      schema: schema, columns: [numbers.finish(), texts.finish(), reals.finish()])
    let shelf = Shelf()
    _ = try await shelf.write([batch], schema, ParquetWriteOptions(pageRows: 100))
    let file = try await shelf.open()
    let n = try #require(try await file.pageStatistics(group: 0, column: 0))
    #expect(n.map(\.rows) == [0..<100, 100..<200, 200..<300, 300..<400])
    #expect(n.map(\.isAllNull) == [false, true, false, false])
    #expect(n.map(\.values.nullCount) == [0, 100, 0, 0])
    #expect(n[2].values.minimum == .integer(200) && n[2].values.maximum == .integer(299))
    let s = try #require(try await file.pageStatistics(group: 0, column: 1))
    #expect(
      s[0].values.minimum == .bytes(Array("a0".utf8)) && s[0].values.maximum == .bytes(Array("a0".utf8)))
    #expect(s[2].values.minimum == .bytes([UInt8](repeating: 0x78, count: 64)))
    #expect(s[2].values.maximum == .bytes([UInt8](repeating: 0x78, count: 63) + [0x79]))
    let d = try #require(try await file.pageStatistics(group: 0, column: 2))
    #expect(d[0].values.minimum == .number(-.infinity) && d[0].values.maximum == .number(.infinity))
    #expect(d[1].values.minimum == .number(-199) && d[1].values.maximum == .number(-100))
    #expect(file.statistics(group: 0, column: 2)?.maximum == nil)
    _ = try await shelf.write([batch], schema, ParquetWriteOptions(writesPageIndex: false))
    #expect(try await shelf.open().pageStatistics(group: 0, column: 0) == nil)
  }

  @Test func anInvertedBitIsFoundByTheChecksum() async throws {
    let batch = try everyType(200, .none, distinct: 1 << 40)
    let shelf = Shelf()
    _ = try await shelf.write([batch], batch.schema, ParquetWriteOptions(compression: .uncompressed))
    var bytes = try await shelf.storage.readAll(shelf.path)
    bytes[120] ^= 1
    try await shelf.put(bytes)
    let file = try await shelf.open()
    let error = await #expect(throws: ParquetError.self) { _ = try await shelf.readAll(file) }
    #expect(error?.code == .malformed)
  }

  @Test func aBloomFilterKnowsItsValuesAndFewOthers() async throws {
    let batch = try everyType(3_000, .some, distinct: 1 << 40)
    let names: Set<String> = ["string", "long", "decimal(9,4)"]
    var filter = SplitBlockBloomFilter(distinctValues: 3_000, falsePositiveRate: 0.01)
    let strings = try #require(batch["string"]?.strings)
    for row in 0..<3_000 { filter.insert(hash: SplitBlockBloomFilter.hash(strings[row])) }
    let stored = filter.stored()
    let back = try SplitBlockBloomFilter(stored: stored.span.bytes)
    #expect(back == filter)
    #expect((0..<3_000).allSatisfy { back.mayContain(hash: strings.hash($0)) })
    let wrong = (0..<10_000).count { back.mayContain(hash: SplitBlockBloomFilter.hash(Int64($0))) }
    #expect(wrong < 200)
    #expect(throws: ParquetError.self) {
      try SplitBlockBloomFilter(stored: stored.span.bytes.extracting(0..<stored.count - 1))
    }
    try ForeignReader.require()
    let options = ParquetWriteOptions(rowGroupRows: 1_000, pageRows: 100, bloomFilterColumns: names)
    // DuckDB cannot show times that lie far out.
    let part = try batch.select(["string", "long", "decimal(9,4)", "int8"])
    try await withFile([part], part.schema, options) { path in
      let found = try await ForeignReader.duckdb(
        query: "select count(*) as n from parquet_metadata('\(path)') where bloom_filter_offset is not null")
      #expect(found == ["{\"n\":9}"])
      // DuckDB's own hash of a value that is there, and of one that is not, asked of our filters.
      let value = strings.string(1_500)
      let asked = try await ForeignReader.duckdb(
        query: "select count(*) filter (where not bloom_filter_excludes) as n from "
          + "parquet_bloom_probe('\(path)', 'string', '\(value)')")
      #expect(asked == ["{\"n\":1}"])
    }
  }

  @Test func bytesOfTheCallerStandBeforeTheFooter() async throws {
    let batch = try everyType(100, .some, distinct: 9)
    let shelf = Shelf()
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await shelf.storage.writer(at: shelf.path), path: shelf.path)
    try await writer.append(batch)
    let mine = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
    let range = try await writer.writeOpaque(mine)
    _ = try await writer.finish(keyValues: [ParquetKeyValue("at", "\(range.lowerBound)")])
    #expect(Array(try await shelf.storage.readAll(shelf.path)[range]) == mine)
    let file = try await shelf.open()
    #expect(file.keyValue("at") == "\(range.lowerBound)")
    #expect(jsonLines(try await shelf.readAll(file)) == jsonLines(batch))
  }
}
