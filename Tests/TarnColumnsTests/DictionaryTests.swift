import TarnBytes
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct DictionaryTests {
  private static func strings(_ texts: [String]) throws -> ByteStrings {
    var strings = ByteStrings()
    for text in texts { try strings.append(text) }
    return strings
  }

  /// A column that refers to entries, of which some are null.
  private static func column(
    _ entries: DictionaryStrings.Entries, _ count: Int, _ generator: inout SeededGenerator
  ) throws -> Column {
    let indices = (0..<count).map { _ in UInt32(generator.below(entries.strings.count)) }
    var validity = Bitmap()
    for _ in 0..<count { validity.append(generator.below(5) > 0) }
    return try Column(
      type: .string, values: .dictionary(DictionaryStrings(indices: indices, entries: entries)),
      validity: validity)
  }

  private func isDictionary(_ column: Column) -> Bool {
    if case .dictionary = column.values { true } else { false }
  }

  @Test func stringsOfAnyDictionariesAndOfNoneJoinToTheSameValues() throws {
    var generator = SeededGenerator(seed: 1_812)
    // Small dictionaries, and large ones of which little is taken.
    let kinds = try [3, 5, 40].map { count in
      DictionaryStrings.Entries(
        try Self.strings((0..<count).map { "\($0)" + String(repeating: "x", count: count * count * 3) }))
    }
    for turn in 0..<60 {
      var builder = ColumnBuilder(.string)
      var expected: [Plain] = []
      for _ in 0..<generator.below(12) + 1 {
        let part = try Self.column(kinds[generator.below(3)], 30, &generator)
        let source = generator.below(3) == 0 ? try part.plain() : part
        let values = Plain.all(source)
        switch generator.below(4) {
        case 0:
          let rows = (0..<generator.below(9)).map { _ in Int32(generator.below(30)) }
          try builder.append(source, rows: rows)
          expected += rows.map { values[Int($0)] }
        case 1:
          builder.appendNulls(2)
          expected += [.null, .null]
          try builder.append("alone")
          expected.append(.text("alone"))
        default:
          let start = generator.below(30)
          let rows = start..<start + generator.below(30 - start)
          try builder.append(source, rows)
          expected += values[rows]
        }
        #expect(builder.count == expected.count)
      }
      let column = builder.finish()
      #expect(Plain.all(column) == expected, "turn \(turn)")
      #expect(Plain.all(try column.plain()) == expected, "turn \(turn)")
    }
  }

  @Test func joinedDictionariesStayOneAndLongStringsAreNotWrittenOut() throws {
    let long = String(repeating: "y", count: 10_000)
    var columns: [Column] = []
    for number in 0..<4 {
      let entries = DictionaryStrings.Entries(try Self.strings([long + "\(number % 2)", "short"]))
      columns.append(
        try Column(
          type: .string,
          values: .dictionary(
            DictionaryStrings(indices: (0..<2_000).map { UInt32($0 % 2) }, entries: entries))))
    }
    let joined = try Column.concatenate(columns, type: .string)
    #expect(isDictionary(joined))
    #expect(joined.count == 8_000)
    // Each string once, though each stands in two or four of the dictionaries.
    #expect(joined.byteCount < 8_000 * 4 + 3 * 10_100)
    for row in [0, 1, 2_000, 4_001, 7_998] {
      #expect(joined.isEqual(row, to: columns[row / 2_000], row % 2_000))
    }

    // Strings of no dictionary before, between and behind.
    let alone = try Column(type: .string, values: .bytes(Self.strings(["a", "b"])))
    for order in [[alone, columns[0]], [columns[0], alone], [columns[0], alone, columns[1], alone]] {
      let mixed = try Column.concatenate(order, type: .string)
      #expect(isDictionary(mixed))
      #expect(mixed.byteCount < 100_000)
      #expect(Plain.all(mixed) == order.flatMap { Plain.all($0) })
    }

    // Row by row out of a long dictionary, no more is copied than it holds.
    var builder = ColumnBuilder(alone)
    for row in 0..<1_000 { try builder.append(columns[row % 2], rows: [Int32(row % 2)]) }
    #expect(builder.stringByteCount < 3 << 20)
    #expect(builder.finish().count == 1_002)
  }

  @Test func nestedStringsOfSeveralDictionariesGrowByWhatIsAppended() throws {
    func structure(_ prefix: String, _ size: Int) throws -> Column {
      let entries = DictionaryStrings.Entries(
        try Self.strings((0..<20).map { "\(prefix)\($0)" + String(repeating: "x", count: size) }))
      let strings = try Column(
        type: .string,
        values: .dictionary(DictionaryStrings(indices: (0..<20).map { UInt32($0) }, entries: entries)))
      return try Column(
        type: .structure([Field("city", .string)]), values: .structure([strings], count: 20))
    }
    for size in [10, 1_000] {
      let parts = try [structure("a", size), structure("b", size), structure("c", size)]
      var builder = ColumnBuilder(parts[0].type)
      var expected: [Plain] = []
      for turn in 0..<2_000 {
        let (part, row) = (parts[turn % 3], turn % 20)
        if turn % 7 == 3 {
          builder.appendNulls()
          expected.append(.null)
        }
        try builder.append(part, row..<row + 1)
        expected.append(Plain.all(part)[row])
      }
      let column = builder.finish()
      #expect(Plain.all(column) == expected)
      guard case .structure(let fields, _) = column.values,
        case .dictionary(let strings) = fields[0].values
      else { throw ColumnError.malformed("the strings are in no dictionary") }
      // Each dictionary once, or what little of it is put end to end.
      #expect(strings.entries.strings.bytes.count <= 3 * 20 * (size + 3) + 1_200 * size)
    }
  }

  @Test func aDictionaryIsGivenUpWhereItSavesNothing() throws {
    let entries = DictionaryStrings.Entries(try Self.strings((0..<100).map { "string \($0)" }))
    func column(_ indices: [UInt32]) throws -> Column {
      try Column(type: .string, values: .dictionary(DictionaryStrings(indices: indices, entries: entries)))
    }
    #expect(try !isDictionary(column((0..<100).map { $0 }).withoutNeedlessDictionary()))
    #expect(try isDictionary(column((0..<1_000).map { $0 % 100 }).withoutNeedlessDictionary()))
  }

  @Test func partsAreCutByTheBytesTheyTake() throws {
    let long = DictionaryStrings.Entries(try Self.strings([String(repeating: "z", count: 1_000)]))
    let columns = try [
      Column(repeating: long, count: 64),
      Column(type: .int64, values: .int64(Array(0..<64))),
      Column(type: .string, values: .bytes(Self.strings((0..<64).map { String(repeating: "w", count: $0) }))),
    ]
    let batch = try RecordBatch(
      schema: Schema([Field("long", .string), Field("number", .int64), Field("text", .string)]),
      columns: columns)
    #expect(batch.first(of: 0..<64, atMost: 1 << 20, isWrittenOut: true) == 0..<64)
    #expect(batch.first(of: 0..<64, atMost: 20_000, isWrittenOut: true) == 0..<16)
    #expect(batch.first(of: 0..<64, atMost: 20_000, isWrittenOut: false) == 0..<64)
    #expect(batch.first(of: 3..<64, atMost: 1, isWrittenOut: true) == 3..<4)
    let rows = Array(0..<Int32(64))
    #expect(batch.count(of: rows[...], atMost: 1 << 20) == 64)
    #expect(batch.count(of: rows[...], atMost: 1_008) == 32)
    #expect(batch.count(of: rows[10...], atMost: 1) == 1)
  }
}
