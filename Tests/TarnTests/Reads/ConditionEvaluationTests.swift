import Tarn
import TarnColumns
import TarnExpressions
import TarnTestSupport
import Testing

/// Random rows and conditions, judged by the table and by a reference on plain values.
@Suite struct ConditionEvaluationTests {
  struct Row: Sendable {
    var i: Int32?
    var price: Int128?
    var big: Int128?
    var d: Double?
    var flag: Bool?
    var day: Int32?
    var at: Int64?
    var ms: Int64?
    var text: String?
  }

  static let schema = Schema([
    Field("id", .int32), Field("i", .int32), Field("price", .decimal(precision: 10, scale: 2)),
    Field("big", .decimal(precision: 38, scale: 0)), Field("d", .double), Field("flag", .boolean),
    Field("day", .date), Field("at", .timestamp(.microseconds, .instant)),
    Field("ms", .timestamp(.milliseconds, .instant)), Field("text", .string),
  ])

  static let rows: [Row] = {
    var generator = SeededGenerator(seed: 41)
    func some<T>(_ values: [T]) -> T? { generator.oneIn(5) ? nil : values[generator.below(values.count)] }
    let most: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999
    return (0..<150).map { _ in
      Row(
        i: some([-101, -100, 0, 99, 100, 101, .max]), price: some([-50, 0, 9_999, 10_000, 10_001, 10_050]),
        big: some([-most, -100, 0, 99, 100, 101, most]), d: some([-.infinity, -0.5, 0, 100, 100.005, .nan]),
        flag: some([true, false]), day: some([-1, 0, 19_782]), at: some([-1, 0, 1, 1_000, 1_001]),
        ms: some([-1, 0, 1, 2]), text: some(["", "OKX", "Okx", "it's", "é", "😀"]))
    }
  }()

  /// The order of two values, or nil where one is null; an integer is scaled by 10^9.
  static func order<T: Comparable>(_ value: T?, _ other: T) -> Int? {
    value.map { $0 < other ? -1 : $0 == other ? 0 : 1 }
  }

  /// A literal, and how a row's column compares with it.
  struct Operand: Sendable {
    var column: String
    var literal: Literal
    var order: @Sendable (Row) -> Int?
  }

  static let operands: [Operand] = {
    var all: [Operand] = []
    let billion: Int128 = 1_000_000_000
    for (text, scaled) in [
      ("100", 100 * billion), ("100.005", 100_005 * 1_000_000), ("1e2", 100 * billion),
      ("-0.5", -billion / 2),
      ("100.00000", 100 * billion), ("0", 0), ("-100.000000001", -100 * billion - 1), ("1e-41", 1),
      ("-1e-41", -1),
      ("2147483647", 2_147_483_647 * billion), ("9223372036854775808", 9_223_372_036_854_775_808 * billion),
    ] as [(String, Int128)] {
      let literal = Literal.number(text)
      all.append(
        Operand(column: "i", literal: literal) { row in order(row.i.map { Int128($0) * billion }, scaled) })
      all.append(
        Operand(column: "price", literal: literal) { row in
          order(row.price.map { $0 * (billion / 100) }, scaled)
        })
      // The greatest values are beyond the scaled ones, on their side.
      all.append(
        Operand(column: "big", literal: literal) { row in
          order(row.big.map { $0.magnitude > 1_000 ? ($0 < 0 ? .min : .max) : $0 * billion }, scaled)
        })
      let double = Double(text) ?? .nan
      all.append(
        Operand(column: "d", literal: literal) { row in row.d.map { $0.isNaN ? 1 : order($0, double) ?? 0 } })
    }
    for (text, sign) in [("1e40", -1), ("-1e40", 1), ("1e9999", -1)] {
      all.append(Operand(column: "i", literal: .number(text)) { $0.i == nil ? nil : sign })
      all.append(Operand(column: "price", literal: .number(text)) { $0.price == nil ? nil : sign })
      all.append(Operand(column: "big", literal: .number(text)) { $0.big == nil ? nil : sign })
    }
    let most = "99999999999999999999999999999999999999"
    all.append(Operand(column: "big", literal: .number(most)) { row in order(row.big, Int128(most) ?? 0) })
    for flag in [true, false] {
      all.append(
        Operand(column: "flag", literal: .boolean(flag)) { row in
          order(row.flag.map { $0 ? 1 : 0 }, flag ? 1 : 0)
        })
    }
    for (text, days) in [("1970-01-01", 0), ("2024-02-29", 19_782), ("1969-12-31", -1)] as [(String, Int32)] {
      all.append(Operand(column: "day", literal: .string(text)) { row in order(row.day, days) })
    }
    // In nanoseconds, since a literal may be finer than the column.
    for (text, nanoseconds) in [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("1970-01-01T00:00:00.000001Z", 1_000),
      ("1970-01-01T01:00:00.001+01:00", 1_000_000), ("1970-01-01T00:00:00.0005Z", 500_000),
      ("1969-12-31T23:59:59.9995", -500_000), ("1970-01-01T00:00:00.0000005", 500),
      ("1969-12-31T23:59:59.9999999", -100),
    ] as [(String, Int64)] {
      all.append(
        Operand(column: "at", literal: .string(text)) { row in order(row.at.map { $0 * 1_000 }, nanoseconds) }
      )
      all.append(
        Operand(column: "ms", literal: .string(text)) { row in
          order(row.ms.map { $0 * 1_000_000 }, nanoseconds)
        })
    }
    for text in ["", "OKX", "it's", "é", "z"] {
      all.append(
        Operand(column: "text", literal: .string(text)) { row in
          row.text.map {
            Array($0.utf8) == Array(text.utf8) ? 0 : $0.utf8.lexicographicallyPrecedes(text.utf8) ? -1 : 1
          }
        })
    }
    return all
  }()

  static let signs: [(Comparison, String, @Sendable (Int) -> Bool)] = [
    (.equal, "=", { $0 == 0 }), (.notEqual, "<>", { $0 != 0 }), (.less, "<", { $0 < 0 }),
    (.lessOrEqual, "<=", { $0 <= 0 }), (.greater, ">", { $0 > 0 }), (.greaterOrEqual, ">=", { $0 >= 0 }),
  ]

  /// A condition, its text, and what it is for a row: true, false or unknown.
  struct JudgedCondition {
    var predicate: Condition
    var text: String
    var holds: (Row) -> Bool?
  }

  static func comparison(_ operand: Operand, _ sign: Int) -> JudgedCondition {
    let (comparison, text, holds) = signs[sign]
    return JudgedCondition(
      predicate: .comparison(operand.column, comparison, operand.literal),
      text: "\(operand.column) \(text) \(operand.literal.text)", holds: { operand.order($0).map(holds) })
  }

  static func random(_ generator: inout SeededGenerator, _ depth: Int = 0) -> JudgedCondition {
    let operand = operands[generator.below(operands.count)]
    switch generator.below(depth > 3 ? 3 : 7) {
    case 0:
      return JudgedCondition(
        predicate: .isNull(operand.column), text: "\(operand.column) is null",
        holds: { operand.order($0) == nil })
    case 1:
      let same = operands.filter { $0.column == operand.column }
      let list = (0..<1 + generator.below(3)).map { _ in same[generator.below(same.count)] }
      return JudgedCondition(
        predicate: .isIn(operand.column, list.map(\.literal)),
        text: "\(operand.column) in (" + list.map(\.literal.text).joined(separator: ", ") + ")",
        holds: { row in operand.order(row) == nil ? nil : list.contains { $0.order(row) == 0 } })
    case 2: return comparison(operand, generator.below(6))
    case 3:
      let inner = random(&generator, depth + 1)
      return JudgedCondition(
        predicate: .not(inner.predicate), text: "not (\(inner.text))", holds: { inner.holds($0).map { !$0 } })
    case 4, 5:
      let (left, right) = (random(&generator, depth + 1), random(&generator, depth + 1))
      return JudgedCondition(
        predicate: .and(left.predicate, right.predicate), text: "(\(left.text)) and (\(right.text))",
        holds: { row in
          let values = [left.holds(row), right.holds(row)]
          return values.contains(false) ? false : values.contains(nil) ? nil : true
        })
    default:
      let (left, right) = (random(&generator, depth + 1), random(&generator, depth + 1))
      return JudgedCondition(
        predicate: .or(left.predicate, right.predicate), text: "(\(left.text)) or (\(right.text))",
        holds: { row in
          let values = [left.holds(row), right.holds(row)]
          return values.contains(true) ? true : values.contains(nil) ? nil : false
        })
    }
  }

  static func table() async throws -> SmallTable {
    let small = try await SmallTable(schema)
    var builders = schema.fields.map { ColumnBuilder($0.type) }
    for (index, row) in rows.enumerated() {
      builders[0].append(Int32(index))
      if let value = row.i { builders[1].append(value) } else { builders[1].appendNulls() }
      if let value = row.price { builders[2].append(value) } else { builders[2].appendNulls() }
      if let value = row.big { builders[3].append(value) } else { builders[3].appendNulls() }
      if let value = row.d { builders[4].append(value) } else { builders[4].appendNulls() }
      if let value = row.flag { builders[5].append(value) } else { builders[5].appendNulls() }
      if let value = row.day { builders[6].append(value) } else { builders[6].appendNulls() }
      if let value = row.at { builders[7].append(value) } else { builders[7].appendNulls() }
      if let value = row.ms { builders[8].append(value) } else { builders[8].appendNulls() }
      if let value = row.text { try builders[9].append(value) } else { builders[9].appendNulls() }
    }
    try await small.table.upsert(try RecordBatch(schema: schema, columns: builders.map { $0.finish() }))
    return small
  }

  static func ids(_ snapshot: Snapshot) async throws -> [Int] {
    var ids: [Int] = []
    for try await batch in try snapshot.select("id") {
      if case .int32(let values)? = batch["id"]?.values { ids += values.map(Int.init) }
    }
    return ids.sorted()
  }

  @Test func everyComparisonIsThatOfTheReference() async throws {
    let snapshot = try await Self.table().table.snapshot()
    for operand in Self.operands {
      for sign in Self.signs.indices {
        let condition = Self.comparison(operand, sign)
        let expected = Self.rows.indices.filter { condition.holds(Self.rows[$0]) == true }
        #expect(try await Self.ids(snapshot.where(condition.predicate)) == expected, "\(condition.text)")
      }
    }
  }

  @Test func randomConditionsAreThoseOfTheReferenceAndReadBackFromText() async throws {
    let snapshot = try await Self.table().table.snapshot()
    var generator = SeededGenerator(seed: 43)
    for _ in 0..<250 {
      let condition = Self.random(&generator)
      let parsed = try Condition(parsing: condition.text)
      #expect(parsed == condition.predicate)
      let expected = Self.rows.indices.filter { condition.holds(Self.rows[$0]) == true }
      #expect(try await Self.ids(snapshot.where(parsed)) == expected, "\(condition.text)")
      #expect(try await snapshot.where(parsed).count() == expected.count)
    }
  }

  @Test(arguments: [
    ("nobody = 1", "nobody"), ("i = 'x'", "column i is int"), ("i = true", "column i"),
    ("text = 1", "column text"),
    ("flag = 1", "column flag"), ("flag = 'true'", "column flag"), ("day = 19782", "column day"),
    ("day = '1970-02-30'", "column day"), ("at = 'yesterday'", "column at"), ("at = 0", "column at"),
    ("price = 'x'", "column price"), ("d = '1'", "column d"), ("nobody is null", "nobody"),
    ("i in (1, 'x')", "column i"), ("i = 1 or nobody in (1)", "nobody"),
    ("big = 123456789012345678901234567890123456789", "column big"),
  ]) func whatCannotBeComparedIsRefusedAtOnce(_ text: String, _ words: String) async throws {
    let snapshot = try await SmallTable(Self.schema).table.snapshot()
    await expectRefusal(.mismatch, words) { _ = try snapshot.where(try Condition(parsing: text)) }
  }

  @Test func snapshotsSelectLimitAndCount() async throws {
    let snapshot = try await Self.table().table.snapshot()
    #expect(try await snapshot.count() == 150)
    #expect(try await snapshot.limit(7).count() == 7)
    #expect(try await snapshot.limit(1_000).count() == 150)
    #expect(try await snapshot.limit(0).count() == 0)
    #expect(try await snapshot.limit(-1).count() == 0)
    #expect(try await snapshot.limit(5).limit(10).count() == 5)
    let isNull = try Condition(parsing: "i is null")
    let nulls = Self.rows.count { $0.i == nil }
    #expect(try await snapshot.where(isNull).limit(3).count() == 3)
    #expect(try await snapshot.where(isNull).count() == nulls)
    #expect(try await snapshot.where(isNull).where(.not(isNull)).count() == 0)
    var names: [[String]] = []
    for try await batch in try snapshot.select("text", "id", "_hoodie_record_key").limit(2) {
      names.append(batch.schema.names)
      #expect(batch.count == 2)
    }
    #expect(names == [["text", "id", "_hoodie_record_key"]])
    // A condition may look at columns that are not selected.
    #expect(try await Self.ids(snapshot.where(isNull)).count == nulls)
    await expectRefusal(.mismatch, "nobody", "price") { _ = try snapshot.select("id", "nobody") }
    let empty = try await SmallTable(Self.schema).table.snapshot()
    #expect(try await empty.count() == 0)
    #expect(try await Self.ids(empty).isEmpty)
  }
}

/// Literals of Swift against exact columns.
@Suite struct FloatingLiteralTests {
  private static let schema = Schema([
    Field("id", .string), Field("v", .decimal(precision: 21, scale: 3)), Field("n", .int64),
    Field("d", .double),
    Field("f", .float),
  ])

  private static func table() async throws -> Table {
    let small = try await SmallTable(schema)
    var price = ColumnBuilder(.decimal(precision: 21, scale: 3))
    var number = ColumnBuilder(.int64)
    var double = ColumnBuilder(.double)
    var float = ColumnBuilder(.float)
    for value in [Int128(123_456_789_012_345_678_125), 500] { price.append(value) }
    for value in [Int64(9_007_199_254_740_993), 1] { number.append(value) }
    for value in [0.1234567890123456, 0.5] { double.append(value) }
    for value in [Float(0.1), 0.5] { float.append(value) }
    try await small.table.upsert(
      try RecordBatch(
        schema: schema,
        columns: [try texts("a", "b"), price.finish(), number.finish(), double.finish(), float.finish()]))
    return small.table
  }

  private static let v = ColumnReference.column("v")

  @Test func oneOfMoreDigitsThanADoubleKeepsIsRefusedAgainstExactColumns() async throws {
    let table = try await Self.table()
    let snapshot = try await table.snapshot()
    #expect(try await snapshot.where(Self.v == .number("123456789012345678.125")).count() == 1)
    let lossy: [Condition] = [
      Self.v == 123456789012345678.125, Self.v > 1234567890123456.5, Self.v.isIn([0.5, 0.12345678901234567]),
      .column("n") == 9007199254740993.0,
    ]
    for predicate in lossy {
      await expectRefusal(.mismatch, "a Double keeps 15", ".number(\"") { _ = try snapshot.where(predicate) }
    }
    await expectRefusal(.mismatch, "cannot hold", ".number(\"") {
      try await table.update(where: .column("id") == "a", set: ["v": 123456789012345678.125])
    }
    // As many digits as a Double keeps are what was written.
    #expect(try await snapshot.where(Self.v == 0.5).count() == 1)
    #expect(try await snapshot.where(Self.v < 123456789012345.0).count() == 1)
    #expect(try await snapshot.where(Self.v > 123456789012345e3).count() == 1)
    #expect(try await snapshot.where(.column("n") > 0.100000000000001).count() == 2)
    #expect(Literal(floatLiteral: 1.5) == .number("1.5"))
    // Columns of floating-point numbers take any.
    #expect(try await snapshot.where(.column("d") == 0.1234567890123456).count() == 1)
    #expect(try await snapshot.where(.column("f") < 0.1234567890123456).count() == 1)
  }

  @Test func aDigitBesideThePointMayBeLeftOutForEveryType() async throws {
    let snapshot = try await Self.table().snapshot()
    for column in ["v", "d", "f"] {
      for text in [".5", "0.5", "+.5", ".5e0", "5.e-1", ".50"] {
        let predicate = try Condition(parsing: "\(column) = \(text)")
        #expect(try await snapshot.where(predicate).count() == 1, "\(column) = \(text)")
      }
      #expect(try await snapshot.where(try Condition(parsing: "\(column) > -.5")).count() == 2)
      #expect(try await snapshot.where(try Condition(parsing: "\(column) in (.5, 7.)")).count() == 1)
    }
    #expect(try await snapshot.where(try Condition(parsing: "n > .5 and n < 2.")).count() == 1)
    for text in [".", "-.", ".e5"] {
      await expectRefusal(.mismatch, "a number") { _ = try Condition(parsing: "v = \(text)") }
    }
  }
}
