import TarnColumns
import TarnParquet
import Testing

@Suite struct ForeignFileTests {
  @Test(arguments: [1, 2]) func typesOfOtherWritersBecomeOurs(version: Int) async throws {
    let shelf = Shelf()
    try await shelf.put(version == 1 ? Fixtures.pagesOfVersion1 : Fixtures.pagesOfVersion2)
    let file = try await shelf.open()
    let batch = try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
    let unsigned64 = DataType.decimal(precision: 20, scale: 0)
    #expect(
      file.schema.fields.map(\.type) == [
        .int32, .int32, .int64, unsigned64, .string, .decimal(precision: 9, scale: 2),
        .decimal(precision: 18, scale: 2), .boolean, .timestamp(.microseconds, .instant), .binary,
      ])
    for column in batch.columns {
      #expect((0..<6).map { column.isNull($0) } == [false, false, true, false, false, false])
    }
    guard case .int32(let bytes) = batch.columns[0].values, case .int32(let shorts) = batch.columns[1].values,
      case .int64(let words) = batch.columns[2].values, case .decimal(let longs) = batch.columns[3].values,
      case .decimal(let small) = batch.columns[5].values, case .decimal(let large) = batch.columns[6].values,
      case .boolean(let flags) = batch.columns[7].values, case .int64(let times) = batch.columns[8].values
    else {
      Issue.record("another layout")
      return
    }
    #expect(bytes == [0, 255, 0, 7, 8, 200])
    #expect(shorts == [0, 65_535, 0, 7, 8, 9])
    #expect(words == [0, 4_294_967_295, 0, 7, 8, 9])
    #expect(longs == [0, Int128(UInt64.max), 0, 7, 8, 9])
    #expect(small == [123, -123, 0, 1, 0, 999_999_999])
    #expect(large == [123, -123, 0, 1, 0, 999_999_999_999])
    #expect((0..<6).map { flags[$0] } == [true, false, false, true, true, false])
    #expect(times == [0, 1, 0, -1, 86_400_000_000, 5])
    #expect((0..<6).map { batch.columns[4].strings?.string($0) } == ["a", "a", "", "bb", "a", "ccc"])
    #expect(
      (0..<6).map { batch.columns[9].strings?.string($0) } == ["abcd", "efgh", "", "ijkl", "mnop", "qrst"])
    #expect(file.statistics(group: 0, column: 3)?.maximum == .decimal(Int128(UInt64.max)))
    #expect(file.statistics(group: 0, column: 8)?.minimum == .integer(-1))
  }

  @Test func timestampsOfTwelveBytesAreInstants() async throws {
    let shelf = Shelf()
    try await shelf.put(Fixtures.int96)
    let batch = try await shelf.readAll(try await shelf.open())
    guard case .int64(let times) = batch.columns[0].values else {
      Issue.record("another layout")
      return
    }
    #expect(batch.columns[0].type == .timestamp(.microseconds, .instant))
    #expect(times == [1_704_164_645_678_901, 0, -315_619_200_000_000])
  }

  @Test func listsTimesAndDeltasAreRead() async throws {
    let shelf = Shelf()
    try await shelf.put(Fixtures.variousColumns)
    let file = try await shelf.open()
    #expect(file.schema.names == ["x", "lossy", "l", "time", "delta"])
    #expect(file.unreadable.isEmpty)
    let batch = try await file.readRowGroup(0, columns: [0, 2, 3, 4])
    var lines: [UInt8] = []
    for row in 0..<batch.count { batch.appendJSONLine(row, to: &lines) }
    #expect(
      String(decoding: lines, as: UTF8.self) == """
        {"x":1,"l":[1],"time":"00:00:00.000001","delta":1}
        {"x":2,"l":[2],"time":"00:00:00.000002","delta":2}

        """)
    #expect(throws: ParquetError.self) { try file.columnIndex("absent") }
    let error = await #expect(throws: ParquetError.self) { _ = try await file.readRowGroup(0, columns: [1]) }
    #expect(error?.code == .valueOutOfRange)
    #expect(error?.column == "lossy")
  }
}
