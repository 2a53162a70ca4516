import TarnBytes

/// Text read as numbers of the columns' types.
enum NumberText {
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
    if let near = PlainNumber(text)?.double { return near }
    return Double(string(text))
  }

  static func string(_ text: RawSpan) -> String {
    text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
