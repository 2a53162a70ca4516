import TarnBytes
import TarnColumns

/// A value to compare columns with; its text is understood by the column's type.
public enum Literal: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
  /// A number as written, such as `100` or `1.50`.
  case number(String)
  /// A text, a date, a time, or base64 of bytes.
  case string(String)
  /// True or false.
  case boolean(Bool)

  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }

  /// A whole number.
  public init(integerLiteral value: Int) { self = .number(String(value)) }

  /// A number with a fraction.
  public init(floatLiteral value: Double) { self = .number("\(value)") }

  /// True or false.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }

  /// The literal as it stands in a condition.
  public var text: String {
    switch self {
    case .number(let text): text
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
        .mismatch, "column \(field.name) is \(field.type.name): it cannot be compared with \(text)")
    }
    return builder.finish()
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
    case (.timestamp(let unit, _), .string(let text)):
      guard let time = CivilTime.parse(Array(text.utf8).span.bytes) else { return false }
      builder.append(
        unit == .microseconds ? time.microseconds : CivilTime.floorDivide(time.microseconds, 1_000))
      return true
    case (.float, .number(let text)):
      guard let value = Float(text) else { return false }
      builder.append(value)
      return true
    case (.double, .number(let text)):
      guard let value = Double(text) else { return false }
      builder.append(value)
      return true
    default: return false
    }
  }
}

/// A number compared with integer and decimal columns, exactly whatever the column's scale.
struct NumberLiteral {
  /// The greatest value of the column's scale that is not above the number.
  let floor: Int128
  /// Whether the number has digits beyond the column's scale.
  let isBetween: Bool

  /// A number at a scale; nil where the text is no number or beyond every column's range.
  init?(_ text: String, scale: Int) {
    guard let number = ExactDecimal(Array(text.utf8).span.bytes) else { return nil }
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
