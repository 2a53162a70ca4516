import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

/// Pages of version 2 whose headers tell another number of nulls than their levels, as those of pyarrow 10 do.
@Suite struct NullCountTests {
  private static let rows = 90
  private static let types: [DataType] = [
    .int64, .string, .boolean, .decimal(precision: 20, scale: 2), .double,
  ]

  private static func batch() throws -> RecordBatch {
    let schema = Schema(types.map { Field($0.name, $0) })
    return try RecordBatch(
      schema: schema,
      columns: types.enumerated().map { index, type in
        try Samples.column(type, rows, Samples.Nulls.allCases[index], distinct: 7)
      })
  }

  /// The rows in pages of version 2, with null counts as told.
  private static func file(_ batch: RecordBatch, _ nulls: (Int) -> Int?) async throws -> Shelf {
    let shelf = Shelf()
    let options = ParquetWriteOptions(
      compression: .uncompressed, rowGroupRows: 60, pageRows: 20, writesChecksums: false)
    _ = try await shelf.write([batch], batch.schema, options)
    var parts = try ParquetParts(try await shelf.storage.readAll(shelf.path))
    parts.makeVersion2(isOptional: { batch.schema.fields[$0].isNullable }, nulls: nulls)
    try await shelf.put(parts.bytes())
    return shelf
  }

  private static func expect(_ shelf: Shelf, holds batch: RecordBatch) async throws {
    let file = try await shelf.open()
    let all = Array(batch.columns.indices)
    let whole = try await shelf.readAll(file)
    var streamed: [RecordBatch] = []
    for try await part in file.batches(columns: all, rowsPerBatch: 13, readAhead: 0) { streamed.append(part) }
    var chosen: [RecordBatch] = []
    for group in 0..<file.rowGroupCount {
      let rows = Array(0..<file.rowCount(inGroup: group))
      chosen.append(try await file.readRows(rows, inGroup: group, columns: all))
    }
    let joined = try [streamed, chosen].map { try RecordBatch.concatenate($0, schema: batch.schema) }
    for found in [whole] + joined {
      for (column, expected) in zip(found.columns, batch.columns) {
        #expect(isSame(column, expected), "\(expected.type.name)")
      }
    }
  }

  @Test func levelsTellWhichValuesAreThereWhateverTheHeaderSays() async throws {
    let batch = try Self.batch()
    let told: [(wrong: Bool, nulls: (Int) -> Int?)] = [
      (false, { $0 }), (true, { _ in nil }), (true, { _ in 0 }), (true, { $0 - 1 }), (true, { $0 + 1 }),
      (true, { _ in -1 }), (true, { _ in Int(Int32.max) }), (true, { 20 - $0 }),
    ]
    for (isWrong, nulls) in told {
      let shelf = try await Self.file(batch, nulls)
      try await Self.expect(shelf, holds: batch)
      let findings = try await ParquetCheck.run(try await shelf.open()).findings
      #expect(findings.isEmpty == !isWrong, "\(findings)")
      #expect(findings.allSatisfy { $0.page != nil && $0.message.contains("null") }, "\(findings)")
    }
  }

  @Test func randomNullCountsChangeNoValueAndAreFound() async throws {
    var random = SeededGenerator(seed: 41)
    let batch = try Self.batch()
    for _ in 0..<12 {
      var wrong = 0
      let shelf = try await Self.file(batch) { nulls in
        let told = [nil, 0, nulls, nulls, nulls - 1, nulls + 1, random.below(1 << 20)][random.below(7)]
        if told != nulls { wrong += 1 }
        return told
      }
      try await Self.expect(shelf, holds: batch)
      let findings = try await ParquetCheck.run(try await shelf.open()).findings
      #expect(findings.count == wrong, "\(findings)")
    }
  }

  @Test func aPageWithoutLevelsHasNoNulls() async throws {
    let column = try Samples.column(.int64, 20, .none, distinct: 100)
    let batch = try RecordBatch(schema: Schema([Field("n", .int64)]), columns: [column])
    let shelf = try await Self.file(batch) { _ in 0 }
    var parts = try ParquetParts(try await shelf.storage.readAll(shelf.path))
    for number in parts.chunks[0][0].pages.indices {
      guard let length = parts.chunks[0][0].pages[number].header[8]?[5]?.number else { continue }
      parts.chunks[0][0].pages[number].body.removeFirst(length)
      parts.chunks[0][0].pages[number].header[2] = .int32(parts.chunks[0][0].pages[number].body.count)
      parts.chunks[0][0].pages[number].header[8]?[5] = .int32(0)
    }
    try await shelf.put(parts.bytes())
    try await Self.expect(shelf, holds: batch)
  }

  @Test(arguments: [
    (
      "pyarrow10_v2_nostats_wrong_values",
      [
        #"{"v":1}"#, #"{"v":null}"#, #"{"v":1}"#, #"{"v":2}"#, #"{"v":2}"#, #"{"v":1}"#, #"{"v":2}"#,
        #"{"v":1}"#,
      ]
    ),
    (
      "parquet-dotnet_dates.v2",
      ["2017-01-01", "2017-02-01", nil, "2017-02-01"].map { day in
        guard let day else { return #"{"DateTypeChecker":null,"TimestampTypeChecker":null}"# }
        return "{\"DateTypeChecker\":\"\(day)\",\"TimestampTypeChecker\":\"\(day)T00:00:00.000000Z\"}"
      }
    ),
  ])
  func filesOfPyarrow10AreReadAsOthersReadThem(name: String, expected: [String]) async throws {
    let storage = LocalStorage(root: try TestWorld.requireShared("faults"))
    let file = try await ParquetFile.open(storage, path: "\(name).parquet")
    let rows = try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
    var lines: [UInt8] = []
    for row in 0..<rows.count { rows.appendJSONLine(row, to: &lines) }
    #expect(String(decoding: lines, as: UTF8.self).split(separator: "\n").map(String.init) == expected)
    let findings = try await ParquetCheck.run(file).findings
    #expect(findings.map(\.message) == ["the page declares 0 nulls and holds 1"])
  }
}
