import TarnColumns
import TarnParquet

extension Predicate {
  /// Whether the condition may be true for a row of a row group, as far as the file's statistics tell.
  ///
  /// - Parameters:
  ///   - schema: The table's columns; the file's values are compared in their types.
  ///   - isNegated: Whether the opposite is asked for: rows for which the condition is false.
  func mayHold(
    _ file: ParquetFile, group: Int, schema: Schema, isNegated: Bool = false
  ) throws(TableError) -> Bool {
    switch self {
    case .not(let inner):
      return try inner.mayHold(file, group: group, schema: schema, isNegated: !isNegated)
    case .and(let left, let right), .or(let left, let right):
      var isAnd = false
      if case .and = self { isAnd = true }
      let first = try left.mayHold(file, group: group, schema: schema, isNegated: isNegated)
      let second = try right.mayHold(file, group: group, schema: schema, isNegated: isNegated)
      return isAnd != isNegated ? first && second : first || second
    case .isNull(let name):
      guard let nulls = Bounds(name, file, group, schema)?.nullCount else { return true }
      return isNegated ? nulls < file.rowCount(inGroup: group) : nulls > 0
    case .isIn(let name, let literals):
      guard !isNegated, let bounds = Bounds(name, file, group, schema) else { return true }
      for literal in literals where try bounds.mayHold(.equal, literal) { return true }
      return false
    case .comparison(let name, let comparison, let literal):
      guard let bounds = Bounds(name, file, group, schema) else { return true }
      return try bounds.mayHold(isNegated ? comparison.opposite : comparison, literal)
    }
  }
}

extension Predicate.Comparison {
  /// The comparison that holds where this one does not.
  fileprivate var opposite: Self {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    }
  }
}

/// What a file tells of a column in a row group.
private struct Bounds {
  let name: String
  let type: DataType
  let nullCount: Int?
  let isAllNull: Bool
  /// The least and the greatest value, as two rows; nil where the file does not tell both.
  var range: RecordBatch?

  init?(_ name: String, _ file: ParquetFile, _ group: Int, _ schema: Schema) {
    guard let field = schema[name], let index = file.schema.index(of: name),
      let statistics = file.statistics(group: group, column: index)
    else { return nil }
    self.name = name
    type = field.type
    nullCount = statistics.nullCount
    isAllNull = statistics.nullCount == file.rowCount(inGroup: group)
    var builder = ColumnBuilder(file.schema.fields[index].type)
    guard let minimum = statistics.minimum, let maximum = statistics.maximum,
      builder.append(minimum), builder.append(maximum),
      let column = try? builder.finish().converted(to: field.type)
    else { return }
    range = try? RecordBatch(schema: Schema([Field(name, field.type)]), columns: [column], count: 2)
  }

  /// Whether a comparison may be true for a value within the bounds.
  func mayHold(_ comparison: Predicate.Comparison, _ literal: Literal) throws(TableError) -> Bool {
    // A comparison with null is never true.
    if isAllNull { return false }
    guard let range else { return true }
    func test(_ comparison: Predicate.Comparison) throws(TableError) -> (least: Bool, greatest: Bool) {
      let truth = try Predicate.comparison(name, comparison, literal).evaluate(range).isTrue
      return (truth[0], truth[1])
    }
    // Bounds leave out what is no number, and that comes after all numbers.
    let hasUnbounded = type == .float || type == .double
    switch comparison {
    case .equal:
      let isAbove = try test(.lessOrEqual).least
      let isBelow = try test(.greaterOrEqual).greatest
      return isAbove && isBelow
    case .less, .lessOrEqual: return try test(comparison).least
    case .notEqual:
      let (least, greatest) = try test(.equal)
      return hasUnbounded || !(least && greatest)
    case .greater, .greaterOrEqual:
      let isBelow = try test(comparison).greatest
      return hasUnbounded || isBelow
    }
  }
}

extension ColumnBuilder {
  /// Appends a bound; false where it has another layout than the column.
  fileprivate mutating func append(_ bound: ColumnStatistics.Value) -> Bool {
    switch (type, bound) {
    case (.boolean, .boolean(let value)): append(value)
    case (.int8, .integer(let value)): append(Int8(truncatingIfNeeded: value))
    case (.int16, .integer(let value)): append(Int16(truncatingIfNeeded: value))
    case (.int32, .integer(let value)), (.date, .integer(let value)):
      append(Int32(truncatingIfNeeded: value))
    case (.int64, .integer(let value)), (.timestamp, .integer(let value)), (.time, .integer(let value)):
      append(value)
    case (.decimal, .decimal(let value)): append(value)
    case (.float, .number(let value)): append(Float(value))
    case (.double, .number(let value)): append(value)
    case (.string, .bytes(let value)), (.binary, .bytes(let value)):
      return (try? append(value.span.bytes)) != nil
    default: return false
    }
    return true
  }
}
