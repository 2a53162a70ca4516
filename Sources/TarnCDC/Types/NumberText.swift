import TarnBytes

/// Numbers of at most 18 digits without exponent, which nearly all are, read without wide arithmetic.
struct PlainNumber {
  var coefficient: Int64
  /// Digits behind the point.
  var places: Int

  /// Reads `[-]digits[.digits]`; nil where the text is something else, or longer.
  @inline(__always)
  init?(_ text: RawSpan) {
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
}

/// Text read as numbers of the columns' types.
enum NumberText {
  /// Ten to a power from 0 to 22, each exact.
  static let doublePowers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
  ]

  /// A whole number; nil where the text is none that fits 64 bits.
  @inline(__always)
  static func integer(_ text: RawSpan) -> Int64? {
    if let plain = PlainNumber(text), plain.places == 0 { return plain.coefficient }
    return ExactDecimal(text)?.int64
  }

  /// A decimal's digits without the point; nil where the text is no number, or has digits beyond the scale.
  @inline(__always)
  static func unscaled(_ text: RawSpan, scale: Int) -> Int128? {
    if let plain = PlainNumber(text) {
      let shift = scale &- plain.places
      // Eighteen digits and twenty more fit into an Int128.
      if shift == 0 { return Int128(plain.coefficient) }
      if shift > 0, shift <= 20 { return Int128(plain.coefficient) &* ExactDecimal.power(shift) }
    }
    return ExactDecimal(text)?.unscaled(scale: scale)
  }

  /// The double nearest to a number's text, which has been checked to be one.
  @inline(__always)
  static func double(_ text: RawSpan) -> Double? {
    if let plain = PlainNumber(text), plain.coefficient != 0, plain.coefficient.magnitude < 1 << 53 {
      // Both are exact, so that the quotient is the nearest.
      return Double(plain.coefficient) / doublePowers[plain.places]
    }
    return Double(string(text))
  }

  static func string(_ text: RawSpan) -> String {
    text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
