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
}
