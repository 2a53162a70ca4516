import TarnColumns

/// A condition over columns, as SQL has it: null is neither true nor false.
public indirect enum Predicate: Sendable, Hashable {
  /// A column against a value.
  case comparison(String, Comparison, Literal)
  /// Whether a column is null.
  case isNull(String)
  /// Whether a column has one of these values.
  case isIn(String, [Literal])
  /// True where the condition is false.
  case not(Predicate)
  /// Both conditions.
  case and(Predicate, Predicate)
  /// Either condition.
  case or(Predicate, Predicate)

  /// How a column is compared.
  public enum Comparison: String, Sendable, Hashable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// Whether the comparison holds for an order: negative, zero or positive.
    @inline(__always)
    func holds(_ order: Int) -> Bool {
      switch self {
      case .equal: order == 0
      case .notEqual: order != 0
      case .less: order < 0
      case .lessOrEqual: order <= 0
      case .greater: order > 0
      case .greaterOrEqual: order >= 0
      }
    }
  }

  /// A column to compare, as in `.column("price") > 100`.
  public static func column(_ name: String) -> ColumnReference { ColumnReference(name: name) }

  /// The columns that the condition looks at.
  public var columns: Set<String> {
    switch self {
    case .comparison(let name, _, _), .isNull(let name), .isIn(let name, _): [name]
    case .not(let inner): inner.columns
    case .and(let left, let right), .or(let left, let right): left.columns.union(right.columns)
    }
  }

  /// Both conditions.
  public static func && (left: Predicate, right: Predicate) -> Predicate { .and(left, right) }

  /// Either condition.
  public static func || (left: Predicate, right: Predicate) -> Predicate { .or(left, right) }

  /// The opposite.
  public static prefix func ! (inner: Predicate) -> Predicate { .not(inner) }
}

/// A column within a condition.
public struct ColumnReference: Sendable, Hashable {
  /// The column's name.
  public let name: String

  /// A column to compare, as in `.column("price") > 100`.
  public static func column(_ name: String) -> ColumnReference { ColumnReference(name: name) }

  /// Whether the column equals a value.
  public static func == (column: ColumnReference, value: Literal) -> Predicate {
    .comparison(column.name, .equal, value)
  }

  /// Whether the column differs from a value.
  public static func != (column: ColumnReference, value: Literal) -> Predicate {
    .comparison(column.name, .notEqual, value)
  }

  /// Whether the column is less than a value.
  public static func < (column: ColumnReference, value: Literal) -> Predicate {
    .comparison(column.name, .less, value)
  }

  /// Whether the column is at most a value.
  public static func <= (column: ColumnReference, value: Literal) -> Predicate {
    .comparison(column.name, .lessOrEqual, value)
  }

  /// Whether the column is greater than a value.
  public static func > (column: ColumnReference, value: Literal) -> Predicate {
    .comparison(column.name, .greater, value)
  }

  /// Whether the column is at least a value.
  public static func >= (column: ColumnReference, value: Literal) -> Predicate {
    .comparison(column.name, .greaterOrEqual, value)
  }

  /// Whether the column is null.
  public var isNull: Predicate { .isNull(name) }

  /// Whether the column has one of these values.
  public func isIn(_ values: [Literal]) -> Predicate { .isIn(name, values) }
}

/// Which rows a condition holds for, and for which it is unknown.
struct Truth {
  /// Set where the condition is true.
  var isTrue: [Bool]
  /// Set where it is neither true nor false.
  var isUnknown: [Bool]
}

extension Predicate {
  /// Checks that the columns are there and the values fit them.
  ///
  /// - Throws: ``TableError`` with code `mismatch`.
  package func check(against schema: Schema) throws(TableError) {
    let empty = schema.fields.map { Column(nulls: 0, of: $0.type) }
    do {
      let batch = try RecordBatch(schema: schema, columns: empty, count: 0)
      _ = try evaluate(batch)
    } catch { throw TableError(error) }
  }

  /// The positions of the rows for which the condition is true.
  package func rows(of batch: RecordBatch) throws(TableError) -> [Int32] {
    let truth = try evaluate(batch)
    var rows: [Int32] = []
    for (row, isTrue) in truth.isTrue.enumerated() where isTrue { rows.append(Int32(row)) }
    return rows
  }

  func evaluate(_ batch: RecordBatch) throws(TableError) -> Truth {
    switch self {
    case .comparison(let name, let comparison, let literal):
      return try Self.compare(Self.column(name, batch), name, comparison, literal)
    case .isNull(let name):
      let column = try Self.column(name, batch)
      return Truth(
        isTrue: (0..<batch.count).map { column.isNull($0) },
        isUnknown: [Bool](repeating: false, count: batch.count))
    case .isIn(let name, let literals):
      let column = try Self.column(name, batch)
      var truth = Truth(
        isTrue: [Bool](repeating: false, count: batch.count),
        isUnknown: (0..<batch.count).map { column.isNull($0) })
      let list = try LiteralList(literals, for: Field(name, column.type))
      for row in 0..<batch.count where !truth.isUnknown[row] {
        truth.isTrue[row] = list.contains(column, row)
      }
      return truth
    case .not(let inner):
      var truth = try inner.evaluate(batch)
      for row in 0..<batch.count { truth.isTrue[row] = !truth.isTrue[row] && !truth.isUnknown[row] }
      return truth
    case .and(let left, let right):
      return Self.combine(try left.evaluate(batch), try right.evaluate(batch), isAnd: true)
    case .or(let left, let right):
      return Self.combine(try left.evaluate(batch), try right.evaluate(batch), isAnd: false)
    }
  }

  private static func column(_ name: String, _ batch: RecordBatch) throws(TableError) -> Column {
    guard let column = batch[name] else {
      throw TableError(
        .mismatch, "there is no column \(name): the table has \(batch.schema.names.joined(separator: ", "))")
    }
    return column
  }

  /// Three-valued logic: false and anything is false, true or anything is true.
  private static func combine(_ left: Truth, _ right: Truth, isAnd: Bool) -> Truth {
    var truth = left
    for row in truth.isTrue.indices {
      let leftFalse = !left.isTrue[row] && !left.isUnknown[row]
      let rightFalse = !right.isTrue[row] && !right.isUnknown[row]
      if isAnd {
        truth.isTrue[row] = left.isTrue[row] && right.isTrue[row]
        truth.isUnknown[row] = !truth.isTrue[row] && !leftFalse && !rightFalse
      } else {
        truth.isTrue[row] = left.isTrue[row] || right.isTrue[row]
        truth.isUnknown[row] = !truth.isTrue[row] && !(leftFalse && rightFalse)
      }
    }
    return truth
  }

  private static func compare(
    _ column: Column, _ name: String, _ comparison: Comparison, _ literal: Literal
  ) throws(TableError) -> Truth {
    let count = column.count
    var truth = Truth(
      isTrue: [Bool](repeating: false, count: count), isUnknown: (0..<count).map { column.isNull($0) })
    if let exact = ExactValue(literal, type: column.type) {
      fill(&truth, column, comparison, exact)
      return truth
    }
    let value = try literal.column(for: Field(name, column.type))
    for row in 0..<count where !truth.isUnknown[row] {
      truth.isTrue[row] = comparison.holds(column.compare(row, to: value, 0))
    }
    return truth
  }

  private static func fill(
    _ truth: inout Truth, _ column: Column, _ comparison: Comparison, _ exact: ExactValue
  ) {
    func order(_ value: Int128) -> Int {
      if exact.isBetween { return value <= exact.floor ? -1 : 1 }
      return value < exact.floor ? -1 : (value == exact.floor ? 0 : 1)
    }
    func run<T>(_ values: [T], _ widen: (T) -> Int128) {
      for row in values.indices where !truth.isUnknown[row] {
        truth.isTrue[row] = comparison.holds(order(widen(values[row])))
      }
    }
    switch column.values {
    case .int8(let values): run(values) { Int128($0) }
    case .int16(let values): run(values) { Int128($0) }
    case .int32(let values): run(values) { Int128($0) }
    case .int64(let values): run(values) { Int128($0) }
    case .decimal(let values): run(values) { $0 }
    default: break
    }
  }
}
