import Tarn
import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct PagePruningTests {
  private static let path = "file.parquet"
  private static let rowCount = 4_000

  /// Columns whose values rise with the rows but for noise, among nulls, and a page of nulls now and then.
  static func batch(_ rowCount: Int = rowCount) throws -> RecordBatch {
    var random = SeededGenerator(seed: 21)
    var number = ColumnBuilder(.int32)
    var real = ColumnBuilder(.double)
    var text = ColumnBuilder(.string)
    var price = ColumnBuilder(.decimal(precision: 20, scale: 2))
    var time = ColumnBuilder(.timestamp(.microseconds, .instant))
    for row in 0..<rowCount {
      let value = row / 100 + Int.random(in: 0..<5, using: &random)
      func isNull() -> Bool { row / 50 % 11 == 3 || Int.random(in: 0..<7, using: &random) == 0 }
      if isNull() { number.appendNulls() } else { number.append(Int32(value - 20)) }
      let odd = [Double.nan, .infinity, -.infinity, -0.0][Int.random(in: 0..<4, using: &random)]
      let isOdd = Int.random(in: 0..<100, using: &random) == 0
      if isNull() { real.appendNulls() } else { real.append(isOdd ? odd : Double(value) - 20) }
      let long = String(repeating: "é", count: 40) + String(100 + value)
      if isNull() {
        text.appendNulls()
      } else {
        try text.append(row % 1_000 < 500 ? long : String(100 + value))
      }
      if isNull() { price.appendNulls() } else { price.append(Int128(value - 20) * 50) }
      if isNull() { time.appendNulls() } else { time.append(Int64(value) * 1_000_000) }
    }
    let columns = [number.finish(), real.finish(), text.finish(), price.finish(), time.finish()]
    let names = ["number", "real", "text", "price", "time"]
    return try RecordBatch(
      schema: Schema(zip(names, columns).map { Field($0, $1.type, isNullable: true) }), columns: columns)
  }

  private static func file(
    _ storage: CountingStorage, _ batch: RecordBatch, hasPageIndex: Bool = true
  ) async throws -> ParquetFile {
    var options = ParquetWriteOptions(rowGroupRows: 1_500, pageRows: 50)
    options.writesPageIndex = hasPageIndex
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: path), path: path,
      options: options)
    try await writer.append(batch)
    _ = try await writer.finish()
    return try await ParquetFile.open(storage, path: path)
  }

  static func predicates(_ random: inout SeededGenerator, count: Int = 400) -> [Condition] {
    let comparisons: [Comparison] = [
      .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
    ]
    return (0..<count).map { _ in
      func leaf() -> Condition {
        let value = Int.random(in: -2..<48, using: &random)
        let seconds = value < 10 ? "0\(max(value, 0))" : "\(value)"
        let long = String(repeating: "é", count: 40)
        let choices: [(String, Literal)] = [
          ("number", .number("\(value - 20)")), ("number", .number("\(value - 20).5")),
          ("real", .number(["nan", "inf", "-inf", "0"].randomElement(using: &random) ?? "0")),
          ("real", .number("\(value - 20)")), ("text", .string("\(100 + value)")),
          ("text", .string(long + "\(100 + value)")), ("text", .string(long)),
          ("price", .number("\(Double(value - 20) / 2)")), ("time", .string("1970-01-01T00:00:\(seconds)Z")),
        ]
        let (name, literal) = choices[Int.random(in: choices.indices, using: &random)]
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .isNull(name)
        case 1: return .isIn(name, [literal, choices.first { $0.0 == name }?.1 ?? literal])
        default: return .comparison(name, comparisons[Int.random(in: 0..<6, using: &random)], literal)
        }
      }
      func tree(_ depth: Int) -> Condition {
        switch depth == 0 ? 3 : Int.random(in: 0..<5, using: &random) {
        case 0: return .and(tree(depth - 1), tree(depth - 1))
        case 1: return .or(tree(depth - 1), tree(depth - 1))
        case 2: return .not(tree(depth - 1))
        default: return leaf()
        }
      }
      return tree(3)
    }
  }

  @Test(arguments: [true, false])
  func skippedPagesHoldNoRowThatIsAskedFor(hasPageIndex: Bool) async throws {
    let batch = try Self.batch()
    let file = try await Self.file(CountingStorage(), batch, hasPageIndex: hasPageIndex)
    var random = SeededGenerator(seed: 5)
    var skipped = 0
    for predicate in Self.predicates(&random) {
      var found: [Int] = []
      var start = 0
      for group in 0..<file.rowGroupCount {
        let rows = file.rowCount(inGroup: group)
        let selection = try await predicate.selection(file, group: group, schema: batch.schema)
        let ranges = selection.map { $0.ranges ?? [0..<rows] } ?? []
        if !hasPageIndex { #expect(selection?.ranges == nil) }
        skipped += rows - ranges.reduce(0) { $0 + $1.count }
        for range in ranges {
          let part = batch.slice(start + range.lowerBound..<start + range.upperBound)
          found += try predicate.rows(of: part).map { start + range.lowerBound + Int($0) }
        }
        start += rows
      }
      let expected = try predicate.rows(of: batch).map { Int($0) }
      #expect(found == expected, "\(predicate)")
    }
    // Most conditions rule some pages out.
    if hasPageIndex { #expect(skipped > 400 * Self.rowCount / 5) }
  }

  @Test func pagesOfATableThatCannotHoldARowAreNotRead() async throws {
    let storage = CountingStorage()
    let fixture = try await TableFixture(storage: storage, partitionedBy: [])
    let trades = (0..<60_000).map { (row: Int) -> Trade in
      let price = Int128(row * 7_919 % 100_003)
      return Trade("\(100_000 + row)", Int64(row), "a", price, "note \(row * 31 % 1_009)")
    }
    try await fixture.table.upsert(try Trade.batch(trades))
    storage.reset()
    let all = try await TableFixture.rows(of: fixture.table.snapshot())
    #expect(all == trades)
    let whole = storage.bytesRead
    let time = ColumnReference.column("time")
    let range: Condition = time >= 30_000 && time < 30_010
    // What is read of the table in any case: properties, timeline, listings, the footer.
    storage.reset()
    #expect(try await fixture.table.snapshot().where(time < 0).count() == 0)
    let least = storage.bytesRead
    storage.reset()
    let some = try await TableFixture.rows(of: fixture.table.snapshot().where(range))
    #expect(some == Array(trades[30_000..<30_010]))
    // One page of fifteen, the dictionaries, and what tells where they are.
    #expect(storage.bytesRead - least < (whole - least) / 3)
    #expect(try await fixture.table.snapshot().where(!(time < 59_990)).count() == 10)
  }

  @Test func batchesOfASnapshotDoNotFollowTheRowGroup() async throws {
    let fixture = try await TableFixture(partitionedBy: [])
    let trades = (0..<40_000).map { (row: Int) -> Trade in
      Trade("\(100_000 + row)", Int64(row), "a", 1, "x")
    }
    try await fixture.table.upsert(try Trade.batch(trades))
    var rows = 0
    for try await batch in try await fixture.table.snapshot() {
      #expect(batch.count <= 16_384)
      rows += batch.count
    }
    #expect(rows == 40_000)
  }
}
