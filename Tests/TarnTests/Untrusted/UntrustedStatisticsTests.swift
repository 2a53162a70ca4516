import Tarn
import TarnColumns
import TarnFileGroups
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Conditions on files whose statistics and page indexes may not be relied on: the answer is that of reading all.
@Suite struct UntrustedStatisticsTests {
  private static let path = "file.parquet"

  /// A file's parts, of pages of a few rows without compression.
  private static func parts(_ batch: RecordBatch, pageRows: Int = 10, groupRows: Int = 1_000) async throws
    -> ParquetParts
  {
    let storage = InMemoryStorage()
    let options = ParquetWriteOptions(
      compression: .uncompressed, rowGroupRows: groupRows, pageRows: pageRows, writesChecksums: false)
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: path), path: path, options: options)
    try await writer.append(batch)
    _ = try await writer.finish()
    return try ParquetParts(try await storage.readAll(path))
  }

  private static func open(_ bytes: [UInt8], _ warnings: Collected = Collected()) async throws -> ParquetFile
  {
    let storage = InMemoryStorage()
    _ = try await storage.put(bytes, at: path, if: .always)
    return try await ParquetFile.open(storage, path: path).warning { warnings.add($0) }
  }

  /// The rows for which a condition is true, as a reader finds them that passes over what it can.
  private static func rows(_ file: ParquetFile, _ predicate: Condition) async throws -> RecordBatch {
    var selections: [RowSelection] = []
    for group in 0..<file.rowGroupCount {
      selections +=
        try await predicate.selection(file, group: group, schema: file.schema).map { [$0] } ?? []
    }
    var parts: [RecordBatch] = []
    let all = Array(file.schema.fields.indices)
    for try await batch in file.batches(columns: all, selecting: selections, readAhead: 0) {
      parts.append(try batch.gather(try predicate.rows(of: batch)))
    }
    return try RecordBatch.concatenate(parts, schema: file.schema)
  }

  private static func lines(_ batch: RecordBatch) -> [String] {
    (0..<batch.count).map { row in
      var line: [UInt8] = []
      batch.appendJSONLine(row, to: &line)
      return String(decoding: line, as: UTF8.self)
    }
  }

  /// Expects the answer of reading all, with a condition that is true for some rows.
  private func expect(_ bytes: [UInt8], _ text: String, finds count: Int, _ warnings: Collected = Collected())
    async throws
  {
    let predicate = try Condition(parsing: text)
    let file = try await Self.open(bytes, warnings)
    let found = try await Self.rows(file, predicate)
    #expect(found.count == count, "\(text)")
    let whole = try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
    #expect(Self.lines(found) == Self.lines(try whole.gather(try predicate.rows(of: whole))))
  }

  private static func numbersAndTexts() throws -> RecordBatch {
    var number = ColumnBuilder(.int64)
    var text = ColumnBuilder(.string)
    for row in 0..<100 {
      number.append(Int64(row))
      if row % 10 == 3 { text.appendNulls() } else { try text.append("text \(100 + row)") }
    }
    return try RecordBatch(
      schema: Schema([Field("n", .int64), Field("s", .string)]), columns: [number.finish(), text.finish()])
  }

  /// Statistics with a maximum that is too low, and a minimum, as `min_value` and `max_value`.
  private static func bounds(_ minimum: [UInt8], _ maximum: [UInt8]) -> ThriftTree {
    .fields([3: .int64(10), 5: .binary(maximum), 6: .binary(minimum)])
  }

  @Test func boundsWithoutTheOrderOfTheirColumnRuleNothingOut() async throws {
    var parts = try await Self.parts(try Self.numbersAndTexts())
    // Cut and not made greater, as a writer does that says no order.
    parts.changeMetadata(column: 1) { $0[12] = Self.bounds(Array("text".utf8), Array("text 1".utf8)) }
    parts.chunks[0][1].columnIndex = nil
    let misled = parts.bytes()
    // Trusted, since the file says that they may be.
    #expect(try await Self.rows(Self.open(misled), Condition(parsing: "s > 'text 15'")).count == 0)
    let order = ThriftTree.fields([1: .structure([])])
    let others: [ThriftTree?] = [
      nil, .structures([order]), .structures([order, .fields([2: .structure([])])]),
      .structures([order, .structure([])]), .list([], element: 0), .int64(3),
    ]
    for orders in others {
      parts.footer[7] = orders
      try await expect(parts.bytes(), "s > 'text 15'", finds: 45)
      try await expect(parts.bytes(), "s is null", finds: 10)
    }
  }

  @Test func olderBoundsOfSignedNumbersRuleOutAndThoseOfOthersDoNot() async throws {
    var parts = try await Self.parts(try Self.numbersAndTexts())
    parts.footer[7] = nil
    func bytes(_ value: Int64) -> ThriftTree {
      .binary(stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: value >> Int64($0)) })
    }
    for column in 0..<2 { parts.chunks[0][column].columnIndex = nil }
    parts.changeMetadata(column: 0) { $0[12] = .fields([1: bytes(99), 2: bytes(0), 3: .int64(0)]) }
    parts.changeMetadata(column: 1) {
      $0[12] = .fields([1: .text("text 100"), 2: .text("text 100"), 3: .int64(10)])
    }
    let file = try await Self.open(parts.bytes())
    #expect(file.statistics(group: 0, column: 0)?.maximum == .integer(99))
    #expect(file.statistics(group: 0, column: 1)?.maximum == nil)
    #expect(try await Condition(parsing: "n > 99").selection(file, group: 0, schema: file.schema) == nil)
    try await expect(parts.bytes(), "s > 'text 15'", finds: 45)
  }

  /// GEOMETRY, GEOGRAPHY, VARIANT and what is newer, by their numbers in `LogicalType`; INTERVAL is older.
  @Test(arguments: [17, 18, 16, 40, 11])
  func boundsOfTypesWithoutAnOrderRuleNothingOut(logical: Int) async throws {
    var builder = ColumnBuilder(.binary)
    for row in 0..<100 {
      if row % 10 == 3 { builder.appendNulls() } else { try builder.append("point \(100 + row)") }
    }
    let schema = Schema([Field("g", .binary)])
    var parts = try await Self.parts(try RecordBatch(schema: schema, columns: [builder.finish()]))
    var elements = parts.footer[2] ?? .structures([])
    elements.elements[1][10] = .fields([logical: .structure([])])
    parts.footer[2] = elements
    parts.changeMetadata(column: 0) { $0[12] = Self.bounds(Array("a".utf8), Array("b".utf8)) }
    let count = parts.chunks[0][0].columnIndex?[1]?.elements.count ?? 0
    parts.chunks[0][0].columnIndex?[2] = .list(Array(repeating: .text("a"), count: count), element: 8)
    parts.chunks[0][0].columnIndex?[3] = .list(Array(repeating: .text("b"), count: count), element: 8)
    let bytes = parts.bytes()
    try await expect(bytes, "g >= 'cG9pbnQgMTUw'", finds: 45)
    try await expect(bytes, "g is null", finds: 10)
    let file = try await Self.open(bytes)
    #expect(
      file.statistics(group: 0, column: 0) == ColumnStatistics(nullCount: 10, minimum: nil, maximum: nil))
    // Nulls are counted in any order of values.
    #expect(
      try await file.pageStatistics(group: 0, column: 0)?.allSatisfy { $0.values.nullCount == 1 } == true)
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
  }

  @Test func statisticsThatContradictThemselvesRuleNothingOut() async throws {
    let batch = try Self.numbersAndTexts()
    func number(_ value: Int64) -> ThriftTree {
      .binary(stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: value >> Int64($0)) })
    }
    let wrong: [(Int, ThriftTree, String, Int)] = [
      // A minimum above the maximum.
      (0, .fields([3: .int64(0), 5: number(0), 6: number(99)]), "n = 50", 1),
      (0, .fields([3: .int64(0), 5: number(-1), 6: .binary([1])]), "n = 50", 1),
      (0, .fields([3: .int64(0), 5: .binary([]), 6: number(200)]), "n = 50", 1),
      // Nulls that cannot be so many, or leave no value that could be a bound.
      (1, .fields([3: .int64(101)]), "s is not null", 90),
      (1, .fields([3: .int64(-1)]), "s is null", 10),
      (1, .fields([3: .int64(100), 5: .text("text 199"), 6: .text("text 100")]), "s is not null", 90),
      (1, .fields([3: .int64(100), 5: .text("text 199"), 6: .text("text 100")]), "s > 'text 150'", 44),
    ]
    for (column, statistics, text, count) in wrong {
      var parts = try await Self.parts(batch)
      parts.changeMetadata(column: column) { $0[12] = statistics }
      parts.chunks[0][column].columnIndex = nil
      try await expect(parts.bytes(), text, finds: count)
    }
  }

  /// A change of a column index of ten pages of ten rows each that contradicts the rest.
  private typealias Change = @Sendable (inout ThriftTree) -> Void

  private static func changing(_ list: Int, _ body: @escaping @Sendable (inout [ThriftTree]) -> Void)
    -> Change
  {
    return { index in
      guard case .list(var elements, let type) = index[list] else { return }
      body(&elements)
      index[list] = .list(elements, element: type)
    }
  }

  private static let contradictions: [(name: String, change: Change)] = [
    ("a page of values said to be null", changing(1) { $0[5] = .boolean(true) }),
    ("too many nulls", changing(5) { $0[5] = .int64(11) }),
    ("nulls alone", changing(5) { $0[5] = .int64(10) }),
    ("fewer nulls than the footer", changing(5) { $0[5] = .int64(0) }),
    ("a minimum above the maximum", changing(2) { $0[5] = .text("z") }),
    (
      "bounds above the footer's",
      { index in
        changing(2) { $0[5] = .text("z") }(&index)
        changing(3) { $0[5] = .text("zz") }(&index)
      }
    ),
    ("a page less", { index in for list in [1, 2, 3, 5] { changing(list) { $0.removeLast() }(&index) } }),
    ("a bound less", changing(2) { $0.removeFirst() }),
    ("no lists", { index in for list in [1, 2, 3, 5] { index[list] = nil } }),
    ("lists of numbers", { index in index[2] = .list([.int32(1)], element: 5) }),
  ]

  @Test func aColumnIndexThatContradictsTheFileIsNotUsedAndTold() async throws {
    let batch = try Self.numbersAndTexts()
    for (name, change) in Self.contradictions {
      var parts = try await Self.parts(batch)
      if var index = parts.chunks[0][1].columnIndex {
        change(&index)
        parts.chunks[0][1].columnIndex = index
      }
      let bytes = parts.bytes()
      for (text, count) in [("s = 'text 155'", 1), ("s is null", 10), ("s is not null and n > 49", 45)] {
        let warnings = Collected()
        try await expect(bytes, text, finds: count, warnings)
        #expect(warnings.all.count == 1, "\(name): \(warnings.all)")
        #expect(
          warnings.all.first?.hasPrefix("file.parquet, column s: the page index is not used") == true,
          "\(name)")
      }
      let findings = try await ParquetCheck.run(try await Self.open(bytes)).findings
      #expect(!findings.isEmpty, "\(name)")
      #expect(try await Self.open(bytes).pageStatistics(group: 0, column: 1) == nil)
    }
  }

  @Test func boundsOfNumbersThatAreNotInTheOrderThatIsToldAreNotUsed() async throws {
    var parts = try await Self.parts(try Self.numbersAndTexts())
    for (order, isTrusted) in [(0, true), (1, true), (2, false)] {
      // The bounds of strings may be cut, and be in another order than the values.
      for column in 0..<2 { parts.chunks[0][column].columnIndex?[4] = .int32(order) }
      let file = try await Self.open(parts.bytes())
      #expect((try await file.pageStatistics(group: 0, column: 0) != nil) == isTrusted)
      #expect(try await file.pageStatistics(group: 0, column: 1) != nil)
      try await expect(parts.bytes(), "n = 55 or s = 'text 105'", finds: 2)
    }
  }

  /// Changes of an offset index of ten pages.
  private static let misplacements: [(name: String, change: Change)] = [
    ("nothing", { $0[1] = nil }),
    ("no offset", { $0[1]?.elements[3][1] = .int64(-1) }),
    ("an offset elsewhere", { $0[1]?.elements[3][1] = .int64(7) }),
    ("a page that is too short", { $0[1]?.elements[3][2] = .int32(5) }),
    ("rows that fall", { $0[1]?.elements[3][3] = .int64(60) }),
    ("other rows", { $0[1]?.elements[5][3] = .int64(45) }),
    ("another first row", { $0[1]?.elements[0][3] = .int64(1) }),
    ("the first page missing", { $0[1]?.elements.removeFirst() }),
    (
      "sizes without headers",
      { index in
        for page in 0..<10 {
          let size = index[1]?.elements[page][2]?.number ?? 20
          index[1]?.elements[page][2] = .int32(size - 20)
        }
      }
    ),
  ]

  @Test func anOffsetIndexThatLeadsElsewhereIsNotUsedAndTold() async throws {
    let batch = try Self.numbersAndTexts()
    for (name, change) in Self.misplacements {
      let parts = try await Self.parts(batch)
      let bytes = parts.bytes { index, _, column in if column == 1 { change(&index) } }
      let warnings = Collected()
      for (text, count) in [("n >= 30 and n < 60", 30), ("s = 'text 155'", 1), ("s is null", 10)] {
        try await expect(bytes, text, finds: count, warnings)
      }
      #expect(warnings.all.contains { $0.contains("column s: the page index is not used") }, "\(name)")
      let file = try await Self.open(bytes)
      let chosen = try await file.readRows([31, 55, 3], inGroup: 0, columns: [1, 0])
      #expect(Self.lines(chosen) == Self.lines(try batch.select(["s", "n"]).gather([31, 55, 3])), "\(name)")
    }
  }

  @Test func rowsThatAWrongOffsetIndexGivesToAnotherPageAreFound() async throws {
    let parts = try await Self.parts(try Self.numbersAndTexts())
    // Of the page of rows 50 to 59, the last five are said to be the next page's, or the first of the one before.
    for (page, row) in [(6, 55), (5, 55), (5, 45), (6, 65)] {
      let bytes = parts.bytes { index, _, column in
        if column == 0 { index[1]?.elements[page][3] = .int64(row) }
      }
      for text in ["n = 57", "n = 51", "n in (3, 57, 93)", "n > 56 and n < 59", "not (n < 52 or n > 53)"] {
        let predicate = try Condition(parsing: text)
        let whole = try Self.numbersAndTexts()
        let expected = try whole.gather(try predicate.rows(of: whole))
        let found = try await Self.rows(try await Self.open(bytes), predicate)
        #expect(Set(Self.lines(found)) == Set(Self.lines(expected)), "\(text)")
        #expect(found.count == expected.count)
      }
    }
  }

  /// What may be changed at random, and is noticed: bounds that are wrong and contradict nothing cannot be.
  private static func mutate(_ index: inout ThriftTree, _ random: inout SeededGenerator) {
    let pages = index[1]?.elements.count ?? 0
    guard pages > 0 else { return }
    let page = random.below(pages)
    switch random.below(8) {
    case 0: changing(1) { $0[page] = .boolean($0[page].number == nil && !isTrue($0[page])) }(&index)
    case 1:
      let value = Int64(random.below(60)) - 5
      changing(5) { $0[page] = .integer(value, wire: 6) }(&index)
    case 2:
      let (least, greatest) = (index[2]?.elements[page], index[3]?.elements[page])
      if let least, let greatest {
        changing(2) { $0[page] = greatest }(&index)
        changing(3) { $0[page] = least }(&index)
      }
    case 3: index[4] = .int32(random.below(4))
    case 4:
      let list = [1, 2, 3, 5][random.below(4)]
      changing(list) { $0.remove(at: page) }(&index)
    case 5: changing(2 + random.below(2)) { $0[page] = .binary([]) }(&index)
    case 6: index[5] = nil
    default: for list in [1, 2, 3, 5] { changing(list) { $0.append($0[page]) }(&index) }
    }
  }

  private static func isTrue(_ value: ThriftTree) -> Bool {
    if case .boolean(true) = value { true } else { false }
  }

  private static func mutate(offsets index: inout ThriftTree, _ random: inout SeededGenerator) {
    let pages = index[1]?.elements.count ?? 0
    guard pages > 2 else { return }
    let page = random.below(pages)
    switch random.below(4) {
    case 0: index[1]?.elements[page][1] = .int64(random.below(4_000) - 10)
    case 1: index[1]?.elements[page][2] = .int32(random.below(400) - 10)
    // One that is as good as another cannot be told from it.
    case 2: index[1]?.elements[page][3] = .int64([-1, 601, 1 << 40][random.below(3)])
    default: index[1]?.elements.remove(at: page)
    }
  }

  @Test func answersAreThoseOfReadingAllWhateverIndexesAndHeadersSay() async throws {
    let batch = try PagePruningTests.batch(1_200)
    let whole = try await Self.parts(batch, pageRows: 40, groupRows: 600)
    var random = SeededGenerator(seed: 77)
    #if DEBUG
      let rounds = 16
    #else
      let rounds = 400
    #endif
    for round in 0..<rounds {
      var parts = whole
      for group in parts.chunks.indices {
        for column in parts.chunks[group].indices where random.oneIn(2) {
          if var index = parts.chunks[group][column].columnIndex {
            Self.mutate(&index, &random)
            parts.chunks[group][column].columnIndex = index
          }
        }
      }
      if random.oneIn(2) {
        var counts = random
        parts.makeVersion2(isOptional: { _ in true }) { nulls in
          [nil, 0, nulls, nulls - 1, nulls + 1, counts.below(1_000)][counts.below(6)]
        }
      }
      var places = random
      let breaksOffsets = random.oneIn(2)
      let bytes = parts.bytes { index, _, _ in
        if breaksOffsets, places.oneIn(3) { Self.mutate(offsets: &index, &places) }
      }
      _ = random.next()
      let file = try await Self.open(bytes)
      for predicate in PagePruningTests.predicates(&random, count: 8) {
        let found = try await Self.rows(file, predicate)
        let expected = try batch.gather(try predicate.rows(of: batch))
        #expect(Self.lines(found) == Self.lines(expected), "round \(round): \(predicate)")
      }
    }
  }

  /// Says of a page of a base file's column that it holds nulls alone, without a change of any place.
  private static func misstate(_ column: String, page: Int, in small: SmallTable) async throws {
    let slice = try #require(try await small.table.snapshot().slices.first)
    var bytes = try await small.storage.readAll(slice.path)
    let file = try await ParquetFile.open(small.storage, path: slice.path)
    let chunk = try ParquetParts(bytes).footer[4]?.elements[0][1]?.elements[try file.columnIndex(column)]
    let begin = try #require(chunk?[6]?.number)
    var end = begin
    var index = try ThriftTree(parsing: bytes, at: &end)
    changing(1) { $0[page] = .boolean(true) }(&index)
    try #require(index.bytes.count == end - begin)
    bytes.replaceSubrange(begin..<end, with: index.bytes)
    _ = try await small.storage.put(bytes, at: slice.path, if: .always)
  }

  @Test func aTableWhoseFilesIndexContradictsItselfAnswersRightAndIsMendedByTheNextWrite() async throws {
    var options = TableOptions()
    options.tarn.pageRows = 8
    let small = try await SmallTable(Schema([Field("id", .string), Field("n", .int64)]), options: options)
    func rows(_ range: Range<Int>, _ value: Int64) throws -> RecordBatch {
      try batch([
        "id": column(.string) { for row in range { try $0.append("key-\(100 + row)") } },
        "n": column(.int64) { for row in range { $0.append(Int64(row) + value) } },
      ])
    }
    try await small.table.upsert(try rows(0..<80, 0))
    try await Self.misstate("n", page: 3, in: small)
    let n = ColumnReference.column("n")
    #expect(try await small.table.snapshot().where(n >= 24 && n < 32).count() == 8)
    #expect(try await small.table.snapshot().where(n.isNull).count() == 0)
    #expect(small.warnings.all.contains { $0.contains("column n: the page index is not used") })
    let report = try await small.table.upsert(try rows(3..<4, 100))
    #expect(report.updated == 1 && report.splicedFiles == 0)
    #expect(try await small.table.snapshot().where(n == 103).count() == 1)
    let slice = try #require(try await small.table.snapshot().slices.first)
    let file = try await ParquetFile.open(small.storage, path: slice.path)
    #expect(try await file.pageStatistics(group: 0, column: try file.columnIndex("n")) != nil)
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
    // And a right one is spliced again.
    #expect(try await small.table.upsert(try rows(3..<4, 200)).splicedFiles == 1)
  }

  /// Files whose answers other engines give.
  @Test(arguments: [
    ("where_hangxie_nil-statistics", "Age > 22", 8),
    ("where_hangxie_nil-statistics", "Name = 'Student Name_9'", 1),
    ("where_hangxie_sorting-col", "Age > 22", 8), ("where_hangxie_sorting-col", "Name = 'Student Name_9'", 1),
    ("where_hangxie_sorting-col", "Id = 7", 2), ("where_impala_alltypes_empty_pages", "smallint_col = 7", 50),
    ("where_impala_alltypes_empty_pages", "bigint_col = 30 or id > 495", 54),
    ("where_impala_alltypes_empty_pages", "month = 2", 190),
    ("where_impala_alltypes_empty_pages", "year = 2009", 500),
    ("hyparquet_offset_indexed_no_column_orders", "content > 'the dolor the ju'", 3),
    ("hyparquet_offset_indexed_no_column_orders", "id > 150", 50),
  ])
  func filesOfOthersAnswerAsOtherEnginesDo(name: String, text: String, count: Int) async throws {
    let storage = LocalStorage(root: try TestWorld.requireShared("faults"))
    let file = try await ParquetFile.open(storage, path: "\(name).parquet")
    let found = try await Self.rows(file, try Condition(parsing: text))
    #expect(found.count == count)
    if name.hasPrefix("hyparquet"), count == 3 {
      guard case .int64(let ids) = found["id"]?.values else {
        Issue.record("another layout")
        return
      }
      #expect(ids == [3, 169, 181])
    }
  }
}
