// What stands in a footer is not for users, so that its tests need a build for testing.
#if DEBUG
  import TarnBytes
  import TarnColumns
  import TarnStorage
  import TarnTestSupport
  import Testing

  @testable import TarnParquet

  /// Bounds beside NaN: none for a chunk, and infinite ones in a page index, so that engines to which NaN is greater
  /// than all numbers lose no row.
  @Suite struct NaNBoundsTests {
    private static let schema = Schema([Field("s", .string), Field("d", .double), Field("f", .float)])
    private static let rows = 100
    /// A number that occurs once, to be made a NaN in the bytes.
    private static let marked = 45.03125

    /// Numbers of which some rows' are NaN.
    private static func batch(nan: Set<Int> = [], marked: Int? = nil) throws -> RecordBatch {
      var strings = ColumnBuilder(.string)
      var doubles = ColumnBuilder(.double)
      var floats = ColumnBuilder(.float)
      for row in 0..<rows {
        try strings.append("s\(row)")
        let value = nan.contains(row) ? .nan : row == marked ? Self.marked : Double(row)
        if row % 10 == 9 { doubles.appendNulls() } else { doubles.append(value) }
        if row % 10 == 8 { floats.appendNulls() } else { floats.append(Float(value)) }
      }
      return try RecordBatch(
        schema: schema, columns: [strings.finish(), doubles.finish(), floats.finish()])
    }

    private static func options(
      _ choice: ParquetWriteOptions.EncodingChoice = .plain
    ) -> ParquetWriteOptions {
      var options = ParquetWriteOptions(
        compression: .uncompressed, pageRows: 20, encodings: ["d": choice, "f": choice])
      options.writesChecksums = false
      return options
    }

    /// What a file's statistics and page index say of a column: nil for no bounds.
    private static func bounds(
      _ file: ParquetFile, _ column: Int
    ) async throws -> (chunk: [Double]?, pages: [[Double]?]) {
      func pair(_ values: ColumnStatistics?) -> [Double]? {
        guard case .number(let least) = values?.minimum, case .number(let greatest) = values?.maximum else {
          return nil
        }
        return [least, greatest]
      }
      let pages = try #require(try await file.pageStatistics(group: 0, column: column))
      return (pair(file.statistics(group: 0, column: column)), pages.map { pair($0.values) })
    }

    private static let everything = [-Double.infinity, .infinity]

    /// Bounds of the pages of twenty rows, of which one at most holds a NaN.
    private static func expected(_ column: Int, nanIn page: Int?) -> [[Double]?] {
      (0..<5).map { number in
        if number == page { return everything }
        // Of rows that end with 9, or with 8, the number is null.
        return [Double(number * 20), Double(number * 20 + (column == 1 ? 18 : 19))]
      }
    }

    @Test(arguments: [ParquetWriteOptions.EncodingChoice.plain, .dictionary, .automatic])
    func aPageWithNaNHasInfiniteBoundsAndItsChunkNone(choice: ParquetWriteOptions.EncodingChoice) async throws
    {
      for nan in [[45], [40, 59], Set(40..<60)] {
        let shelf = Shelf()
        _ = try await shelf.write([try Self.batch(nan: nan)], Self.schema, Self.options(choice))
        let file = try await shelf.open()
        for column in [1, 2] {
          let found = try await Self.bounds(file, column)
          #expect(found.chunk == nil)
          #expect(found.pages == Self.expected(column, nanIn: 2))
        }
        #expect(try await ParquetCheck.run(file).findings.isEmpty)
      }
      let shelf = Shelf()
      _ = try await shelf.write([try Self.batch()], Self.schema, Self.options(choice))
      #expect(try await Self.bounds(try await shelf.open(), 1).chunk == [-0.0, 98])
    }

    @Test func aNaNWithinAListCountsToo() async throws {
      var elements = ColumnBuilder(.double)
      for value in [1, .nan, 3, 4] { elements.append(value) }
      let type = DataType.list(Field("element", .double))
      let column = try Column(
        type: type, values: .list(offsets: [0, 2, 3, 4], elements: elements.finish()))
      let schema = Schema([Field("l", type)])
      let shelf = Shelf()
      _ = try await shelf.write(
        [try RecordBatch(schema: schema, columns: [column])], schema, ParquetWriteOptions(pageRows: 1))
      let file = try await shelf.open()
      #expect(file.metadata.groups[0].columns[0].statistics?.minimum == nil)
      #expect(file.metadata.groups[0].columns[0].statistics?.nullCount == 0)
      let place = try #require(file.metadata.groups[0].columns[0].columnIndex)
      let index = try await file.index(place, file.nodes[0].leaves[0]) { (reader) throws(FormatError) in
        try reader.columnIndex()
      }
      #expect(index.minimums.map { Double(bitPattern: Self.number($0)) } == [-.infinity, 3, 4])
      #expect(index.maximums.map { Double(bitPattern: Self.number($0)) } == [.infinity, 3, 4])
    }

    private static func number(_ bytes: [UInt8]) -> UInt64 {
      bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: - Pages that are copied

    /// A file by another writer in which rows have a NaN that its bounds leave out.
    private static func lying(
      _ writer: String, _ choice: ParquetWriteOptions.EncodingChoice
    ) async throws -> Shelf {
      let shelf = Shelf()
      _ = try await shelf.write([try batch(marked: 45)], schema, options(choice))
      var bytes = try await shelf.storage.readAll(shelf.path)
      bytes = ForeignBytes.replacing(
        ForeignBytes.littleEndian(marked.bitPattern), by: ForeignBytes.littleEndian(Double.nan.bitPattern),
        in: bytes)
      bytes = ForeignBytes.replacing(
        ForeignBytes.littleEndian(Float(marked).bitPattern),
        by: ForeignBytes.littleEndian(Float.nan.bitPattern),
        in: bytes)
      try await shelf.put(ForeignBytes.written(by: writer, bytes))
      let found = try await bounds(try await shelf.open(), 1)
      #expect(found.pages == expected(1, nanIn: nil) && found.chunk == [-0.0, 98])
      return shelf
    }

    /// Replaces a row of the first page, and copies the others.
    private static func splice(
      _ shelf: Shelf, _ choice: ParquetWriteOptions.EncodingChoice = .plain
    ) async throws -> SpliceCounts {
      let file = try await shelf.open()
      let options = options(choice)
      let layout = try #require(try await file.spliceLayout(for: schema, options: options))
      let splicer = ParquetSplicer(
        file, layout: layout, fresh: try batch(),
        columns: [.kept, .compared, .compared], options: options)
      let spliced = try await splicer.splice(
        group: 0, edits: [SlotEdit(slot: 0, replaced: [3], replacements: [4])])
      let old = "old.parquet"
      _ = try await shelf.storage.put(try await shelf.storage.readAll(shelf.path), at: old, if: .always)
      var writer = try ParquetWriter(
        schema: schema, to: try await shelf.storage.writer(at: shelf.path), path: shelf.path, options: options
      )
      try await writer.append(spliced, from: old)
      _ = try await writer.finish()
      return spliced.counts
    }

    @Test(arguments: ["parquet-mr version 1.13 (b1)", "tarn version 0.1.0 (build 1)"])
    func pagesOfAFileThatIsNotKnownAreLookedAtBeforeTheyAreCopied(writer: String) async throws {
      for choice in [ParquetWriteOptions.EncodingChoice.plain, .dictionary] {
        let shelf = try await Self.lying(writer, choice)
        let first = try await Self.splice(shelf, choice)
        for column in [1, 2] {
          let found = try await Self.bounds(try await shelf.open(), column)
          #expect(found.chunk == nil)
          #expect(found.pages == Self.expected(column, nanIn: 2))
        }
        #expect(first.pagesCopied == 5 + 4 + 4)
        // The new file is known, so that only the touched page is read.
        let second = try await Self.splice(shelf, choice)
        #expect(second.bytesRead < first.bytesRead)
        #expect(try await Self.bounds(try await shelf.open(), 1).pages == Self.expected(1, nanIn: 2))
        #expect(try await ParquetCheck.run(try await shelf.open()).findings.isEmpty)
      }
    }

    @Test func aSpliceThatTakesTheLastNaNAwayBoundsTheChunkAgain() async throws {
      let shelf = Shelf()
      _ = try await shelf.write([try Self.batch(nan: [3])], Self.schema, Self.options())
      #expect(try await Self.bounds(try await shelf.open(), 1).chunk == nil)
      _ = try await Self.splice(shelf)
      let found = try await Self.bounds(try await shelf.open(), 1)
      #expect(found.chunk == [-0.0, 98])
      #expect(found.pages == Self.expected(1, nanIn: nil))
    }

    /// pyarrow has bounds in page headers too.
    @Test(arguments: ["1.0", "2.0"]) func boundsInHeadersAreNotTakenOver(pages: String) async throws {
      try ForeignReader.require()
      try await TestWorld.withTemporaryFolder { folder in
        try await ForeignReader.writeParquet(
          to: folder + "/a.parquet", [.init("d", "double", [1, "NaN", 3, nil])],
          options: [
            "data_page_version": .string(pages), "compression": "NONE", "write_page_index": true,
            "use_dictionary": false,
          ])
        let storage = LocalStorage(root: folder)
        let file = try await ParquetFile.open(storage, path: "a.parquet")
        let schema = file.schema
        let options = ParquetWriteOptions(compression: .uncompressed)
        let layout = try #require(try await file.spliceLayout(for: schema, options: options))
        let fresh = try RecordBatch(schema: schema, columns: [Column(nulls: 1, of: .double)])
        let splicer = ParquetSplicer(file, layout: layout, fresh: fresh, columns: [.kept], options: options)
        var writer = try ParquetWriter(
          schema: schema, to: try await storage.writer(at: "b.parquet"), path: "b.parquet", options: options)
        try await writer.append(try await splicer.splice(group: 0, edits: []), from: "a.parquet")
        _ = try await writer.finish()
        let copy = try await ParquetFile.open(storage, path: "b.parquet")
        let pages = try ParquetParts(try await storage.readAll("b.parquet")).dataPages(column: 0)
        #expect(pages.map(\.hasBounds) == [false] && pages.first?.valueCount == 4)
        #expect(try await Self.bounds(copy, 0).pages == [Self.everything])
        #expect(try await ParquetCheck.run(copy).findings.isEmpty)
        #expect(
          try await ForeignReader.pyarrow(file: folder + "/b.parquet")
            == ForeignReader.pyarrow(file: folder + "/a.parquet"))
      }
    }

    @Test func aBloomFilterHoldsBothZerosAndTheUsualNaN() async throws {
      for choice in [ParquetWriteOptions.EncodingChoice.plain, .dictionary] {
        for stored in [0.0, -0.0, Double(bitPattern: 0x7ff8_0000_0000_0001)] {
          var builder = ColumnBuilder(.double)
          builder.append(stored)
          let schema = Schema([Field("d", .double)])
          let shelf = Shelf()
          _ = try await shelf.write(
            [try RecordBatch(schema: schema, columns: [builder.finish()])], schema,
            ParquetWriteOptions(encodings: ["d": choice], bloomFilterColumns: ["d"]))
          let filter = try #require(try await shelf.open().bloomFilter(group: 0, column: 0))
          for asked in stored == 0 ? [0.0, -0.0] : [stored, .nan] {
            let bytes = ForeignBytes.littleEndian(asked.bitPattern)
            #expect(filter.mayContain(hash: SplitBlockBloomFilter.hash(bytes.span.bytes)), "\(asked)")
          }
        }
      }
    }
  }
#endif
