import TarnBytes
import TarnColumns

/// A value to compare columns with; its text is understood by the column's type.
public enum Literal: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
  /// A number as written, such as `100` or `1.50`.
  case number(String)
  /// A floating-point number of more than 15 digits, of which the last may not be those that were written.
  ///
  /// It is compared with columns of floating-point numbers only.
  case floating(Double)
  /// A text, a date, a time, or base64 of bytes.
  case string(String)
  /// True or false.
  case boolean(Bool)

  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }

  /// A whole number.
  public init(integerLiteral value: Int) { self = .number(String(value)) }

  /// A number with a fraction.
  ///
  /// Swift gives it as a `Double`, which surely keeps 15 digits: for more of them, as decimals have, write
  /// ``number(_:)``.
  public init(floatLiteral value: Double) {
    let text = "\(value)"
    self = Self.significantDigits(text) <= 15 ? .number(text) : .floating(value)
  }

  /// The digits of a number's text between the first and the last that is not zero.
  private static func significantDigits(_ text: String) -> Int {
    let mantissa = text.utf8.prefix { $0 | 0x20 != 0x65 }
    let digits = mantissa.filter { (0x30...0x39).contains($0) }.drop { $0 == 0x30 }
    return digits.lastIndex { $0 != 0x30 }.map { digits[...$0].count } ?? 0
  }

  /// True or false.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }

  /// The literal as it stands in a condition.
  public var text: String {
    switch self {
    case .number(let text): text
    case .floating(let value): "\(value)"
    case .string(let text): "'" + text.replacing("'", with: "''") + "'"
    case .boolean(let value): value ? "true" : "false"
    }
  }

  /// A column of this one value in a column's type, so that rows can be compared with it.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where the text is no value of the type.
  func column(for field: Field) throws(TableError) -> Column {
    var builder = ColumnBuilder(field.type)
    guard append(to: &builder, type: field.type) else {
      throw TableError(
        .mismatch,
        "column \(field.name) is \(field.type.name): it cannot be compared with \(text)\(hint(for: field.type))"
      )
    }
    return builder.finish()
  }

  /// What to write instead, where digits of an exact number may have been lost.
  func hint(for type: DataType) -> String {
    switch (self, type) {
    case (.floating, .decimal), (.floating, .int8), (.floating, .int16), (.floating, .int32),
      (.floating, .int64):
      ", whose last digits may be lost, since a Double keeps 15: write its text, as in .number(\"1.25\")"
    default: ""
    }
  }

  private func append(to builder: inout ColumnBuilder, type: DataType) -> Bool {
    switch (type, self) {
    case (.boolean, .boolean(let value)):
      builder.append(value)
      return true
    case (.string, .string(let text)): return (try? builder.append(text)) != nil
    case (.binary, .string(let text)):
      guard let bytes = Base64.decode(Array(text.utf8).span.bytes) else { return false }
      return (try? builder.append(bytes.span.bytes)) != nil
    case (.date, .string(let text)):
      guard let days = CivilTime.parseDate(Array(text.utf8).span.bytes) else { return false }
      builder.append(Int32(truncatingIfNeeded: days))
      return true
    case (.float, .number(let text)):
      guard let value = Float(text) else { return false }
      builder.append(value)
      return true
    case (.double, .number(let text)):
      guard let value = Double(text) else { return false }
      builder.append(value)
      return true
    case (.float, .floating(let value)):
      builder.append(Float(value))
      return true
    case (.double, .floating(let value)):
      builder.append(value)
      return true
    default: return false
    }
  }
}

/// A literal compared with a column of whole numbers, decimals or times, exactly however fine it is.
struct ExactValue {
  /// The greatest value of the column's scale or unit that is not above the literal.
  let floor: Int128
  /// Whether the literal lies between two values of the column's type.
  let isBetween: Bool

  /// A literal as a column's type has it; nil where it does not fit, or the type is compared another way.
  init?(_ literal: Literal, type: DataType) {
    switch (type, literal) {
    case (.int8, .number(let text)), (.int16, .number(let text)), (.int32, .number(let text)),
      (.int64, .number(let text)):
      self.init(number: text, scale: 0)
    case (.decimal(_, let scale), .number(let text)): self.init(number: text, scale: scale)
    case (.timestamp(let unit, _), .string(let text)): self.init(time: text, unit: unit)
    default: return nil
    }
  }

  private init?(time text: String, unit: TimeUnit) {
    guard let time = CivilTime.parse(Array(text.utf8).span.bytes) else { return nil }
    // A fraction counts forwards, so that dropped digits always leave the value below.
    let perUnit = 1_000_000 / unit.perSecond
    let units = CivilTime.floorDivide(time.microseconds, perUnit)
    floor = Int128(units)
    isBetween = time.lostDigits || units * perUnit != time.microseconds
  }

  /// A number's text with a digit on either side of its point, where one was left out, as in `.5` and `5.`.
  private static func whole(_ text: String) -> [UInt8] {
    var bytes = Array(text.utf8)
    guard let point = bytes.firstIndex(of: 0x2e) else { return bytes }
    func isDigit(_ index: Int) -> Bool {
      bytes.indices.contains(index) && (0x30...0x39).contains(bytes[index])
    }
    let (before, after) = (isDigit(point - 1), isDigit(point + 1))
    // A point alone is no number.
    guard before != after else { return bytes }
    bytes.insert(0x30, at: before ? point + 1 : point)
    return bytes
  }

  private init?(number text: String, scale: Int) {
    guard let number = ExactDecimal(Self.whole(text).span.bytes) else { return nil }
    if let exact = number.unscaled(scale: scale) {
      floor = exact
      isBetween = false
      return
    }
    let shift = number.exponent + scale
    if shift >= 0 {
      // Beyond 38 digits: greater or less than every value.
      floor = number.coefficient < 0 ? Int128.min : Int128.max - 1
      isBetween = true
      return
    }
    guard shift >= -ExactDecimal.greatestPrecision else {
      floor = number.coefficient < 0 ? -1 : 0
      isBetween = true
      return
    }
    let quotient = number.coefficient / ExactDecimal.power(-shift)
    floor = number.coefficient < 0 ? quotient - 1 : quotient
    isBetween = true
  }
}
