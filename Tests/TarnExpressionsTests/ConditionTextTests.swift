import TarnColumns
import TarnExpressions
import Testing

@Suite struct ConditionTextTests {
  static let a = Condition.comparison("a", .equal, 1)
  static let b = Condition.comparison("b", .less, "x")
  static let c = Condition.isNull("c")

  static let parsed: [(String, Condition)] = [
    ("a = 1", a), ("a=1 and b<'x'", .and(a, b)), ("a = 1 or b < 'x' and c is null", .or(a, .and(b, c))),
    ("(a = 1 or b < 'x') and c is null", .and(.or(a, b), c)),
    ("a = 1 and b < 'x' or c is null", .or(.and(a, b), c)),
    ("not a = 1 and b < 'x'", .and(.not(a), b)), ("not (a = 1 and b < 'x')", .not(.and(a, b))),
    ("NOT not a = 1", .not(.not(a))), ("c IS NOT NULL", .not(c)), ("1 = a", a), ("'x' > b", b),
    ("a in (1, 2.50,-3)", .isIn("a", [1, .number("2.50"), .number("-3")])),
    ("a not in ('x')", .not(.isIn("a", ["x"]))), ("a <> true", .comparison("a", .notEqual, true)),
    ("a != FALSE", .comparison("a", .notEqual, false)),
    ("a >= 1e2", .comparison("a", .greaterOrEqual, .number("1e2"))),
    ("\"odd \"\"name\" <= 'it''s'", .comparison("odd \"name", .lessOrEqual, "it's")),
    ("\"and\" = 1", .comparison("and", .equal, 1)), ("\ta\n=\r1 ", a),
    ("é > ''", .comparison("é", .greater, "")),
    ("a.b = 1", .comparison("a.b", .equal, 1)), ("a = 1 or b < 'x' or c is null", .or(.or(a, b), c)),
  ]

  @Test(arguments: parsed.indices) func conditionsReadAsInSQL(_ index: Int) throws {
    #expect(try Condition(parsing: Self.parsed[index].0) == Self.parsed[index].1)
  }

  @Test func operatorsBuildTheSame() throws {
    let built: Condition =
      .column("a") == 1 && !(.column("b") < "x") || ColumnReference.column("c").isIn([1, 2])
    #expect(built == (try Condition(parsing: "a = 1 and not b < 'x' or c in (1, 2)")))
    #expect(built.columns == ["a", "b", "c"])
    let others: [Condition] = [
      .column("a") != 1, .column("a") <= 1, .column("a") > 1.5, .column("a") >= true,
      ColumnReference.column("a").isNull,
    ]
    let texts = ["a != 1", "a <= 1", "a > 1.5", "a >= true", "a is null"]
    #expect(try texts.map { try Condition(parsing: $0) } == others)
  }

  @Test(arguments: [
    ("", 1), ("a", 2), ("a =", 4), ("a = 1 and", 10), ("a = 1 b", 7), ("= 1", 1), ("a == 1", 4), ("a = b", 5),
    ("(a = 1", 7), ("a = 1)", 6), ("a in 1", 6), ("a in ()", 7), ("a in (1,)", 9), ("a in (1", 8),
    ("a not 1", 7),
    ("a is 1", 6), ("a is not 1", 10), ("a = 'x", 5), ("\"a = 1", 1), ("a = -", 5), ("a = 1.2.3", 5),
    ("a = 1e", 5),
    ("a ! 1", 3), ("a = 1; drop", 6), ("a = $1", 5), ("é = 'ü' x", 9), ("1 = 1", 5),
  ]) func aConditionThatDoesNotReadSaysWhere(_ text: String, _ position: Int) {
    expectUnreadable("character \(position)") { _ = try Condition(parsing: text) }
  }

  @Test func deepConditionsAreRefusedAndLongOnesTaken() throws {
    expectUnreadable("nested") {
      _ = try Condition(parsing: String(repeating: "(", count: 100_000) + "a = 1")
    }
    expectUnreadable("nested") {
      _ = try Condition(parsing: String(repeating: "not ", count: 100_000) + "a = 1")
    }
    // Joined conditions do not nest, however many they are.
    let ids = try Column(type: .string, values: .bytes(ByteStrings(offsets: [0, 1], bytes: [0x79])))
    let batch = try RecordBatch(schema: Schema([Field("id", .string)]), columns: [ids])
    for word in ["and", "or"] {
      let text = [String](repeating: "id = 'x'", count: 20_000).joined(separator: " \(word) ")
      #expect(try Condition(parsing: text).rows(of: batch).isEmpty)
    }
  }
}

extension Condition {
  fileprivate static func and(_ left: Condition, _ right: Condition) -> Condition { left && right }
  fileprivate static func or(_ left: Condition, _ right: Condition) -> Condition { left || right }
  fileprivate static func not(_ inner: Condition) -> Condition { !inner }
}

/// Expects a text or a value to be refused with some words.
private func expectUnreadable(
  _ words: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("nothing was refused", sourceLocation: sourceLocation)
  } catch let error as ExpressionError {
    #expect(error.message.contains(words), "\(error) lacks \(words)", sourceLocation: sourceLocation)
  } catch { Issue.record("\(error)", sourceLocation: sourceLocation) }
}
