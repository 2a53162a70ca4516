package import TarnBytes

/// A number as DynamoDB keeps it: decimal, up to 38 significant digits, exact.
///
/// Its magnitude is zero, or from 1E-130 to 9.9999999999999999999999999999999999999E+125. The text it was
/// read from is kept, so that writing it again loses nothing; numbers are equal where their values are.
public struct DynamoDBNumber: Sendable {
  /// The text it was made from.
  public let text: String
  /// The value, without zeros at the end of the coefficient.
  package let decimal: ExactDecimal

  /// The powers of ten of the first digit that are allowed.
  static let magnitudes = -130...125

  /// Reads `[+-]digits[.digits][(e|E)[+-]digits]`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the text is no number, has more than 38 significant digits, or lies
  ///   beyond the magnitudes allowed.
  public init(_ text: String) throws(DynamoDBJSONError) {
    let bytes = Array(text.utf8)
    decimal = try Self.parse(bytes.span.bytes)
    self.text = text
  }

  /// A whole number.
  public init(_ value: Int64) { self.init(short: Int128(value)) }

  /// A whole number.
  public init(_ value: Int) { self.init(short: Int128(value)) }

  /// A whole number.
  public init(_ value: UInt64) { self.init(short: Int128(value)) }

  /// The number that a double prints as, such as 0.1.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is not finite, or lies beyond the magnitudes allowed.
  public init(_ value: Double) throws(DynamoDBJSONError) { try self.init(printed: value.description) }

  /// A number whose text is made canonical.
  init(printed text: String) throws(DynamoDBJSONError) {
    let bytes = Array(text.utf8)
    self.init(exact: try Self.parse(bytes.span.bytes))
  }

  /// Digits times a power of ten.
  ///
  /// - Throws: ``DynamoDBJSONError`` where there are more than 38 significant digits, or the number lies beyond the
  ///   magnitudes allowed.
  public init(coefficient: Int128, exponent: Int) throws(DynamoDBJSONError) {
    var text: [UInt8] = []
    text.append(decimal: coefficient)
    text.append(text: "e\(exponent)")
    self.init(exact: try Self.parse(text.span.bytes))
  }

  private init(short value: Int128) {
    text = String(value)
    decimal = Self.trimmed(ExactDecimal(coefficient: value, exponent: 0))
  }

  /// A number whose text is the canonical one.
  private init(exact: ExactDecimal) {
    decimal = exact
    var canonical: [UInt8] = []
    Self.appendCanonical(exact, to: &canonical)
    text = String(decoding: canonical, as: UTF8.self)
  }

  /// A number whose text ``check(_:)`` has taken; zero for other texts.
  init(checked bytes: RawSpan) {
    decimal = (try? Self.parse(bytes)) ?? ExactDecimal(coefficient: 0, exponent: 0)
    text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// Reads a number's text and checks the limits, without keeping the text.
  ///
  /// - Throws: ``DynamoDBJSONError`` as ``init(_:)-(String)``.
  package static func parse(_ bytes: RawSpan) throws(DynamoDBJSONError) -> ExactDecimal {
    guard let exact = ExactDecimal(bytes) else { throw DynamoDBJSONError(.badNumber(shown(bytes))) }
    let decimal = trimmed(exact)
    guard decimal.coefficient != 0 else { return decimal }
    guard magnitudes.contains(decimal.exponent + decimal.precision - 1) else {
      throw DynamoDBJSONError(.numberOutOfRange(shown(bytes)))
    }
    return decimal
  }

  /// Whether bytes are the text of a number within the limits.
  ///
  /// - Throws: ``DynamoDBJSONError`` as ``parse(_:)``.
  package static func check(_ bytes: RawSpan) throws(DynamoDBJSONError) {
    // At most 18 digits without exponent are within all limits.
    if PlainNumber(bytes) == nil { _ = try parse(bytes) }
  }

  private static func shown(_ bytes: RawSpan) -> String {
    bytes.withUnsafeBytes { String(decoding: $0.prefix(64), as: UTF8.self) }
  }

  /// The same value with no zeros at the end of the coefficient.
  private static func trimmed(_ number: ExactDecimal) -> ExactDecimal {
    guard number.coefficient != 0 else { return ExactDecimal(coefficient: 0, exponent: 0) }
    var result = number
    while true {
      let (quotient, digit) = result.coefficient.quotientAndRemainder(dividingBy: 10)
      guard digit == 0 else { return result }
      result.coefficient = quotient
      result.exponent += 1
    }
  }

  /// The significant digits, without zeros at the end: the value is this times ten to the ``exponent``.
  public var coefficient: Int128 { decimal.coefficient }

  /// The power of ten of the last significant digit.
  public var exponent: Int { decimal.exponent }

  /// The text that all numbers of this value share; see ``appendCanonical(to:)``.
  public var canonicalText: String {
    var out: [UInt8] = []
    appendCanonical(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// The whole number, where it is one and fits.
  public var int64: Int64? { decimal.int64 }

  /// The double that prints as this number; nil where none does, so that digits would be lost.
  public var double: Double? {
    let nearest = decimal.double
    let printed = Array(nearest.description.utf8)
    guard nearest.isFinite, let exact = ExactDecimal(printed.span.bytes), Self.trimmed(exact) == decimal
    else {
      return nil
    }
    return nearest
  }

  /// Appends the value as a JSON number, the same text for equal values: plain digits where there are at most
  /// 38 of them on either side of the point, else one digit before the point and an exponent.
  public func appendCanonical(to out: inout [UInt8]) {
    Self.appendCanonical(decimal, to: &out)
  }

  static func appendCanonical(_ decimal: ExactDecimal, to out: inout [UInt8]) {
    let digits = decimal.precision
    let magnitude = decimal.exponent + digits - 1
    if decimal.exponent <= 0, decimal.exponent >= -38 {
      out.append(unscaled: decimal.coefficient, scale: -decimal.exponent)
    } else if decimal.exponent > 0, magnitude < 38 {
      out.append(decimal: decimal.coefficient)
      out.append(contentsOf: repeatElement(0x30, count: decimal.exponent))
    } else {
      if decimal.coefficient < 0 { out.append(0x2d) }
      var text: [UInt8] = []
      text.append(decimal: decimal.coefficient.magnitude)
      out.append(text[0])
      if digits > 1 {
        out.append(0x2e)
        out.append(contentsOf: text[1...])
      }
      out.append(0x45)
      if magnitude > 0 { out.append(0x2b) }
      out.append(decimal: magnitude)
    }
  }
}

extension DynamoDBNumber: Hashable, Comparable, CustomStringConvertible {
  /// Whether two numbers have one value, whatever their texts.
  public static func == (left: DynamoDBNumber, right: DynamoDBNumber) -> Bool {
    left.decimal == right.decimal
  }

  /// Feeds the value, not the text.
  public func hash(into hasher: inout Hasher) { hasher.combine(decimal) }

  /// Whether one value is less than another.
  public static func < (left: DynamoDBNumber, right: DynamoDBNumber) -> Bool {
    let (a, b) = (left.decimal, right.decimal)
    guard a.coefficient.signum() == b.coefficient.signum(), a.coefficient != 0 else {
      return a.coefficient.signum() < b.coefficient.signum()
    }
    let isNegative = a.coefficient < 0
    let (digits, others) = (a.precision, b.precision)
    let (magnitude, other) = (a.exponent + digits, b.exponent + others)
    guard magnitude == other else { return (magnitude < other) != isNegative }
    // Both brought to 38 digits, which an Int128 holds.
    return a.coefficient * ExactDecimal.power(38 - digits) < b.coefficient * ExactDecimal.power(38 - others)
  }

  /// The text it was made from.
  public var description: String { text }
}
