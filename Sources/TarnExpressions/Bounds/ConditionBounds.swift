import TarnColumns

extension Condition {
  /// The rows for which the condition may be true.
  ///
  /// - Parameters:
  ///   - bounds: What is known of columns; of one that is missing, nothing is.
  ///   - rows: How many rows there are.
  package func ranges(
    _ bounds: [String: ColumnBounds], of rows: Int
  ) throws(ExpressionError) -> [Range<Int>] {
    try expression.ranges(bounds, of: rows, isNegated: false)
  }

  /// Whether the condition may be true for a row with these values.
  ///
  /// - Parameter row: One row of the columns whose values are known.
  package func mayHold(_ row: RecordBatch) throws(ExpressionError) -> Bool {
    try expression.mayHold(row, isNegated: false)
  }
}

extension Condition {
  /// Values of which a column has one wherever the condition is true; nil where that is not known.
  package func values(of column: String) -> [Literal]? { expression.values(of: column) }
}

extension Expression {
  fileprivate func values(of column: String) -> [Literal]? {
    guard case .call(let function, let arguments) = self else { return nil }
    switch function {
    case .and: return arguments.compactMap { $0.values(of: column) }.min { $0.count < $1.count }
    case .or:
      var all: [Literal] = []
      for argument in arguments {
        guard let some = argument.values(of: column) else { return nil }
        all += some
      }
      return all
    case .compare(.equal), .isIn:
      guard arguments.first == .column(column) else { return nil }
      return try? Self.literals(arguments.dropFirst())
    case .compare, .isNull, .not: return nil
    }
  }

  /// The rows for which the condition may be true, or false where it is negated.
  fileprivate func ranges(
    _ bounds: [String: ColumnBounds], of rows: Int, isNegated: Bool
  ) throws(ExpressionError) -> [Range<Int>] {
    guard case .call(let function, let arguments) = self else { return RowRanges.union([0..<rows]) }
    switch function {
    case .not:
      guard let inner = arguments.first else { return RowRanges.union([0..<rows]) }
      return try inner.ranges(bounds, of: rows, isNegated: !isNegated)
    case .and, .or:
      var found: [Range<Int>]?
      for argument in arguments {
        let next = try argument.ranges(bounds, of: rows, isNegated: isNegated)
        guard let before = found else {
          found = next
          continue
        }
        found =
          (function == .and) != isNegated
          ? RowRanges.intersection(before, next) : RowRanges.union(before + next)
      }
      return found ?? RowRanges.union([0..<rows])
    case .isNull, .isIn, .compare:
      guard case .column(let name)? = arguments.first, let known = bounds[name] else {
        return RowRanges.union([0..<rows])
      }
      let mayHold = try mayHold(function, arguments.dropFirst(), known, isNegated)
      return RowRanges.union(mayHold.setPositions.map { known.parts[Int($0)].rows })
    }
  }

  private func mayHold(
    _ function: Function, _ arguments: ArraySlice<Expression>, _ bounds: ColumnBounds, _ isNegated: Bool
  ) throws(ExpressionError) -> Bitmap {
    switch function {
    case .isNull: return bounds.mayBeNull(!isNegated)
    case .isIn:
      guard !isNegated else { return bounds.haveValues }
      return try bounds.mayBe(Self.literals(arguments))
    case .compare(let comparison):
      guard let literal = try Self.literals(arguments).first else {
        return Bitmap(repeating: true, count: bounds.parts.count)
      }
      return try bounds.mayHold(isNegated ? comparison.opposite : comparison, literal)
    case .not, .and, .or: return Bitmap(repeating: true, count: bounds.parts.count)
    }
  }

  /// Whether the condition may be true for a row of which some columns are known, or false where it is negated.
  fileprivate func mayHold(_ row: RecordBatch, isNegated: Bool) throws(ExpressionError) -> Bool {
    guard case .call(let function, let arguments) = self else { return true }
    switch function {
    case .not: return try arguments.first?.mayHold(row, isNegated: !isNegated) ?? true
    case .and, .or:
      let isEach = (function == .and) != isNegated
      for argument in arguments where try argument.mayHold(row, isNegated: isNegated) != isEach {
        return !isEach
      }
      return isEach
    case .isNull, .isIn, .compare:
      guard case .column(let name)? = arguments.first, row[name] != nil else { return true }
      let truth = try Condition(self).evaluate(row)
      return isNegated ? truth.isFalse[0] : truth.isTrue[0]
    }
  }
}
