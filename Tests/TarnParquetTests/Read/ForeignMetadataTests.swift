import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

/// Metadata that other writers laid out in their own way.
@Suite struct ForeignMetadataTests {
  /// A small file with a dictionary, taken apart.
  private func parts(_ compression: ParquetWriteOptions.Compression = .uncompressed) async throws
    -> (ParquetParts, RecordBatch)
  {
    let schema = Schema([Field("number", .int64), Field("text", .string)])
    let batch = try RecordBatch(
      schema: schema,
      columns: [
        try Samples.column(.int64, 100, .some, distinct: 5),
        try Samples.column(.string, 100, .some, distinct: 4),
      ])
    let shelf = Shelf()
    var options = ParquetWriteOptions(compression: compression, pageRows: 30)
    options.writesPageIndex = false
    _ = try await shelf.write([batch], schema, options, keyValues: [ParquetKeyValue("key", "value")])
    return (try ParquetParts(try await shelf.storage.readAll(shelf.path)), batch)
  }

  private func expect(_ bytes: [UInt8], holds batch: RecordBatch) async throws -> ParquetFile {
    let shelf = Shelf()
    try await shelf.put(bytes)
    let file = try await shelf.open()
    let all = Array(batch.columns.indices)
    var streamed: [RecordBatch] = []
    for try await part in file.batches(columns: all, rowsPerBatch: 17, readAhead: 0) { streamed.append(part) }
    for found in [
      try await shelf.readAll(file), try RecordBatch.concatenate(streamed, schema: batch.schema),
      try await file.readRows(Array(0..<batch.count), inGroup: 0, columns: all),
    ] {
      for (column, expected) in zip(found.columns, batch.columns) { #expect(isSame(column, expected)) }
    }
    return file
  }

  @Test func anEmptyListNeedsNoTypeOfItsElements() async throws {
    var (parts, batch) = try await parts()
    for column in 0..<2 {
      // `key_value_metadata` of the chunk, as fastparquet leaves it, and a list that is read.
      parts.changeMetadata(column: column) {
        $0[8] = .list([], element: 0)
        $0[13] = .list([], element: 0)
      }
    }
    parts.footer[5] = .list([], element: 0)
    let file = try await expect(parts.bytes(), holds: batch)
    #expect(file.keyValues.isEmpty)
  }

  @Test func aFieldOfAnotherTypeIsPassedOver() async throws {
    var (parts, batch) = try await parts()
    let strange: [ThriftTree] = [
      .int64(1), .boolean(true), .boolean(false), .text("strange"), .double([UInt8](repeating: 0, count: 8)),
      .list([.int32(1), .int32(2)], element: 5), .list([.boolean(true)], element: 1),
      .list([], element: 0), .structures([.fields([1: .text("a"), 20: .int32(3)])]), .fields([1: .int32(2)]),
    ]
    var entries = strange.map { ThriftTree.fields([1: .text("odd"), 2: $0]) }
    entries.append(.fields([1: .text("key"), 2: .text("value")]))
    entries.append(.fields([1: .int32(1), 2: .text("without a key")]))
    parts.footer[5] = .structures(entries)
    let file = try await expect(parts.bytes(), holds: batch)
    #expect(file.keyValue("key") == "value")
    #expect(
      file.keyValues.filter { $0.key == "odd" }.map(\.value)
        == strange.map { value in
          if case .binary = value { return "strange" }
          return ""
        })
    for value in strange {
      for field in [6, 7, 8, 9] { parts.footer[field] = value }
      parts.changeMetadata(column: 1) { metadata in
        for field in [8, 12, 13, 14, 15, 16, 17] { metadata[field] = value }
        // A number and a list of numbers have the right type there.
        if case .integer = value { (metadata[14], metadata[15]) = (nil, nil) }
      }
      parts.change(column: 0) { chunk in
        for field in [4, 5, 6, 7] { if case .integer = value { continue } else { chunk[field] = value } }
      }
      if case .structure = value { parts.footer[7] = nil }
      _ = try await expect(parts.bytes(), holds: batch)
    }
  }

  /// As parquet-mr before 1.2.9 has it: the size of a chunk lacks the header of its dictionary page, of which the
  /// footer does not tell.
  private func withoutDictionaryHeaders(_ parts: ParquetParts, createdBy: String) throws -> [UInt8] {
    var parts = try ParquetParts(parts.bytes())
    parts.footer[6] = .text(createdBy)
    for (column, chunk) in parts.chunks[0].enumerated() {
      var header = try #require(chunk.pages.first?.header)
      try #require(header[1]?.number == 2)
      header[3] = .int32(chunk.pages[0].body.count)
      let lacking = header.bytes.count
      parts.changeMetadata(column: column) { metadata in
        metadata[6] = .int64((metadata[6]?.number ?? 0) - lacking)
        metadata[7] = .int64((metadata[7]?.number ?? 0) - lacking)
        metadata[9] = metadata[11]
        metadata[11] = nil
      }
    }
    return parts.bytes(settingSizes: false)
  }

  @Test(arguments: ["parquet-mr", "parquet-mr version 1.2.8 (build 1)", "parquet-mr version 1.0.0-SNAPSHOT"])
  func sizesThatLackTheDictionaryHeaderAreReadFromTheirWriter(createdBy: String) async throws {
    for compression in [ParquetWriteOptions.Compression.uncompressed, .snappy] {
      let (parts, batch) = try await parts(compression)
      let bytes = try withoutDictionaryHeaders(parts, createdBy: createdBy)
      let file = try await expect(bytes, holds: batch)
      let findings = try await ParquetCheck.run(file).findings.map(\.message)
      #expect(findings.count { $0.hasPrefix("total_uncompressed_size is ") } == 2, "\(findings)")
      #expect(!findings.contains { $0.contains("ends behind") || $0.contains("parsed") }, "\(findings)")
      #expect(try await file.chunkSummaries(group: 0).allSatisfy { $0.pageCount == 4 })
    }
  }

  @Test(arguments: ["parquet-mr version 1.2.9 (build 1)", "parquet-mr version 1.13.1", "another"])
  func suchSizesOfOtherWritersAreDamage(createdBy: String) async throws {
    let (parts, _) = try await parts()
    let shelf = Shelf()
    try await shelf.put(try withoutDictionaryHeaders(parts, createdBy: createdBy))
    let file = try await shelf.open()
    let error = await #expect(throws: ParquetError.self) { _ = try await file.readRowGroup(0, columns: [0]) }
    #expect(error?.code == .malformed)
  }

  @Test(arguments: [
    (
      "fastparquet_2026.9.0_simple",
      #"{"id":1,"v":1.5,"s":"a"}"# + "\n" + #"{"id":2,"v":null,"s":"b"}"# + "\n"
        + #"{"id":3,"v":2.5,"s":null}"# + "\n"
    ),
    ("fastparquet_non-std-kvm.fp-0.8.2", #"{"a":1}"# + "\n"),
  ])
  func filesOfFastparquetAreReadAsOthersReadThem(name: String, expected: String) async throws {
    let storage = LocalStorage(root: try TestWorld.requireShared("faults"))
    let file = try await ParquetFile.open(storage, path: "\(name).parquet")
    let rows = try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
    var lines: [UInt8] = []
    for row in 0..<rows.count { rows.appendJSONLine(row, to: &lines) }
    #expect(String(decoding: lines, as: UTF8.self) == expected)
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
  }

  @Test func columnsThatCannotBeReadAreLeftOutAndTheOthersAreRead() async throws {
    let lzo: (inout ThriftTree) -> Void = { $0[3]?[4] = .int32(3) }
    let changes: [(reason: String, change: (inout ThriftTree) -> Void)] = [
      ("codec LZO is not supported", lzo),
      ("encoding number 40 is not supported", { $0[3]?[2] = .list([.int32(0), .int32(40)], element: 5) }),
      ("it is encrypted", { $0[8] = .fields([1: .structure([])]) }),
      ("it lies in another file", { $0[1] = .text("elsewhere.parquet") }),
    ]
    for (reason, change) in changes {
      var (parts, batch) = try await parts()
      // As where some columns are encrypted, and the footer is not.
      parts.footer[8] = .fields([1: .structure([])])
      parts.change(column: 0, change)
      let shelf = Shelf()
      try await shelf.put(parts.bytes())
      let file = try await shelf.open()
      #expect(file.schema.names == ["text"])
      #expect(file.unreadable["number"]?.hasPrefix(reason) == true, "\(file.unreadable)")
      #expect(isSame(try await file.readRowGroup(0, columns: [0]).columns[0], batch.columns[1]))
      #expect(throws: ParquetError.self) { try file.columnIndex("number") }
    }
  }

  @Test func numbersBeyondTheirTypeInAPageHeaderAreDamage() async throws {
    let (whole, _) = try await parts()
    for value in [Int64.max, 1 << 62, 1 << 32, Int64(Int32.max)] {
      for field in [2, 5] {
        var parts = whole
        if field == 2 {
          parts.chunks[0][0].pages[1].header[2] = .integer(value, wire: 6)
        } else {
          parts.chunks[0][0].pages[1].header[5]?[1] = .integer(value, wire: 6)
        }
        let shelf = Shelf()
        try await shelf.put(parts.bytes(settingSizes: false))
        let file = try await shelf.open()
        #expect(!(try await ParquetCheck.run(file)).findings.isEmpty)
        await #expect(throws: ParquetError.self) {
          for try await _ in file.batches(columns: [0], readAhead: 0) {}
        }
      }
    }
  }
}
