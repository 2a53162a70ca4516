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
    case (.boolean(let bits), .boolean(let other)) where other.count > 0:
      return Self.rows(bits, comparison, other[0])
    case (.int32(let list), .int32(let other)) where !other.isEmpty:
      return Self.rows(list, comparison, other[0])
    case (.float(let list), .float(let other)) where !other.isEmpty:
      return Self.rows(numbers: list, comparison, other[0])
    case (.double(let list), .double(let other)) where !other.isEmpty:
      return Self.rows(numbers: list, comparison, other[0])
    case (.bytes(let strings), .bytes(let other)): return Self.rows(strings, comparison, other)
    case (.dictionary(let strings), .bytes(let other)): return Self.rows(strings, comparison, other)
    default:
      throw ExpressionError(.typeMismatch, "column \(name) is \(type.name), whose values cannot be compared")
    }
  }

  /// False comes before true, and each of the two compares the same way in all rows.
  private static func rows(_ bits: Bitmap, _ comparison: Comparison, _ other: Bool) -> Bitmap {
    let none = Bitmap(count: bits.count)
    let whereTrue = comparison.holds(other ? 0 : 1) ? bits : none
    let whereFalse = comparison.holds(other ? -1 : 0) ? bits.inverted : none
    return whereTrue.union(whereFalse)
  }

  private static func rows(
    _ strings: ByteStrings, _ comparison: Comparison, _ other: ByteStrings
  ) -> Bitmap {
    let count = strings.count
    return switch comparison {
    case .equal: Bitmap(count: count) { strings.equals($0, other, 0) }
    case .notEqual: Bitmap(count: count) { !strings.equals($0, other, 0) }
    case .less: Bitmap(count: count) { strings.precedes($0, other, 0) }
    case .greaterOrEqual: Bitmap(count: count) { !strings.precedes($0, other, 0) }
    case .greater: Bitmap(count: count) { other.precedes(0, strings, $0) }
    case .lessOrEqual: Bitmap(count: count) { !other.precedes(0, strings, $0) }
    }
  }

  private static func rows(
    _ strings: DictionaryStrings, _ comparison: Comparison, _ other: ByteStrings
  ) -> Bitmap {
    switch comparison {
    case .equal: strings.rows { $0.equals($1, other, 0) }
    case .notEqual: strings.rows { !$0.equals($1, other, 0) }
    case .less: strings.rows { $0.precedes($1, other, 0) }
    case .greaterOrEqual: strings.rows { !$0.precedes($1, other, 0) }
    case .greater: strings.rows { other.precedes(0, $0, $1) }
    case .lessOrEqual: strings.rows { !other.precedes(0, $0, $1) }
    }
  }

  /// NaN comes after all numbers.
  private static func rows<T: FloatingPoint>(numbers: [T], _ comparison: Comparison, _ other: T) -> Bitmap {
    if other.isNaN {
      let (isHeldByNone, isHeldByNumbers) = (comparison.holds(0), comparison.holds(-1))
      return Bitmap(count: numbers.count) { numbers[$0].isNaN ? isHeldByNone : isHeldByNumbers }
    }
    switch comparison {
    case .equal: return Bitmap(count: numbers.count) { numbers[$0] == other }
    case .notEqual: return Bitmap(count: numbers.count) { numbers[$0] != other }
    case .less: return Bitmap(count: numbers.count) { numbers[$0] < other }
    case .lessOrEqual: return Bitmap(count: numbers.count) { numbers[$0] <= other }
    case .greater: return Bitmap(count: numbers.count) { !(numbers[$0] <= other) }
    case .greaterOrEqual: return Bitmap(count: numbers.count) { !(numbers[$0] < other) }
    }
  }

  private static func rows<T: Comparable>(_ list: [T], _ comparison: Comparison, _ other: T) -> Bitmap {
    switch comparison {
    case .equal: Bitmap(count: list.count) { list[$0] == other }
    case .notEqual: Bitmap(count: list.count) { list[$0] != other }
    case .less: Bitmap(count: list.count) { list[$0] < other }
    case .lessOrEqual: Bitmap(count: list.count) { list[$0] <= other }
    case .greater: Bitmap(count: list.count) { list[$0] > other }
    case .greaterOrEqual: Bitmap(count: list.count) { list[$0] >= other }
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
