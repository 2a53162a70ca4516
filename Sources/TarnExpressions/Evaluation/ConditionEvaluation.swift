import TarnColumns

/// For which rows a condition is true, and for which it is unknown.
package struct Truth: Sendable {
  /// Set where the condition is true.
  package var isTrue: Bitmap
  /// Set where it is neither true nor false; nil where it is nowhere.
  package var isUnknown: Bitmap?

  /// The rows for which it is false.
  var isFalse: Bitmap {
    let known = isUnknown.map { isTrue.union($0) } ?? isTrue
    return known.inverted
  }
}

extension Condition {
  /// Checks that the columns are there and the values fit them.
  package func check(against schema: Schema) throws(ExpressionError) {
    let empty = schema.fields.map { Column(nulls: 0, of: $0.type) }
    let batch: RecordBatch
    do { batch = try RecordBatch(schema: schema, columns: empty, count: 0) } catch {
      throw ExpressionError(.unsupported, error.description)
    }
    _ = try evaluate(batch)
  }

  /// The positions of the rows for which the condition is true.
  package func rows(of batch: RecordBatch) throws(ExpressionError) -> [Int32] {
    try evaluate(batch).isTrue.setPositions
  }

  /// For which rows the condition is true.
  package func evaluate(_ batch: RecordBatch) throws(ExpressionError) -> Truth {
    try expression.evaluate(batch)
  }
}

extension Expression {
  fileprivate func evaluate(_ batch: RecordBatch) throws(ExpressionError) -> Truth {
    guard case .call(let function, let arguments) = self else { throw Self.noCondition }
    switch function {
    case .not:
      guard let inner = arguments.first else { throw Self.noCondition }
      let truth = try inner.evaluate(batch)
      return Truth(isTrue: truth.isFalse, isUnknown: truth.isUnknown)
    case .and, .or:
      guard var truth = try arguments.first?.evaluate(batch) else { throw Self.noCondition }
      for argument in arguments.dropFirst() {
        let next = try argument.evaluate(batch)
        truth = function == .and ? Self.both(truth, next) : Self.either(truth, next)
      }
      return truth
    case .isNull:
      let (_, column) = try Self.column(arguments.first, batch)
      return Truth(isTrue: column.nulls ?? Bitmap(count: batch.count), isUnknown: nil)
    case .isIn:
      let (name, column) = try Self.column(arguments.first, batch)
      let list = try LiteralList(Self.literals(arguments.dropFirst()), for: Field(name, column.type))
      return Self.known(list.rows(of: column), column)
    case .compare(let comparison):
      let (name, column) = try Self.column(arguments.first, batch)
      guard let literal = try Self.literals(arguments.dropFirst()).first else { throw Self.noCondition }
      return Self.known(try column.rows(name, comparison, literal), column)
    }
  }

  private static let noCondition = ExpressionError(
    .unsupported, "the expression is no condition: it is neither true nor false")

  static func column(_ argument: Expression?, _ batch: RecordBatch) throws(ExpressionError) -> (
    String, Column
  ) {
    guard case .column(let name)? = argument else {
      throw ExpressionError(.unsupported, "only columns can be compared, with values")
    }
    guard let column = batch[name] else {
      throw ExpressionError(
        .noColumn, "there is no column \(name): the table has \(batch.schema.names.joined(separator: ", "))")
    }
    return (name, column)
  }

  static func literals(_ arguments: ArraySlice<Expression>) throws(ExpressionError) -> [Literal] {
    var literals: [Literal] = []
    for argument in arguments {
      guard case .literal(let literal) = argument else {
        throw ExpressionError(.unsupported, "columns can be compared with values only")
      }
      literals.append(literal)
    }
    return literals
  }

  /// What holds for values, but for those that are null.
  private static func known(_ rows: Bitmap, _ column: Column) -> Truth {
    guard let nulls = column.nulls else { return Truth(isTrue: rows, isUnknown: nil) }
    return Truth(isTrue: rows.subtracting(nulls), isUnknown: nulls)
  }

  /// Three-valued logic: false and anything is false.
  private static func both(_ left: Truth, _ right: Truth) -> Truth {
    let isTrue = left.isTrue.intersection(right.isTrue)
    guard left.isUnknown != nil || right.isUnknown != nil else {
      return Truth(isTrue: isTrue, isUnknown: nil)
    }
    let isFalse = left.isFalse.union(right.isFalse)
    return Truth(isTrue: isTrue, isUnknown: isTrue.union(isFalse).inverted)
  }

  /// True or anything is true.
  private static func either(_ left: Truth, _ right: Truth) -> Truth {
    let isTrue = left.isTrue.union(right.isTrue)
    guard left.isUnknown != nil || right.isUnknown != nil else {
      return Truth(isTrue: isTrue, isUnknown: nil)
    }
    let isFalse = left.isFalse.intersection(right.isFalse)
    return Truth(isTrue: isTrue, isUnknown: isTrue.union(isFalse).inverted)
  }
}
