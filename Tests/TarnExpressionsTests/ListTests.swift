import TarnColumns
import TarnExpressions
import TarnTestSupport
import Testing

/// Lists of values against each value compared by itself.
@Suite struct ListTests {
  private static let types: [DataType] = [
    .boolean, .int8, .int16, .int32, .int64, .float, .double, .decimal(precision: 20, scale: 2), .date,
    .timestamp(.microseconds, .instant), .string,
  ]

  private static func literal(_ type: DataType, _ generator: inout SeededGenerator) -> Literal {
    let number = generator.below(60) - 30
    switch type {
    case .boolean: return .boolean(generator.oneIn(2))
    case .float, .double:
      return generator.oneIn(9)
        ? .number("nan") : .number(generator.oneIn(5) ? "-0.0" : "\(Double(number) / 2)")
    case .decimal: return .number("\(number).\(generator.oneIn(2) ? "5" : "505")")
    case .date: return .string("1970-02-\(10 + generator.below(15))")
    case .timestamp: return .string("1970-01-01T00:00:\(10 + generator.below(40))Z")
    case .string: return .string(["", "a", "bb", "é", "no"][generator.below(5)])
    default: return .number(generator.oneIn(8) ? "1000000000000000000000" : "\(number)")
    }
  }

  private static func column(_ type: DataType, _ generator: inout SeededGenerator) throws -> Column {
    var builder = ColumnBuilder(type)
    for _ in 0..<150 {
      let number = generator.below(60) - 30
      if generator.oneIn(6) {
        builder.appendNulls()
        continue
      }
      switch type {
      case .boolean: builder.append(generator.oneIn(2))
      case .int8: builder.append(Int8(number))
      case .int16: builder.append(Int16(number))
      case .int32: builder.append(Int32(number))
      case .date: builder.append(Int32(number + 40))
      case .int64: builder.append(Int64(number))
      case .timestamp: builder.append(Int64(number) * 1_000_000)
      case .float: builder.append(generator.oneIn(9) ? -Float.nan : Float(number) / 2)
      case .double: builder.append(generator.oneIn(9) ? -Double.nan : Double(number) / 2)
      case .decimal: builder.append(Int128(number) * 50)
      default: try builder.append(["", "a", "bb", "é", "z"][generator.below(5)])
      }
    }
    return builder.finish()
  }

  @Test(arguments: types) func aListHoldsWhereOneOfItsValuesEquals(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 53)
    for count in [0, 1, 3, 8, 9, 40] {
      let literals = (0..<count).map { _ in Self.literal(type, &generator) }
      var columns = [try Self.column(type, &generator)]
      if case .bytes(let strings) = columns[0].values {
        let entries = DictionaryStrings.Entries(strings)
        columns.append(
          try Column(
            type: type, values: .dictionary(DictionaryStrings(indices: Array(0..<150), entries: entries)),
            validity: columns[0].validity))
      }
      for column in columns {
        let batch = try RecordBatch(schema: Schema([Field("c", type)]), columns: [column])
        var expected: Set<Int32> = []
        for literal in literals {
          expected.formUnion(try (Condition.column("c") == literal).rows(of: batch))
        }
        let condition = Condition.column("c").isIn(literals)
        #expect(try condition.rows(of: batch) == expected.sorted())
        let others = (0..<Int32(150)).filter { !expected.contains($0) && !column.isNull(Int($0)) }
        #expect(try (!condition).rows(of: batch) == others)
      }
    }
  }

  @Test func valuesOfNestedTypesCannotBeCompared() throws {
    let type = DataType.list(Field("element", .int32))
    let batch = try RecordBatch(schema: Schema([Field("c", type)]), columns: [Column(nulls: 2, of: type)])
    let error = #expect(throws: ExpressionError.self) { try (Condition.column("c") < 1).rows(of: batch) }
    #expect(error?.code == .typeMismatch)
    #expect(throws: ExpressionError.self) { try Condition.column("c").isIn([1]).rows(of: batch) }
  }

  @Test func errorsTellTheirKinds() throws {
    let batch = try RecordBatch(schema: Schema([Field("c", .int32)]), columns: [Column(nulls: 2, of: .int32)])
    func code(_ text: String) -> ExpressionError.Code? {
      do throws(ExpressionError) { _ = try Condition(parsing: text).rows(of: batch) } catch {
        return error.code
      }
      return nil
    }
    #expect(code("c < 1") == nil)
    #expect(code("c <") == .syntax && code("c = 'a") == .syntax)
    #expect(code("d = 1") == .noColumn)
    #expect(code("c = 'a'") == .typeMismatch)
  }
}
