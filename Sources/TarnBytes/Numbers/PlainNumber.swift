/// Numbers of at most 18 digits without exponent, which nearly all are, read without wide arithmetic.
@frozen
public struct PlainNumber: Sendable {
  /// The digits, with the sign.
  public let coefficient: Int64
  /// Digits behind the point.
  public let places: Int

  /// Reads `[-]digits[.digits]`; nil where the text is something else, or longer.
  @inlinable
  @inline(__always)
  public init?(_ text: RawSpan) {
    let end = text.byteCount
    guard end > 0, end <= 20 else { return nil }
    var offset = 0
    let isNegative = text.unsafeLoad(fromUncheckedByteOffset: 0, as: UInt8.self) == 0x2d
    if isNegative { offset = 1 }
    let start = offset
    var point = -1
    var value: Int64 = 0
    while offset < end {
      let byte = text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      let digit = byte &- 0x30
      if digit < 10 {
        value = value &* 10 &+ Int64(digit)
      } else {
        guard byte == 0x2e, point < 0, offset > start, offset &+ 1 < end else { return nil }
        point = offset
      }
      offset &+= 1
    }
    let digits = end &- start &- (point < 0 ? 0 : 1)
    // Eighteen digits fit into 64 bits, so that the arithmetic above has not wrapped.
    guard digits > 0, digits <= 18 else { return nil }
    coefficient = isNegative ? 0 &- value : value
    places = point < 0 ? 0 : end &- point &- 1
  }

  /// The nearest double; nil where finding it takes more than one division.
  @inlinable
  public var double: Double? {
    // Both are exact, so that the quotient is the nearest. Zero may have a sign, which the coefficient has not.
    guard coefficient != 0, coefficient.magnitude < 1 << 53 else { return nil }
    return Double(coefficient) / Self.doublePowers[places]
  }

  /// Ten to a power from 0 to 22, each exact.
  @usableFromInline static let doublePowers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
  ]
}
