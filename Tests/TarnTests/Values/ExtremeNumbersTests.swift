import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Numbers in footers and in commit metadata that no table has: they end in an error or in a right answer.
@Suite struct ExtremeNumbersTests {
  private static let extremes: [Int64] = [
    .max, .min, .max - 1, 1 << 62, -(1 << 62), 1 << 61, 1 << 40, 1 << 32, 1 << 31, -1, 0, 7,
  ]

  /// A table of two files and two commits in memory.
  private static func table() async throws -> SmallTable {
    var options = TableOptions()
    options.tarn.pageRows = 8
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("part", .string), Field("n", .int64)]), partitionedBy: ["part"],
      options: options)
    for round in 0..<2 {
      try await small.table.upsert(
        try batch([
          "id": column(.string) { for row in 0..<30 { try $0.append("key-\(row)") } },
          "part": column(.string) { for row in 0..<30 { try $0.append(row % 2 == 0 ? "a" : "b") } },
          "n": column(.int64) { for row in 0..<30 { $0.append(Int64(row + round)) } },
        ]))
    }
    return small
  }

  /// The bytes of a base file with another footer.
  static func changed(_ bytes: [UInt8], _ change: (inout ThriftTree) -> Void) throws -> [UInt8] {
    let length = bytes.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    var start = bytes.count - 8 - length
    let begin = start
    var footer = try ThriftTree(parsing: bytes, at: &start)
    change(&footer)
    let new = footer.bytes
    return Array(bytes[..<begin]) + new
      + stride(from: 0, to: 32, by: 8).map { UInt8(truncatingIfNeeded: new.count >> $0) } + Array("PAR1".utf8)
  }

  /// Reads a table in every way that looks at numbers of files; any error but one of this library is a failure.
  private static func tryReading(_ location: TableLocation, _ settings: TableSettings) async throws {
    func attempt(_ body: (Table) async throws -> Void) async throws {
      do { try await body(try await Table.open(at: location, settings: settings)) } catch is TableError {
      } catch is ParquetError {}
    }
    try await attempt { _ = try await $0.snapshot().count() }
    try await attempt { _ = try await $0.snapshot().where(.column("n") > 5).count() }
    try await attempt { _ = try await $0.snapshot().where(!ColumnReference.column("part").isNull).count() }
    try await attempt { for try await _ in try await $0.snapshot() {} }
    try await attempt { table in
      for slice in try await table.snapshot().slices {
        let file = try await ParquetFile.open(location.storage, path: slice.path, size: slice.size)
        for group in 0..<file.rowGroupCount { _ = try await file.chunkSummaries(group: group) }
        _ = (file.rowCount, file.encodedBytes)
        _ = try await ParquetCheck.run(file)
      }
    }
    try await attempt { table in
      for entry in try await table.timeline().entries where entry.action.writesData {
        let files = try await table.metadata(of: entry).files
        for value in [\WriteStatistics.inserts, \.updates, \.deletes, \.bytesWritten] {
          _ = WriteStatistics.total(files) { $0[keyPath: value] }
        }
      }
    }
  }

  @Test func integersOfFootersAtTheirExtremesEndInAnErrorOrAnAnswer() async throws {
    let small = try await Self.table()
    var random = SeededGenerator(seed: 19)
    let slices = try await small.table.snapshot().slices
    try #require(slices.count == 2)
    let path = slices[0].path
    let whole = try await small.storage.readAll(path)
    var count = 0
    _ = try Self.changed(whole) { count = $0.integerCount }
    try #require(count > 100)
    #if DEBUG
      let rounds = 70
    #else
      let rounds = 1_500
    #endif
    for _ in 0..<rounds {
      let changes = 1 + random.below(2)
      let bytes = try Self.changed(whole) { footer in
        for _ in 0..<changes {
          footer = footer.changing(
            random.below(count), to: Self.extremes[random.below(Self.extremes.count)])
        }
      }
      _ = try await small.storage.put(bytes, at: path, if: .always)
      try await Self.tryReading(small.table.location, small.table.settings)
    }
  }

  @Test func numbersOfCommitMetadataAtTheirExtremesEndInAnErrorOrAnAnswer() async throws {
    let small = try await Self.table()
    var random = SeededGenerator(seed: 20)
    let commits = try await small.storage.listAll(prefix: ".hoodie/").objects.map(\.path)
      .filter { $0.hasSuffix(".commit") }.sorted()
    try #require(commits.count == 2)
    let text = String(decoding: try await small.storage.readAll(commits[1]), as: UTF8.self)
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let places = parts.indices.filter { parts[$0].drop { $0 == " " }.first?.isNumber == true }
    try #require(places.count > 10)
    for round in 0..<40 {
      var changed = parts
      for place in round < 12
        ? places : [places[random.below(places.count)], places[random.below(places.count)]]
      {
        let rest = changed[place].drop { $0 == " " || $0 == "-" }.drop(while: \.isNumber)
        let extreme =
          round < 12 ? Self.extremes[round] : Self.extremes[random.below(Self.extremes.count)]
        changed[place] = " \(extreme)" + rest
      }
      _ = try await small.storage.put(
        Array(changed.joined(separator: ":").utf8), at: commits[1], if: .always)
      try await Self.tryReading(small.table.location, small.table.settings)
    }
  }

  @Test func countsThatNoFilesHaveTogetherAreAnErrorAndOneFilesCountIsItsOwn() async throws {
    let small = try await Self.table()
    for (number, slice) in try await small.table.snapshot().slices.enumerated() {
      let bytes = try Self.changed(try await small.storage.readAll(slice.path)) { footer in
        footer[3] = .int64(1 << 62)
        footer[4]?.elements[0][3] = .int64(1 << 62)
      }
      _ = try await small.storage.put(bytes, at: slice.path, if: .always)
      if number == 0 { #expect(try await small.table.snapshot().count() == 1 << 62 + 15) }
    }
    let error = await #expect(throws: TableError.self) { _ = try await small.table.snapshot().count() }
    #expect(
      error?.code == .damaged && error?.message.contains("more than 2^63 rows") == true,
      "\(error?.message ?? "")")
  }

  @Test func sumsOfCommitStatisticsDoNotWrap() {
    var one = WriteStatistics(plannedFor: "a", updates: 0, inserts: .max)
    #expect(WriteStatistics.total([one], \.inserts) == .max)
    #expect(WriteStatistics.total([one, one], \.inserts) == nil)
    one.inserts = .min
    #expect(WriteStatistics.total([one, one], \.inserts) == nil)
    #expect(WriteStatistics.total([], \.inserts) == 0)
  }
}
