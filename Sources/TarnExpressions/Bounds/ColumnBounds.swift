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

  /// For each part, whether a comparison may be true for a value within the bounds.
  func mayHold(_ comparison: Comparison, _ literal: Literal) throws(ExpressionError) -> [Bool] {
    /// Where a comparison is true for bounds, or may be.
    func test(_ comparison: Comparison, _ bounds: Column?) throws(ExpressionError) -> [Bool] {
      guard let bounds else { return parts.map { _ in true } }
      let rows = try bounds.rows("", comparison, literal)
      return parts.indices.map { rows[$0] || bounds.isNull($0) }
    }
    // Bounds leave out what is no number, and that comes after all numbers.
    let hasUnbounded = type == .float || type == .double
    var result: [Bool]
    switch comparison {
    case .equal:
      let isAbove = try test(.lessOrEqual, least)
      let isBelow = try test(.greaterOrEqual, greatest)
      let isUnbounded = hasUnbounded && literal.isNoNumber
      result = zip(isAbove, isBelow).map { isUnbounded || $0 && $1 }
    case .less, .lessOrEqual: result = try test(comparison, least)
    case .notEqual:
      let (differs, otherDiffers) = (try test(.notEqual, least), try test(.notEqual, greatest))
      result = zip(differs, otherDiffers).map { hasUnbounded || $0 || $1 }
    case .greater, .greaterOrEqual: result = try test(comparison, greatest).map { hasUnbounded || $0 }
    }
    // A comparison with null is never true.
    for part in result.indices where parts[part].isAllNull { result[part] = false }
    return result
  }

  /// For each part, whether a value may be null, or not.
  func mayBeNull(_ isNull: Bool) -> [Bool] {
    parts.map { part in
      guard let nulls = part.nullCount else { return isNull || !part.isAllNull }
      return isNull ? nulls > 0 : nulls < part.rows.count
    }
  }

  /// For each part, whether a value may be one of some.
  func mayBe(_ literals: [Literal]) throws(ExpressionError) -> [Bool] {
    var result = parts.map { _ in false }
    for literal in literals {
      let holds = try mayHold(.equal, literal)
      for part in result.indices where holds[part] { result[part] = true }
    }
    return result
  }
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
