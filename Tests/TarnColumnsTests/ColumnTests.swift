import TarnBytes
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct ColumnTests {
  @Test(arguments: Sample.all) func partsRowsAndJoinsHoldTheSameValues(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 23)
    for nulls in [0, 3, 1] {
      let source = try Sample.column(type, 150, nulls: nulls, &generator)
      let other = try Sample.column(type, 70, nulls: nulls == 0 ? 2 : 0, &generator)
      let plain = Plain.all(source)
      #expect(source.nullCount == plain.count { $0 == .null })
      for rows in [0..<0, 0..<1, 3..<67, 64..<128, 149..<150, 0..<150, 150..<150] {
        #expect(Plain.all(source.slice(rows)) == Array(plain[rows]))
      }
      let rows = (0..<90).map { _ in Int32(generator.below(150)) }
      #expect(Plain.all(try source.gather(rows)) == rows.map { plain[Int($0)] })
      let joined = try Column.concatenate([source, other, source.slice(5..<9)], type: type)
      #expect(Plain.all(joined) == plain + Plain.all(other) + plain[5..<9])
      var builder = ColumnBuilder(source)
      builder.appendNulls(3)
      try builder.append(other, 60..<70)
      try builder.append(other, rows: [1, 1])
      #expect(builder.count == 165)
      let mixed = Plain.all(other)
      #expect(
        Plain.all(builder.finish()) == plain + [.null, .null, .null] + mixed[60..<70] + [mixed[1], mixed[1]])
      #expect(source.byteCount >= 0)
    }
    #expect(Plain.all(Column(nulls: 3, of: type)) == [.null, .null, .null])
    #expect(try Column.concatenate([], type: type).count == 0)
  }

  @Test(arguments: Sample.all) func equalityAndOrderAreThoseOfTheValues(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 29)
    let left = try Sample.column(type, 40, &generator)
    let right = try Column.concatenate(
      [left.slice(0..<20), try Sample.column(type, 20, &generator)], type: type)
    for row in 0..<40 {
      for other in 0..<40 {
        let isEqual = Plain(left, row) == Plain(right, other)
        #expect(left.isEqual(row, to: right, other) == isEqual)
        guard !type.isNested else { continue }
        let order = left.compare(row, to: right, other)
        #expect((order == 0) == isEqual)
        #expect(order == -right.compare(other, to: left, row))
        if left.isNull(row) != right.isNull(other) { #expect((order < 0) == left.isNull(row)) }
      }
    }
  }

  @Test func numbersAndTextsOrderAsExpected() throws {
    let doubles = column(.double) { builder in
      for value in [-Double.infinity, -1, -0.0, 1, .infinity, .nan] { builder.append(value) }
    }
    let texts = try column(.string) { builder in
      for value in ["", "A", "a", "aa", "b", "é", "\u{ffff}", "😀"] { try builder.append(value) }
    }
    let truths = column(.boolean) { builder in
      builder.append(false)
      builder.append(true)
    }
    for ordered in [doubles, texts, truths] {
      for row in 0..<ordered.count {
        for other in 0..<ordered.count {
          #expect(ordered.compare(row, to: ordered, other).signum() == (row - other).signum())
          #expect(ordered.isEqual(row, to: ordered, other) == (row == other))
        }
      }
    }
    let zero = column(.double) { $0.append(0.0) }
    #expect(!doubles.isEqual(2, to: zero, 0) && doubles.compare(2, to: zero, 0) == 0)
  }

  @Test func numbersAreTheSameToTheBit() {
    let singles = column(.float) { builder in
      for value in [0.0, -0.0, .nan, -.nan, Float(bitPattern: 0x7fc0_0001)] { builder.append(value) }
    }
    let doubles = column(.double) { builder in
      for value in [0.0, -0.0, .nan, -.nan, Double(bitPattern: 0x7ff8_0000_0000_0001)] {
        builder.append(value)
      }
    }
    for numbers in [singles, doubles] {
      for row in 0..<5 {
        for other in 0..<5 {
          #expect(numbers.isEqual(row, to: numbers, other) == (row == other))
          #expect((numbers.compare(row, to: numbers, other) == 0) == ((row < 2) == (other < 2)))
        }
      }
    }
  }

  @Test func partsThatDoNotFitAreRefused() throws {
    let numbers = column(.int32) { $0.append(Int32(1)) }
    let element = Field("element", .int32)
    #expect(throws: ColumnError.self) { try Column(type: .string, values: numbers.values) }
    #expect(throws: ColumnError.self) {
      try Column(type: .int32, values: numbers.values, validity: Bitmap(repeating: true, count: 2))
    }
    #expect(throws: ColumnError.self) {
      var builder = ColumnBuilder(.int64)
      try builder.append(numbers, 0..<1)
    }
    #expect(throws: ColumnError.self) { try Column.concatenate([numbers], type: .int64) }
    let all = Bitmap(repeating: true, count: 1)
    #expect(try Column(type: .int32, values: numbers.values, validity: all).validity == nil)
    // Nested parts: offsets must rise from zero and stay among the elements, whose type must be the field's.
    for offsets: [Int32] in [[], [0, 2], [1, 1], [0, -1], [0, 1, 0], [-1, 1]] {
      #expect(throws: ColumnError.self, "\(offsets)") {
        try Column(type: .list(element), values: .list(offsets: offsets, elements: numbers))
      }
      #expect(throws: ColumnError.self, "\(offsets)") {
        try Column(
          type: .map(key: element, value: element),
          values: .map(offsets: offsets, keys: numbers, values: numbers))
      }
    }
    #expect(throws: ColumnError.self) {
      try Column(
        type: .list(Field("element", .string)), values: .list(offsets: [0, 1], elements: numbers))
    }
    #expect(throws: ColumnError.self) {
      try Column(
        type: .map(key: element, value: element),
        values: .map(offsets: [0, 1], keys: numbers, values: Column(nulls: 2, of: .int32)))
    }
    #expect(throws: ColumnError.self) {
      try Column(type: .structure([element]), values: .structure([numbers], count: 2))
    }
    #expect(throws: ColumnError.self) {
      try Column(type: .structure([]), values: .structure([numbers], count: 1))
    }
  }

  @Test func batchesCheckTheirColumns() throws {
    let schema = Schema([Field("a", .int32), Field("b", .string)])
    let numbers = Column(nulls: 2, of: .int32)
    let texts = try Column(repeating: "x", count: 2)
    let batch = try RecordBatch(schema: schema, columns: [numbers, texts])
    #expect(batch.count == 2 && batch["b"]?.strings?.string(1) == "x" && batch["c"] == nil)
    #expect(throws: ColumnError.self) { try RecordBatch(schema: schema, columns: [numbers]) }
    #expect(throws: ColumnError.self) { try RecordBatch(schema: schema, columns: [texts, numbers]) }
    #expect(throws: ColumnError.self) {
      try RecordBatch(schema: schema, columns: [numbers, try Column(repeating: "x", count: 3)])
    }
    #expect(throws: ColumnError.self) {
      try RecordBatch(schema: schema, columns: [numbers, texts], count: 3)
    }
    #expect(try batch.select(["b"]).schema.names == ["b"])
    #expect(throws: ColumnError.self) { try batch.select(["c"]) }
    #expect(try batch.select([]).slice(0..<1).count == 1)
    #expect(try batch.gather([1, 1, 0]).count == 3)
    let joined = try RecordBatch.concatenate([batch, batch], schema: schema)
    #expect(joined.count == 4 && joined["b"]?.count == 4)
    #expect(throws: ColumnError.self) {
      try RecordBatch.concatenate([batch, try batch.select(["a"])], schema: schema)
    }
    #expect(throws: ColumnError.self) { try ChangeBatch(rows: batch, isDelete: Bitmap(count: 1)) }
    #expect(ChangeBatch(upserting: batch).isDelete.setCount == 0)
  }
}

@Suite struct ConversionTests {
  static let decimal10 = DataType.decimal(precision: 10, scale: 2)

  @Test(
    arguments: [
      (.int8, .int16), (.int8, .int32), (.int8, .int64), (.int16, .int32), (.int16, .int64), (.int32, .int64),
    ] as [(DataType, DataType)]) func integersWidenWithTheirExtremes(_ from: DataType, _ to: DataType) throws
  {
    var generator = SeededGenerator(seed: 1)
    let source = try Sample.column(from, 50, &generator)
    let wider = try source.converted(to: to)
    #expect(wider.type == to)
    #expect(Plain.all(wider) == Plain.all(source))
    #expect(throws: ColumnError.self) { try wider.converted(to: from) }
  }

  @Test func numbersBecomeDecimalsWhereAllFit() throws {
    let small = column(.int8) { builder in
      builder.append(Int8.min)
      builder.appendNulls()
    }
    #expect(Plain.all(try small.converted(to: .decimal(precision: 5, scale: 2))) == [.text("-12800"), .null])
    let large = column(.int64) { $0.append(Int64.min) }
    #expect(
      json(try large.converted(to: .decimal(precision: 38, scale: 19))).contains(".0000000000000000000\""))
    for (type, digits) in [(.int8, 3), (.int16, 5), (.int32, 10), (.int64, 19)] as [(DataType, Int)] {
      #expect(type.widens(to: .decimal(precision: digits, scale: 0)))
      #expect(!type.widens(to: .decimal(precision: digits, scale: 1)))
      #expect(!type.widens(to: .decimal(precision: digits - 1, scale: 0)))
    }
    let price = column(Self.decimal10) { $0.append(Int128(-150)) }
    #expect(json(try price.converted(to: .decimal(precision: 38, scale: 30))).hasPrefix("\"-1.50000"))
    #expect(!Self.decimal10.widens(to: .decimal(precision: 10, scale: 3)))
    #expect(!Self.decimal10.widens(to: .decimal(precision: 10, scale: 1)))
  }

  @Test func floatsAndTimesWidenAndTooLateTimesAreRefused() throws {
    let floats = column(.float) { builder in
      builder.append(Float(0.1))
      builder.append(Float.infinity)
    }
    #expect(Plain.all(try floats.converted(to: .double)) == [.text("\(Double(Float(0.1)))"), .text("inf")])
    let micros = DataType.timestamp(.microseconds, .instant)
    let millis = column(.timestamp(.milliseconds, .instant)) { builder in
      builder.append(Int64(-1))
      builder.append(Int64.max / 1_000)
    }
    #expect(Plain.all(try millis.converted(to: micros)).first == .text("-1000"))
    for late in [Int64.max / 1_000 + 1, .min] {
      let column = column(.timestamp(.milliseconds, .instant)) { $0.append(late) }
      #expect(throws: ColumnError.self) { try column.converted(to: micros) }
    }
  }

  @Test(arguments: Sample.all) func nothingElseConverts(_ type: DataType) throws {
    for other in Sample.all where !type.widens(to: other) {
      #expect(throws: ColumnError.self) { try Column(nulls: 2, of: type).converted(to: other) }
    }
    #expect(try Column(nulls: 2, of: type).converted(to: type).count == 2)
    for other: DataType in [.string, .boolean, .timestamp(.milliseconds, .instant)] where type != other {
      #expect(!type.widens(to: other))
    }
    #expect(!type.isNested || !type.widens(to: .string))
  }

  @Test func localTimesBecomeInstants() throws {
    for (unit, hour) in [(.milliseconds, 3_600_000), (.microseconds, 3_600_000_000)] as [(TimeUnit, Int64)] {
      let local = column(.timestamp(unit, .local)) { builder in
        builder.append(hour)
        builder.appendNulls()
      }
      let instant = try local.asInstant { _ in 7_200_000_000 }
      #expect(instant.type == .timestamp(unit, .instant))
      #expect(Plain.all(instant) == [.text("\(-hour)"), .null])
      #expect(throws: ColumnError.self) { try instant.asInstant { _ in 0 } }
    }
  }
}

/// Values at the end of their range, which conversions would wrap.
@Suite struct ConversionRangeTests {
  @Test func timesAndDecimalsThatWouldWrapAreRefused() throws {
    for value in [Int64.max, .min, .max - 5, .min + 5] {
      let local = try Column(type: .timestamp(.microseconds, .local), values: .int64([0, value]))
      let sign: Int64 = value > 0 ? -1 : 1
      #expect(throws: ColumnError.self) { try local.asInstant { _ in sign * 10 } }
      let other = try local.asInstant { _ in -sign * 10 }
      guard case .int64(let shifted) = other.values else {
        Issue.record("another layout")
        return
      }
      #expect(shifted == [sign * 10, value + sign * 10])
      let milliseconds = try Column(type: .timestamp(.milliseconds, .local), values: .int64([value]))
      #expect(throws: ColumnError.self) { try milliseconds.asInstant { _ in 0 } }
    }
    let decimals = try Column(type: .decimal(precision: 5, scale: 2), values: .decimal([12_345, .max / 7]))
    #expect(throws: ColumnError.self) { try decimals.converted(to: .decimal(precision: 20, scale: 4)) }
    let right = try decimals.slice(0..<1).converted(to: .decimal(precision: 20, scale: 4))
    guard case .decimal(let values) = right.values else {
      Issue.record("another layout")
      return
    }
    #expect(values == [1_234_500])
  }
}

/// What parts of nested columns cost.
@Suite struct NestedPartTests {
  /// Lists of numbers within structures.
  private func lists(_ rows: Int, of length: Int) throws -> Column {
    var numbers = ColumnBuilder(.int64)
    numbers.reserve(rows * length)
    for value in 0..<rows * length { numbers.append(Int64(value)) }
    let list = DataType.list(Field("element", .int64))
    let inner = try Column(
      type: list,
      values: .list(offsets: (0...rows).map { Int32($0 * length) }, elements: numbers.finish()))
    return try Column(
      type: .structure([Field("l", list)]), values: .structure([inner], count: rows))
  }

  /// The least time of several.
  private func time(_ body: () throws -> Void) rethrows -> Duration {
    var least = Duration.seconds(1_000)
    for _ in 0..<3 { least = min(least, try ContinuousClock().measure(body)) }
    return least
  }

  @Test func allRowsButOneCostLittleMoreThanAll() throws {
    let column = try lists(3_000, of: 100)
    var chosen = Array(Int32(0)..<3_000)
    chosen.remove(at: 3)
    let part = try column.gather(chosen)
    #expect(part.count == 2_999)
    #expect(part.isEqual(2, to: column, 2) && part.isEqual(3, to: column, 4))
    #expect(part.isEqual(2_998, to: column, 2_999))
    let slice = time { _ = column.slice(1..<3_000) }
    let gather = try time { _ = try column.gather(chosen) }
    // Copied anew at each row, it took hundreds of times as long.
    #expect(gather < slice * 20 + .milliseconds(20), "\(gather), \(slice)")
  }

  @Test func rowsApartCostWhatTheyHold() throws {
    let column = try lists(4_000, of: 40)
    let chosen = stride(from: Int32(0), to: 4_000, by: 2).map { $0 }
    let part = try column.gather(chosen)
    #expect(part.count == 2_000)
    #expect([0, 1, 777, 1_999].allSatisfy { part.isEqual($0, to: column, $0 * 2) })
    let quarter = try time { _ = try column.gather(Array(chosen.prefix(500))) }
    let all = try time { _ = try column.gather(chosen) }
    #expect(all < quarter * 10 + .milliseconds(20), "\(all), \(quarter)")
  }
}
