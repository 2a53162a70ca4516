import Tarn
import TarnColumns
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct KeyTests {
  static func twoKeys() async throws -> SmallTable {
    try await SmallTable(Schema([Field("a", .string), Field("b", .string)]), key: ["a", "b"])
  }

  @Test func compositeKeysNameTheirColumns() async throws {
    let small = try await Self.twoKeys()
    let rows = try batch([
      "a": try texts("x", nil, "", "é/=%"), "b": try texts("y", "z", "w", nil),
    ])
    #expect(try await small.table.upsert(rows).inserted == 4)
    #expect(
      try await small.texts("_hoodie_record_key") == [
        "a:__empty__,b:w", "a:__null__,b:z", "a:x,b:y", "a:é/=%,b:__null__",
      ])
    // The same keys are the same rows.
    #expect(try await small.table.upsert(rows).duplicates == 4)
  }

  @Test(arguments: [("x", "__null__"), ("x", "__empty__"), ("__null__", "x"), ("x,b:y", "z"), (",b:", "")])
  func valuesThatTwoCompositeKeysCouldHaveAreRefused(_ a: String, _ b: String) async throws {
    let small = try await Self.twoKeys()
    let before = try await small.contents()
    await expectRefusal(.badRow, "row 1", "key column", "ambiguous") {
      try await small.table.upsert(try batch(["a": try texts("fine", a), "b": try texts("fine", b)]))
    }
    #expect(try await small.contents() == before)
    // One key column alone takes them.
    let simple = try await SmallTable(Schema([Field("id", .string)]))
    try await simple.table.upsert(try batch(["id": try texts(a)]))
    #expect(try await simple.texts("_hoodie_record_key") == [a])
  }

  @Test func commasAndColonsInCompositeKeysAreTakenAsHudiTakesThem() async throws {
    let small = try await Self.twoKeys()
    let rows = try batch([
      "a": try texts("u1", "p:q", "x,y", ",b", "b:", ","),
      "b": try texts("2026-01-01T00:00:00Z", "r,s", ",b:", ":", "a:1,b:2", nil),
    ])
    #expect(try await small.table.upsert(rows).inserted == 6)
    #expect(
      try await small.texts("_hoodie_record_key") == [
        "a:,,b:__null__", "a:,b,b::", "a:b:,b:a:1,b:2", "a:p:q,b:r,s", "a:u1,b:2026-01-01T00:00:00Z",
        "a:x,y,b:,b:",
      ])
    #expect(try await small.table.upsert(rows).duplicates == 6)
    #expect(
      try await small.table.delete(keys: [
        ["a": "u1", "b": "2026-01-01T00:00:00Z"], ["a": "x,y", "b": ",b:"],
      ])
      .deleted == 2)
  }

  /// Values made of what keys are made of: names, commas, colons, what stands for null, other text.
  @Test(arguments: 0..<8)
  func differentCompositeKeysNeverShareAText(seed: Int) async throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let names = ["a", "b", "ab"]
    let pieces = [",", ":", "a", "b", "ab", "__null__", "__empty__", "é", "\u{0}", ",b:", ",ab:", "x"]
    func value() -> String? {
      if Int.random(in: 0..<12, using: &generator) == 0 { return nil }
      return (0..<Int.random(in: 0...4, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }.joined()
    }
    var columns = names.map { _ in ColumnBuilder(.string) }
    var tuples: [[String?]] = []
    for _ in 0..<3_000 {
      let tuple = names.map { _ in value() }
      tuples.append(tuple)
      for (index, value) in tuple.enumerated() {
        if let value { try columns[index].append(value) } else { columns[index].appendNulls() }
      }
    }
    let small = try await SmallTable(Schema(names.map { Field($0, .string) }), key: names)
    let rows = try batch(["a": columns[0].finish(), "b": columns[1].finish(), "ab": columns[2].finish()])
    let refused = try await small.table.refusedRows(in: ChangeBatch(upserting: rows))
    let isRefused = Set(refused.map(\.row))
    // Much is taken, and all that is refused could be mistaken for another key.
    #expect(isRefused.count < tuples.count * 2 / 3)
    for refusal in refused {
      let tuple = tuples[refusal.row]
      let isBlank = tuple.allSatisfy { $0 == nil || $0 == "" }
      let isMarked = tuple.contains { $0 == "__null__" || $0 == "__empty__" }
      let isCut = tuple[0]?.contains(",b:") == true || tuple[1]?.contains(",ab:") == true
      #expect(isBlank || isMarked || isCut, "\(tuple): \(refusal.reason)")
    }
    let kept = (0..<Int32(tuples.count)).filter { !isRefused.contains(Int($0)) }
    try await small.table.upsert(try rows.gather(kept))
    let distinct = Set(kept.map { tuples[Int($0)].map { $0.map { Array($0.utf8) } } })
    #expect(try await small.table.snapshot().count() == distinct.count)
  }

  @Test func refusedRowsAreNamedWithTheirReasonsAndTheOthersCanBeWritten() async throws {
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("p", .string), Field("n", .int32, isNullable: false)]),
      partitionedBy: ["p"])
    let long = String(repeating: "x", count: 300)
    let colons = String(repeating: ":", count: 100)
    let values: [(id: String?, p: String?, n: Int32?, why: String?)] = [
      ("a", "fine", 1, nil), ("b", long, 1, "255"), ("c", colons, 1, "255"),
      ("d", "__HIVE_DEFAULT_PARTITION__", 1, "null"), ("e", "__null__", 1, nil), ("f", "", 1, nil),
      ("g", "..", 1, nil), ("h", "/", 1, nil), ("i", "\u{0}\n", 1, nil), (nil, "fine", 1, "id is null"),
      ("", "fine", 1, "id is empty"), ("j", nil, 1, nil), ("k", "fine", nil, "takes no null"),
    ]
    var (id, p) = (ColumnBuilder(.string), ColumnBuilder(.string))
    for value in values {
      if let text = value.id { try id.append(text) } else { id.appendNulls() }
      if let text = value.p { try p.append(text) } else { p.appendNulls() }
    }
    let n = column(.int32) {
      for value in values { if let n = value.n { $0.append(n) } else { $0.appendNulls() } }
    }
    let rows = try batch(["id": id.finish(), "p": p.finish(), "n": n])
    let refused = try await small.table.refusedRows(in: ChangeBatch(upserting: rows))
    #expect(refused.map(\.row) == values.indices.filter { values[$0].why != nil })
    for refusal in refused {
      #expect(refusal.reason.contains(values[refusal.row].why ?? "?"), "\(refusal)")
    }
    let bad = Set(refused.map(\.row))
    let kept = (0..<Int32(values.count)).filter { !bad.contains(Int($0)) }
    #expect(try await small.table.upsert(try rows.gather(kept)).inserted == kept.count)
    #expect(small.warnings.all.contains { $0.contains("the text \\N") })
    var bytes = ByteStrings()
    for text in [[0x61], [0xff, 0x62], [0x63], [0xc3]] as [[UInt8]] { try bytes.append(text.span.bytes) }
    let invalid = try batch([
      "id": try Column(type: .string, values: .bytes(bytes)), "p": try texts("x", "x", "x", "x"),
      "n": column(.int32) { for _ in 0..<4 { $0.append(Int32(1)) } },
    ])
    let notText = try await small.table.refusedRows(in: ChangeBatch(upserting: invalid))
    #expect(notText.map(\.row) == [1, 3] && notText.allSatisfy { $0.reason.contains("UTF-8") })
    let first = try rows.gather(Array(0..<9))
    await expectRefusal(.badRow, "row 1 of the batch", "partition column p") {
      try await small.table.upsert(first)
    }
  }
  @Test func rowsWithoutAKeyAreRefused() async throws {
    let simple = try await SmallTable(Schema([Field("id", .string)]))
    for missing in [nil, ""] {
      await expectRefusal(.badRow, "row 1", "id") {
        try await simple.table.upsert(try batch(["id": try texts("a", missing)]))
      }
    }
    let small = try await Self.twoKeys()
    for missing in [nil, ""] {
      await expectRefusal(.badRow, "row 0", "a, b") {
        try await small.table.upsert(try batch(["a": try texts(missing), "b": try texts(nil)]))
      }
    }
    await expectRefusal(.badRow, "id") { try await simple.table.upsert(try batch(["other": try texts("a")])) }
  }

  static let typed: [(DataType, @Sendable (inout ColumnBuilder) -> Void, String)] = [
    (.int8, { $0.append(Int8.min) }, "-128"), (.int32, { $0.append(Int32.min) }, "-2147483648"),
    (.int64, { $0.append(Int64.max) }, "9223372036854775807"), (.boolean, { $0.append(true) }, "true"),
    (.boolean, { $0.append(false) }, "false"), (.date, { $0.append(Int32(19_782)) }, "2024-02-29"),
    (.date, { $0.append(Int32(-1)) }, "1969-12-31"),
    (.timestamp(.microseconds, .instant), { $0.append(Int64(1_700_000_000_000_001)) }, "1700000000000001"),
    (.timestamp(.milliseconds, .instant), { $0.append(Int64(-5)) }, "-5"),
    (.decimal(precision: 10, scale: 2), { $0.append(Int128(-150)) }, "-1.50"),
    (.decimal(precision: 10, scale: 0), { $0.append(Int128(7)) }, "7"),
    (.decimal(precision: 10, scale: 6), { $0.append(Int128(1)) }, "0.000001"),
    (.decimal(precision: 10, scale: 7), { $0.append(Int128(1)) }, "1E-7"),
    (.decimal(precision: 10, scale: 9), { $0.append(Int128(-120)) }, "-1.20E-7"),
    (.decimal(precision: 10, scale: 7), { $0.append(Int128(0)) }, "0E-7"),
    (.decimal(precision: 10, scale: 2), { $0.append(Int128(0)) }, "0.00"),
  ]

  @Test(arguments: typed.indices) func valuesAreWrittenAsJavaWritesThem(_ index: Int) async throws {
    let (type, fill, text) = Self.typed[index]
    let small = try await SmallTable(
      Schema([Field("id", type), Field("other", type)]), partitionedBy: ["other"])
    let values = column(type, fill)
    try await small.table.upsert(try batch(["id": values, "other": values]))
    #expect(try await small.texts("_hoodie_record_key") == [text])
    #expect(try await small.texts("_hoodie_partition_path") == ["other=\(text)"])
    #expect(try await small.table.upsert(try batch(["id": values, "other": values])).duplicates == 1)
  }
}

@Suite struct PartitionPathTests {
  static let schema = Schema([Field("id", .string), Field("p", .string), Field("q", .string)])

  static func path(_ value: String?, hive: Bool = true, encode: Bool = true) async throws -> (
    path: [String], slices: [String], warnings: [String]
  ) {
    var options = TableOptions()
    options.hiveStylePartitions = hive
    options.encodesPartitionPaths = encode
    let small = try await SmallTable(schema, partitionedBy: ["p"], options: options)
    try await small.table.upsert(
      try batch(["id": try texts("a"), "p": try texts(value), "q": try texts("x")]))
    let back = try await small.rows()["p"]
    // The value itself is kept beside the folder's name.
    #expect(back?.isNull(0) == (value == nil))
    #expect(value == nil || back?.strings?.string(0) == value)
    return (
      try await small.texts("_hoodie_partition_path"),
      try await small.table.snapshot().slices.map(\.partitionPath),
      small.warnings.all
    )
  }

  @Test(arguments: [
    ("OKX", "OKX"), ("a/b", "a%2Fb"), ("..", ".."), (".", "."), (".hoodie", ".hoodie"),
    ("a b_-}~+&$@!;,<>|()`", "a b_-}~+&$@!;,<>|()`"),
    ("\"#%'*/:=?\\{[]^", "%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E"), ("é😀", "é😀"),
    ("\u{1}\u{1f}\u{7f}\n", "%01%1F%7F%0A"), ("\u{0}", "%00"), ("2024/01/02", "2024%2F01%2F02"), ("/", "%2F"),
    ("default", "default"), ("%41", "%2541"),
  ]) func oddValuesAreEncodedAsHudiDoes(_ value: String, _ segment: String) async throws {
    let found = try await Self.path(value)
    #expect(found.path == ["p=" + segment])
    #expect(found.slices == found.path)
    #expect(found.warnings.isEmpty)
    guard !segment.hasPrefix(".") else { return }
    #expect(try await Self.path(value, hive: false).path == [segment])
  }

  @Test func nullAndEmptyShareAFolderAndNullIsWarnedOf() async throws {
    let null = "__HIVE_DEFAULT_PARTITION__"
    let missing = try await Self.path(nil)
    #expect(missing.path == ["p=" + null])
    #expect(missing.warnings.count == 1 && missing.warnings[0].contains("partition column"))
    #expect(try await Self.path("").path == ["p=" + null])
    #expect(try await Self.path(nil, hive: false).path == [null])
  }

  @Test func eachColumnWithANullSaysWhatItDoesToOtherEngines() async throws {
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("p", .string), Field("n", .int32)]), partitionedBy: ["p", "n"])
    try await small.table.upsert(
      try batch([
        "id": try texts("a", "b", "c"), "p": try texts(nil, "x", nil),
        "n": column(.int32) {
          $0.append(Int32(1))
          $0.appendNulls()
          $0.appendNulls()
        },
      ]))
    let warnings = small.warnings.all
    #expect(warnings.count == 2)
    #expect(warnings.first?.contains("column p is null in row 0") == true)
    #expect(warnings.first?.contains("show it as the text \\N") == true)
    #expect(warnings.last?.contains("column n is null in row 1") == true)
    #expect(warnings.last?.contains("no int, and fail") == true)
    // A time as a partition column is said when the table is made.
    let timed = try await SmallTable(
      Schema([Field("id", .string), Field("at", .timestamp(.microseconds, .instant))]), partitionedBy: ["at"])
    #expect(timed.warnings.all.count == 1)
    #expect(timed.warnings.all.first?.contains("partition column at is a time: Spark") == true)
  }

  @Test func valuesThatNoFolderCanHaveAreRefused() async throws {
    for value in [".", "..", ".hoodie", ".hoodie_partition_metadata"] {
      await expectRefusal(.badRow, "column p", "Hive-style") { _ = try await Self.path(value, hive: false) }
    }
    for hive in [true, false] {
      await expectRefusal(.badRow, "column p", "null") {
        _ = try await Self.path("__HIVE_DEFAULT_PARTITION__", hive: hive)
      }
      for value in ["a/b", "a=b", "100%", "a:b", "x\n", "\u{0}"] {
        await expectRefusal(.badRow, "column p", "URL-encoded") {
          _ = try await Self.path(value, hive: hive, encode: false)
        }
      }
      #expect(try await Self.path("a b.é", hive: hive, encode: false).path == [(hive ? "p=" : "") + "a b.é"])
    }
  }

  @Test func severalColumnsNestInTheirOrder() async throws {
    let small = try await SmallTable(Self.schema, partitionedBy: ["q", "p"])
    try await small.table.upsert(
      try batch([
        "id": try texts("a", "b", "c", "d"), "p": try texts("x/y", nil, "", "1"),
        "q": try texts("1", "1", "1", "x/y"),
      ]))
    let null = "__HIVE_DEFAULT_PARTITION__"
    #expect(
      try await small.texts("_hoodie_partition_path") == [
        "q=1/p=x%2Fy", "q=1/p=\(null)", "q=1/p=\(null)", "q=x%2Fy/p=1",
      ])
    #expect(try await small.table.snapshot().slices.count == 3)
  }
}
