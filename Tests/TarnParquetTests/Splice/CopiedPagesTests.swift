import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

import TarnParquet

/// What a splice leaves as it was.
@Suite struct CopiedPagesTests {
  private static let schema = Schema([Field("n", .int64), Field("s", .string)])

  private static func batch(_ rows: Range<Int>, distinct: Int, prefix: String = "v") throws -> RecordBatch {
    var numbers = ColumnBuilder(.int64)
    var texts = ColumnBuilder(.string)
    for row in rows {
      if row % 11 == 5 { numbers.appendNulls() } else { numbers.append(Int64(row % distinct) * 37) }
      try texts.append("\(prefix)\(row % distinct)")
    }
    return try RecordBatch(schema: schema, columns: [numbers.finish(), texts.finish()])
  }

  @Test(arguments: [ParquetWriteOptions.EncodingChoice.dictionary, .plain, .delta])
  func pagesWithoutTouchedRowsStayByteForByte(choice: ParquetWriteOptions.EncodingChoice) async throws {
    let options = ParquetWriteOptions(pageRows: 100, encodings: ["n": choice, "s": choice])
    let old = try Self.batch(0..<1_000, distinct: 20)
    let fresh = try Self.batch(0..<120, distinct: 50, prefix: "new")
    let shelf = Shelf()
    _ = try await shelf.write([old], Self.schema, options)
    let file = try await shelf.open()
    let layout = try #require(try await file.spliceLayout(for: Self.schema, options: options))
    let splicer = ParquetSplicer(
      file, layout: layout, fresh: fresh, columns: [.compared, .compared], options: options)
    let edit = SlotEdit(slot: 2, deleted: (0..<100).map { $0 }, appended: (0..<120).map { $0 })
    let spliced = try await splicer.splice(group: 0, edits: [edit])
    let copy = "copy.parquet"
    var writer = try ParquetWriter(
      schema: Self.schema, to: try await shelf.storage.writer(at: copy), path: copy, options: options)
    try await writer.append(spliced, from: shelf.path)
    _ = try await writer.finish()

    let result = try await ParquetFile.open(shelf.storage, path: copy)
    let expected = try RecordBatch.concatenate(
      [old.slice(0..<200), fresh, old.slice(300..<1_000)], schema: Self.schema)
    #expect(jsonLines(try await result.readRowGroup(0, columns: [0, 1])) == jsonLines(expected))
    #expect(try await ParquetCheck.run(result).findings.isEmpty)
    let before = try ParquetParts(try await shelf.storage.readAll(shelf.path))
    let after = try ParquetParts(try await shelf.storage.readAll(copy))
    for column in 0..<2 {
      let (old, new) = (before.dataPages(column: column), after.dataPages(column: column))
      #expect(new.prefix(2) == old.prefix(2))
      #expect(new.suffix(7) == old.suffix(7))
      #expect(new.reduce(0) { $0 + ($1.valueCount ?? 0) } == 1_020)
      #expect(new.allSatisfy { $0.refersToDictionary == (choice == .dictionary) })
    }
  }
}
