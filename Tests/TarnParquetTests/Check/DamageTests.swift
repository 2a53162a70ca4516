import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct DamageHeavyTests {
  /// Reads all there is; any error but one of this library is a failure.
  private func tryReading(_ bytes: [UInt8]) async throws {
    let shelf = Shelf()
    try await shelf.put(bytes)
    do {
      let file = try await shelf.open()
      for column in file.schema.fields.indices {
        for group in 0..<file.rowGroupCount {
          _ = file.statistics(group: group, column: column)
          do { _ = try await file.readRowGroup(group, columns: [column]) } catch {}
          do {
            _ = try await file.readRows(
              [0, file.rowCount(inGroup: group) - 1], inGroup: group, columns: [column])
          } catch {}
          do {
            for try await _ in file.batches(columns: [column], rowsPerBatch: 7, groups: [group], readAhead: 0)
            {}
          } catch {}
          do { _ = try await file.pageStatistics(group: group, column: column) } catch {}
        }
      }
    } catch is ParquetError {}
  }

  /// Damages each byte in turn: in a long run in four ways, else in one of them, which another position changes.
  private func tryEveryPosition(of bytes: [UInt8]) async throws {
    let flips: [UInt8] = [0xff, 0x01, 0x10, 0x80]
    for position in bytes.indices {
      for flip in TestWorld.isLong ? flips : [flips[position % flips.count]] {
        var damaged = bytes
        damaged[position] ^= flip
        try await tryReading(damaged)
      }
    }
  }

  private func small(_ compression: ParquetWriteOptions.Compression) async throws -> [UInt8] {
    let types = Samples.types
    let columns = try types.enumerated().map { index, type in
      try Samples.column(type, 40, index % 2 == 0 ? .some : .none, distinct: index % 3 == 0 ? 4 : 1_000)
    }
    let schema = Schema(types.map { Field($0.name, $0) })
    let shelf = Shelf()
    let options = ParquetWriteOptions(compression: compression, pageRows: 20)
    _ = try await shelf.write([try RecordBatch(schema: schema, columns: columns)], schema, options)
    return try await shelf.storage.readAll(shelf.path)
  }

  @Test(arguments: [ParquetWriteOptions.Compression.uncompressed, .zstd(level: 1)])
  func everyDamagedByteGivesAnErrorOrAResult(compression: ParquetWriteOptions.Compression) async throws {
    let bytes = try await small(compression)
    try await tryEveryPosition(of: bytes)
  }

  @Test(arguments: [true, false])
  func everyDamagedByteOfNestedColumnsGivesAnErrorOrAResult(checksums: Bool) async throws {
    var random = RandomRows(seed: 4)
    let batch = try random.batch(30).select(["n0", "n1", "n2"])
    let shelf = Shelf()
    // Without checksums damage comes through to the levels and values.
    let options = ParquetWriteOptions(
      compression: .uncompressed, rowGroupRows: 20, pageRows: 10, writesChecksums: checksums)
    _ = try await shelf.write([batch], batch.schema, options)
    try await tryEveryPosition(of: try await shelf.storage.readAll(shelf.path))
  }

  @Test func everyDamagedByteOfForeignFilesGivesAnErrorOrAResult() async throws {
    for bytes in [
      Fixtures.pagesOfVersion1, Fixtures.pagesOfVersion2, Fixtures.variousColumns, Fixtures.int96,
      Fixtures.nestedWithPageIndex, Fixtures.nestedInOldPages,
    ] {
      try await tryEveryPosition(of: bytes)
    }
  }

  @Test func aTruncatedFileIsAnErrorWhereverItEnds() async throws {
    let bytes = try await small(.zstd(level: 1))
    for end in bytes.indices {
      let shelf = Shelf()
      try await shelf.put(Array(bytes[..<end]))
      await #expect(throws: ParquetError.self) { _ = try await shelf.open() }
    }
  }

  @Test func whatIsNoParquetFileIsRefusedByPath() async throws {
    let shelf = Shelf()
    var error = await #expect(throws: ParquetError.self) { _ = try await shelf.open() }
    #expect(error?.storageError?.code == .notFound)
    try await shelf.put(Array("this is some text, and not a table".utf8))
    error = await #expect(throws: ParquetError.self) { _ = try await shelf.open() }
    #expect(error?.code == .malformed)
    #expect(error?.description.hasPrefix("file.parquet: ") == true)
    try await shelf.put(Array("PAR1 and then some bytes PARE".utf8))
    error = await #expect(throws: ParquetError.self) { _ = try await shelf.open() }
    #expect(error?.code == .unsupported)
  }

  @Test func aPageThatDeclaresHundredsOfMegabytesIsRefusedBeforeTheyAreTaken() async throws {
    let numbers = (0..<2_000).map { Int64($0 * $0 * 7_919 % 100_003) }
    let schema = Schema([Field("number", .int64)])
    let rows = try RecordBatch(schema: schema, columns: [try Column(type: .int64, values: .int64(numbers))])
    let shelf = Shelf()
    var options = ParquetWriteOptions(compression: .zstd(level: 1), pageRows: 2_000)
    options.writesChecksums = false
    options.encodings = ["number": .plain]
    _ = try await shelf.write([rows], schema, options)
    var bytes = try await shelf.storage.readAll(shelf.path)
    // Behind the magic and the page's type stands the size, 16,007: zigzag, seven bits a byte.
    try #require(bytes[4..<7] == [0x15, 0x00, 0x15] && bytes[9] == 0x01)
    // 300,000,000 takes two bytes more, which the page's body loses.
    var declared: [UInt8] = []
    var left = 600_000_000
    while left >= 0x80 {
      declared.append(UInt8(left & 0x7f) | 0x80)
      left >>= 7
    }
    declared.append(UInt8(left))
    // Zigzag doubles, so two bytes fewer are four less; the lowest byte bears it.
    try #require(bytes[10] == 0x15 && bytes[11] >= 0x84)
    bytes[11] -= 4
    bytes.replaceSubrange(7..<10, with: declared)
    // The header of a data page ends before its body, of which the first two bytes go.
    let body = try #require((14..<100).first { Array(bytes[$0..<$0 + 4]) == [0x28, 0xb5, 0x2f, 0xfd] })
    bytes.removeSubrange(body..<body + 2)
    let forged = Shelf()
    try await forged.put(bytes)
    let file = try await forged.open()
    let error = await #expect(throws: ParquetError.self) { _ = try await file.readRowGroup(0, columns: [0]) }
    #expect(error?.code == .unsupported)
    let text = error?.description ?? ""
    #expect(text.contains("number") && text.contains("300000000 bytes uncompressed"), "\(text)")
  }
}
