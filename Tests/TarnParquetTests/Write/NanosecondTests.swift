import TarnColumns
import TarnParquet
import TarnTestSupport
import Testing

/// Times of twelve bytes and of nanoseconds, which are finer than what is kept.
@Suite struct NanosecondTests {
  /// A file of one column of a page, whose bytes are given.
  private func file(_ type: ThriftTree, _ values: [UInt8], count: Int) async throws -> ParquetFile {
    let header = ThriftTree.fields([
      1: .int32(0), 2: .int32(values.count), 3: .int32(values.count),
      5: .fields([1: .int32(count), 2: .int32(0), 3: .int32(3), 4: .int32(3)]),
    ])
    let page = header.bytes + values
    let chunk = ThriftTree.fields([
      1: type[1] ?? .int32(3), 2: .list([.int32(0)], element: 5), 3: .list([.text("t")], element: 8),
      4: .int32(0),
      5: .int64(count), 6: .int64(page.count), 7: .int64(page.count), 9: .int64(4),
    ])
    let footer = ThriftTree.fields([
      1: .int32(1), 2: .structures([.fields([4: .text("m"), 5: .int32(1)]), type]), 3: .int64(count),
      4: .structures([
        .fields([
          1: .structures([.fields([2: .int64(0), 3: chunk])]), 2: .int64(page.count), 3: .int64(count),
        ])
      ]),
    ]).bytes
    let magic = Array("PAR1".utf8)
    let shelf = Shelf()
    try await shelf.put(magic + page + footer + [UInt8(footer.count), 0, 0, 0] + magic)
    return try await shelf.open()
  }

  /// Twelve bytes: nanoseconds in the day, and the day counted from 1970.
  private func int96(_ nanoseconds: Int64, day: Int32) -> [UInt8] {
    bytes(nanoseconds) + bytes(day + 2_440_588)
  }

  private func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    stride(from: 0, to: T.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> T($0)) }
  }

  private func int96(_ times: [(Int64, Int32)]) async throws -> ParquetFile {
    try await file(
      .fields([1: .int32(3), 3: .int32(0), 4: .text("t")]), times.flatMap { int96($0.0, day: $0.1) },
      count: times.count)
  }

  private func values(_ file: ParquetFile) async throws -> [Int64] {
    guard case .int64(let values) = try await file.readRowGroup(0, columns: [0]).columns[0].values else {
      Issue.record("another layout")
      return []
    }
    return values
  }

  @Test func microsecondsOfTwelveBytesAreKept() async throws {
    let file = try await int96([(1_000, 0), (0, -1), (86_399_999_999_000, 19_000)])
    let expected: [Int64] = [1, -86_400_000_000, 19_000 * 86_400_000_000 + 86_399_999_999]
    #expect(try await values(file) == expected)
    #expect(try await values(file.cuttingNanoseconds()) == expected)
  }

  @Test func nanosecondsOfTwelveBytesAreAnErrorOrCut() async throws {
    let file = try await int96([(1_000, 0), (2_000, 0), (3_500, -1)])
    for read in [
      { _ = try await file.readRowGroup(0, columns: [0]) },
      { for try await _ in file.batches(columns: [0], readAhead: 0) {} },
      { _ = try await file.readRows([0], inGroup: 0, columns: [0]) },
    ] as [() async throws -> Void] {
      let error = await #expect(throws: ParquetError.self) { try await read() }
      #expect(error?.code == .valueOutOfRange && error?.column == "t" && error?.offset == 4)
      #expect(
        error?.message.contains("value 2 of the page has nanoseconds") == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("--cut-nanoseconds") == true)
    }
    #expect(try await values(file.cuttingNanoseconds()) == [1, 2, -86_399_999_997])
    // It is no fault of the file.
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
  }

  @Test func nanosecondsOfEightBytesAreAnErrorOrCutTowardsThePast() async throws {
    let type = ThriftTree.fields([
      1: .int32(2), 3: .int32(0), 4: .text("t"),
      10: .fields([8: .fields([1: .boolean(true), 2: .fields([3: .structure([])])])]),
    ])
    let file = try await file(type, [Int64(1_000), -1, 1_999].flatMap { bytes($0) }, count: 3)
    let error = await #expect(throws: ParquetError.self) { _ = try await file.readRowGroup(0, columns: [0]) }
    #expect(error?.code == .valueOutOfRange && error?.column == "t")
    #expect(try await values(file.cuttingNanoseconds()) == [1, -1, 1])
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
  }
}
