import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables whose files were spliced again and again, read by every engine, and gone on with by Spark.
///
/// Spark's vectorised reader is the one that reads some page orders wrongly without an error, so it reads all
/// columns, and filters on columns whose pages refer to dictionaries and on others.
@Suite(.serialized) struct SpliceForeignTests {
  @Test(arguments: 1...(TestWorld.isLong ? 12 : 4))
  func splicedTablesReadAlikeAndSparkGoesOn(seed: Int) async throws {
    try ForeignReader.require()
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      var random = SeededGenerator(seed: UInt64(seed))
      var options = TableOptions()
      options.tarn.pageRows = [5, 16, 60][random.below(3)]
      options.tarn.rowGroupSize = [20_000, 200_000, 32 << 20][random.below(3)]
      options.tarn.targetFileSize = [60_000, 120 << 20][random.below(2)]
      options.tarn.compression = [.zstd(level: 1), .snappy, .uncompressed][random.below(3)]
      let path = folder + "/trades"
      _ = try await TableForeignTests.create(path, options)
      var settings = TableSettings()
      // Every other table is laid out as in an object store, where chunks of one column lie at the end.
      settings.areFilesCopied = seed % 2 == 0
      let table = try await Table.open(at: .local(path), settings: settings)
      try await table.upsert(try WideRows.batch(300 + random.below(300)))
      var spliced = 0
      for round in 2..<8 {
        let batch = try WideRows.batch(
          1 + random.below(40), first: random.below(500), ordering: Int64(round),
          seed: UInt64(seed * 10 + round))
        spliced += try await table.upsert(batch).splicedFiles
        guard random.oneIn(2) else { continue }
        let gone = try WideRows.batch(
          1 + random.below(30), first: random.below(500), ordering: Int64(round), seed: UInt64(round))
        spliced += try await table.delete(try gone.select(["id", "part", "ts"])).splicedFiles
      }
      #expect(spliced > 3, "seed \(seed): \(spliced) files were spliced")
      try await compare(table, path, "seed \(seed)")

      let update = try WideRows.batch(25, first: random.below(400), ordering: 20, seed: UInt64(seed) + 99)
      try await TableForeignTests.sparkUpserts(path, folder, update, "upsert")
      try await compare(table, path, "seed \(seed), after Spark")
      // The first write makes Spark's files Tarn's, the second splices them.
      try await table.upsert(try WideRows.batch(9, first: 3, ordering: 30, seed: UInt64(seed) + 7))
      try await table.upsert(try WideRows.batch(9, first: 30, ordering: 31, seed: UInt64(seed) + 8))
      try await compare(table, path, "seed \(seed), after Spark and Tarn")
    }
  }

  /// Footers and page indexes hold such keys as bounds, whole or cut short.
  @Test(arguments: [2, 4_096])
  func splicedTablesWithKeysOf64KilobytesReadAlike(pageRows: Int) async throws {
    try ForeignReader.require()
    try Spark.hudi015.require()
    let schema = Schema([Field("id", .string), Field("note", .string)])
    func rows(_ numbers: some Sequence<Int>, _ note: String) throws -> RecordBatch {
      var ids = ColumnBuilder(.string)
      var count = 0
      for number in numbers {
        try ids.append(String(repeating: "ü", count: 32 << 10) + "\(number)")
        count += 1
      }
      return try RecordBatch(
        schema: schema, columns: [ids.finish(), Column(repeating: note, count: count)])
    }
    try await TestWorld.withTemporaryFolder { folder in
      var options = TableOptions()
      options.tarn.pageRows = pageRows
      let path = folder + "/long"
      let table = try await Table.create(
        at: .local(path), schema: schema, recordKey: ["id"], options: options)
      try await table.upsert(try rows(10..<50, "old"))
      #expect(try await table.upsert(try rows(47..<53, "new")).splicedFiles == 1)
      #expect(try await table.delete(try rows(10..<12, "").select(["id"])).splicedFiles == 1)
      var expected = ExpectedTable(
        path: path, files: try await table.snapshot().slices.map(\.path), columns: schema.names)
      try expected.expect(WideRows.lines([try rows(12..<47, "old"), try rows(47..<53, "new")]))
      let differences =
        try await ForeignReader.differences([expected]) + Spark.hudi015.differences([expected])
      #expect(differences.isEmpty, "\(differences.map { $0.prefix(300) })")
    }
  }

  private func compare(_ table: Table, _ path: String, _ what: String) async throws {
    let columns = TableForeignTests.columns
    let rows = try await TableForeignTests.rows(try await table.snapshot())
    #expect(try await Spark.hudi015.read(path, select: columns) == rows, "\(what): Spark")
    #expect(try await ForeignReader.hudi(table: path, select: columns) == rows, "\(what): hudi-rs")
    if let found = try await ForeignReader.daft(table: path, select: columns) {
      #expect(found == rows, "\(what): Daft")
    }
    let filtered = try await table.snapshot().where(.column("price") > 0 && .column("part") == "beta").count()
    let read = try await Spark.hudi015.read(path, where: "price > 0 and part = 'beta'", select: ["id"])
    #expect(read.count == filtered, "\(what): Spark with a filter")
    for slice in try await table.snapshot().slices {
      let file = try await ParquetFile.open(LocalStorage(root: path), path: slice.path)
      #expect(try await ParquetCheck.run(file).findings.isEmpty, "\(what): \(slice.path)")
      let whole = path + "/" + slice.path
      #expect(
        try await ForeignReader.duckdb(file: whole) == ForeignReader.pyarrow(file: whole),
        "\(what): \(slice.path)")
    }
  }
}
