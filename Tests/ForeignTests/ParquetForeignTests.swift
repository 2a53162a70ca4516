import TarnBytes
import TarnColumns
import TarnParquet
import TarnTestSupport
import Testing

/// Random rows go to other readers and come from another writer, and stay what they are.
@Suite struct ParquetForeignTests {
  /// Says where two lists of lines part first: whole lists would drown the report.
  private func expectSame(_ found: [String], _ expected: [String], _ who: String) {
    #expect(found.count == expected.count, "\(who)")
    if let line = zip(found, expected).first(where: { $0 != $1 }) {
      Issue.record("\(who) reads\n\(line.0)\nwhere this was expected:\n\(line.1)")
    }
  }

  private static let codecs: [ParquetWriteOptions.Compression] = [
    .uncompressed, .snappy, .gzip(level: 1), .zstd(level: 1),
  ]

  @Test(arguments: codecs, [UInt64(1), 2, 3, 4, 5])
  func othersReadRandomNestedRowsAsTheyWereWritten(
    codec: ParquetWriteOptions.Compression, seed: UInt64
  ) async throws {
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      var random = RandomRows(seed: seed)
      let batch = try random.batch(400)
      let file = folder + "/rows.parquet"
      let options = ParquetWriteOptions(
        compression: codec, rowGroupRows: 150, pageRows: 64, bloomFilterColumns: ["c4", "c7"])
      try await ParquetFixture.write(batch, to: file, options)
      let expected = WideRows.lines([batch])
      expectSame(try await ForeignReader.pyarrow(file: file), expected, "pyarrow")
      expectSame(try await ForeignReader.duckdb(file: file), expected, "DuckDB")
      let own = try await ParquetFixture.read(file, rowsPerBatch: 37)
      expectSame(WideRows.lines(own), expected, "Tarn")
    }
  }

  @Test(
    arguments: ["dictionary", "plain", "delta", "delta-length", "byte-stream-split"],
    ["none", "snappy", "gzip", "zstd", "lz4"])
  func rowsOfEveryEncodingAndCodecOfAnotherWriterAreRead(encoding: String, codec: String) async throws {
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let seed = UInt64(encoding.utf8.count * 100 + codec.utf8.count)
      var random = RandomRows(seed: seed)
      let batch = try random.batch(400)
      try await ParquetFixture.write(batch, to: folder + "/own.parquet")
      let expected = WideRows.lines([batch])
      for version in ["1.0", "2.0"] {
        let file = folder + "/rows-\(version).parquet"
        try await ForeignReader.rewriteParquet(
          folder + "/own.parquet", to: file, encoding: encoding,
          options: [
            "compression": .string(codec), "data_page_version": .string(version), "row_group_size": 230,
            "data_page_size": 512, "write_batch_size": 50, "write_page_index": true,
            "write_page_checksum": true,
          ])
        for rows in [33, 10_000] {
          let found = try await ParquetFixture.read(file, rowsPerBatch: rows)
          expectSame(WideRows.lines(found), expected, "Tarn, pages of version \(version), by \(rows) rows")
        }
      }
    }
  }

  @Test(arguments: ["V1", "V2"], ["snappy", "lz4_raw", "zstd"])
  func rowsOfAnotherEngineAreRead(version: String, codec: String) async throws {
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      var random = RandomRows(seed: UInt64(version.utf8.count + codec.utf8.count))
      let batch = try random.batch(3_000)
      try await ParquetFixture.write(batch, to: folder + "/own.parquet")
      _ = try await ForeignReader.duckdb(
        query: """
          copy (from read_parquet('\(folder)/own.parquet')) to '\(folder)/rows.parquet'
          (format parquet, parquet_version \(version), codec '\(codec)', row_group_size 2048)
          """)
      // A time of milliseconds comes back as one of microseconds, and that is the same text.
      let found = try await ParquetFixture.read(folder + "/rows.parquet", rowsPerBatch: 1_000)
      expectSame(WideRows.lines(found), WideRows.lines([batch]), "Tarn")
    }
  }

  @Test func sparksVectorisedReaderReadsNestedAndDeltaEncodedColumns() async throws {
    let spark = Spark.hudi015
    try spark.require()
    try ForeignReader.require()
    try await TestWorld.withTemporaryFolder { folder in
      let count = 20_000
      var (times, keys) = (ColumnBuilder(.timestamp(.microseconds, .instant)), ColumnBuilder(.string))
      for row in 0..<count {
        times.append(1_735_689_600_000_000 + Int64(row) * 1_000_003)
        try keys.append("key-\(10_000_000 + row)")
      }
      let inner = DataType.structure([
        Field("at", .timestamp(.microseconds, .instant)), Field("key", .string),
      ])
      let (at, key) = (times.finish(), keys.finish())
      let pair = try Column(type: inner, values: .structure([at, key], count: count))
      let lists = try Column(
        type: .list(Field("element", inner)),
        values: .list(offsets: (0...count).map { Int32($0) }, elements: pair))
      let schema = Schema([
        Field("at", at.type), Field("key", .string), Field("pair", inner), Field("pairs", lists.type),
      ])
      let batch = try RecordBatch(schema: schema, columns: [at, key, pair, lists])
      let file = folder + "/rows.parquet"
      try await ParquetFixture.write(batch, to: file)
      let encodings = try #require(
        try await ForeignReader.parquetInfo(file: file)["row_groups"]?.elements?[0])
      let used = (encodings["columns"]?.elements ?? []).flatMap { $0["encodings"]?.elements ?? [] }
      #expect(used.contains("DELTA_BINARY_PACKED"))
      for nested in ["true", "false"] {
        try await spark.sql("set spark.sql.parquet.enableNestedColumnVectorizedReader=\(nested)")
        let answer = try await spark.sql(
          """
          select count(*), max(unix_micros(at)), max(unix_micros(pair.at)), max(unix_micros(pairs[0].at)),
            count_if(key = pair.key and key = pairs[0].key and key = concat('key-', 10000000 +
              cast((unix_micros(at) - 1735689600000000) / 1000003 as bigint))) from parquet.`\(file)`
          """)
        let last = "\(1_735_689_600_000_000 + (count - 1) * 1_000_003)"
        #expect(
          answer == [["\(count)", last, last, last, "\(count)"]], "nested vectorised reading \(nested)")
      }
    }
  }
}
