import TarnColumns

extension Column {
  /// Set where a value is null; nil where none is.
  var nulls: Bitmap? { validity?.inverted }

  /// The rows whose values compare so with a literal; those that are null mean nothing.
  ///
  /// The literal is made a value of the column's type once, and the type is asked once, not for each row.
  func rows(
    _ name: String, _ comparison: Comparison, _ literal: Literal
  ) throws(ExpressionError) -> Bitmap {
    if let exact = ExactValue(literal, type: type), let rows = rows(comparison, exact) { return rows }
    let value = try literal.column(for: Field(name, type))
    switch (values, value.values) {
    case (.int32(let list), .int32(let other)) where !other.isEmpty:
      return Self.rows(list, comparison, other[0])
    case (.float(let list), .float(let other)) where !other.isEmpty:
      return Self.rows(numbers: list, comparison, other[0])
    case (.double(let list), .double(let other)) where !other.isEmpty:
      return Self.rows(numbers: list, comparison, other[0])
    case (.bytes(let strings), .bytes(let other)):
      return bits(strings.count) { Self.holds(strings, $0, comparison, other) }
    case (.dictionary(let strings), .bytes(let other)):
      return strings.rows { Self.holds($0, $1, comparison, other) }
    default: return bits(count) { comparison.holds(compare($0, to: value, 0)) }
    }
  }

  private static func holds(
    _ strings: ByteStrings, _ row: Int, _ comparison: Comparison, _ other: ByteStrings
  ) -> Bool {
    switch comparison {
    case .equal: strings.equals(row, other, 0)
    case .notEqual: !strings.equals(row, other, 0)
    case .less: strings.precedes(row, other, 0)
    case .greaterOrEqual: !strings.precedes(row, other, 0)
    case .greater: other.precedes(0, strings, row)
    case .lessOrEqual: !other.precedes(0, strings, row)
    }
  }

  /// NaN comes after all numbers.
  private static func rows<T: FloatingPoint>(numbers: [T], _ comparison: Comparison, _ other: T) -> Bitmap {
    if other.isNaN {
      return bits(numbers.count) { comparison.holds(numbers[$0].isNaN ? 0 : -1) }
    }
    switch comparison {
    case .equal: return bits(numbers.count) { numbers[$0] == other }
    case .notEqual: return bits(numbers.count) { numbers[$0] != other }
    case .less: return bits(numbers.count) { numbers[$0] < other }
    case .lessOrEqual: return bits(numbers.count) { numbers[$0] <= other }
    case .greater: return bits(numbers.count) { !(numbers[$0] <= other) }
    case .greaterOrEqual: return bits(numbers.count) { !(numbers[$0] < other) }
    }
  }

  private static func rows<T: Comparable>(_ list: [T], _ comparison: Comparison, _ other: T) -> Bitmap {
    switch comparison {
    case .equal: bits(list.count) { list[$0] == other }
    case .notEqual: bits(list.count) { list[$0] != other }
    case .less: bits(list.count) { list[$0] < other }
    case .lessOrEqual: bits(list.count) { list[$0] <= other }
    case .greater: bits(list.count) { list[$0] > other }
    case .greaterOrEqual: bits(list.count) { list[$0] >= other }
    }
  }

  /// The rows of whole numbers, decimals and times; nil for other types.
  private func rows(_ comparison: Comparison, _ exact: ExactValue) -> Bitmap? {
    switch values {
    case .int8(let list): Self.rows(list, comparison, exact)
    case .int16(let list): Self.rows(list, comparison, exact)
    case .int32(let list): Self.rows(list, comparison, exact)
    case .int64(let list): Self.rows(list, comparison, exact)
    case .decimal(let list): Self.rows(list, comparison, exact)
    default: nil
    }
  }

  private static func rows<T: FixedWidthInteger>(
    _ list: [T], _ comparison: Comparison, _ exact: ExactValue
  ) -> Bitmap {
    var comparison = comparison
    if exact.isBetween {
      // No value equals one that lies between two: each is at most the one below, or greater than it.
      switch comparison {
      case .equal: return Bitmap(repeating: false, count: list.count)
      case .notEqual: return Bitmap(repeating: true, count: list.count)
      case .less: comparison = .lessOrEqual
      case .greaterOrEqual: comparison = .greater
      case .lessOrEqual, .greater: break
      }
    }
    guard let value = T(exactly: exact.floor) else {
      // All values lie on one side of what the type cannot have.
      let holds = comparison.holds(exact.floor < Int128(T.min) ? 1 : -1)
      return Bitmap(repeating: holds, count: list.count)
    }
    return rows(list, comparison, value)
  }
}
