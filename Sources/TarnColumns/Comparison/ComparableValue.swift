/// How values of one size are compared within columns.
@usableFromInline
package protocol ComparableValue: FixedSizeValue, Comparable {
  /// Whether another value is the same; floating-point numbers are where their bits are.
  func isSame(as other: Self) -> Bool
  /// How the value compares with another: negative, zero or positive; NaN comes after all numbers, and the zeros are
  /// alike.
  func order(to other: Self) -> Int
}

extension ComparableValue where Self: FixedWidthInteger {
  @inlinable package func isSame(as other: Self) -> Bool { self == other }

  @inlinable
  package func order(to other: Self) -> Int { (self > other ? 1 : 0) &- (self < other ? 1 : 0) }
}

extension ComparableValue where Self: FloatingPoint {
  @inlinable
  package func order(to other: Self) -> Int {
    if isNaN || other.isNaN { return (isNaN ? 1 : 0) &- (other.isNaN ? 1 : 0) }
    return (self > other ? 1 : 0) &- (self < other ? 1 : 0)
  }
}

extension Int8: ComparableValue {}
extension Int16: ComparableValue {}
extension Int32: ComparableValue {}
extension Int64: ComparableValue {}
extension Int128: ComparableValue {}

extension Float: ComparableValue {
  @inlinable package func isSame(as other: Float) -> Bool { bitPattern == other.bitPattern }
}

extension Double: ComparableValue {
  @inlinable package func isSame(as other: Double) -> Bool { bitPattern == other.bitPattern }
}
