import Tarn
import TarnColumns
import TarnTestSupport
import Testing

/// Batches and columns of other widths.
@Suite struct WideningTests {
  static let schema = Schema([
    Field("id", .string), Field("n", .int32), Field("m", .int64), Field("f", .float),
    Field("d", .decimal(precision: 5, scale: 2)), Field("x", .double),
  ])

  static func longs(_ values: Int64?...) -> Column {
    column(.int64) { for value in values { if let value { $0.append(value) } else { $0.appendNulls() } } }
  }

  static func decimals(_ precision: Int, _ scale: Int, _ values: Int128...) -> Column {
    column(.decimal(precision: precision, scale: scale)) { for value in values { $0.append(value) } }
  }

  /// A table with rows in the narrow types, in a file of its own partition and in one that later writes touch.
  static func narrow(settings change: (inout TableSettings) -> Void = { _ in }) async throws -> SmallTable {
    let small = try await SmallTable(schema)
    try await small.table.upsert(
      try batch([
        "id": try texts("a", "b"), "n": longs(1, nil), "m": longs(5, 6),
        "f": column(.float) { for value in [Float(1.1), 2] { $0.append(value) } },
        "d": decimals(5, 2, 125, -99_999), "x": longs(7, 8),
      ]))
    return small
  }

  @Test func valuesThatFitAreTakenExactly() async throws {
    let small = try await Self.narrow()
    try await small.table.upsert(
      try batch([
        "id": try texts("c"), "n": Self.longs(Int64(Int32.min)), "m": Self.decimals(20, 2, 100),
        "f": column(.double) { $0.append(0.5) }, "d": Self.longs(999), "x": Self.longs(1 << 53),
      ]))
    let rows = try await small.rows()
    #expect(json(rows["n"]) == ["1", "null", "-2147483648"])
    #expect(json(rows["m"]) == ["5", "6", "1"])
    #expect(json(rows["f"]) == ["1.1", "2.0", "0.5"])
    #expect(json(rows["d"]) == ["\"1.25\"", "\"-999.99\"", "\"999.00\""])
    #expect(json(rows["x"]) == ["7.0", "8.0", "9007199254740992.0"])
    #expect(try await small.table.schema() == Self.schema)
    // The same values in other types are the same row.
    #expect(
      try await small.table.upsert(
        try batch([
          "id": try texts("c"), "n": Self.longs(Int64(Int32.min)), "m": Self.longs(1),
          "f": column(.double) { $0.append(0.5) }, "d": Self.decimals(20, 3, 999_000),
          "x": Self.longs(1 << 53),
        ])
      ).duplicates == 1)
  }

  @Test func aValueThatDoesNotFitIsNamedWithItsRowAndTheWayOut() async throws {
    let small = try await Self.narrow()
    let before = try await small.contents()
    let misfits: [(String, Column, [String])] = [
      ("n", Self.longs(1, 3_000_000_000), ["3000000000", "--widen n='long'"]),
      ("d", Self.longs(1, 1_000), ["1000", "decimal(21,2)"]),
      ("d", Self.decimals(10, 3, 1_000, 1_001), ["1.001", "decimal(10,3)"]),
      (
        "f", column(.double) { for value in [0.5, 0.1] { $0.append(value) } }, ["0.1", "--widen f='double'"]
      ),
      ("x", Self.longs(1, (1 << 53) + 1), ["9007199254740993", "double"]),
      ("m", Self.decimals(20, 2, 100, 150), ["1.50", "long"]),
    ]
    for (name, values, words) in misfits {
      do {
        try await small.table.upsert(try batch(["id": try texts("c", "d"), name: values]))
        Issue.record("\(name) was taken")
      } catch let error as TableError {
        #expect(error.code == .badRow)
        for word in words + ["row 1 of the batch", "column \(name)"] {
          #expect(error.message.contains(word), "\(error)")
        }
      }
      let refused = try await small.table.refusedRows(
        in: ChangeBatch(upserting: try batch(["id": try texts("c", "d"), name: values])))
      #expect(refused.map(\.row) == [1])
    }
    #expect(try await small.contents() == before)
  }

  @Test func columnsAreWidenedByACommitWithoutFiles() async throws {
    let small = try await Self.narrow()
    let slices = try await small.table.snapshot().slices
    let report = try await small.table.widen([
      "n": .int64, "m": .decimal(precision: 21, scale: 2), "f": .double,
      "d": .decimal(precision: 30, scale: 4),
    ])
    #expect(report.instant != nil && report.files == 0)
    #expect(small.warnings.all.contains { $0.hasPrefix("f: a stored float") })
    #expect(try await small.table.snapshot().slices == slices)
    let types = try await small.table.schema().fields.map(\.type.name)
    #expect(types == ["string", "long", "decimal(21,2)", "double", "decimal(30,4)", "double"])
    #expect(try await small.table.widen(["n": .int64]).instant == nil)
    // The old file is read, ruled out and compared in the new types.
    let old = try await small.rows()
    #expect(json(old["n"]) == ["1", "null"])
    #expect(json(old["m"]) == ["\"5.00\"", "\"6.00\""])
    #expect(json(old["d"]) == ["\"1.2500\"", "\"-999.9900\""])
    #expect(json(old["f"]) == ["\(Double(Float(1.1)))", "2.0"])
    for (condition, count) in [
      ("n = 1", 1), ("n > 2147483647", 0), ("m >= 5.5", 1), ("d = 1.25", 1), ("d < -999.98", 1), ("f = 2", 1),
      ("f = 1.1", 0),
    ] {
      #expect(
        try await small.rows { try $0.where(try Condition(parsing: condition)) }.count == count,
        "\(condition)")
    }
    // Later rows stand beside the old ones, which are looked up, written anew and changed.
    try await small.table.upsert(
      try batch([
        "id": try texts("b", "c"), "n": Self.longs(3_000_000_000, 9), "m": Self.decimals(21, 2, 650, 1),
        "d": Self.decimals(30, 4, 1, 2),
        "f": column(.double) { for value in [0.1, 0.2] { $0.append(value) } },
      ]))
    #expect(
      try await small.table.update(where: try Condition(parsing: "n = 1"), set: ["n": 4_000_000_000]).updated
        == 1)
    let new = try await small.rows()
    #expect(json(new["n"]) == ["4000000000", "3000000000", "9"])
    #expect(json(new["m"]) == ["\"5.00\"", "\"6.50\"", "\"0.01\""])
    #expect(json(new["d"]) == ["\"1.2500\"", "\"0.0001\"", "\"0.0002\""])
    #expect(json(new["f"]) == ["\(Double(Float(1.1)))", "0.1", "0.2"])
  }

  @Test func whatCannotBeWidenedIsRefused() async throws {
    let small = try await SmallTable(
      Schema([
        Field("id", .int32), Field("p", .decimal(precision: 5, scale: 2)), Field("s", .string),
        Field("x", .double),
      ]),
      partitionedBy: ["p"])
    let before = try await small.contents()
    let cases: [(String, DataType, String)] = [
      ("nope", .int64, "no column nope"), ("s", .int64, "cannot become long"), ("x", .float, "cannot become"),
      ("x", .decimal(precision: 10, scale: 2), "cannot become"),
      ("id", .decimal(precision: 12, scale: 2), "key or partition"),
      ("p", .decimal(precision: 9, scale: 3), "key or partition"),
      ("p", .decimal(precision: 4, scale: 2), "cannot become"),
      ("id", .decimal(precision: 40, scale: 0), "38 digits"),
    ]
    for (name, type, word) in cases {
      await expectRefusal(.mismatch, word) { try await small.table.widen([name: type]) }
    }
    #expect(try await small.contents() == before)
    // Texts of keys and paths stay as they are.
    let rows = try batch([
      "id": column(.int32) { $0.append(Int32(7)) }, "p": Self.decimals(5, 2, 150), "s": try texts("x"),
    ])
    try await small.table.upsert(rows)
    try await small.table.widen(["id": .int64, "p": .decimal(precision: 9, scale: 2)])
    #expect(try await small.table.upsert(rows).duplicates == 1)
    try await small.table.widen(["id": .decimal(precision: 20, scale: 0)])
    #expect(try await small.table.upsert(rows).duplicates == 1)
    #expect(try await small.table.delete(keys: [["id": 7]]).deleted == 1)
  }

  @Test(arguments: [true, false]) func aBatchWidensWhatItNeedsAndNoMore(hasMetaColumns: Bool) async throws {
    var options = TableOptions()
    options.populatesMetaColumns = hasMetaColumns
    var settings = TableFixture.settings(Collected())
    settings.widensColumns = true
    let small = try await SmallTable(Self.schema, options: options)
    try await small.table.upsert(
      try batch([
        "id": try texts("a"), "n": Self.longs(1), "m": Self.longs(2), "d": Self.decimals(5, 2, 1),
      ]))
    let table = try await Table.open(at: small.table.location, settings: settings)
    // All of these fit.
    try await table.upsert(
      try batch(["id": try texts("b"), "n": Self.longs(5), "d": Self.decimals(38, 2, 99_999)]))
    #expect(try await table.schema() == Self.schema)
    try await table.upsert(
      try batch([
        "id": try texts("c"), "n": Self.longs(1 << 40), "m": Self.longs(5),
        "d": Self.decimals(38, 2, 123_456_789),
        "f": column(.double) { $0.append(0.1) },
      ]))
    #expect(
      try await table.schema().fields.map(\.type.name)
        == ["string", "long", "long", "double", "decimal(9,2)", "double"])
    #expect(
      json(try await table.snapshot().where(try Condition(parsing: "n > 4")).limit(9).select("n").all()["n"])
        .sorted()
        == ["1099511627776", "5"])
    await expectRefusal(.badRow, "row 0", "column x") {
      try await table.upsert(try batch(["id": try texts("d"), "x": Self.longs(Int64.max)]))
    }
  }

  @Test func deletionsAreRememberedAfterTheOrderingColumnWasWidened() async throws {
    let small = try await SmallTable(Schema([Field("id", .string), Field("v", .int32)]), orderedBy: "v")
    let row = { (value: Int32) in
      try batch(["id": try texts("a"), "v": column(.int32) { $0.append(value) }])
    }
    try await small.table.upsert(try row(5))
    try await small.table.delete(try row(8))
    for type in [DataType.int64, .decimal(precision: 21, scale: 2)] {
      try await small.table.widen(["v": type])
      #expect(try await small.table.upsert(try row(7)).stale == 1)
    }
    #expect(try await small.table.upsert(try row(9)).inserted == 1)
  }
}

extension Snapshot {
  /// All rows in one batch.
  func all() async throws -> RecordBatch {
    var batches: [RecordBatch] = []
    for try await batch in self { batches.append(batch) }
    return try RecordBatch.concatenate(batches, schema: schema)
  }
}
