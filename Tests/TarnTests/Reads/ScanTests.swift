import Tarn
import TarnColumns
import TarnExpressions
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What a snapshot with a condition reads, and that it finds what a look at every row finds.
@Suite struct ScanTests {
  private static let schema = Schema([
    Field("id", .string), Field("sub", .int32), Field("amount", .int64), Field("note", .string),
  ])

  private static func rows(_ ids: [Int], _ stamp: Int64) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append("key-\(id)") } },
      "sub": column(.int32) { for id in ids { $0.append(Int32(id % 3)) } },
      "amount": column(.int64) { for id in ids { $0.append(Int64(id) &* 7 &+ stamp) } },
      "note": column(.string) { for id in ids { try $0.append("a note of \(id) at \(stamp)") } },
    ])
  }

  private static func options(_ hasIndex: Bool) -> TableOptions {
    var options = TableOptions()
    options.tarn.hasKeyIndex = hasIndex
    options.tarn.pageRows = 64
    options.tarn.rowGroupSize = 20_000
    return options
  }

  /// The rows of a condition, found by looking at all of them.
  private static func expected(_ table: Table, _ condition: Condition) async throws -> RecordBatch {
    var parts: [RecordBatch] = []
    let snapshot = try await table.snapshot()
    for try await part in snapshot { parts.append(try part.gather(try condition.rows(of: part))) }
    return try RecordBatch.concatenate(parts, schema: snapshot.schema)
  }

  private static func lines(_ batch: RecordBatch) -> [String] {
    (0..<batch.count).map { row in
      var line: [UInt8] = []
      batch.appendJSONLine(row, to: &line)
      return String(decoding: line, as: UTF8.self)
    }.sorted()
  }

  @Test(arguments: [["id"], ["id", "sub"], ["sub", "id"]], [true, false])
  func conditionsOnKeysFindWhatLookingAtEveryRowFinds(key: [String], hasIndex: Bool) async throws {
    var random = SeededGenerator(seed: UInt64(key.count + (hasIndex ? 10 : 0)))
    let small = try await SmallTable(
      Self.schema, key: key, partitionedBy: ["sub"], options: Self.options(hasIndex))
    for stamp in 0..<4 {
      let ids = (0..<3_000).filter { _ in random.oneIn(stamp == 0 ? 1 : 9) }
      try await small.table.upsert(try Self.rows(ids, Int64(stamp)))
    }
    try await small.table.delete(where: Condition.column("amount") < 400)
    for _ in 0..<40 {
      let ids = (0..<1 + random.below(4)).map { _ in Literal.string("key-\(random.below(3_300))") }
      let sub = Literal(integerLiteral: random.below(4))
      let one = ids[0]
      let conditions = [
        Condition.column("id") == one, ColumnReference.column("id").isIn(ids),
        Condition.column("id") == one && Condition.column("sub") == sub,
        ColumnReference.column("id").isIn(ids) && Condition.column("amount") > 9_000,
        Condition.column("id") == one || Condition.column("note") == "a note of 5 at 0",
        !(Condition.column("id") == one) && Condition.column("amount") == 702,
        Condition.column("id") == one && Condition.column("id") == ids[ids.count - 1],
        Condition.column("sub") == sub && Condition.column("amount") > 20_000,
      ]
      let condition = conditions[random.below(conditions.count)]
      let snapshot = try await small.table.snapshot().where(condition)
      var found: [RecordBatch] = []
      for try await part in snapshot { found.append(part) }
      let expected = try await Self.expected(small.table, condition)
      #expect(
        Self.lines(try RecordBatch.concatenate(found, schema: snapshot.schema)) == Self.lines(expected),
        "\(condition)")
      #expect(try await snapshot.count() == expected.count, "\(condition)")
      let notes = try snapshot.select("note").limit(2)
      var count = 0
      for try await part in notes { count += part.count }
      #expect(count == min(expected.count, 2))
    }
    #expect(small.warnings.all.isEmpty, "\(small.warnings.all)")
  }

  private static let keySchema = Schema([
    Field("n", .int32), Field("day", .date), Field("price", .decimal(precision: 9, scale: 2)),
    Field("time", .timestamp(.microseconds, .instant)), Field("text", .string), Field("flag", .boolean),
    Field("payload", .string),
  ])

  private static func keyRows(_ numbers: [Int], _ stamp: String) throws -> RecordBatch {
    try batch([
      "n": column(.int32) { for n in numbers { $0.append(Int32(n - 200)) } },
      "day": column(.date) { for n in numbers { $0.append(Int32(n * 11 - 900)) } },
      "price": column(.decimal(precision: 9, scale: 2)) {
        for n in numbers { $0.append(Int128(n * 25 - 700)) }
      },
      "time": column(.timestamp(.microseconds, .instant)) {
        for n in numbers { $0.append(Int64(n) * 1_000_001 - 90_000_000) }
      },
      "text": column(.string) {
        for n in numbers {
          switch n % 50 {
          case 0: $0.appendNulls()
          case 1: try $0.append("")
          default: try $0.append("ü \(n):,x")
          }
        }
      },
      "flag": column(.boolean) { for n in numbers { $0.append(n % 2 == 0) } },
      "payload": column(.string) { for n in numbers { try $0.append("\(stamp) \(n)") } },
    ])
  }

  @Test(arguments: [
    ["n"], ["day"], ["price"], ["time"], ["text", "n"], ["flag", "day", "text"], ["n", "price"],
  ])
  func keysOfEveryTypeAreFoundAtEveryTime(key: [String]) async throws {
    let small = try await SmallTable(Self.keySchema, key: key, options: Self.options(true))
    let first = try await small.table.upsert(try Self.keyRows(Array(0..<400), "first"))
    _ = try await small.table.upsert(try Self.keyRows(Array(stride(from: 0, to: 400, by: 7)), "second"))
    // As a writer does that widens the column.
    if key.contains("n") { try await small.table.widen(["n": .int64]) }
    _ = try await small.table.upsert(try Self.keyRows(Array(390..<430), "third"))
    let instant = try #require(first.instant)
    for number in [0, 1, 7, 50, 51, 399, 400, 429, 430] {
      let row = try Self.keyRows([number], "")
      var condition: Condition?
      for name in key {
        let text = json(row[name])[0]
        let plain = text.hasPrefix("\"") ? String(text.dropFirst().dropLast()) : text
        let part =
          text == "null"
          ? try Condition(parsing: "\(name) is null")
          : name == "flag"
            ? try Condition(parsing: "flag = \(text)")
            : ["n", "price"].contains(name)
              ? Condition.column(name) == .number(plain) : Condition.column(name) == .string(plain)
        condition = condition.map { $0 && part } ?? part
      }
      let wanted = try #require(condition)
      let snapshots = [
        try await small.table.snapshot(), try await small.table.snapshot(asOf: instant),
        try await small.table.changes(since: instant),
      ]
      for snapshot in snapshots {
        var expected = 0
        for try await part in snapshot { expected += try wanted.rows(of: part).count }
        #expect(try await TableFixture.count(try snapshot.where(wanted)) == expected, "\(key) \(number)")
      }
      #expect(try await snapshots[0].where(wanted).count() == (number < 430 ? 1 : 0), "\(key) \(number)")
    }
    #expect(small.warnings.all.allSatisfy { !$0.contains("looked for without") }, "\(small.warnings.all)")
  }

  private static func filled(
    _ storage: CountingStorage, hasIndex: Bool = true, isSorted: Bool = false
  ) async throws -> Table {
    var options = options(hasIndex)
    (options.tarn.pageRows, options.tarn.rowGroupSize) = (512, 32 << 20)
    let small = try await SmallTable(schema, partitionedBy: ["sub"], options: options, storage: storage)
    var ids = Array(10_000..<40_000)
    var random = SeededGenerator(seed: 5)
    if !isSorted { ids.shuffle(using: &random) }
    try await small.table.upsert(try rows(ids, 0))
    return small.table
  }

  /// Bytes that are read for a condition beside the footers, which a count of all rows reads.
  private static func bytes(_ condition: Condition, hasIndex: Bool) async throws -> Int {
    let storage = CountingStorage()
    let table = try await filled(storage, hasIndex: hasIndex)
    let snapshot = try await table.snapshot()
    storage.reset()
    #expect(try await snapshot.count() == 30_000)
    let footers = storage.bytesRead
    storage.reset()
    #expect(try await TableFixture.count(try snapshot.where(condition)) == 1)
    return storage.bytesRead - footers
  }

  @Test func aKeyIsFoundByTheIndexAndNotByReadingKeys() async throws {
    let condition = Condition.column("id") == "key-24321"
    let indexed = try await Self.bytes(condition, hasIndex: true)
    let plain = try await Self.bytes(condition, hasIndex: false)
    #expect(indexed * 3 < plain, "\(indexed) of \(plain)")
  }

  @Test(arguments: [1, 400])
  func keysAreLookedUpWithoutAnIndexWhereStatisticsLeaveThem(count: Int) async throws {
    var bytes: [Int] = []
    for isSorted in [true, false] {
      let storage = CountingStorage()
      let table = try await Self.filled(storage, hasIndex: false, isSorted: isSorted)
      let ids = (0..<count).map { 24_321 + 3 * $0 }
      storage.reset()
      let report = try await table.upsert(try Self.rows(ids, 1))
      #expect(report.updated == count && report.inserted == 0)
      bytes.append(storage.bytesRead)
      let changed = try await table.snapshot().where(Condition.column("sub") == 0)
      #expect(try await changed.count() == 10_000)
    }
    #expect(bytes[0] * 3 < bytes[1] * 2, "\(bytes)")
  }

  /// Bytes and reads of something that is done with a table.
  private static func reads(
    _ condition: Condition, _ body: (Table, Condition) async throws -> Void
  ) async throws -> [Int] {
    let storage = CountingStorage()
    let table = try await filled(storage)
    // Another value of the table, which has read no footers yet.
    let fresh = try await Table.open(at: .storage(storage, name: "memory/small"))
    _ = table
    storage.reset()
    try await body(fresh, condition)
    return [storage.readCount, storage.bytesRead]
  }

  @Test func readingCountingAndChangingLookAtTheSame() async throws {
    let conditions = [
      Condition.column("id") == "no such key", Condition.column("amount") < 0,
      Condition.column("sub") == 2 && Condition.column("amount") == 70_008,
      Condition.column("amount") == 70_008,
    ]
    for condition in conditions {
      // Of nothing that is found, nothing else is read.
      let counted = try await Self.reads(condition) { table, condition in
        let count = try await table.snapshot().where(condition).count()
        #expect(count == 0)
      }
      let read = try await Self.reads(condition) { table, condition in
        let count = try await TableFixture.count(try await table.snapshot().where(condition))
        #expect(count == 0)
      }
      let changed = try await Self.reads(condition) { table, condition in
        let report = try await table.update(where: condition, set: ["note": "x"])
        #expect(report.instant == nil)
      }
      #expect(counted == read, "\(condition)")
      // A write reads commits as well, to know which files must be there.
      #expect(changed[1] - counted[1] < 8 << 10, "\(condition): \(changed) and \(counted)")
    }
  }

  @Test func filesOfOtherPartitionsAreNotOpened() async throws {
    let storage = CountingStorage()
    let table = try await Self.filled(storage)
    let one = try await table.snapshot().where(Condition.column("sub") == 1)
    storage.reset()
    #expect(try await one.select("note").count() == 10_000)
    let bytes = storage.bytesRead
    let all = try await table.snapshot().where(Condition.column("amount") >= 0)
    #expect(try await all.slices.count == 3)
    storage.reset()
    #expect(try await all.select("note").count() == 30_000)
    #expect(bytes * 2 < storage.bytesRead, "\(bytes) of \(storage.bytesRead)")
    // Nothing can be in none: one file is opened, to see that the paths are what the rows say.
    let none = try await table.snapshot().where(Condition.column("sub") == 7)
    storage.reset()
    #expect(try await none.count() == 0)
    #expect(storage.bytesRead < bytes)
  }

  @Test(arguments: ["sub", "note"])
  func partitionsWhosePathsAreNotWhatTheRowsSayAreRead(partition: String) async throws {
    let small = try await SmallTable(Self.schema, partitionedBy: [partition])
    try await small.table.upsert(try Self.rows(Array(0..<6), 0))
    let text = String(decoding: try await small.storage.readAll(".hoodie/hoodie.properties"), as: UTF8.self)
    // As a table of a writer that does not tell how it calls its folders.
    let other = text.replacing("hive_style_partitioning=true", with: "hive_style_partitioning=false")
    #expect(other != text)
    try await small.storage.put(Array(other.utf8), at: ".hoodie/hoodie.properties", if: .always)
    let table = try await Table.open(at: .storage(small.storage, name: "memory/small"))
    let note = Condition.column("note") == "a note of 4 at 0"
    #expect(try await table.snapshot().where(note && Condition.column("sub") == 1).count() == 1)
    #expect(try await table.snapshot().where(note).count() == 1)
  }

  @Test func manyScatteredRowsAreReadInOnePass() async throws {
    let count = 60_000
    let rows = try batch([
      "id": column(.string) { for id in 0..<count { try $0.append("key-\(id)") } },
      "sub": column(.int32) { for id in 0..<count { $0.append(Int32(id % 9)) } },
      "amount": column(.int64) { for id in 0..<count { $0.append(Int64(id)) } },
      "note": column(.string) {
        for id in 0..<count { try $0.append("a note of \(id) and of nothing else") }
      },
    ])
    let small = try await SmallTable(Self.schema, options: Self.options(true))
    try await small.table.insert(rows)
    for (value, expected) in [(0, (count + 8) / 9), (9, 0)] {
      let snapshot = try await small.table.snapshot().where(
        Condition.column("sub") == Literal(integerLiteral: value))
      #expect(try await TableFixture.count(snapshot) == expected)
      #expect(try await TableFixture.count(snapshot.limit(5)) == min(expected, 5))
    }
    let report = try await small.table.update(where: Condition.column("sub") == 3, set: ["note": "changed"])
    #expect(report.updated == (count + 5) / 9)
    #expect(
      try await small.table.snapshot().where(Condition.column("note") == "changed").count() == (count + 5) / 9
    )
  }

  @Test func otherColumnsAreReadOfFewRowsAlone() async throws {
    let one = try await Self.bytes(Condition.column("amount") == 70_007, hasIndex: false)
    let storage = CountingStorage()
    let table = try await Self.filled(storage, hasIndex: false)
    let all = try await table.snapshot().where(Condition.column("amount") >= 0)
    storage.reset()
    #expect(try await TableFixture.count(all) == 30_000)
    #expect(one * 3 < storage.bytesRead, "\(one) of \(storage.bytesRead)")
  }

  @Test func aDamagedIndexIsPassedOverWithAWarning() async throws {
    let small = try await SmallTable(Self.schema, options: Self.options(true))
    try await small.table.upsert(try Self.rows(Array(0..<2_000), 0))
    let slice = try #require(try await small.table.snapshot().slices.first)
    let pristine = try await small.storage.readAll(slice.path)
    let snapshot = try await small.table.snapshot().where(Condition.column("id") == "key-77")
    var random = SeededGenerator(seed: 3)
    var warned = 0
    for _ in 0..<60 {
      var bytes = pristine
      // Behind the pages, before the footer.
      let index = bytes.count / 2 + random.below(bytes.count / 2 - 8)
      bytes[index] ^= UInt8(1 + random.below(255))
      try await small.storage.put(bytes, at: slice.path, if: .always)
      // Pages and footer are looked at elsewhere: what is read is right, or an error.
      if let count = try? await TableFixture.count(snapshot) { #expect(count == 1) }
      warned = max(warned, small.warnings.all.filter { $0.contains("rows are looked for without it") }.count)
    }
    #expect(warned > 0)
  }
}
