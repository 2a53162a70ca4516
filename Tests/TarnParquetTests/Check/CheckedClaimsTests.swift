import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

/// What page headers, Bloom filters and offsets claim, compared with the pages.
@Suite struct CheckedClaimsTests {
  private func findings(_ bytes: [UInt8]) async throws -> [String] {
    let shelf = Shelf()
    try await shelf.put(bytes)
    return try await ParquetCheck.run(try await shelf.open()).findings.map(\.description)
  }

  /// Replaces the first occurrence of bytes, which must be there.
  private func replaced(_ old: [UInt8], by new: [UInt8], in bytes: [UInt8]) throws -> [UInt8] {
    let place = try #require((0...(bytes.count - old.count)).first { bytes[$0..<$0 + old.count] == old[...] })
    var result = bytes
    result.replaceSubrange(place..<place + old.count, with: new)
    return result
  }

  @Test(arguments: [Fixtures.pagesOfVersion1, Fixtures.pagesOfVersion2])
  func aPageHeaderWhoseMaximumIsTooLowIsFound(bytes: [UInt8]) async throws {
    // The first maximum in the file is that of the first column's page: 255.
    let wrong = try replaced([0x28, 0x04, 0xff, 0, 0, 0], by: [0x28, 0x04, 0xc7, 0, 0, 0], in: bytes)
    let found = try await findings(wrong)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix("row group 0, column u8, page 0, at byte ") == true, "\(found)")
    #expect(found.first?.hasSuffix("page header: a value lies above the maximum") == true, "\(found)")
  }

  @Test func aPageHeaderThatCountsOtherNullsIsFound() async throws {
    // Statistics within the details of a data page, beginning with the number of nulls.
    let wrong = try replaced([0x1c, 0x36, 0x02], by: [0x1c, 0x36, 0x04], in: Fixtures.pagesOfVersion1)
    let found = try await findings(wrong)
    #expect(
      found == ["row group 0, column u8, page 0, at byte 4: page header: null_count is 2, there are 1"])
  }

  /// A file with a Bloom filter for each of its columns.
  private func filtered(_ types: [DataType], _ rows: Int) async throws -> [UInt8] {
    let schema = Schema(types.map { Field($0.name, $0) })
    let columns = try types.map { try Samples.column($0, rows, .some, distinct: 60) }
    let shelf = Shelf()
    let options = ParquetWriteOptions(
      rowGroupRows: 200, pageRows: 50, bloomFilterColumns: Set(schema.names))
    _ = try await shelf.write([try RecordBatch(schema: schema, columns: columns)], schema, options)
    return try await shelf.storage.readAll(shelf.path)
  }

  @Test func everyValueOfEveryTypeIsFoundInItsFilter() async throws {
    let found = try await findings(try await filtered(Samples.types, 300))
    #expect(found.isEmpty, "\(found)")
  }

  @Test(arguments: Samples.types.filter { $0 != .boolean })
  func aFilterThatLacksValuesIsFound(type: DataType) async throws {
    var bytes = try await filtered([type], 200)
    // The end of a filter's header: algorithm, hash and no compression.
    let choice: [UInt8] = [0x1c, 0x1c, 0x00, 0x00]
    let mark = choice + choice + choice + [0x00]
    let end = try #require((0..<bytes.count - 45).first { bytes[$0..<$0 + mark.count] == mark[...] }) + 13
    for offset in end..<end + 32 { bytes[offset] = 0 }
    let found = try await findings(bytes)
    #expect(found.count == 1, "\(found)")
    #expect(
      found.first?.hasPrefix("row group 0, column \(type.name), page 0, at byte ") == true
        && found.first?.contains("the Bloom filter says of ") == true, "\(found)")
  }

  @Test func aFilterThatIsDamagedIsFound() async throws {
    let bytes = try await filtered([.int64], 200)
    let choice: [UInt8] = [0x1c, 0x1c, 0x00, 0x00]
    let wrong = try replaced(choice + choice, by: choice + [0x1c, 0x2c, 0x00, 0x00], in: bytes)
    let found = try await findings(wrong)
    #expect(found.count == 1 && found.first?.contains("the Bloom filter is of a kind") == true, "\(found)")
  }

  @Test func aChunkOfADictionaryAloneIsOneWhoseDataPagesBeginNowhere() async throws {
    // As writers leave it for no rows at all: the offset of the data pages is zero.
    let dictionary: [UInt8] = [0x15, 0x04, 0x15, 0x00, 0x15, 0x00, 0x4c, 0x15, 0x00, 0x15, 0x00, 0x00, 0x00]
    let size = UInt8(dictionary.count << 1)
    var footer: [UInt8] = [0x15, 0x02, 0x19, 0x2c, 0x48, 0x01, 0x6d, 0x15, 0x02, 0x00]
    footer += [0x15, 0x02, 0x25, 0x00, 0x18, 0x01, 0x78, 0x00]
    footer += [0x16, 0x00, 0x19, 0x1c, 0x19, 0x1c, 0x26, 0x00, 0x1c]
    footer += [0x15, 0x02, 0x19, 0x25, 0x00, 0x06, 0x19, 0x18, 0x01, 0x78, 0x15, 0x00, 0x16, 0x00]
    footer += [0x16, size, 0x16, size, 0x26, 0x00, 0x26, 0x08, 0x00, 0x00]
    footer += [0x16, size, 0x16, 0x00, 0x00, 0x00]
    let magic = Array("PAR1".utf8)
    let found = try await findings(magic + dictionary + footer + [UInt8(footer.count), 0, 0, 0] + magic)
    #expect(found.isEmpty, "\(found)")
  }

  @Test(arguments: ["column_chunk_key_value_metadata", "data_index_bloom_encoding_stats", "sort_columns"])
  func filesOfOthersAreAsTheySay(name: String) async throws {
    let storage = LocalStorage(root: try TestWorld.requireShared("parquet-samples"))
    let file = try await ParquetFile.open(storage, path: "\(name).parquet")
    let check = try await ParquetCheck.run(file)
    #expect(check.findings.isEmpty, "\(check.findings)")
  }
}
