import TarnColumns
import TarnParquet
import TarnStorage
import Testing

@Suite struct CheckTests {
  private static let schema = Schema([Field("number", .int64), Field("text", .string)])

  private func batch(_ count: Int) throws -> RecordBatch {
    try RecordBatch(
      schema: Self.schema,
      columns: [
        try Samples.column(.int64, count, .none, distinct: 1_000_000),
        try Samples.column(.string, count, .some, distinct: 5),
      ])
  }

  private func check(_ bytes: [UInt8]) async throws -> ParquetCheck {
    let shelf = Shelf()
    try await shelf.put(bytes)
    return try await ParquetCheck.run(try await shelf.open())
  }

  /// A small file without compression, in which bytes are easily found.
  private func plainFile(checksums: Bool = true) async throws -> [UInt8] {
    let shelf = Shelf()
    let options = ParquetWriteOptions(
      compression: .uncompressed, pageRows: 20, encodings: ["number": .plain], writesChecksums: checksums)
    _ = try await shelf.write([try batch(100)], Self.schema, options)
    return try await shelf.storage.readAll(shelf.path)
  }

  /// Replaces all occurrences of bytes from an offset on, of which there must be one at least.
  private func replaced(
    _ old: [UInt8], by new: [UInt8], in bytes: [UInt8], from start: Int = 0
  ) throws -> [UInt8] {
    var result = bytes
    var count = 0
    for offset in start...(bytes.count - old.count) where bytes[offset..<offset + old.count] == old[...] {
      result.replaceSubrange(offset..<offset + new.count, with: new)
      count += 1
    }
    try #require(count > 0 && old.count == new.count)
    return result
  }

  /// The bytes of the zigzag varint that Thrift writes for a number.
  private func varint(_ number: Int) -> [UInt8] {
    var rest = UInt64(number) << 1
    var bytes: [UInt8] = []
    while rest > 0x7f {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// Where the footer begins.
  private func footer(of bytes: [UInt8]) -> Int {
    let length = bytes.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    return bytes.count - 8 - length
  }

  @Test(
    arguments: [ParquetWriteOptions.Compression.uncompressed, .snappy, .gzip(level: 6), .zstd(level: 1)],
    Samples.Nulls.allCases)
  func whatTheWriterWritesIsAllTrue(
    compression: ParquetWriteOptions.Compression, nulls: Samples.Nulls
  ) async throws {
    let types = Samples.types
    let columns = try types.enumerated().map { index, type in
      try Samples.column(type, 300, nulls, distinct: index % 3 == 0 ? 4 : 1_000)
    }
    let schema = Schema(types.map { Field($0.name, $0) })
    let shelf = Shelf()
    let options = ParquetWriteOptions(
      compression: compression, rowGroupRows: 100, pageRows: 20, bloomFilterColumns: ["string"])
    _ = try await shelf.write([try RecordBatch(schema: schema, columns: columns)], schema, options)
    let result = try await ParquetCheck.run(try await shelf.open())
    #expect(result.findings.isEmpty, "\(result.findings)")
    #expect(result.rowGroupCount == 3)
    #expect(result.pageCount >= 15 * types.count)
  }

  @Test func aChangedByteIsFoundByThePagesChecksum() async throws {
    var bytes = try await plainFile()
    // Within the first page of the first column: its header takes less than 40 bytes.
    bytes[60] ^= 0x01
    let result = try await check(bytes)
    #expect(result.findings.count == 1)
    let finding = try #require(result.findings.first)
    #expect(finding.rowGroup == 0)
    #expect(finding.column == "number")
    #expect(finding.page == 0)
    #expect(finding.offset == 4)
    #expect(finding.message.contains("checksum"))
  }

  @Test func aValueOutsideItsBoundsIsFound() async throws {
    var bytes = try await plainFile(checksums: false)
    let summary = try await summaries(bytes)[0]
    guard case .integer(let minimum)? = summary.statistics?.minimum else {
      Issue.record("there is no minimum")
      return
    }
    // The least value's bytes stand in the page; one bit more makes it less.
    var old: [UInt8] = []
    for shift in stride(from: 0, to: 64, by: 8) { old.append(UInt8(truncatingIfNeeded: minimum >> shift)) }
    let place = try #require(
      (4..<bytes.count - 8).first { bytes[$0..<$0 + 8] == old[...] })
    bytes[place] = bytes[place] &- 1
    try #require(old[0] > 0)
    let messages = try await check(bytes).findings.map(\.description)
    #expect(messages.contains { $0.contains("column number: statistics: a value lies below the minimum") })
    #expect(messages.contains { $0.contains("column index: a value lies below the minimum") })
  }

  private func summaries(_ bytes: [UInt8]) async throws -> [ParquetChunkSummary] {
    let shelf = Shelf()
    try await shelf.put(bytes)
    return try await shelf.open().chunkSummaries(group: 0)
  }

  @Test func aWrongSizeInTheFooterIsFound() async throws {
    let bytes = try await plainFile()
    let size = try await summaries(bytes)[0].uncompressedSize
    let wrong = try replaced(varint(size), by: varint(size - 1), in: bytes, from: footer(of: bytes))
    let messages = try await check(wrong).findings.map(\.message)
    #expect(
      messages.contains { $0.contains("total_uncompressed_size is \(size - 1), the pages have \(size)") }
        || messages.contains { $0.contains("ends behind its chunk") }, "\(messages)")
  }

  @Test func aWrongNumberOfValuesIsFound() async throws {
    let bytes = try await plainFile()
    let wrong = try replaced(
      // Field 5, the number of values, behind field 4, the codec: none.
      [0x15, 0x00, 0x16] + varint(100), by: [0x15, 0x00, 0x16] + varint(99), in: bytes,
      from: footer(of: bytes))
    let findings = try await check(wrong).findings
    #expect(findings.count == 2)
    #expect(findings.allSatisfy { $0.message == "the chunk declares 99 values for 100 rows" }, "\(findings)")
  }

  @Test func aWrongNumberOfNullsIsFound() async throws {
    let bytes = try await plainFile()
    let nulls = try #require(try await summaries(bytes)[1].statistics?.nullCount)
    let wrong = try replaced(
      // Statistics, which begin with field 3, behind the offset of the dictionary.
      [0x1c, 0x36] + varint(nulls), by: [0x1c, 0x36] + varint(nulls + 1), in: bytes, from: footer(of: bytes))
    let messages = try await check(wrong).findings.map(\.message)
    #expect(messages == ["statistics: null_count is \(nulls + 1), there are \(nulls)"])
  }

  @Test func aPageOfTheDictionaryBehindAPlainOneIsFound() async throws {
    // A dictionary page of two numbers, a PLAIN page, and a page of indices, made byte by byte.
    func page(_ type: UInt8, _ details: [UInt8], _ body: [UInt8]) -> [UInt8] {
      [0x15, type << 1, 0x15] + varint(body.count) + [0x15] + varint(body.count) + details + [0x00] + body
    }
    let values: [UInt8] = [7, 0, 0, 0, 9, 0, 0, 0]
    func data(_ encoding: UInt8) -> [UInt8] {
      [0x2c, 0x15, 0x04, 0x15, encoding << 1, 0x15, 0x06, 0x15, 0x06, 0x00]
    }
    let dictionary = page(2, [0x4c, 0x15, 0x04, 0x15, 0x00, 0x00], values)
    let plain = page(0, data(0), values)
    let indices = page(0, data(8), [1, 0x03, 0x02])
    let pages = dictionary + plain + indices
    var footer: [UInt8] = [0x15, 0x02, 0x19, 0x2c]
    footer += [0x48, 0x01, 0x6d, 0x15, 0x02, 0x00]
    footer += [0x15, 0x02, 0x25, 0x00, 0x18, 0x01, 0x78, 0x00]
    footer += [0x16, 0x08, 0x19, 0x1c, 0x19, 0x1c, 0x26, 0x08, 0x1c]
    footer += [0x15, 0x02, 0x19, 0x35, 0x00, 0x06, 0x10, 0x19, 0x18, 0x01, 0x78, 0x15, 0x00, 0x16, 0x08]
    footer += [0x16] + varint(pages.count) + [0x16] + varint(pages.count)
    footer += [0x26] + varint(4 + dictionary.count) + [0x26, 0x08, 0x00, 0x00]
    footer += [0x16] + varint(pages.count) + [0x16, 0x08, 0x00, 0x00]
    let magic = Array("PAR1".utf8)
    let length = [UInt8(footer.count & 0xff), UInt8(footer.count >> 8), 0, 0]
    let findings = try await check(magic + pages + footer + length + magic).findings
    #expect(findings.count == 1, "\(findings)")
    #expect(
      findings.first?.description.hasPrefix(
        "row group 0, column x, page 1, at byte \(4 + dictionary.count + plain.count): the page refers to the "
          + "dictionary and follows one that does not") == true, "\(findings)")
  }

  @Test func filesOfOthersPass() async throws {
    for bytes in [Fixtures.pagesOfVersion1, Fixtures.pagesOfVersion2, Fixtures.int96] {
      let result = try await check(bytes)
      #expect(result.findings.isEmpty, "\(result.findings)")
    }
  }
}
