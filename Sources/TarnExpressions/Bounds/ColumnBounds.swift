import TarnColumns

/// What is known of a column's values in parts of some rows, as in the row groups or pages of a file.
package struct ColumnBounds: Sendable {
  /// What is known of one part.
  package struct Part: Sendable {
    /// The rows of the part.
    package var rows: Range<Int>
    /// How many values are null, where that is known.
    package var nullCount: Int?
    /// Whether all are.
    package var isAllNull: Bool

    package init(rows: Range<Int>, nullCount: Int?, isAllNull: Bool) {
      self.rows = rows
      self.nullCount = nullCount
      self.isAllNull = isAllNull || nullCount == rows.count
    }
  }

  let type: DataType
  let parts: [Part]
  /// A value a part that none is below, or above, and null where it is not known; nil where no part's is.
  private let least: Column?
  private let greatest: Column?

  /// - Parameters:
  ///   - type: The type in which values are compared.
  ///   - parts: The parts, in the order of their rows.
  ///   - least: A value a part, of that type, that none is below; null where it is not known.
  ///   - greatest: A value a part that none is above.
  package init(_ type: DataType, _ parts: [Part], least: Column?, greatest: Column?) {
    self.type = type
    self.parts = parts
    self.least = least
    self.greatest = greatest
  }

  /// The parts in which a comparison may be true for a value within the bounds.
  func mayHold(_ comparison: Comparison, _ literal: Literal) throws(ExpressionError) -> Bitmap {
    // Bounds leave out what is no number, and that comes after all numbers.
    let hasUnbounded = type == .float || type == .double
    let all = Bitmap(repeating: true, count: parts.count)
    var result: Bitmap
    switch comparison {
    case .equal:
      let isAbove = try rows(of: least, .lessOrEqual, literal)
      let isBelow = try rows(of: greatest, .greaterOrEqual, literal)
      result = hasUnbounded && literal.isNoNumber ? all : isAbove.intersection(isBelow)
    case .less, .lessOrEqual: result = try rows(of: least, comparison, literal)
    case .notEqual:
      let differs = try rows(of: least, .notEqual, literal).union(rows(of: greatest, .notEqual, literal))
      result = hasUnbounded ? all : differs
    case .greater, .greaterOrEqual:
      let isAbove = try rows(of: greatest, comparison, literal)
      result = hasUnbounded ? all : isAbove
    }
    // A comparison with null is never true.
    for (part, known) in parts.enumerated() where known.isAllNull { result[part] = false }
    return result
  }

  /// Where a comparison is true for bounds, or may be, as they are not known.
  private func rows(
    of bounds: Column?, _ comparison: Comparison, _ literal: Literal
  ) throws(ExpressionError) -> Bitmap {
    guard let bounds else { return Bitmap(repeating: true, count: parts.count) }
    let rows = try bounds.rows("", comparison, literal)
    return bounds.nulls.map { rows.union($0) } ?? rows
  }

  /// The parts in which a value may be null, or not.
  func mayBeNull(_ isNull: Bool) -> Bitmap {
    Bitmap(count: parts.count) { index in
      let part = parts[index]
      guard let nulls = part.nullCount else { return isNull || !part.isAllNull }
      return isNull ? nulls > 0 : nulls < part.rows.count
    }
  }

  /// The parts in which a value may be one of some.
  func mayBe(_ literals: [Literal]) throws(ExpressionError) -> Bitmap {
    var result = Bitmap(count: parts.count)
    for literal in literals { result = result.union(try mayHold(.equal, literal)) }
    return result
  }

  /// The parts that hold a value.
  var haveValues: Bitmap { Bitmap(count: parts.count) { !parts[$0].isAllNull } }
}

extension Literal {
  /// Whether this is the value that is no number.
  fileprivate var isNoNumber: Bool {
    switch self {
    case .number(let text): Double(text)?.isNaN ?? false
    case .floating(let value): value.isNaN
    case .string, .boolean: false
    }
  }
}
