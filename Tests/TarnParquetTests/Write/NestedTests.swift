import TarnColumns
import TarnParquet
import TarnStorage
import Testing

@Suite struct NestedTests {
  private func file(_ bytes: [UInt8]) async throws -> ParquetFile {
    let shelf = Shelf()
    try await shelf.put(bytes)
    return try await shelf.open()
  }

  private func lines(_ batch: RecordBatch) -> String {
    var out: [UInt8] = []
    for row in 0..<batch.count { batch.appendJSONLine(row, to: &out) }
    return String(decoding: out, as: UTF8.self)
  }

  static let fixtures = [Fixtures.nestedWithPageIndex, Fixtures.nestedInOldPages]

  /// The expected lines, floats with the fraction that this library writes.
  private var expected: [Substring] { Fixtures.nestedLines.split(separator: "\n") }

  @Test(arguments: fixtures) func structuresListsAndMapsAreReadAtAnyDepth(bytes: [UInt8]) async throws {
    let file = try await file(bytes)
    let batch = try await file.readRowGroup(0, columns: Array(0..<5))
    #expect(lines(batch).split(separator: "\n") == expected)
    #expect(
      file.schema["legs"]?.type
        == .list(
          Field("element", .structure([Field("n", .int32), Field("tags", .list(Field("element", .string)))])))
    )
  }

  @Test(arguments: fixtures) func batchesOfAnySizeHoldTheSameRows(bytes: [UInt8]) async throws {
    let file = try await file(bytes)
    for size in 1...13 {
      for readAhead in [0, 1 << 20] {
        var found = ""
        let batches = file.batches(columns: Array(0..<5), rowsPerBatch: size, readAhead: readAhead)
        for try await batch in batches { found += lines(batch) }
        #expect(found.split(separator: "\n") == expected, "in batches of \(size)")
      }
    }
  }

  @Test(arguments: fixtures) func chosenRowsComeInTheOrderAskedFor(bytes: [UInt8]) async throws {
    let file = try await file(bytes)
    for rows in [[11], [3, 0, 7, 3], [4, 5, 6], []] {
      let batch = try await file.readRows(rows, inGroup: 0, columns: Array(0..<5))
      #expect(lines(batch).split(separator: "\n") == rows.map { expected[$0] })
    }
    await #expect(throws: ParquetError.self) {
      _ = try await file.readRows([12], inGroup: 0, columns: [0])
    }
  }

  @Test func thePageIndexTellsBoundsOfEachPage() async throws {
    let file = try await file(Fixtures.nestedWithPageIndex)
    let pages = try #require(try await file.pageStatistics(group: 0, column: 0))
    #expect(pages.map(\.rows) == [0..<4, 4..<8, 8..<12])
    #expect(pages.map(\.values.minimum) == [.integer(0), .integer(16), .integer(64)])
    #expect(pages.map(\.values.maximum) == [.integer(9), .integer(49), .integer(121)])
    #expect(pages.allSatisfy { $0.values.nullCount == 0 && !$0.isAllNull })
    #expect(try await file.pageStatistics(group: 0, column: 2) == nil)
    #expect(
      try await self.file(Fixtures.nestedInOldPages).pageStatistics(group: 0, column: 0) == nil)
  }

  @Test func chosenFieldsOfStructuresAreReadAlone() async throws {
    let file = try await file(Fixtures.nestedWithPageIndex)
    let narrow = try file.selecting(["place.deep.ok", "legs.n", "id"])
    #expect(narrow.schema.names == ["id", "legs", "place"])
    let batch = try await narrow.readRowGroup(0, columns: [0, 1, 2])
    #expect(
      lines(batch).split(separator: "\n")[2]
        == #"{"id":4,"legs":[{"n":0},{"n":10}],"place":{"deep":{"ok":false}}}"#)
    #expect(throws: ParquetError.self) { _ = try file.selecting(["legs.absent"]) }
  }
}
