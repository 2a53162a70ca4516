/// A decimal number, exact: a coefficient of at most 38 digits times a power of ten.
@frozen
public struct ExactDecimal: Sendable, Hashable {
  /// The digits, with the sign.
  public var coefficient: Int128
  /// The power of ten by which the coefficient is multiplied.
  public var exponent: Int

  /// The most significant digits that fit.
  public static let greatestPrecision = 38

  /// Makes a number of its parts.
  @inlinable
  public init(coefficient: Int128, exponent: Int) {
    self.coefficient = coefficient
    self.exponent = exponent
  }

  /// Parses `[+-]digits[.digits][(e|E)[+-]digits]`; nil where the text is no such number, or has more than 38
  /// significant digits, or an exponent beyond 9999.
  ///
  /// Zeros at the end stay part of the coefficient while it has room for them.
  public init?(_ text: RawSpan) {
    var offset = 0
    let end = text.byteCount
    func byte(_ at: Int) -> UInt8 { text.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self) }
    var isNegative = false
    if offset < end, byte(offset) == 0x2d || byte(offset) == 0x2b {
      isNegative = byte(offset) == 0x2d
      offset += 1
    }
    var low: UInt64 = 0
    var wide: Int128 = 0
    var digits = 0
    var pendingZeros = 0
    var exponent = 0
    var sawDigit = false
    var inFraction = false
    scan: while offset < end {
      let next = byte(offset)
      switch next {
      case 0x30...0x39:
        sawDigit = true
        if inFraction { exponent -= 1 }
        if next == 0x30 {
          if digits > 0 { pendingZeros += 1 }
          if digits == 0, inFraction == false { exponent = 0 }
        } else {
          let added = pendingZeros + 1
          guard digits + added <= Self.greatestPrecision else { return nil }
          if digits + added <= 18 {
            for _ in 0..<pendingZeros { low &*= 10 }
            low = low &* 10 &+ UInt64(next - 0x30)
            if digits + added == 18 { wide = Int128(low) }
          } else {
            if digits < 18 { wide = Int128(low) }
            for _ in 0..<pendingZeros { wide &*= 10 }
            wide = wide &* 10 &+ Int128(next - 0x30)
          }
          digits += added
          pendingZeros = 0
        }
        offset += 1
      case 0x2e where !inFraction:
        inFraction = true
        offset += 1
        guard offset < end, byte(offset) &- 0x30 < 10, sawDigit else { return nil }
      default: break scan
      }
    }
    guard sawDigit else { return nil }
    if offset < end {
      guard byte(offset) | 0x20 == 0x65 else { return nil }
      offset += 1
      var power = 0
      var isDown = false
      if offset < end, byte(offset) == 0x2d || byte(offset) == 0x2b {
        isDown = byte(offset) == 0x2d
        offset += 1
      }
      guard offset < end else { return nil }
      while offset < end {
        let digit = byte(offset) &- 0x30
        guard digit < 10, power < 1000 else { return nil }
        power = power * 10 + Int(digit)
        offset += 1
      }
      exponent += isDown ? -power : power
    }
    var coefficient = digits <= 18 ? Int128(low) : wide
    // Zeros at the end are kept where they fit, so that "1.50" has two places.
    let kept = min(pendingZeros, Self.greatestPrecision - digits)
    for _ in 0..<kept { coefficient &*= 10 }
    exponent += pendingZeros - kept
    self.coefficient = isNegative ? -coefficient : coefficient
    self.exponent = coefficient == 0 ? min(max(exponent, -Self.greatestPrecision), 0) : exponent
  }

  /// The digits without the point at a scale; nil where that would lose digits or pass 38 of them.
  @inlinable
  public func unscaled(scale: Int) -> Int128? {
    let shift = exponent + scale
    if shift == 0 || coefficient == 0 { return coefficient }
    if shift > 0 {
      guard shift <= Self.greatestPrecision else { return nil }
      let (product, overflow) = coefficient.multipliedReportingOverflow(by: Self.power(shift))
      return overflow || product.magnitude >= Self.power(38).magnitude ? nil : product
    }
    guard shift >= -Self.greatestPrecision else { return nil }
    let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: Self.power(-shift))
    return remainder == 0 ? quotient : nil
  }

  /// The digits without the point at a scale, rounded half away from zero; nil beyond 38 digits.
  @inlinable
  public func rounded(scale: Int) -> Int128? {
    let shift = exponent + scale
    if shift >= 0 || coefficient == 0 { return unscaled(scale: scale) }
    guard shift >= -Self.greatestPrecision else { return 0 }
    return Self.divide(coefficient, by: Self.power(-shift))
  }

  /// The whole number, where it is one and fits.
  @inlinable
  public var int64: Int64? { unscaled(scale: 0).flatMap { Int64(exactly: $0) } }

  /// The nearest double.
  public var double: Double {
    var text: [UInt8] = []
    text.append(decimal: coefficient)
    return Double(String(decoding: text, as: UTF8.self) + "e\(exponent)") ?? .nan
  }

  /// Ten to a power from 0 to 38.
  @inlinable
  public static func power(_ exponent: Int) -> Int128 { powers[exponent] }

  /// A quotient rounded half away from zero; the divisor is positive.
  @inlinable
  public static func divide(_ dividend: Int128, by divisor: Int128) -> Int128 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    // Compared without doubling, which could overflow.
    guard remainder.magnitude >= divisor.magnitude &- remainder.magnitude else { return quotient }
    return quotient + (dividend < 0 ? -1 : 1)
  }

  @usableFromInline
  static let powers: [Int128] = (0...38).map { count in
    (0..<count).reduce(1) { product, _ in product * 10 }
  }

  /// The least number of digits that holds the coefficient; 1 for zero.
  public var precision: Int { Self.digits(coefficient) }

  /// The least number of digits that holds a coefficient; 1 for zero.
  public static func digits(_ coefficient: Int128) -> Int {
    var count = 1
    while count <= 38, coefficient.magnitude >= powers[min(count, 38)].magnitude {
      if count == 38 { return 39 }
      count += 1
    }
    return count
  }
}

extension Array where Element == UInt8 {
  /// Appends a decimal's text: plain digits with exactly `scale` places, as `BigDecimal.toPlainString`.
  public mutating func append(unscaled value: Int128, scale: Int) {
    guard scale > 0 else {
      append(decimal: value)
      return
    }
    if value < 0 { append(0x2d) }
    let magnitude = value.magnitude
    let unit = ExactDecimal.power(Swift.min(scale, 38)).magnitude
    // Division of 128 bits costs many times that of 64.
    if magnitude <= UInt64.max, unit <= UInt64.max {
      let (whole, fraction) = UInt64(truncatingIfNeeded: magnitude).quotientAndRemainder(
        dividingBy: UInt64(truncatingIfNeeded: unit))
      append(digits: whole, width: 1)
      append(0x2e)
      return append(digits: fraction, width: scale)
    }
    let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: unit)
    append(decimal: whole)
    append(0x2e)
    append(decimal: fraction, width: scale)
  }
}
